"""The rows of a store in memory: what a commit does to them and what can be asked of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from heapq import nlargest
from itertools import islice
from operator import attrgetter

from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    Lease,
    RunRecord,
    StateRecord,
    Tally,
    TaskRecord,
)
from flowweaver.serialize import Encoded
from flowweaver.status import TaskStatus
from flowweaver.stores.common import problems
from flowweaver.stores.common.bases import with_base
from flowweaver.stores.common.leases import Settlement, plain, settle
from flowweaver.stores.common.tallies import tally_of

Place = tuple[str, str]
"""A TaskRun's place in its run: task and element."""
Known = dict[tuple[str, str, str], list[tuple[int, str, Place]]]
"""Where TaskRuns of a workflow, task and fingerprint were written, by the order of their runs.

A run may have moved on since, so each has to be looked at.
"""

_COMPLETED = TaskStatus.COMPLETED
_WORD = re.compile(r"[\w-]+")
_task_values = attrgetter(*(field.name for field in fields(TaskRecord)))


def copied_task(record: TaskRecord) -> TaskRecord:
    """Return an equal record that shares nothing mutable with the original."""
    return TaskRecord(*_task_values(record))


def copied_run(record: RunRecord) -> RunRecord:
    """Return an equal record that shares nothing mutable with the original."""
    return replace(record, params=dict(record.params), info=plain(record.info))


def words(facts: str) -> Iterator[str]:
    """Yield what could be a digest in the text of a TaskRun's facts."""
    return (match[0] for match in _WORD.finditer(facts))


class Tables:
    """Runs, TaskRuns, attempts, state and code of one store. Callers hold the store's lock.

    Nothing handed in is kept and nothing kept is handed out: records are copied both ways.

    Attributes:
        revision: Grows with every change of runs and TaskRuns.
    """

    def __init__(self) -> None:
        self._runs: dict[str, RunRecord] = {}
        # The ids of unfinished runs by workflow and key; others may be among them, after an
        # interrupt, but none is missing.
        self._unfinished: dict[tuple[str, str], set[str]] = {}
        self._order: dict[str, int] = {}
        self._made = 0
        self.revision = 0
        self._tasks: dict[str, dict[Place, TaskRecord]] = {}
        self._attempts: dict[str, list[AttemptRecord]] = {}
        self._state: dict[tuple[str, str, str], dict[str, Encoded]] = {}
        self._code: dict[str, str] = {}
        self._completed: Known = {}
        self._begun: Known = {}  # not completed
        # The workflows and tasks that have some of a fingerprint.
        self._owners: dict[str, dict[tuple[str, str], None]] = {}

    # What a claim and a commit do.

    def settle(self, request: ClaimRequest) -> Settlement:
        """Decide which run a claim gets, changing nothing."""
        unfinished = self.unfinished(request.workflow, request.key)
        named = self._runs.get(request.run_id) if request.run_id is not None else None
        return settle(
            request, unfinished, named and copied_run(named), taken=self._runs.__contains__
        )

    def put_run(self, run: RunRecord) -> None:
        """Add or replace a run. The base it names may be added later."""
        self.revision += 1
        before = self._runs.get(run.id)
        if run.base is not None:
            named = self._runs.get(run.base)
            run = replace(run, base=run.base if named is None else named.base or run.base)
        elif before is not None:
            if before.base is not None:
                self._take_over(before)
            if run.status.is_unfinished:
                self._hand_on(run.id)
        if run.id not in self._runs:
            self._made += 1
            self._order[run.id] = self._made
        if run.status.is_unfinished:
            self._unfinished.setdefault((run.workflow, run.key), set()).add(run.id)
        self._runs[run.id] = copied_run(run)
        if not run.status.is_unfinished:
            self._forget_unfinished(run)

    def _check_base(self, run_id: str) -> None:
        found = self._runs.get(run_id)
        if found is None or (found.base is not None and self._tasks.get(run_id)):
            raise problems.no_base(run_id)

    def _hand_on(self, base: str, but: Collection[str] = ()) -> None:
        """Have the runs that name a base do without it; those in `but` are left as they are."""
        heirs = [run for run in self._runs.values() if run.base == base and run.id not in but]
        taker = next((run for run in heirs if not self._tasks.get(run.id)), None)
        for heir in heirs if taker is None else [taker]:
            self._take_over(heir)
            heir.base = None
        if taker is not None:
            for heir in heirs:
                heir.base = None if heir is taker else taker.id

    def _take_over(self, run: RunRecord) -> None:
        """Give a run that names a base rows for all of its TaskRuns."""
        records = self.tasks(run.id)
        self._tasks[run.id] = {}
        self._put_tasks(run.id, records)

    def _forget_unfinished(self, run: RunRecord) -> None:
        place = (run.workflow, run.key)
        ids = self._unfinished.get(place, set())
        ids.discard(run.id)
        if not ids:
            self._unfinished.pop(place, None)

    def check(self, lease: Lease, changes: Changes) -> None:
        """Raise if the lease was superseded or a record belongs to another run."""
        run = self._runs.get(lease.run.id)
        if run is None or run.token != lease.token:
            raise problems.superseded(lease.run.id)
        owners = {record.run_id for record in changes.tasks}
        owners.update(record.run_id for record in changes.attempts)
        owners.update(record.run_id for record in changes.state)
        if changes.run is not None:
            owners.add(changes.run.id)
            if changes.run.base is not None:
                self._check_base(changes.run.base)
        for owner in owners - {run.id}:
            raise problems.wrong_run(owner, run.id)

    def apply(self, run_id: str, changes: Changes) -> int:
        """Take in all of a commit but its results; return how many TaskRuns were there before."""
        self.revision += 1
        if changes.run is not None:
            self.put_run(replace(changes.run, token=self._runs[run_id].token))
        overwritten = self._put_tasks(run_id, changes.tasks)
        if changes.attempts:
            self._attempts.setdefault(run_id, []).extend(changes.attempts)
        for item in changes.state:
            kept = self._state.setdefault((run_id, item.task, item.element), {})
            if item.value is None:
                kept.pop(item.name, None)
            else:
                kept[item.name] = item.value
        self.put_code(changes.code)
        return overwritten

    def put_code(self, code: Mapping[str, str]) -> None:
        """Add pieces of source by their digests."""
        self._code.update(code)

    def _put_tasks(self, run_id: str, records: Sequence[TaskRecord]) -> int:
        tasks = self._tasks.setdefault(run_id, {})
        before = len(tasks)
        workflow = self._runs[run_id].workflow
        for record in records:
            place = (record.task, record.element)
            tasks[place] = copied_task(record)
            if record.fingerprint is None:
                continue
            wanted = (workflow, record.task, record.fingerprint)
            where = (self._order[run_id], run_id, place)
            if record.status is not _COMPLETED:
                _note(self._begun.setdefault(wanted, []), where)
                continue
            if self._begun:
                _forget(self._begun, wanted, where)
            _note(self._completed.setdefault(wanted, []), where)
            owners = self._owners.setdefault(record.fingerprint, {})
            owners[workflow, record.task] = None
        return len(records) - (len(tasks) - before)

    def delete(self, run_ids: Iterable[str]) -> set[str]:
        """Delete runs with all that belongs to them; return the digests they referred to."""
        self.revision += 1
        doomed = {run_id for run_id in run_ids if run_id in self._runs}
        freed = set(self._digests(doomed))
        for run_id in doomed:
            self._hand_on(run_id, doomed)
        for run_id in doomed:
            run = self._runs.pop(run_id)
            self._forget_unfinished(run)
            del self._order[run_id]
            self._tasks.pop(run_id, None)
            self._attempts.pop(run_id, None)
        self._state = {place: kept for place, kept in self._state.items() if place[0] not in doomed}
        _forget_runs(self._begun, doomed)
        for workflow, task, fingerprint in _forget_runs(self._completed, doomed):
            del self._owners[fingerprint][workflow, task]
        self._owners = {key: owners for key, owners in self._owners.items() if owners}
        return freed

    def drop_code(self, digests: Iterable[str]) -> None:
        """Drop pieces of source."""
        for digest in digests:
            del self._code[digest]

    # What can be asked.

    def newest_first(self) -> Iterator[RunRecord]:
        """Yield the runs themselves (not copies), newest first."""
        return reversed(self._runs.values())

    def runs(self, workflow: str | None, limit: int | None) -> list[RunRecord]:
        """Return copies of runs, newest first."""
        found = (run for run in self.newest_first() if workflow in (None, run.workflow))
        return [copied_run(run) for run in islice(found, limit)]

    def unfinished(self, workflow: str, key: str) -> list[RunRecord]:
        """Return copies of the unfinished runs of a workflow and key, newest first."""
        ids = self._unfinished.get((workflow, key), ())
        known = [self._runs[run_id] for run_id in ids if run_id in self._runs]
        found = [run for run in known if run.status.is_unfinished]
        return [copied_run(run) for run in sorted(found, key=lambda run: -self._order[run.id])]

    def run(self, run_id: str) -> RunRecord:
        """Return a copy of one run."""
        if run_id not in self._runs:
            raise problems.unknown_run(run_id, self._runs)
        return copied_run(self._runs[run_id])

    def tasks(self, run_id: str, start: int = 0, stop: int | None = None) -> list[TaskRecord]:
        """Return copies of a run's TaskRuns, or a slice of them, in the order first written."""
        own = self._tasks.get(run_id, {}).values()
        run = self._runs.get(run_id)
        if run is None or run.base is None:
            return [copied_task(record) for record in islice(own, start, stop)]
        base = self._tasks.get(run.base, {}).values()
        if own and (stop is None or stop > len(base)):  # there may be some that the base has not
            return [copied_task(record) for record in with_base(run, own, base)[start:stop]]
        found = list(islice(base, start, stop))
        return [copied_task(record) for record in with_base(run, own, found)[: len(found)]]

    def some_tasks(
        self,
        run_id: str,
        start: int,
        stop: int | None,
        task: str | None,
        statuses: Collection[TaskStatus] | None,
    ) -> list[TaskRecord]:
        """Return copies of a slice of a run's TaskRuns of one task, or of some statuses."""
        found = (
            record
            for record in self._shown(run_id, task)
            if statuses is None or record.status in statuses
        )
        return [copied_task(record) for record in islice(found, start, stop)]

    def slowest(self, run_id: str, limit: int) -> list[TaskRecord]:
        """Return copies of the TaskRuns that took longest, the longest first."""
        timed = (record for record in self._shown(run_id) if record.duration is not None)
        found = nlargest(limit, timed, key=lambda record: record.duration or 0.0)
        return [copied_task(record) for record in found]

    def tally(self, run_id: str) -> Tally:
        """Count the TaskRuns of a run by where they stand."""
        return tally_of(self._shown(run_id))

    def _shown(self, run_id: str, task: str | None = None) -> Iterable[TaskRecord]:
        """Return the TaskRuns of a run, or of one task of it, which are not all copies."""
        own, run = self._of_task(run_id, task), self._runs.get(run_id)
        if run is None or run.base is None:
            return own
        return with_base(run, own, self._of_task(run.base, task))

    def _of_task(self, run_id: str, task: str | None) -> Iterator[TaskRecord]:
        found = self._tasks.get(run_id, {}).values()
        return (record for record in found if task is None or record.task == task)

    def own_tasks(self, run_id: str) -> list[TaskRecord]:
        """Return copies of the TaskRuns that a run has rows of its own for."""
        return [copied_task(record) for record in self._tasks.get(run_id, {}).values()]

    def attempts(self, run_id: str, task: str | None = None) -> list[AttemptRecord]:
        """Return the attempts of a run, or of one of its tasks, in the order written."""
        kept = self._attempts.get(run_id, [])
        return [attempt for attempt in kept if task in (None, attempt.task)]

    def find(
        self, workflow: str, task: str, fingerprint: str, outside: str = ""
    ) -> TaskRecord | None:
        """Return a copy of the newest completed TaskRun of a fingerprint, but one of a run."""
        known = self._known(self._completed, workflow, task, fingerprint)
        found = (each for each in known if each.run_id != outside)
        return next((copied_task(each) for each in found if each.status is _COMPLETED), None)

    def begun(self, workflow: str, task: str, fingerprint: str) -> list[TaskRecord]:
        """Return copies of the TaskRuns of a fingerprint that are not completed."""
        found = self._known(self._begun, workflow, task, fingerprint)
        return [copied_task(each) for each in found if each.status is not _COMPLETED]

    def _known(
        self, known: Known, workflow: str, task: str, fingerprint: str
    ) -> Iterator[TaskRecord]:
        """Yield the TaskRuns of a fingerprint, newest run first."""
        for _, run_id, place in reversed(known.get((workflow, task, fingerprint), ())):
            record = self._tasks[run_id][place]
            if record.fingerprint == fingerprint:
                yield record

    def find_anywhere(self, fingerprint: str, outside: str) -> tuple[str, TaskRecord] | None:
        """Return a copy of the newest completed TaskRun of a fingerprint, with its workflow."""
        found = [
            (workflow, record)
            for workflow, task in self._owners.get(fingerprint, ())
            if (record := self.find(workflow, task, fingerprint, outside)) is not None
        ]
        return max(found, key=lambda each: self._order[each[1].run_id], default=None)

    def state(self, run_id: str, task: str, element: str) -> dict[str, Encoded]:
        """Return what a task keeps for its next attempt."""
        return dict(self._state.get((run_id, task, element), {}))

    def states(self, run_id: str) -> list[StateRecord]:
        """Return what all tasks of a run keep."""
        return [
            StateRecord(owner, task, element, name, value)
            for (owner, task, element), kept in self._state.items()
            if owner == run_id
            for name, value in kept.items()
        ]

    @property
    def code(self) -> Mapping[str, str]:
        """The pieces of source by digest."""
        return self._code

    def referenced(self) -> set[str]:
        """Return the digests of results that runs refer to."""
        return set(self._digests(self._runs))

    def unused_code(self) -> list[str]:
        """Return the digests of source that neither a run's `info` nor a TaskRun's facts name."""
        named: set[str] = set()
        for run in self._runs.values():
            named.update(words(str(run.info)))
        for tasks in self._tasks.values():
            for record in tasks.values():
                named.update(words(record.facts))
        return [digest for digest in self._code if digest not in named]

    def _digests(self, run_ids: Iterable[str]) -> Iterator[str]:
        for run_id in run_ids:
            yield from self._runs[run_id].params.values()
            for record in self._tasks.get(run_id, {}).values():
                yield from record.results


def _note(places: list[tuple[int, str, Place]], where: tuple[int, str, Place]) -> None:
    """Add a place where it belongs, unless it is there."""
    index = bisect_left(places, where)
    if places[index : index + 1] != [where]:
        places.insert(index, where)


def _forget(known: Known, wanted: tuple[str, str, str], where: tuple[int, str, Place]) -> None:
    """Drop a place, if it is there."""
    places = known.get(wanted, [])
    index = bisect_left(places, where)
    if places[index : index + 1] == [where]:
        del places[index]
        if not places:
            del known[wanted]


def _forget_runs(known: Known, doomed: Collection[str]) -> list[tuple[str, str, str]]:
    """Drop all places of runs; return those of which none is left."""
    for wanted, places in known.items():
        known[wanted] = [where for where in places if where[1] not in doomed]
    empty = [wanted for wanted, places in known.items() if not places]
    for wanted in empty:
        del known[wanted]
    return empty

"""Runs of which nothing has changed: they are restored as a whole, with no task looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from weakref import ref

from flowweaver.definitions.kinds import kinds_of
from flowweaver.definitions.part import part_again
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.carried import Carried, carried_since, differs_from_base
from flowweaver.engine.clock import Clock
from flowweaver.engine.history.past import run_of
from flowweaver.engine.history.stored import StoredRun
from flowweaver.engine.invocation import Invocation
from flowweaver.engine.reuse.code import CodeBook
from flowweaver.engine.reuse.seal import Outline, outline_of
from flowweaver.errors import StoreError
from flowweaver.events import Event, EventKind, Notifier
from flowweaver.records import OUTLINE_KEY, Changes, Lease, RunRecord, TaskRecord
from flowweaver.run import Run
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus


class Unchanged:
    """Tells whether anything has changed since the run before, by one comparison.

    Made before any body runs.

    Args:
        invocation: What is asked for.
        store: Where earlier runs are.
        lease: The run that was claimed.

    Attributes:
        code: The code of the tasks as it is now.
    """

    def __init__(self, invocation: Invocation, store: StateStore, lease: Lease) -> None:
        self._invocation = invocation
        self._store = store
        self._run_id = lease.run.id
        self._continued = lease.continued
        self.code = CodeBook(kinds_of(invocation.wiring).samples, invocation.wish.trust)

    @cached_property
    def outline(self) -> Outline | None:
        """All that the results depend on; None if that does not tell all."""
        invocation = self._invocation
        # What is restored by name may depend on something else, and a run that goes on may have
        # records of tasks that no longer exist. What is given in place of tasks is no result of
        # theirs.
        if self._continued or invocation.wish.mode == "completed" or invocation.overrides:
            return None
        return outline_of(invocation.wiring, invocation.known_by, self.code)

    def since(self) -> RunRecord | None:
        """Return the run from which one just begun would restore every task, if there is one.

        It is the last run before it or none, since what ran later counts for more.
        """
        last, outline = self._last(), self.outline
        if last is None or outline is None or self._invocation.wish.force:
            return None
        return None if last.seal != outline.seal or differs_from_base(last) else last

    def carried(self) -> Carried | None:
        """Return what a run just begun takes over from the last; None if nothing as a whole."""
        invocation = self._invocation
        options, wiring = invocation.options, invocation.wiring
        if wiring.mapped or options.drop_results or options.memory_limit is not None:
            return None
        last, outline = self._last(), self.outline
        if last is None or outline is None:
            return None
        forced = invocation.wish.force
        return carried_since(self._store, last, self._run_id, wiring, outline, forced)

    def _last(self) -> RunRecord | None:
        """Return the run before, if it completed everything and can be built on."""
        invocation = self._invocation
        if self._continued or invocation.wish.mode != "unchanged":
            return None
        runs = self._store.runs(invocation.wiring.name, limit=2)
        last = next((run for run in runs if run.id != self._run_id), None)
        if last is None or last.seal is None or last.status is not RunStatus.COMPLETED:
            return None
        return last


def restore_whole(
    store: StateStore, lease: Lease, base: RunRecord, clock: Clock
) -> RunRecord | None:
    """Complete a run just as `base` was completed; None if that is gone by now.

    Raises:
        StoreError: The store can't be read or written.
    """
    ended, status, info = clock.wall(), RunStatus.COMPLETED, dict(lease.run.info)
    if (outline := base.info.get(OUTLINE_KEY)) is not None:
        info[OUTLINE_KEY] = outline
    done = replace(
        lease.run, status=status, finished_at=ended, info=info, seal=base.seal, base=base.id
    )
    try:
        store.commit(lease, Changes(run=done))
    except StoreError:
        if base.id in {run.id for run in store.runs(base.workflow)}:
            raise
        return None
    return done


class RecalledWhole:
    """Gives such a run to those who ask its workflow for the last one, and holds neither."""

    __slots__ = ("_record", "_run", "_store", "_workflow")

    def __init__(self, run: Run, workflow: Workflow, store: StateStore) -> None:
        self._run, self._workflow = ref(run), ref(workflow)
        self._store, self._record = store, run.record

    def __call__(self) -> Run:
        """Return the run."""
        return self._run() or self._anew()

    def _anew(self) -> Run:
        workflow = self._workflow()
        if workflow is None:
            return Run(StoredRun(self._store, self._record))
        wiring = part_again(workflow.compile(), self._record.targets, self._record.overrides)
        return run_of(wiring, self._store, self._record)


def _wholes_last(records: list[TaskRecord]) -> list[TaskRecord]:
    """Return records with each mapped task behind its elements, as it is completed by them.

    Its row is older than most of theirs: it says how many there are while they run.
    """
    last = {record.task: place for place, record in enumerate(records) if record.element}
    places = [
        place if record.element else last.get(record.task, place)
        for place, record in enumerate(records)
    ]
    order = sorted(range(len(records)), key=lambda at: (places[at], not records[at].element))
    return [records[at] for at in order]


def tell_whole(run: Run, tasks: Iterable[TaskRecord], notifier: Notifier, began: float) -> None:
    """Tell observers of such a run what they would hear of any other."""
    notifier.tell(Event(EventKind.RUN_STARTED, run, time=began, tasks=len(run.tasks)))
    records = list(tasks)
    elements = Counter(record.task for record in records if record.element)
    for record in _wholes_last(records):
        notifier.tell(
            Event(
                EventKind.TASK_FINISHED,
                run,
                record.task,
                record.element,
                record.status,
                time=began,
                duration=record.duration,
                origin=record.origin,
                reason=record.reason,
                elements=elements[record.task],
                label=record.label,
            )
        )
    notifier.tell(
        Event(
            EventKind.RUN_FINISHED,
            run,
            time=run.record.finished_at or began,
            run_status=run.status,
            duration=run.duration,
            tasks=len(run.tasks),
        )
    )

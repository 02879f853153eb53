"""A run that a store keeps: the source of its view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

from flowweaver.blueprint import GRAPH_KEY, REWIRED_KEY, Blueprint
from flowweaver.engine.history.pages import Pages
from flowweaver.engine.proofs import PARAMETER, load, proof_of
from flowweaver.errors import NoResultError
from flowweaver.names import normal_name, split_name, task_run_name
from flowweaver.records import RunRecord, Tally, TaskRecord
from flowweaver.run_source import Identity
from flowweaver.serialize import Home, Signer
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, TaskStatus, outcome_of

RecordOf = Callable[[Identity], TaskRecord | None]
"""Gives the record of a TaskRun; None if it has none."""


class Walked(Protocol):
    """A run whose workflow was walked through again."""

    def result(self, identity: Identity) -> Any:
        """Return the result of a TaskRun; raises `NoResultError` if there is none."""
        ...


class StoredRun:
    """What a store keeps of a run: read when asked for, and only as much of it as is asked for.

    It answers as of when it was first asked; another object looks anew.

    Args:
        store: Where the run is.
        record: The run itself.
        names: The tasks' names in the order of the workflow, where that is at hand.
        walk: Walks through the workflow, given the records of TaskRuns, where it is at hand.
            Without it the lists of mapped tasks can't be put together.
        home_of: Gives, by the name of a task, what finds the classes of its results today.
    """

    def __init__(
        self,
        store: StateStore,
        record: RunRecord,
        names: Collection[str] | None = None,
        walk: Callable[[RecordOf], Walked] | None = None,
        home_of: Callable[[str], Home | None] | None = None,
    ) -> None:
        self.store = store
        self.record = record
        self._names = names
        self._walk = walk
        self._home_of = home_of

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """The run's parameters by name."""
        return {
            name: load(self.store, self._signer, digest, PARAMETER)
            for name, digest in self.record.params.items()
        }

    @cached_property
    def blueprint(self) -> Blueprint:
        """The graph of its workflow; where it was not kept, the names of what has a record."""
        digest = self.record.info.get(GRAPH_KEY)
        text = self.store.code(digest) if isinstance(digest, str) else None
        if text is not None:
            return Blueprint.from_store(text)
        index = self._pages.index
        names = tuple(dict.fromkeys([*index.wholes, *index.elements]))
        mapped = frozenset(place for place, name in enumerate(names) if name in index.elements)
        return Blueprint(names, ((),) * len(names), mapped)

    @property
    def seconds(self) -> float:
        """How long its last execution took, as far as that is known."""
        record, ended = self.record, self.record.finished_at
        if ended is None:
            ended = self._tally.last_sign
        return max(0.0, ended - record.claimed_at)

    @cached_property
    def names(self) -> Collection[str]:
        """The tasks' names, in the order of the workflow; else in that of their first records."""
        if self._names is not None:
            return self._names
        return dict.fromkeys([*self.blueprint.tasks, *self._pages.index.wholes]).keys()

    def find(self, name: str) -> Identity | None:
        """Return whose name this is, ``page`` or ``page[3]``; None if nobody's."""
        name = normal_name(name)
        if self._names is None and self._pages.has(name):
            return name, ""  # without the names of all the others
        if name in self.names:
            return name, ""
        identity = split_name(name)
        return identity if self._pages.get(identity) is not None else None

    def task(self, identity: Identity) -> TaskRecord:
        """Return the record of a TaskRun; one that was not come to is pending or cancelled."""
        record = self._pages.get(identity)
        if record is None:
            return TaskRecord(self.record.id, *identity, self._unrecorded)
        if not record.element and record.status is TaskStatus.COMPLETED:
            origin = self._pages.of_task(record.task).origin_of_elements(record.task)
            return record if origin is None else replace(record, origin=origin)
        return record

    def is_mapped(self, task: str) -> bool:
        """Return whether a task runs once per element: it has some, or is done without a result."""
        record = self.task((task, ""))
        is_list = record.status is TaskStatus.COMPLETED and record.digest is None
        return is_list or task in self._pages.of_task(task).elements

    def elements(self, task: str) -> Sequence[str]:
        """Return the elements of a mapped task in order."""
        return list(self._pages.of_task(task).elements.get(task, ()))

    def counts(self) -> Mapping[TaskStatus, int]:
        """Return how many tasks stand where."""
        unrecorded = self._unrecorded_count
        if unrecorded is None:
            return Counter(self._standing(name)[0] for name in self.names)
        found: Counter[TaskStatus] = Counter()
        for (status, _), number in self._tally.tasks.items():
            found[status] += number
        found[self._unrecorded] += unrecorded
        return +found

    def outcomes(self, task: str | None = None) -> Mapping[str, int]:
        """Return how many elements of a task, or TaskRuns of the run, came out how."""
        if task is not None:
            return self._pages.of_task(task).outcomes.get(task, {})
        tally, unrecorded = self._tally, self._unrecorded_count
        found: Counter[str] = Counter()
        if unrecorded is None:
            known = self._pages.index.outcomes
            for name in self.names:
                found.update(known.get(name) or (outcome_of(*self._standing(name)),))
            return found
        for standing, number in tally.tasks.items():
            found[outcome_of(*standing)] += number
        for standing in tally.mapped.values():
            found[outcome_of(*standing)] -= 1
        for counts in tally.elements.values():
            for standing, number in counts.items():
                found[outcome_of(*standing)] += number
        found[self._unrecorded.value] += unrecorded - (len(tally.elements) - len(tally.mapped))
        return +found

    @property
    def _unrecorded_count(self) -> int | None:
        """How many tasks have no record; None where their names are needed to know it."""
        info = self.record.info
        count = info.get("tasks") if GRAPH_KEY in info and not info.get(REWIRED_KEY) else None
        if self._names is not None or type(count) is not int:
            return None
        return max(0, count - sum(self._tally.tasks.values()))

    def _standing(self, task: str) -> tuple[TaskStatus, Origin | None]:
        return self._pages.index.standings.get(task, (self._unrecorded, None))

    @property
    def _unrecorded(self) -> TaskStatus:
        """Where a task stands that has no record."""
        is_over = self.record.finished_at is not None
        return TaskStatus.CANCELLED if is_over else TaskStatus.PENDING

    def result(self, identity: Identity) -> Any:
        """Return what a TaskRun returned; raises `NoResultError` if there is nothing."""
        record = self.task(identity)
        if record.status is not TaskStatus.COMPLETED:
            why = record.status.value + (f": {record.failure}" if record.failure else "")
            raise self._no_result(identity, why)
        if record.digest is not None:
            home = None if self._home_of is None else self._home_of(record.task)
            proof = proof_of(self.record.workflow, record, home)
            return load(self.store, self._signer, record.digest, proof)
        if self._walked is None:
            raise self._no_result(
                identity, "its list of elements is put together by the workflow, which is not here"
            )
        try:
            return self._walked.result(identity)
        except NoResultError as error:
            raise self._no_result(identity, str(error)) from None

    def _no_result(self, identity: Identity, why: str) -> NoResultError:
        name = task_run_name(*identity)
        return NoResultError(f"Task {name!r} of run {self.record.id} has no result: {why}.")

    @cached_property
    def _walked(self) -> Walked | None:
        return None if self._walk is None else self._walk(self._pages.get)

    @cached_property
    def _signer(self) -> Signer:
        return Signer()

    @cached_property
    def _tally(self) -> Tally:
        return self.store.tally(self.record.id)

    @cached_property
    def _pages(self) -> Pages:
        return Pages(self.store, self.record.id)

"""A run that a store keeps: the source of its view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from flowweaver.blueprint import GRAPH_KEY, Blueprint
from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.history.past import Past
from flowweaver.engine.proofs import PARAMETER, load, proof_of
from flowweaver.errors import NoResultError, StoreError
from flowweaver.names import normal_name, split_name, task_run_name
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.run import Run
from flowweaver.run_source import Identity
from flowweaver.serialize import Signer
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus


class StoredRun:
    """What a store keeps of a run. Records are read once; ask for another object to look anew.

    Args:
        store: Where the run is.
        record: The run itself.
        wiring: Its workflow, where that is at hand. Without it the lists of mapped tasks can't be
            put together.
    """

    def __init__(self, store: StateStore, record: RunRecord, wiring: Wiring | None = None) -> None:
        self.store = store
        self.record = record
        self._wiring = wiring

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
            return Blueprint.from_text(text)
        names = tuple(dict.fromkeys(task for task, _ in self._records))
        mapped = frozenset(place for place, name in enumerate(names) if name in self._elements)
        return Blueprint(names, ((),) * len(names), mapped)

    @property
    def seconds(self) -> float:
        """How long its last execution took, as far as that is known."""
        record, ended = self.record, self.record.finished_at
        if ended is None:
            ended = max(map(_last_sign, self._records.values()), default=0.0)
        return max(0.0, ended - record.claimed_at)

    @cached_property
    def names(self) -> Collection[str]:
        """The tasks' names, in the order of the workflow; else in that of their first records."""
        if self._wiring is not None:
            return self._wiring.index.keys()
        return dict.fromkeys([*self.blueprint.tasks, *(task for task, _ in self._records)]).keys()

    def find(self, name: str) -> Identity | None:
        """Return whose name this is, ``page`` or ``page[3]``; None if nobody's."""
        name = normal_name(name)
        if name in self.names:
            return name, ""
        identity = split_name(name)
        return identity if identity in self._records else None

    def task(self, identity: Identity) -> TaskRecord:
        """Return the record of a TaskRun; one that was not come to is pending or cancelled."""
        record = self._records.get(identity)
        if record is None:
            is_over = self.record.finished_at is not None
            status = TaskStatus.CANCELLED if is_over else TaskStatus.PENDING
            record = TaskRecord(self.record.id, *identity, status)
        return record

    def elements(self, task: str) -> Sequence[str]:
        """Return the elements of a mapped task in order."""
        return self._elements.get(task, ())

    def counts(self) -> Mapping[TaskStatus, int]:
        """Return how many tasks stand where."""
        return Counter(self.task((name, "")).status for name in self.names)

    def result(self, identity: Identity) -> Any:
        """Return what a TaskRun returned; raises `NoResultError` if there is nothing."""
        record = self.task(identity)
        if record.status is not TaskStatus.COMPLETED:
            why = record.status.value + (f": {record.failure}" if record.failure else "")
            raise self._no_result(identity, why)
        if record.digest is not None:
            return load(
                self.store, self._signer, record.digest, proof_of(self.record.workflow, record)
            )
        if self._past is None:
            raise self._no_result(
                identity, "its list of elements is put together by the workflow, which is not here"
            )
        node = self._past.node(identity)
        if node is None:
            raise self._no_result(identity, "the workflow has no such task any more")
        return self._past.results.get(node)

    def _no_result(self, identity: Identity, why: str) -> NoResultError:
        name = task_run_name(*identity)
        return NoResultError(f"task {name!r} of run {self.record.id} has no result: {why}")

    @cached_property
    def _past(self) -> Past | None:
        return None if self._wiring is None else Past(self._wiring, self.store, self.record)

    @cached_property
    def _signer(self) -> Signer:
        return Signer()

    @cached_property
    def _records(self) -> Mapping[Identity, TaskRecord]:
        return {(item.task, item.element): item for item in self.store.tasks(self.record.id)}

    @cached_property
    def _elements(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for task, element in self._records:
            if element:
                found.setdefault(task, []).append(element)
        for elements in found.values():
            elements.sort(key=_numbers)
        return found


def load_run(workflow: Workflow, store: StateStore, run_id: str) -> Run:
    """Return a past run of the workflow, as `execute` returned it; results are read when asked.

    Raises:
        UnknownNameError: There is no such run.
        StoreError: It is a run of another workflow, or can't be read.
    """
    record = store.run(run_id)
    if record.workflow != workflow.name:
        raise StoreError(
            f"run {run_id} is of workflow {record.workflow!r}, not of {workflow.name!r}"
        )
    return Run(StoredRun(store, record, workflow.compile()))


def _numbers(element: str) -> tuple[int, ...]:
    return tuple(map(int, element.split(".")))


def _last_sign(record: TaskRecord) -> float:
    """Return when a TaskRun was last heard of, in seconds since the epoch."""
    return record.finished_at or record.started_at or 0.0

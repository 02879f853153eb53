"""A run that this process works on, or has worked on: what its view and its records are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any
from weakref import ref

from flowweaver.blueprint import Blueprint
from flowweaver.definitions.blueprints import blueprint_of
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.directory import Directory
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.results import Results
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.errors import NoResultError
from flowweaver.names import task_run_name
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.run import Run
from flowweaver.run_source import Identity
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus, outcome_of


class LiveRun:
    """What a runner knows of its run, node by node; the source of the run's view.

    Attributes:
        record: The run itself.
        params: Its parameters.
        ledger: What is noted of each node.
        results: What each node returned.
        status: Where each node stands; the scheduler's own list.
        attempts: How often each was started; likewise.
    """

    __slots__ = (
        "_counts", "_digests", "_directory", "_labels", "_retries", "_wiring",
        "attempts", "ledger", "params", "record", "results", "status",
    )  # fmt: skip

    def __init__(
        self,
        record: RunRecord,
        graph: RunGraph,
        scheduler: Scheduler,
        results: Results,
        ledger: Ledger,
        params: Mapping[str, Any],
    ) -> None:
        self.record = record
        self.params = params
        self.ledger = ledger
        self.results = results
        self.status = scheduler.status
        self.attempts = scheduler.attempts
        self._retries = scheduler.failures
        self._counts = graph.counts
        self._digests = graph.digests
        self._labels = graph.labels
        self._directory = Directory(graph)
        self._wiring: Wiring | None = graph.wiring

    def rest(self) -> None:
        """Let go of all that is needed only while the run goes on."""
        self._directory.rest()
        self.results.rest()

    def without_definitions(self) -> LiveRun:
        """Return a twin of a run at rest that leads neither to it nor to a task of the workflow."""
        twin = copy(self)
        twin._wiring = None
        return twin

    def finish(
        self,
        status: RunStatus,
        seal: str | None = None,
        base: str | None = None,
        info: Mapping[str, object] | None = None,
    ) -> None:
        """Note that this execution is over, what the run came to, and the seal it gets if any.

        `base` is the run it names, and `info` what is added to its own.
        """
        ledger = self.ledger
        ledger.ended = ledger.clock.monotonic()
        ended = ledger.wall(ledger.ended)
        told = {**self.record.info, **info} if info else self.record.info
        self.record = replace(
            self.record, status=status, finished_at=ended, seal=seal, base=base, info=told
        )

    # As a view asks -----------------------------------------------------------------------

    @property
    def store(self) -> StateStore | None:
        """Where the run is kept, if it is."""
        return self.results.store

    @property
    def blueprint(self) -> Blueprint:
        """The graph of its workflow; without definitions only the names of its tasks."""
        if self._wiring is not None:
            return blueprint_of(self._wiring)
        tasks, mapped = self._directory.tasks, self._directory.mapped
        return Blueprint(tuple(tasks), ((),) * len(tasks), frozenset(mapped))

    @property
    def seconds(self) -> float:
        """How long this execution took, or has taken so far."""
        return self.ledger.seconds

    @property
    def names(self) -> Collection[str]:
        """The tasks' names, in the order of the workflow."""
        return self._directory.tasks.keys()

    def find(self, name: str) -> Identity | None:
        """Return whose name this is, ``page`` or ``page[3]``; None if nobody's."""
        return self._directory.find(name)

    def task(self, identity: Identity) -> TaskRecord:
        """Return the record of a TaskRun, as it stands."""
        return self.record_of(self._directory.node(identity), identity)

    def is_mapped(self, task: str) -> bool:
        """Return whether a task runs once per element."""
        return self._directory.tasks[task] in self._directory.mapped

    def elements(self, task: str) -> Sequence[str]:
        """Return the elements of a mapped task in order, as far as they are known by now."""
        return list(self._directory.elements(self._directory.tasks[task]))

    def counts(self) -> Mapping[TaskStatus, int]:
        """Return how many tasks stand where."""
        return Counter(self.status[: len(self._directory.tasks)])

    def outcomes(self, task: str | None = None) -> Mapping[str, int]:
        """Return how many elements of a task, or TaskRuns of the run, came out how."""
        directory = self._directory
        elements = {node: directory.elements(node).values() for node in directory.mapped}
        nodes: Iterable[int]
        if task is not None:
            nodes = elements.get(directory.tasks[task], ())
        else:
            wholes = range(len(directory.tasks))
            nodes = [each for node in wholes for each in elements.get(node) or (node,)]
        return Counter(outcome_of(self.status[node], self.origin_of(node)) for node in nodes)

    def result(self, identity: Identity) -> Any:
        """Return what a TaskRun returned; raises `NoResultError` if there is nothing."""
        node = self._directory.node(identity)
        carried = self.ledger.carried
        try:
            if carried is not None and carried.has(node):
                self.results.put_stored(node, carried.record(node))
            return self.results.get(node)
        except NoResultError as error:
            failure, name = self.ledger.failures.get(node), task_run_name(*identity)
            why = f"{self.status[node].value}: {failure}" if failure else str(error)
            raise NoResultError(
                f"Task {name!r} of run {self.record.id} has no result: {why}."
            ) from None

    # As the recorder asks ------------------------------------------------------------------

    def record_of(self, node: int, identity: Identity) -> TaskRecord:
        """Return the record of a node as it stands; `identity` is whose it is."""
        restored = self.ledger.restored_at(node)
        if restored is not None:
            return self._record_of_restored(node, identity, restored)
        record = self.record_at(node, identity, self.status[node])
        record.origin = self.origin_of(node)
        record.failure = self.ledger.failures.get(node)
        if record.status is TaskStatus.COMPLETED and node not in self._directory.mapped:
            record.digest = self._digests.of_stored(node)
            record.likeness = self._digests.likenesses.get(node, "")
            record.files = self._digests.files.get(node, ())
            record.seen = self._digests.seen.get(node, ())
        return record

    def _record_of_restored(
        self, node: int, identity: Identity, restored: TaskRecord
    ) -> TaskRecord:
        is_own = restored.run_id == self.record.id
        return replace(
            restored,
            run_id=self.record.id,
            task=identity[0],
            element=identity[1],
            attempts=self.attempts[node],
            origin=Origin.RESTORED,
            source_run=restored.source_run or (None if is_own else restored.run_id),
            reason=self.ledger.words(node),
            label=self._labels.get(node, restored.label),
        )

    def record_at(self, node: int, identity: Identity, status: TaskStatus) -> TaskRecord:
        """Return the record of a node that is about to come to a status by an attempt."""
        ledger, begun, ended = self.ledger, None, None
        started, duration, worker = ledger.ran.get(node)
        if started is not None:
            begun = ledger.wall(started)
            if duration is not None and status is not TaskStatus.RUNNING:
                ended = begun + duration
        facts = ledger.facts.get(node)
        # By position, which is half as long as by name: every attempt comes by here.
        return TaskRecord(
            self.record.id,
            identity[0],
            identity[1],
            status,
            self.attempts[node],
            self._retries.get(node, 0),
            None,
            None,
            None if facts is None else facts.fingerprint,
            None,
            None,
            begun,
            ended,
            duration,
            None,
            "" if facts is None else facts.text,
            ledger.words(node),
            elements=self._counts.get(node, 0) if self._counts else 0,
            worker=worker,
            label=self._labels.get(node, "") if self._labels else "",
        )

    def origin_of(self, node: int) -> Origin | None:
        """Return how a completed node came by its result.

        A mapped task was restored if all of its elements were.
        """
        if self.status[node] is not TaskStatus.COMPLETED:
            return None
        is_restored, restored = self.ledger.is_restored, self.ledger.restored
        elements = self._directory.elements(node).values() if restored else ()
        if is_restored(node) or (elements and all(map(is_restored, elements))):
            return Origin.RESTORED
        return Origin.OVERRIDDEN if node in self.ledger.overridden else Origin.EXECUTED

    def origin_to_be(self, node: int) -> Origin:
        """Return how a node comes by its result that is about to be completed, or is."""
        if node in self.ledger.overridden:
            return Origin.OVERRIDDEN
        if self.status[node] is not TaskStatus.COMPLETED:
            return Origin.EXECUTED
        return self.origin_of(node) or Origin.EXECUTED


class Remembered:
    """Gives a run to those who ask its workflow for the last one.

    The run itself is held only while it goes on. After that it is given as long as others hold
    it, and then as a view that leads to no definition: what a workflow's last run leads to stays
    as long as the workflow, so it must not lead to the workflow.
    """

    __slots__ = ("_live", "_run", "_weakly")

    def __init__(self, run: Run, live: LiveRun) -> None:
        self._run: Run | None = run
        self._weakly = ref(run)
        self._live = live

    def __call__(self) -> Run:
        """Return the run."""
        return self._run or self._weakly() or Run(self._live)

    def rest(self) -> None:
        """The run goes on no longer."""
        self._live.rest()
        self._live, self._run = self._live.without_definitions(), None

"""A run as its users see it: statuses, times, results; the same during and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flowweaver import graph
from flowweaver.blueprint import Blueprint
from flowweaver.definitions.names import normal_name, split_name
from flowweaver.engine.clock import SYSTEM_CLOCK, Clock
from flowweaver.engine.elements import Elements
from flowweaver.engine.results import NoResultError, Results
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.errors import FlowWeaverError, UnknownNameError, near_matches
from flowweaver.records import Failure, RunRecord, TaskRecord
from flowweaver.shown import Reported
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus


class Ledger:
    """What the runner notes of each node of a run; written by the runner alone.

    Attributes:
        clock: What the run goes by.
        started: When the attempt that counts started, by the monotonic clock.
        durations: Its seconds.
        failures: Why nodes failed.
        restored: The records of nodes that were not executed.
        reasons: Why nodes were executed, restored or skipped.
    """

    __slots__ = (
        "began", "clock", "durations", "failures", "offset", "reasons", "restored", "started",
    )  # fmt: skip

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.began = clock.monotonic()
        self.offset = clock.wall() - self.began
        self.started: dict[int, float] = {}
        self.durations: dict[int, float] = {}
        self.failures: dict[int, Failure] = {}
        self.restored: dict[int, TaskRecord] = {}
        self.reasons: dict[int, str] = {}

    def wall(self, moment: float) -> float:
        """Return a moment of the monotonic clock as seconds since the epoch.

        Taken from one reading of the wall clock, so that times within a run never go backwards.
        """
        return moment + self.offset


class TaskRun:
    """One task in one run: a view that is up to date whenever it is looked at."""

    __slots__ = ("_node", "_run")

    def __init__(self, run: Run, node: int) -> None:
        self._run = run
        self._node = node

    @property
    def name(self) -> str:
        """The task's name; of an element with its key, ``page[3]``."""
        return self._run._graph.name(self._node)

    @property
    def elements(self) -> list[TaskRun]:
        """The TaskRuns of a mapped task's elements, as far as they are known by now."""
        return [TaskRun(self._run, node) for node in self._run._graph.elements(self._node)]

    @property
    def status(self) -> TaskStatus:
        """Where it stands."""
        return self._run._scheduler.status[self._node]

    @property
    def attempts(self) -> int:
        """How many times its body was started, in all executions of the run."""
        return self._run._scheduler.attempts[self._node]

    @property
    def origin(self) -> Origin | None:
        """Whether a completed one was executed in this execution of the run or restored.

        A mapped task was restored if all of its elements were.
        """
        return self._run._origin(self._node)

    @property
    def reason(self) -> str:
        """Why it was executed, restored or skipped; "" where there was nothing to decide."""
        return self._run._ledger.reasons.get(self._node, "")

    @property
    def error(self) -> Failure | None:
        """Why it failed, with the traceback as text; None if it did not."""
        return self._run._ledger.failures.get(self._node)

    @property
    def result(self) -> Any:
        """What it returned; see `Run.__getitem__`."""
        return self._run[self.name]

    @property
    def duration(self) -> float | None:
        """Seconds its last attempt took; of a restored one, when it was executed."""
        restored = self._run._ledger.restored.get(self._node)
        return restored.duration if restored else self._run._ledger.durations.get(self._node)

    @property
    def started_at(self) -> datetime | None:
        """When its last attempt started."""
        restored = self._run._ledger.restored.get(self._node)
        if restored:
            return _when(restored.started_at)
        started = self._run._ledger.started.get(self._node)
        return None if started is None else _when(self._run._ledger.wall(started))

    @property
    def finished_at(self) -> datetime | None:
        """When its last attempt ended."""
        restored = self._run._ledger.restored.get(self._node)
        if restored:
            return _when(restored.finished_at)
        started, seconds = self._run._ledger.started.get(self._node), self.duration
        if started is None or seconds is None:
            return None
        return _when(self._run._ledger.wall(started + seconds))

    def __repr__(self) -> str:
        return f"<TaskRun {self.name!r}: {self.status.value}>"


class TaskRuns(Mapping[str, TaskRun]):
    """The TaskRuns of a run by name."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getitem__(self, name: str) -> TaskRun:
        return TaskRun(self._run, self._run._node(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normal_name(name) in self._run._wiring.index

    def __iter__(self) -> Iterator[str]:
        return iter(self._run._wiring.index)

    def __len__(self) -> int:
        return len(self._run._wiring.index)


class Run(Reported):
    """A workflow with its parameters, from its first start until it is completed.

    ``run["task"]`` is a task's result; `tasks` tells about each task.
    """

    def __init__(
        self,
        record: RunRecord,
        graph: RunGraph,
        scheduler: Scheduler,
        results: Results,
        elements: Elements,
        params: Mapping[str, Any],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._record = record
        self._graph = graph
        self._wiring = graph.wiring
        self._scheduler = scheduler
        self._results = results
        self._elements = elements
        self._ledger = Ledger(clock)
        self._finished: float | None = None
        self._expected: list[float] | None = None
        self.params = dict(params)

    @property
    def id(self) -> str:
        """The run's id, the same after a crash and resume."""
        return self._record.id

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return self._record.workflow

    @property
    def state_store(self) -> StateStore | None:
        """Where the run is kept, if it is."""
        return self._results.store

    @property
    def blueprint(self) -> Blueprint:
        """The graph of its workflow."""
        return Blueprint.of(self._wiring)

    @property
    def status(self) -> RunStatus:
        """Where the run stands."""
        return self._record.status

    @property
    def started_at(self) -> datetime:
        """When the run was first started."""
        return datetime.fromtimestamp(self._record.created_at, UTC)

    @property
    def finished_at(self) -> datetime | None:
        """When its last execution ended; None while it goes on."""
        return _when(self._record.finished_at)

    @property
    def duration(self) -> float:
        """Seconds its last execution took, or has taken so far."""
        now = self._ledger.clock.monotonic() if self._finished is None else self._finished
        return now - self._ledger.began

    def remaining_seconds(self, workers: int) -> float | None:
        """Return the least seconds the rest can take on so many workers; None if unknown.

        It goes by the durations of earlier runs: the longest path or the work there is left,
        whichever is longer.
        """
        if self._expected is None:
            return None
        statuses, wiring = self._scheduler.status, self._wiring
        left = [
            0.0 if statuses[node].is_final else seconds
            for node, seconds in enumerate(self._expected)
        ]
        longest = max(graph.upward_rank(wiring.succs, wiring.order, left), default=0.0)
        return max(longest, sum(left) / workers)

    @property
    def tasks(self) -> Mapping[str, TaskRun]:
        """The TaskRuns by name."""
        return TaskRuns(self)

    def counts(self) -> dict[TaskStatus, int]:
        """Return how many tasks stand where."""
        return dict(Counter(self._scheduler.status[: len(self._wiring.tasks)]))

    def __getitem__(self, name: str) -> Any:
        """Return what a task returned.

        With a store every call gives a new copy, read when asked for.

        Raises:
            UnknownNameError: (a `KeyError`) There is no such task.
            NoResultError: It has not completed, or its result was dropped.
        """
        node = self._node(name)
        try:
            return self._results.get(node)
        except NoResultError as error:
            failure = self._ledger.failures.get(node)
            status = self._scheduler.status[node]
            why = f"{status.value}: {failure}" if failure else str(error)
            raise NoResultError(f"task {name!r} of run {self.id} has no result: {why}") from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normal_name(name) in self._wiring.index

    def __repr__(self) -> str:
        return f"<Run {self.id} of {self.workflow!r}: {self.status.value}>"

    def _finish(self, status: RunStatus) -> RunRecord:
        """Note that this execution is over; return the record that says so."""
        self._finished = self._ledger.clock.monotonic()
        finished_at = self._ledger.wall(self._finished)
        self._record = replace(self._record, status=status, finished_at=finished_at)
        return self._record

    def _origin(self, node: int) -> Origin | None:
        if self._scheduler.status[node] is not TaskStatus.COMPLETED:
            return None
        restored = self._ledger.restored
        elements = self._graph.elements(node)
        if node in restored or (elements and all(element in restored for element in elements)):
            return Origin.RESTORED
        return Origin.EXECUTED

    def _node(self, name: str) -> int:
        name = normal_name(name)
        node = self._wiring.index.get(name)
        if node is None:
            node = self._element_node(name)
        if node is None:
            raise UnknownNameError(
                f"run {self.id} has no task {name!r}{near_matches(name, self._wiring.index)}"
            )
        return node

    def _element_node(self, name: str) -> int | None:
        """Return the node of an element by its name, ``page[3]``."""
        task, key = split_name(name)
        node = self._wiring.index.get(task)
        if node is None or not key.replace(".", "").isdigit():
            return None
        return self._elements.node_at(node, tuple(map(int, key.split("."))))


class WorkflowFailed(FlowWeaverError, RuntimeError):
    """Tasks of a run failed; `run` has the rest of the story."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


def _when(moment: float | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC)

"""A run as its users see it: a view over whatever knows of it, the same during and after.

What knows of it is a `RunSource`: the memory of the process that works on it, a store's records, or
the copy that a pickle carries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, overload

from flowweaver.blueprint import Blueprint
from flowweaver.errors import FlowWeaverError, UnknownNameError, near_matches
from flowweaver.names import shown_name, task_run_name
from flowweaver.records import Failure, RunRecord, TaskRecord
from flowweaver.run_source import Identity, RunSource
from flowweaver.shown import Reported
from flowweaver.state_store import StateStore
from flowweaver.status import OUTCOMES, Origin, RunStatus, TaskStatus

if TYPE_CHECKING:
    from flowweaver.frozen import FrozenRun


class TaskRun:
    """One task in one run, or one element of it: a view over what is known of it."""

    __slots__ = ("_identity", "_source")

    def __init__(self, source: RunSource, identity: Identity) -> None:
        self._source = source
        self._identity = identity

    @property
    def name(self) -> str:
        """The task's name; of an element with its key, ``page[3]``."""
        return task_run_name(*self._identity)

    @property
    def task(self) -> str:
        """The name of the task that it is one TaskRun of."""
        return self._identity[0]

    @property
    def element(self) -> str:
        """The key of the element, such as "3" or "3.1"; "" for a whole task."""
        return self._identity[1]

    @property
    def record(self) -> TaskRecord:
        """All that is known of it, as a store keeps it."""
        return self._source.task(self._identity)

    @property
    def is_mapped(self) -> bool:
        """Whether it is a whole task that runs once per element, as far as that is known."""
        return not self.element and self._source.is_mapped(self.task)

    @property
    def elements(self) -> Sequence[TaskRun]:
        """The TaskRuns of a mapped task's elements, as far as they are known by now."""
        task, element = self._identity
        return ElementRuns(self._source, task, () if element else self._source.elements(task))

    @property
    def outcomes(self) -> dict[str, int]:
        """How many of a mapped task's elements came out how: ``{"executed": 3, "failed": 1}``."""
        return {} if self.element else dict(self._source.outcomes(self.task))

    @property
    def label(self) -> str:
        """What an element is called for people, such as "Oslo"; "" where that is not known."""
        return self.record.label

    @property
    def shown_name(self) -> str:
        """Its name for people, with what an element is called: ``page[3] (Oslo)``."""
        return shown_name(*self._identity, self.record.label)

    @property
    def status(self) -> TaskStatus:
        """Where it stands."""
        return self.record.status

    @property
    def attempts(self) -> int:
        """How many times its body was started, in all executions of the run."""
        return self.record.attempts

    @property
    def origin(self) -> Origin | None:
        """Whether a completed one was executed in this execution of the run or restored.

        A mapped task was restored if all of its elements were.
        """
        return self.record.origin

    @property
    def reason(self) -> str:
        """Why it was executed, restored or skipped; "" where there was nothing to decide."""
        return self.record.reason

    @property
    def source_run(self) -> str | None:
        """The run that executed what was restored, if another did."""
        return self.record.source_run

    @property
    def error(self) -> Failure | None:
        """Why it failed, with the traceback as text; None if it did not."""
        return self.record.failure

    @property
    def result(self) -> Any:
        """What it returned; see `Run.__getitem__`."""
        return self._source.result(self._identity)

    @property
    def duration(self) -> float | None:
        """Seconds its last attempt took; of a restored one, when it was executed."""
        return self.record.duration

    @property
    def started_at(self) -> datetime | None:
        """When its last attempt started."""
        return _when(self.record.started_at)

    @property
    def finished_at(self) -> datetime | None:
        """When its last attempt ended."""
        return _when(self.record.finished_at)

    @property
    def worker(self) -> str:
        """Who performed its last attempt: "worker 3", "process 2", "event loop", "host:pid".

        "" where nobody did, and where a run of an earlier version does not say.
        """
        return self.record.worker

    def __repr__(self) -> str:
        return f"<TaskRun {self.name!r}: {self.status.value}>"

    def __reduce__(self) -> tuple[type[Self], tuple[FrozenRun, Identity]]:
        from flowweaver.frozen import freeze

        return type(self), (freeze(self._source), self._identity)


class ElementRuns(Sequence[TaskRun]):
    """The TaskRuns of a task's elements; each is looked up when it is asked for."""

    __slots__ = ("_keys", "_source", "_task")

    def __init__(self, source: RunSource, task: str, keys: Sequence[str]) -> None:
        self._source = source
        self._task = task
        self._keys = keys

    @overload
    def __getitem__(self, place: int) -> TaskRun: ...

    @overload
    def __getitem__(self, place: slice) -> ElementRuns: ...

    def __getitem__(self, place: int | slice) -> TaskRun | ElementRuns:
        if isinstance(place, slice):
            return ElementRuns(self._source, self._task, self._keys[place])
        return TaskRun(self._source, (self._task, self._keys[place]))

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<{len(self)} elements of {self._task!r}>"


class TaskRuns(Mapping[str, TaskRun]):
    """The TaskRuns of a run by name."""

    __slots__ = ("_source",)

    def __init__(self, source: RunSource) -> None:
        self._source = source

    def __getitem__(self, name: str) -> TaskRun:
        return TaskRun(self._source, _identity(self._source, name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _is_task(self._source, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._source.names)

    def __len__(self) -> int:
        return len(self._source.names)


class Run(Reported):
    """A workflow with its parameters, from its first start until it is completed.

    ``run["task"]`` is a task's result; `tasks` tells about each task. A run can be pickled: the
    copy stays as it was then and has the results that could be taken along.
    """

    __slots__ = ("__weakref__", "_source")

    def __init__(self, source: RunSource) -> None:
        self._source = source

    @property
    def record(self) -> RunRecord:
        """All that is known of the run itself, as a store keeps it."""
        return self._source.record

    @property
    def id(self) -> str:
        """The run's id, the same after a crash and resume."""
        return self.record.id

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return self.record.workflow

    @property
    def state_store(self) -> StateStore | None:
        """Where the run is kept, if it is."""
        return self._source.store

    @property
    def blueprint(self) -> Blueprint:
        """The graph of its workflow, as far as it is known."""
        return self._source.blueprint

    @property
    def params(self) -> dict[str, Any]:
        """The run's parameters by name."""
        return dict(self._source.params)

    @property
    def targets(self) -> tuple[str, ...]:
        """The tasks that it was ever asked for; none where that is all of the workflow."""
        return self.record.targets

    @property
    def status(self) -> RunStatus:
        """Where the run stands."""
        return self.record.status

    @property
    def started_at(self) -> datetime:
        """When the run was first started."""
        return datetime.fromtimestamp(self.record.created_at, UTC)

    @property
    def finished_at(self) -> datetime | None:
        """When its last execution ended; None while it goes on."""
        return _when(self.record.finished_at)

    @property
    def duration(self) -> float:
        """Seconds its last execution took, or has taken so far."""
        return self._source.seconds

    @property
    def tasks(self) -> Mapping[str, TaskRun]:
        """The TaskRuns by name."""
        return TaskRuns(self._source)

    def counts(self) -> dict[TaskStatus, int]:
        """Return how many tasks stand where."""
        return dict(self._source.counts())

    def outcomes(self) -> dict[str, int]:
        """Return how many TaskRuns came out how: executed, restored, failed, ...

        The elements of a mapped task are counted instead of it, as far as they are known.
        """
        found = self._source.outcomes()
        return {outcome: found[outcome] for outcome in OUTCOMES if found.get(outcome)}

    def __getitem__(self, name: str) -> Any:
        """Return what a task returned.

        With a store every call gives a new copy, read when asked for.

        Raises:
            UnknownNameError: (a `KeyError`) There is no such task.
            NoResultError: It has not completed, or its result was dropped.
        """
        return self._source.result(_identity(self._source, name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _is_task(self._source, name)

    def __repr__(self) -> str:
        return f"<Run {self.id} of {self.workflow!r}: {self.status.value}>"

    def __reduce__(self) -> tuple[type[Self], tuple[FrozenRun]]:
        from flowweaver.frozen import freeze

        return type(self), (freeze(self._source),)


class WorkflowFailed(FlowWeaverError, RuntimeError):
    """Tasks of a run failed; `run` has the rest of the story."""

    __module__ = "flowweaver"

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run

    def __reduce__(self) -> tuple[type[Self], tuple[str, Run]]:
        return type(self), (str(self), self.run)


def _identity(source: RunSource, name: str) -> Identity:
    found = source.find(name)
    if found is None:
        raise UnknownNameError(
            f"Run {source.record.id} has no task {name!r}{near_matches(name, source.names)}"
        )
    return found


def _is_task(source: RunSource, name: str) -> bool:
    found = source.find(name)
    return found is not None and not found[1]


def _when(moment: float | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC)

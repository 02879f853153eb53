"""What a view of a run asks of whoever knows of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from flowweaver.blueprint import Blueprint
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus

Identity = tuple[str, str]
"""What tells a TaskRun from the others of its run: its task's name, and its element or ""."""


class RunSource(Protocol):
    """What knows of a run. Answers are of the moment at which they are asked for."""

    @property
    def record(self) -> RunRecord:
        """The run itself."""
        ...

    @property
    def params(self) -> Mapping[str, Any]:
        """The run's parameters by name."""
        ...

    @property
    def store(self) -> StateStore | None:
        """Where the run is kept, if it is."""
        ...

    @property
    def blueprint(self) -> Blueprint:
        """The graph of its workflow, as far as it is known."""
        ...

    @property
    def seconds(self) -> float:
        """How long its last execution took, or has taken so far."""
        ...

    @property
    def names(self) -> Collection[str]:
        """The tasks' names, in the order of the workflow."""
        ...

    def find(self, name: str) -> Identity | None:
        """Return whose name this is, ``page`` or ``page[3]``; None if nobody's."""
        ...

    def task(self, identity: Identity) -> TaskRecord:
        """Return one TaskRun of the run; one that was not begun yet is pending."""
        ...

    def is_mapped(self, task: str) -> bool:
        """Return whether a task runs once per element, as far as that is known."""
        ...

    def elements(self, task: str) -> Sequence[str]:
        """Return the elements of a mapped task in order, as far as they are known by now."""
        ...

    def counts(self) -> Mapping[TaskStatus, int]:
        """Return how many tasks stand where."""
        ...

    def outcomes(self, task: str | None = None) -> Mapping[str, int]:
        """Return how many elements of a task came out how; nothing of a task without any.

        Without a task: of all TaskRuns, where the elements of a mapped task count instead of it.
        """
        ...

    def result(self, identity: Identity) -> Any:
        """Return what a TaskRun returned; raises `NoResultError` if there is nothing."""
        ...

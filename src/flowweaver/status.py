"""The states of a run and of the tasks in it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class TaskStatus(Enum):
    """Where a TaskRun stands."""

    # Members are unique, and Enum's own way, by name, takes a call in Python on every path here.
    __hash__ = object.__hash__

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the TaskRun will not change any more within this execution."""
        return self not in _TASK_OPEN


class RunStatus(Enum):
    """Where a run stands.

    A run that is not `COMPLETED` or `ABANDONED` is unfinished: executing the workflow again with
    the same parameters continues it.
    """

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"

    @property
    def is_unfinished(self) -> bool:
        """Whether the next execution of the same workflow and parameters continues this run."""
        return self not in (RunStatus.COMPLETED, RunStatus.ABANDONED)


class Origin(Enum):
    """How a completed TaskRun came by its result."""

    EXECUTED = "executed"
    RESTORED = "restored"
    OVERRIDDEN = "overridden"


def came_to(statuses: Iterable[TaskStatus]) -> RunStatus:
    """Return what a run has come to once it goes on no longer, given where its tasks stand."""
    found = set(statuses)
    if found & {TaskStatus.FAILED, TaskStatus.UPSTREAM_FAILED}:
        return RunStatus.FAILED
    is_done = found <= {TaskStatus.COMPLETED, TaskStatus.SKIPPED}
    return RunStatus.COMPLETED if is_done else RunStatus.CANCELLED


_TASK_OPEN = frozenset({TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.RETRYING})

OUTCOMES = (
    "executed",
    "restored",
    "overridden",
    "running",
    "retrying",
    "pending",
    "failed",
    "upstream_failed",
    "skipped",
    "cancelled",
)
"""How a TaskRun can have come out, in the order in which it is told."""


def outcome_of(status: TaskStatus, origin: Origin | None) -> str:
    """Return how a TaskRun came out: its status, but a completed one by its origin."""
    told: str = status.value
    if status is TaskStatus.COMPLETED:
        told = Origin.EXECUTED.value if origin is None else origin.value
    return told

"""How the tasks of a run came out, one by one and in number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowweaver.names import task_run_name
from flowweaver.records import TaskRecord
from flowweaver.status import Origin, TaskStatus

# In the order in which they are told.
COUNTED = (
    "executed",
    "restored",
    "running",
    "retrying",
    "pending",
    "failed",
    "upstream_failed",
    "skipped",
    "cancelled",
)


def counted(records: Sequence[TaskRecord]) -> list[TaskRecord]:
    """Return the TaskRuns that count: of a mapped task its elements, not the task beside them."""
    mapped = {record.task for record in records if record.element}
    return [record for record in records if record.element or record.task not in mapped]


def count_tasks(records: Sequence[TaskRecord], total: int = 0) -> dict[str, int]:
    """Return how many TaskRuns there are by outcome, with all of `COUNTED` and "total" as keys.

    A run in progress has no record yet of what has not begun: `total` is how many tasks the
    workflow has, and those without a record count as pending.
    """
    counts = {"total": 0, **dict.fromkeys(COUNTED, 0)}
    for record in counted(records):
        counts[outcome(record)] += 1
    counts["pending"] += max(0, total - len({record.task for record in records}))
    counts["total"] = sum(counts.values())
    return counts


def outcome(record: TaskRecord) -> str:
    """Return how a TaskRun came out: its status, but a completed one by its origin."""
    status: str = record.status.value
    if record.status is TaskStatus.COMPLETED:
        status = Origin.EXECUTED.value if record.origin is None else record.origin.value
    return status


def display_name(task: TaskRecord) -> str:
    """Return the name of a TaskRun; an element of a fan-out as ``page[3]``."""
    return task_run_name(task.task, task.element)


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Return counts as one line: "5 tasks: 3 executed, 1 failed, 1 upstream failed"."""
    total = counts["total"]
    head = f"{total} task{'' if total == 1 else 's'}"
    parts = [f"{counts[key]} {key.replace('_', ' ')}" for key in COUNTED if counts.get(key)]
    return f"{head}: {', '.join(parts)}" if parts else head

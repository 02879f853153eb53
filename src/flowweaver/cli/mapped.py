"""The TaskRuns of a run as the command shows them: of mapped tasks what their elements came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from flowweaver.cli.output import Problem
from flowweaver.errors import UnknownNameError, near_matches
from flowweaver.records import TaskRecord
from flowweaver.run import Run, TaskRun
from flowweaver.status import OUTCOMES, TaskStatus


def tasks_of(run: Run) -> Iterator[TaskRun]:
    """Yield the TaskRuns of a run, each mapped task before its elements."""
    for task in run.tasks.values():
        yield task
        yield from task.elements


def tasks_named(run: Run, name: str) -> list[TaskRun]:
    """Return the TaskRuns of a task: all elements of a fan-out too, or the one named ``page[3]``.

    Raises:
        Problem: There is none of that name.
    """
    try:
        task = run.tasks[name]
    except UnknownNameError:
        raise Problem(
            f"Run {run.id} of {run.workflow!r} has no record of a task {name!r}"
            f"{near_matches(name, run.tasks)}"
        ) from None
    return [task, *task.elements]


def told(task: TaskRun) -> TaskRecord:
    """Return what is shown of a TaskRun; of a mapped task it is said what its elements came to."""
    record = task.record
    if record.reason or not task.is_mapped:
        return record
    return replace(record, reason=_of_elements(task.outcomes, record.status))


def _of_elements(outcomes: Mapping[str, int], status: TaskStatus) -> str:
    count = sum(outcomes.values())
    if not count:
        return "it was mapped over nothing" if status is TaskStatus.COMPLETED else ""
    words = (f"{outcomes[key]} {key.replace('_', ' ')}" for key in OUTCOMES if key in outcomes)
    return f"{'its only element' if count == 1 else f'its {count} elements'}: {', '.join(words)}"

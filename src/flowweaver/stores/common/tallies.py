"""Counting where the TaskRuns of a run stand, from records or from what a database has counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from flowweaver.records import Standing, Tally, TaskRecord


def tally_of(records: Iterable[TaskRecord]) -> Tally:
    """Count the TaskRuns of a run by their records."""
    wholes: dict[str, Standing] = {}
    elements: dict[str, Counter[Standing]] = {}
    last_sign = 0.0
    for record in records:
        standing = record.status, record.origin
        last_sign = max(last_sign, record.finished_at or record.started_at or 0.0)
        if record.element:
            elements.setdefault(record.task, Counter())[standing] += 1
        else:
            wholes[record.task] = standing
    mapped = {task: wholes[task] for task in elements if task in wholes}
    return Tally(Counter(wholes.values()), mapped, elements, last_sign)


def tally_from(
    wholes: Iterable[tuple[Standing, int, float]],
    elements: Iterable[tuple[str, Standing, int, float]],
    mapped: Iterable[tuple[str, Standing]],
) -> Tally:
    """Put together what was counted: whole tasks, elements by task, and where their wholes stand.

    The last of each count is when any of what it counts was last heard of.
    """
    tasks: dict[Standing, int] = {}
    by_task: dict[str, dict[Standing, int]] = {}
    last_sign = 0.0
    for standing, number, sign in wholes:
        tasks[standing] = number
        last_sign = max(last_sign, sign)
    for task, standing, number, sign in elements:
        by_task.setdefault(task, {})[standing] = number
        last_sign = max(last_sign, sign)
    return Tally(tasks, dict(mapped), by_task, last_sign)

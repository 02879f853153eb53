"""Mapped tasks as they are shown: what the records of their elements say of the whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from flowweaver.records import TaskRecord
from flowweaver.report.counts import COUNTED, outcome
from flowweaver.status import Origin, TaskStatus


def told(records: Sequence[TaskRecord]) -> list[TaskRecord]:
    """Return the records of a run, those of mapped tasks with what their elements came to.

    A store keeps what the last execution found; that it found all elements done does not mean
    that another run had made them.
    """
    elements: dict[str, list[TaskRecord]] = defaultdict(list)
    for record in records:
        if record.element:
            elements[record.task].append(record)
    return [
        record if record.element else _of_whole(record, elements.get(record.task, []))
        for record in records
    ]


def _of_whole(whole: TaskRecord, elements: Sequence[TaskRecord]) -> TaskRecord:
    if not elements:
        # Only what stands for the results of others is completed without one of its own.
        is_mapped = whole.status is TaskStatus.COMPLETED and whole.digest is None
        reason = "it was mapped over nothing" if is_mapped else ""
        return replace(whole, reason=whole.reason or reason)
    counts = Counter(map(outcome, elements))
    words = ", ".join(f"{counts[key]} {key.replace('_', ' ')}" for key in COUNTED if counts[key])
    noun = "its only element" if len(elements) == 1 else f"its {len(elements)} elements"
    origin = whole.origin
    if whole.status is TaskStatus.COMPLETED:
        is_restored = counts[Origin.RESTORED.value] == len(elements)
        origin = Origin.RESTORED if is_restored else Origin.EXECUTED
    return replace(whole, origin=origin, reason=whole.reason or f"{noun}: {words}")

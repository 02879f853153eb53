"""Runs that restored what another run has: they keep rows only for what differs.

Such a run names its base. What the base has and the run has no row of its own for is the run's,
restored. Both are completed. A base has none itself, so nobody has to look further than there; and
before one is deleted, or goes on, its rows are handed on: to the first run that names it and has
none of its own, which all others then name; or if there is none, to each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flowweaver.plugins import unchanged_since
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.status import Origin, TaskStatus


def restored_from(base_id: str, run_id: str, record: TaskRecord) -> TaskRecord:
    """Return how a TaskRun of the base is one of a run that names it."""
    if record.status is not TaskStatus.COMPLETED:
        return replace(record, run_id=run_id)
    if record.digest is None:  # a list, whose elements were restored each by itself
        return replace(record, run_id=run_id, origin=Origin.RESTORED)
    source = record.source_run or base_id
    # By position, which is half as long as by name: this is done for a run's every task.
    return TaskRecord(
        run_id,
        record.task,
        record.element,
        TaskStatus.COMPLETED,
        0,
        0,
        None,
        Origin.RESTORED,
        record.fingerprint,
        record.digest,
        source,
        record.started_at,
        record.finished_at,
        record.duration,
        None,
        record.facts,
        unchanged_since(source),
        record.files,
        record.signature,
        likeness=record.likeness,
        elements=record.elements,
        worker=record.worker,
        label=record.label,
        seen=record.seen,
    )


def with_base(
    run: RunRecord, own: Iterable[TaskRecord], base: Iterable[TaskRecord]
) -> list[TaskRecord]:
    """Return the TaskRuns of a run that names a base: those of the base, each as the run has it."""
    assert run.base is not None
    mine = {(record.task, record.element): record for record in own}
    shown = []
    for record in base:
        place = (record.task, record.element)
        own_record = mine.pop(place) if place in mine else None
        shown.append(own_record or restored_from(run.base, run.id, record))
    return [*shown, *mine.values()]

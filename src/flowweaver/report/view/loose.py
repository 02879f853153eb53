"""The source of a View for a `Run` at hand: its store's records, or what this process knows."""

from __future__ import annotations

from typing import Any

from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.view.sources import LooseRun, ShownValue, Source, StoredRun
from flowweaver.run import Run, TaskRun
from flowweaver.serialize.describe import type_name
from flowweaver.serialize.display import show
from flowweaver.status import TaskStatus

_SHOWN = (bool, int, float, complex, str, bytes, type(None), list, tuple, dict, set, frozenset)


def source_of(run: Run) -> Source:
    """Return what a View of the run is made from."""
    store = run.state_store
    if store is not None:
        return StoredRun(store, store.run(run.id))
    record, tasks = records_of(run)
    values = {name: _shown(run[name]) for name, task in run.tasks.items() if _has_result(task)}
    for each in tasks:
        if not each.element and each.task in values:
            each.digest = each.task  # stands for the value, which has no digest
    return LooseRun(record, tasks, run.blueprint, values)


def records_of(run: Run) -> tuple[RunRecord, list[TaskRecord]]:
    """Return a run and its TaskRuns as records, by what this process knows of them."""
    started, finished = run.started_at, run.finished_at
    record = RunRecord(
        run.id,
        run.workflow,
        key="",
        status=run.status,
        created_at=started.timestamp(),
        claimed_at=started.timestamp(),
        finished_at=None if finished is None else finished.timestamp(),
        token=1,
    )
    tasks = [
        _task_record(run.id, name, task)
        for name, whole in run.tasks.items()
        for task in (whole, *whole.elements)
    ]
    return record, tasks


def _task_record(run_id: str, name: str, task: TaskRun) -> TaskRecord:
    started, finished = task.started_at, task.finished_at
    return TaskRecord(
        run_id,
        name,
        task.name[len(name) + 1 : -1],
        task.status,
        task.attempts,
        origin=task.origin,
        started_at=None if started is None else started.timestamp(),
        finished_at=None if finished is None else finished.timestamp(),
        duration=task.duration,
        failure=task.error,
        reason=task.reason,
    )


def _has_result(task: TaskRun) -> bool:
    return task.status is TaskStatus.COMPLETED and not task.elements


def _shown(value: Any) -> ShownValue:
    kind = type(value)
    text = show(value) if kind in _SHOWN else f"<{type_name(kind)}>"
    return ShownValue(text, type_name(kind))

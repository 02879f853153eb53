"""The source of a View for a `Run` at hand: its store's records, or what this process knows."""

from __future__ import annotations

from dataclasses import replace
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
    record, known = records_of(run)
    tasks = [replace(task) for task in known]
    values = {name: _shown(run[name]) for name, task in run.tasks.items() if _has_result(task)}
    for each in tasks:
        if not each.element and each.task in values:
            each.digest = each.task  # stands for the value, which has no digest
    return LooseRun(record, tasks, run.blueprint, values)


def records_of(run: Run) -> tuple[RunRecord, list[TaskRecord]]:
    """Return a run and its TaskRuns as records, by what this process knows of them."""
    tasks = [task.record for whole in run.tasks.values() for task in (whole, *whole.elements)]
    return run.record, tasks


def _has_result(task: TaskRun) -> bool:
    return task.status is TaskStatus.COMPLETED and not task.elements


def _shown(value: Any) -> ShownValue:
    kind = type(value)
    text = show(value) if kind in _SHOWN else f"<{type_name(kind)}>"
    return ShownValue(text, type_name(kind))

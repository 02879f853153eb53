"""Two runs compared, as the View tells it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowweaver.engine.history.compare import Codes, Difference, difference_of, differing
from flowweaver.reasons import words_of_changes
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.view.past import run_mark

_MOST_SHOWN = 300

Told = tuple[RunRecord, Iterable[TaskRecord]]


def compared(codes: Codes, first: Told, second: Told) -> dict[str, Any]:
    """Return how two runs differ, TaskRun by TaskRun; `codes` keeps their code."""
    pairs = differing(first[1], second[1])
    shown = (difference_of(codes, pair, first[0].id, second[0].id) for pair in pairs[:_MOST_SHOWN])
    # Tasks by the thousand may share one function: its diff is told once.
    told: set[str] = set()
    return {
        "first": run_mark(first[0]),
        "second": run_mark(second[0]),
        "total": len(pairs),
        "differences": [_difference(each, told) for each in shown if each is not None],
    }


def _difference(difference: Difference, told: set[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": difference.name,
        **({"label": difference.label} if difference.label else {}),
        "changes": words_of_changes(difference.changes),
        "result_changed": difference.result_changed,
        "seconds": [None if span is None else round(span, 4) for span in difference.durations],
    }
    if difference.statuses is not None:
        shown["statuses"] = list(difference.statuses)
    if difference.only_in is not None:
        shown["only_in"] = difference.only_in
    if difference.diff and difference.diff not in told:
        told.add(difference.diff)
        shown["diff"] = difference.diff
    return shown

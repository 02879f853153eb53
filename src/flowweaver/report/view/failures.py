"""What failed first, and what did not start because of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from flowweaver.engine.resolution import is_unresolved
from flowweaver.records import Failure, TaskRecord
from flowweaver.report.view.rows import Row, Rows

_MOST_SHOWN = 50
_MOST_TOLD = 6
Given = Callable[[TaskRecord], list[dict[str, str]]]


def failures(rows: Rows, began: float, given: Given) -> list[dict[str, Any]]:
    """Return the failures that no other explains, those that happened first in front.

    `given` says what an element was given that others were not.
    """
    roots = [row for row in rows.unsorted() if row.outcome == "failed" and not _causes(row)]
    roots.sort(key=lambda row: (row.ended is None, row.ended or 0.0))
    blocked = _blocked(rows)
    return [
        {
            "name": rows.name(row),
            **failure_json(row.record.failure if row.record else None),
            "attempts": row.record.attempts if row.record else 0,
            "at": None if row.ended is None else round(row.ended - began, 4),
            "blocked": blocked.get(rows.name(row), 0),
            "given": given(row.record) if row.record and place < _MOST_TOLD else [],
        }
        for place, row in enumerate(roots[:_MOST_SHOWN])
    ]


def failure_json(failure: Failure | None) -> dict[str, Any]:
    """Return why something failed, as the View tells it."""
    if failure is None:
        return {"kind": "", "message": ""}
    told: dict[str, Any] = {"kind": failure.kind, "message": failure.message}
    if failure.trace:
        told["trace"] = failure.trace
    if failure.exit_code is not None:
        told["exit_code"] = failure.exit_code
    if failure.causes:
        told["causes"] = list(failure.causes)
    return told


def waiting(rows: Rows) -> list[dict[str, Any]]:
    """Return what waits for a person: attempts of which nobody knows whether they have acted."""
    return [
        {
            "name": rows.name(row),
            "kind": "resolve",
            "since": row.record.finished_at or row.record.started_at,
            "message": row.record.failure.message if row.record.failure else "",
        }
        for row in rows.unsorted()
        if row.record is not None and _waits(row.record)
    ]


def _waits(record: TaskRecord) -> bool:
    # One that is running has no failure yet, and may still tell its end itself.
    return record.failure is not None and is_unresolved(record)


def _causes(row: Row) -> tuple[str, ...]:
    failure = row.record.failure if row.record is not None else None
    return () if failure is None else failure.causes


def _blocked(rows: Rows) -> Counter[str]:
    """Return for each failure how many TaskRuns did not start because of it."""
    found: Counter[str] = Counter()
    for row in rows.unsorted():
        if row.outcome == "upstream_failed":
            found.update(_causes(row))
    return found

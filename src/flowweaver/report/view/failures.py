"""What failed first, and what did not start because of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowweaver.records import Failure, TaskRecord
from flowweaver.report.view.rows import Rows

_MOST_SHOWN = 50
_MOST_TOLD = 6
Given = Callable[[TaskRecord], list[dict[str, str]]]
RecordAt = Callable[[int], TaskRecord]


def failures(rows: Rows, began: float, record_at: RecordAt, given: Given) -> list[dict[str, Any]]:
    """Return the failures that no other explains.

    Those that others did not start for stand in front, then those that happened first. `record_at`
    gives the record of a row, and `given` says what an element was given that others were not.
    """
    told = []
    for place, number in enumerate(rows.roots(_MOST_SHOWN)):
        row, record = rows.row(number), record_at(number)
        told.append(
            {
                "name": rows.name(number),
                **({"label": record.label} if record.label else {}),
                **failure_json(record.failure),
                "attempts": record.attempts,
                "at": None if row.ended is None else round(row.ended - began, 4),
                "blocked": rows.blocked[rows.name(number)],
                "given": given(record) if place < _MOST_TOLD else [],
            }
        )
    return sorted(told, key=lambda each: not each["blocked"])


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


def waiting(rows: Rows, record_at: RecordAt) -> list[dict[str, Any]]:
    """Return what waits for a person: attempts of which nobody knows whether they have acted.

    One that is running has no failure yet, and may still tell its end itself.
    """
    told = []
    for number in rows.waiting:
        record = record_at(number)
        since = record.finished_at or record.started_at
        message = record.failure.message if record.failure else ""
        told.append(
            {
                "name": rows.name(number),
                **({"label": record.label} if record.label else {}),
                "kind": "resolve",
                "since": since,
                "message": message,
            }
        )
    return told

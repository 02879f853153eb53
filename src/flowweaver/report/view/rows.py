"""The TaskRuns of a run as columns, and what they come to for each task.

A row is a TaskRun that counts: a task, or one element of a mapped task. Columns and not objects,
since a page takes tens of thousands of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowweaver.blueprint import Blueprint
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.counts import COUNTED, outcome
from flowweaver.status import Origin, TaskStatus

CODES = {name: code for code, name in enumerate(COUNTED)}
"""The number that stands for each outcome in the columns."""

# What is looked at first where not all rows are shown.
_MOST_TELLING = ("failed", "running", "retrying", "upstream_failed", "cancelled", "skipped")


@dataclass(slots=True)
class Row:
    """One TaskRun: its task's place, its element, the record if there is one yet."""

    task: int
    element: str
    outcome: str
    record: TaskRecord | None = None

    @property
    def begun(self) -> float | None:
        """When its last attempt of this run started; None where it did not in this run."""
        record = self.record
        return None if record is None or self.outcome == "restored" else record.started_at

    @property
    def seconds(self) -> float | None:
        """How long its last attempt took, or took when it was executed."""
        return None if self.record is None else self.record.duration

    @property
    def ended(self) -> float | None:
        """When its last attempt of this run ended."""
        begun, seconds = self.begun, self.seconds
        return None if begun is None or seconds is None else begun + seconds


@dataclass(slots=True)
class Rows:
    """All rows of a run, and the records of mapped tasks as wholes."""

    names: tuple[str, ...]
    rows: list[Row]
    wholes: dict[int, TaskRecord] = field(default_factory=dict)

    def name(self, row: Row) -> str:
        """Return the name of a TaskRun: ``page[3]``."""
        name = self.names[row.task]
        return f"{name}[{row.element}]" if row.element else name

    def counts(self) -> dict[str, int]:
        """Return how many there are by outcome, and in all."""
        found = Counter(row.outcome for row in self.rows)
        return {"total": len(self.rows), **{name: found.get(name, 0) for name in COUNTED}}

    def by_task(self) -> dict[int, list[Row]]:
        """Return the rows of each task."""
        found: dict[int, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.task, []).append(row)
        return found


def rows_of(run: RunRecord, tasks: Sequence[TaskRecord], blueprint: Blueprint) -> Rows:
    """Return the rows of a run in the order of the workflow, elements by their keys."""
    names = _names(tasks, blueprint)
    places = {name: place for place, name in enumerate(names)}
    mapped = blueprint.mapped | {places[record.task] for record in tasks if record.element}
    rows, wholes, seen = [], {}, set()
    for record in tasks:
        place = places[record.task]
        if record.element or place not in mapped:
            rows.append(Row(place, record.element, outcome(record), record))
            seen.add(place)
        else:
            wholes[place] = record
    rows += [
        _without_record(place, wholes.get(place), run)
        for place in range(len(names))
        if place not in seen and not _is_empty(wholes.get(place))
    ]
    rows.sort(key=lambda row: (row.task, _key(row.element)))
    return Rows(names, rows, wholes)


def most_telling(rows: Sequence[Row], limit: int) -> list[Row]:
    """Return at most `limit` rows in their order: what went wrong or goes on before the rest."""
    if len(rows) <= limit:
        return list(rows)
    chosen = [place for place, row in enumerate(rows) if row.outcome in _MOST_TELLING][:limit]
    kept = set(chosen)
    rest = (place for place in range(len(rows)) if place not in kept)
    kept.update(place for place, _ in zip(rest, range(limit - len(kept)), strict=False))
    return [rows[place] for place in sorted(kept)]


def columns(rows: Iterable[Row], began: float, lanes: dict[int, int]) -> dict[str, Any]:
    """Return rows as columns; starts are seconds since `began`, `lanes` by the row's identity."""
    rows = list(rows)
    words: dict[str, int] = {"": 0}
    why = [words.setdefault(_why(row), len(words)) for row in rows]
    return {
        "task": [row.task for row in rows],
        "element": [row.element for row in rows],
        "outcome": [CODES[row.outcome] for row in rows],
        "start": [_rounded(None if row.begun is None else row.begun - began) for row in rows],
        "seconds": [_rounded(row.seconds) for row in rows],
        "attempts": [0 if row.record is None else row.record.attempts for row in rows],
        "lane": [lanes.get(id(row), -1) for row in rows],
        "why": why,
        "words": list(words),
    }


def _names(tasks: Sequence[TaskRecord], blueprint: Blueprint) -> tuple[str, ...]:
    """Return the workflow's tasks, and any that only the records know of."""
    known = dict.fromkeys(blueprint.tasks)
    known.update(dict.fromkeys(record.task for record in tasks))
    return tuple(known)


def _without_record(place: int, whole: TaskRecord | None, run: RunRecord) -> Row:
    """Return the row of a task of which only the whole, or nothing, is known."""
    if whole is None:
        waits = run.finished_at is None
        return Row(place, "", "pending" if waits else "cancelled")
    return Row(place, "", outcome(whole), whole)


def _is_empty(whole: TaskRecord | None) -> bool:
    """Whether a mapped task was mapped over nothing."""
    return whole is not None and whole.status is TaskStatus.COMPLETED


def _why(row: Row) -> str:
    record = row.record
    if record is None:
        return ""
    if record.failure is not None and record.status is not TaskStatus.COMPLETED:
        failure = record.failure
        return failure.message if failure.causes else str(failure)
    if record.origin is Origin.RESTORED and record.source_run and not record.reason:
        return f"from run {record.source_run}"
    return record.reason


def _key(element: str) -> tuple[int, ...]:
    return tuple(map(int, element.split("."))) if element else ()


def _rounded(value: float | None) -> float | None:
    """Return seconds to a tenth of a millisecond, which is all that is shown."""
    return None if value is None else round(value, 4)

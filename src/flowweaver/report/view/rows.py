"""The TaskRuns of a run as they are shown: kept up to date record by record.

A row is a TaskRun that counts: a task, or one element of a mapped task. A page takes tens of
thousands of them, so they leave as columns and not as objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flowweaver.blueprint import Blueprint
from flowweaver.names import element_path, split_name, task_run_name
from flowweaver.records import TaskRecord
from flowweaver.report.counts import COUNTED, outcome
from flowweaver.report.view.times import Lanes
from flowweaver.status import Origin, TaskStatus

CODES = {name: code for code, name in enumerate(COUNTED)}
"""The number that stands for each outcome in the columns."""

# What is looked at first where not all rows are shown.
_MOST_TELLING = frozenset(
    {"failed", "running", "retrying", "upstream_failed", "cancelled", "skipped"}
)
_WORST_FIRST = (
    "failed", "retrying", "running", "upstream_failed", "cancelled", "executed", "restored",
    "overridden", "skipped", "pending",
)  # fmt: skip


@dataclass(slots=True)
class Row:
    """One TaskRun: the place of its task, its element, and the record if there is one yet.

    `begun` and `seconds` are of its last attempt; a restored one has not begun in this run. The
    lane is where it stands in the timeline, -1 where it does not.
    """

    task: int
    element: str
    outcome: str = "pending"
    record: TaskRecord | None = None
    begun: float | None = None
    seconds: float | None = None
    lane: int = -1

    @property
    def ended(self) -> float | None:
        """When its last attempt of this run ended."""
        return None if self.begun is None or self.seconds is None else self.begun + self.seconds


class Rows:
    """All rows of a run, and what they come to for each task.

    Attributes:
        names: The tasks' names; rows and all else refer to their places.
        wholes: The records of mapped tasks as wholes, by place.
        lanes: Where rows stand in the timeline.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        self.names = list(blueprint.tasks)
        self.wholes: dict[int, TaskRecord] = {}
        self.lanes = Lanes()
        self._places = {name: place for place, name in enumerate(self.names)}
        self._mapped = set(blueprint.mapped)
        self._rows: dict[tuple[int, str], Row] = {}
        self._counts: list[Counter[str]] = []
        self._spent: list[float] = []
        for place in range(len(self.names)):
            self._add_task(place)

    def take(self, records: Iterable[TaskRecord]) -> list[Row]:
        """Take in records that are new or have changed; return their rows."""
        changed = [row for record in records if (row := self._row_of(record)) is not None]
        for row in sorted(changed, key=lambda row: row.begun or 0.0):
            worker = "" if row.record is None else row.record.worker
            row.lane = self.lanes.lane((row.task, row.element), row.begun, row.ended, worker)
        return changed

    def __len__(self) -> int:
        return len(self._rows)

    def all(self) -> list[Row]:
        """Return the rows in the order of the workflow, elements by their keys."""
        rows = list(self._rows.values())
        rows.sort(key=lambda row: (row.task, element_path(row.element)))
        return rows

    def unsorted(self) -> Iterable[Row]:
        """Return the rows in any order."""
        return self._rows.values()

    def find(self, name: str) -> Row | None:
        """Return a row by its name, ``page[3]``."""
        task, element = split_name(name)
        key = (self._places.get(task, -1), element)
        return self._rows.get(key) or self._rows.get((self._places.get(name, -1), ""))

    def place(self, task: str) -> int | None:
        """Return the place of a task by its name."""
        return self._places.get(task)

    def name(self, row: Row) -> str:
        """Return the name of a TaskRun: ``page[3]``."""
        return task_run_name(self.names[row.task], row.element)

    def counts(self) -> dict[str, int]:
        """Return how many there are by outcome, and in all."""
        found: Counter[str] = Counter()
        for counts in self._counts:
            found.update(counts)
        unseen = sum(map(self._unseen, self.wholes))
        found["pending"] += unseen
        return {"total": len(self._rows) + unseen, **{name: found[name] for name in COUNTED}}

    def counts_of(self, place: int) -> dict[str, int]:
        """Return how many TaskRuns of a task there are by outcome, in the order of telling."""
        counts = self._counts[place].copy()
        counts["pending"] += self._unseen(place)
        return {name: counts[name] for name in COUNTED if counts[name]}

    def _unseen(self, place: int) -> int:
        """Return how many elements of a mapped task there is no record of yet."""
        whole = self.wholes.get(place)
        if whole is None or (place, "") in self._rows:
            return 0
        return max(0, whole.elements - self._counts[place].total())

    def spent(self, place: int) -> float:
        """Return the seconds of work of a task."""
        return max(0.0, self._spent[place])

    def is_mapped(self, place: int) -> bool:
        """Whether a task runs once per element."""
        return place in self._mapped

    def outcome_of(self, place: int) -> str:
        """Return what stands for all TaskRuns of a task: the worst, or what goes on."""
        whole = self.wholes.get(place)
        if whole is None and place in self._mapped and (place, "") not in self._rows:
            counts = self._counts[place]
            return "failed" if counts.get("failed") else "running"
        counts = self._counts[place]
        found = next((outcome for outcome in _WORST_FIRST if counts.get(outcome)), None)
        return found or (outcome(whole) if whole is not None else "pending")

    def _row_of(self, record: TaskRecord) -> Row | None:
        place = self._places.get(record.task)
        if place is None:
            place = self._places[record.task] = len(self.names)
            self.names.append(record.task)
            self._add_task(place)
        if not record.element and place in self._mapped:
            return self._take_whole(place, record)
        if record.element and (place, "") in self._rows:
            self._drop(place)
        return self._set(place, record.element, record)

    def _take_whole(self, place: int, record: TaskRecord) -> Row | None:
        """Take the record of a mapped task, which is a row where there are no elements."""
        self.wholes[place] = record
        if (place, "") not in self._rows:
            return None
        if record.status is TaskStatus.COMPLETED:
            self._drop(place)  # it was mapped over nothing
            return None
        return self._set(place, "", record)

    def _set(self, place: int, element: str, record: TaskRecord) -> Row:
        key = (place, element)
        row = self._rows.get(key)
        counts = self._counts[place]
        if row is None:
            row = self._rows[key] = Row(place, element)
        else:
            counts[row.outcome] -= 1
            self._spent[place] -= row.seconds or 0.0
        row.record, row.outcome, row.seconds = record, outcome(record), record.duration
        row.begun = None if row.outcome == "restored" else record.started_at
        counts[row.outcome] += 1
        self._spent[place] += row.seconds or 0.0
        return row

    def _add_task(self, place: int) -> None:
        self._rows[place, ""] = Row(place, "")
        self._counts.append(Counter(pending=1))
        self._spent.append(0.0)

    def _drop(self, place: int) -> None:
        """Drop the row that stood for a mapped task as long as no element was known."""
        row = self._rows.pop((place, ""))
        self._counts[place][row.outcome] -= 1
        self._mapped.add(place)


def rows_of(tasks: Sequence[TaskRecord], blueprint: Blueprint) -> Rows:
    """Return the rows of a run by all of its records."""
    rows = Rows(blueprint)
    # Of a task that only the records call mapped, elements come before the whole.
    rows.take(sorted(tasks, key=lambda record: not record.element))
    return rows


def most_telling(rows: Sequence[Row], limit: int) -> list[Row]:
    """Return at most `limit` rows in their order: what went wrong or goes on before the rest."""
    if len(rows) <= limit:
        return list(rows)
    kept = [place for place, row in enumerate(rows) if row.outcome in _MOST_TELLING][:limit]
    chosen = set(kept)
    for place in range(len(rows)):
        if len(chosen) >= limit:
            break
        chosen.add(place)
    return [rows[place] for place in sorted(chosen)]


def columns(rows: Sequence[Row], began: float) -> dict[str, Any]:
    """Return rows as columns; starts are seconds since `began`."""
    words: dict[str, int] = {"": 0}
    why = [words.setdefault(_why(row), len(words)) for row in rows]
    return {
        "task": [row.task for row in rows],
        "element": [row.element for row in rows],
        "outcome": [CODES[row.outcome] for row in rows],
        "start": [None if row.begun is None else round(row.begun - began, 4) for row in rows],
        "seconds": [None if row.seconds is None else round(row.seconds, 4) for row in rows],
        "attempts": [0 if row.record is None else row.record.attempts for row in rows],
        "lane": [row.lane for row in rows],
        "why": why,
        "words": list(words),
    }


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

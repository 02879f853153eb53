"""The TaskRuns of a run as they are shown: kept up to date record by record.

A row is a TaskRun that counts: a task, or one element of a mapped task. Nothing is held of a record
but what a table of rows shows; what more is to be told is read again from where they are kept. A
page takes tens of thousands of rows, so they leave as columns and not as objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from math import isnan
from typing import Any

from flowweaver.blueprint import Blueprint
from flowweaver.engine.resolution import is_unresolved
from flowweaver.names import shown_name, split_name, task_run_name
from flowweaver.records import TaskRecord
from flowweaver.report.counts import COUNTED, outcome
from flowweaver.report.view.table import GONE, NEVER, Table
from flowweaver.report.view.times import Lanes, pauses
from flowweaver.status import Origin, TaskStatus

CODES = {name: code for code, name in enumerate(COUNTED)}
"""The number that stands for each outcome in the columns."""

# What is looked at first where not all rows are shown.
_MOST_TELLING = frozenset(
    CODES[name]
    for name in ("failed", "running", "retrying", "upstream_failed", "cancelled", "skipped")
)
_WORST_FIRST = (
    "failed", "retrying", "running", "upstream_failed", "cancelled", "executed", "restored",
    "overridden", "skipped", "pending",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One TaskRun: the place of its task, its element, and how it stands.

    `begun` and `seconds` are of its last attempt; a restored one has not begun in this run. The
    lane is where it stands in the timeline, -1 where it does not; `place` is where its record
    stands in the run, -1 where there is none yet.
    """

    task: int
    element: str
    outcome: str = "pending"
    begun: float | None = None
    seconds: float | None = None
    lane: int = -1
    attempts: int = 0
    why: str = ""
    place: int = -1

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
        table: The rows, by number.
        blocked: By the name of a failed TaskRun, how many did not start because of it.
        waiting: The rows that wait for a person.
        busy: The seconds of work in this run.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        self.names = list(blueprint.tasks)
        self.wholes: dict[int, TaskRecord] = {}
        self.lanes = Lanes()
        self.table = Table()
        self.blocked: Counter[str] = Counter()
        self.waiting: dict[int, None] = {}
        self.busy = 0.0
        self._roots: dict[int, None] = {}
        self._causes: dict[int, tuple[str, ...]] = {}
        self._places = {name: place for place, name in enumerate(self.names)}
        self._mapped = set(blueprint.mapped)
        self._counts: list[Counter[int]] = []
        self._spent: list[float] = []
        for place in range(len(self.names)):
            self._add_task(place)

    def take(self, records: Iterable[TaskRecord], first: int = 0) -> list[int]:
        """Take in records that are new or have changed; return the numbers of their rows.

        `first` is where the first of them stands in the run; the others follow.
        """
        return self._take(enumerate(records, first))

    def _take(self, placed: Iterable[tuple[int, TaskRecord]]) -> list[int]:
        table, changed = self.table, []
        for place, record in placed:
            row = self._row_of(record, place)
            if row is not None:
                changed.append((row, record.worker))
        found = [each for each in changed if table.outcome[each[0]] != GONE]
        for row, worker in sorted(found, key=lambda each: _known(table.begun[each[0]])):
            begun = table.begun[row]
            if not isnan(begun):
                table.lane[row] = self.lanes.lane(table.lane[row], begun, table.end(row), worker)
        return [row for row, _ in found]

    def __len__(self) -> int:
        return sum(counts.total() for counts in self._counts)

    def row(self, number: int) -> Row:
        """Return a row by its number."""
        table = self.table
        begun, seconds = table.begun[number], table.seconds[number]
        return Row(
            table.task[number],
            table.element(number),
            COUNTED[table.outcome[number]],
            None if isnan(begun) else begun,
            None if isnan(seconds) else seconds,
            table.lane[number],
            table.attempts[number],
            table.words[table.why[number]],
            table.place[number],
        )

    def of_outcome(self, name: str) -> Iterator[int]:
        """Yield the numbers of the rows of an outcome, as they were added."""
        code = CODES[name]
        return (number for number, each in enumerate(self.table.outcome) if each == code)

    def number(self, name: str) -> int | None:
        """Return the number of a row by its name, ``page[3]``."""
        task, element = split_name(name)
        found = self.table.find(self._places.get(task, -1), element)
        return self.table.find(self._places.get(name, -1), "") if found is None else found

    def find(self, name: str) -> Row | None:
        """Return a row by its name, ``page[3]``."""
        number = self.number(name)
        return None if number is None else self.row(number)

    def place(self, task: str) -> int | None:
        """Return the place of a task by its name."""
        return self._places.get(task)

    def name(self, number: int) -> str:
        """Return the name of a TaskRun by the number of its row: ``page[3]``."""
        return task_run_name(self.names[self.table.task[number]], self.table.element(number))

    def shown_name(self, number: int) -> str:
        """Return what a TaskRun is called for people: ``page[3] (Oslo)``."""
        table = self.table
        task, label = self.names[table.task[number]], table.labels.get(number, "")
        return shown_name(task, table.element(number), label)

    def roots(self, most: int) -> list[int]:
        """Return the rows that failed because of nothing else, those first that ended first."""
        ends = ((self.table.end(number), number) for number in self._roots)
        return [row for *_, row in nsmallest(most, ((isnan(end), end, row) for end, row in ends))]

    def pauses(self) -> list[tuple[float, float]]:
        """Return the long stretches in which nothing ran."""
        table = self.table
        begun = [begun for begun in table.begun if not isnan(begun)]
        if not begun:
            return []
        # What kept its workers busy for half of the time has no such stretch.
        span = max((end for end in map(table.end, table.rows()) if not isnan(end)), default=0.0)
        span -= min(begun)
        if self.busy / max(1, len(self.lanes)) >= span / 2:
            return []
        spans = ((table.begun[row], table.end(row)) for row in table.rows())
        return pauses(sorted(span for span in spans if not isnan(span[1])))

    def counts(self) -> dict[str, int]:
        """Return how many there are by outcome, and in all."""
        found: Counter[int] = Counter()
        for counts in self._counts:
            found.update(counts)
        unseen = sum(map(self._unseen, self.wholes))
        found[CODES["pending"]] += unseen
        return {"total": len(self) + unseen, **{name: found[CODES[name]] for name in COUNTED}}

    def counts_of(self, place: int) -> dict[str, int]:
        """Return how many TaskRuns of a task there are by outcome, in the order of telling."""
        counts = self._counts[place].copy()
        counts[CODES["pending"]] += self._unseen(place)
        return {name: counts[CODES[name]] for name in COUNTED if counts[CODES[name]]}

    def _unseen(self, place: int) -> int:
        """Return how many elements of a mapped task there is no record of yet."""
        whole = self.wholes.get(place)
        if whole is None or self.table.find(place, "") is not None:
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
        whole, counts = self.wholes.get(place), self._counts[place]
        if whole is None and place in self._mapped and self.table.find(place, "") is None:
            return "failed" if counts.get(CODES["failed"]) else "running"
        found = next((name for name in _WORST_FIRST if counts.get(CODES[name])), None)
        return found or (outcome(whole) if whole is not None else "pending")

    def _row_of(self, record: TaskRecord, where: int) -> int | None:
        place = self._places.get(record.task)
        if place is None:
            place = self._places[record.task] = len(self.names)
            self.names.append(record.task)
            self._add_task(place)
        if not record.element and place in self._mapped:
            return self._take_whole(place, record, where)
        if record.element:
            self._drop(place)
        return self._set(place, record.element, record, where)

    def _take_whole(self, place: int, record: TaskRecord, where: int) -> int | None:
        """Take the record of a mapped task, which is a row where there are no elements."""
        self.wholes[place] = record
        if self.table.find(place, "") is None:
            return None
        if record.status is TaskStatus.COMPLETED:
            self._drop(place)  # it was mapped over nothing
            return None
        return self._set(place, "", record, where)

    def _set(self, place: int, element: str, record: TaskRecord, where: int) -> int:
        table, counts = self.table, self._counts[place]
        row = table.find(place, element)
        if row is None:
            row = table.add(place, element)
        else:
            self._leave(row)
        told = outcome(record)
        table.outcome[row] = CODES[told]
        table.attempts[row] = record.attempts
        table.why[row] = table.word(_why(record))
        if record.label:
            table.labels[row] = record.label
        table.place[row] = where
        table.seconds[row] = NEVER if record.duration is None else record.duration
        is_here = told != "restored" and record.started_at is not None
        table.begun[row] = NEVER if record.started_at is None or not is_here else record.started_at
        counts[CODES[told]] += 1
        self._spent[place] += record.duration or 0.0
        self.busy += (record.duration or 0.0) if is_here else 0.0
        self._note(row, record, told)
        return row

    def _note(self, row: int, record: TaskRecord, told: str) -> None:
        causes = () if record.failure is None else record.failure.causes
        if told == "failed" and not causes:
            self._roots[row] = None
        elif told == "upstream_failed" and causes:
            self._causes[row] = causes
            self.blocked.update(causes)
        if record.failure is not None and is_unresolved(record):
            self.waiting[row] = None

    def _leave(self, row: int) -> None:
        """Take out of all sums what a row has come to so far."""
        table = self.table
        place, seconds, begun = table.task[row], table.seconds[row], table.begun[row]
        self._counts[place][table.outcome[row]] -= 1
        if not isnan(seconds):
            self._spent[place] -= seconds
            self.busy -= 0.0 if isnan(begun) else seconds
        self._roots.pop(row, None)
        self.waiting.pop(row, None)
        self.blocked.subtract(self._causes.pop(row, ()))

    def _add_task(self, place: int) -> None:
        row = self.table.add(place, "")
        self.table.outcome[row] = CODES["pending"]
        self._counts.append(Counter({CODES["pending"]: 1}))
        self._spent.append(0.0)

    def _drop(self, place: int) -> None:
        """Drop the row that stood for a mapped task as long as no element was known."""
        row = self.table.find(place, "")
        if row is not None:
            self._leave(row)
            self.table.drop(row)
            self._mapped.add(place)


def rows_of(tasks: Sequence[TaskRecord], blueprint: Blueprint) -> Rows:
    """Return the rows of a run by all of its records."""
    rows = Rows(blueprint)
    # Elements come before the whole of a task that only the records call mapped.
    rows._take(sorted(enumerate(tasks), key=lambda placed: not placed[1].element))
    return rows


def most_telling(rows: Rows, limit: int) -> list[int]:
    """Return the numbers of at most `limit` rows: what went wrong or goes on before the rest."""
    table = rows.table
    if len(rows) <= limit:
        return list(table.in_order())
    told = [row for row in table.in_order() if table.outcome[row] in _MOST_TELLING][:limit]
    chosen = set(told)
    for row in table.in_order():
        if len(chosen) >= limit:
            break
        chosen.add(row)
    return [row for row in table.in_order() if row in chosen]


def columns(rows: Rows, numbers: Sequence[int], began: float) -> dict[str, Any]:
    """Return rows as columns; starts are seconds since `began`."""
    table, words = rows.table, {0: 0}
    why = [words.setdefault(table.why[row], len(words)) for row in numbers]
    return {
        "task": [table.task[row] for row in numbers],
        "element": [table.element(row) for row in numbers],
        "label": [table.labels.get(row, "") for row in numbers],
        "outcome": [table.outcome[row] for row in numbers],
        "start": [_told(table.begun[row] - began) for row in numbers],
        "seconds": [_told(table.seconds[row]) for row in numbers],
        "attempts": [table.attempts[row] for row in numbers],
        "lane": [table.lane[row] for row in numbers],
        "why": why,
        "words": [table.words[place] for place in words],
    }


def _known(moment: float) -> float:
    return 0.0 if isnan(moment) else moment


def _told(seconds: float) -> float | None:
    return None if isnan(seconds) else round(seconds, 4)


def _why(record: TaskRecord) -> str:
    if record.failure is not None and record.status is not TaskStatus.COMPLETED:
        failure = record.failure
        return failure.message if failure.causes else str(failure)
    if record.origin is Origin.RESTORED and record.source_run and not record.reason:
        return f"from run {record.source_run}"
    return record.reason

"""A View put together: what every face shows of one run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from flowweaver.records import TaskRecord
from flowweaver.report.counts import COUNTED
from flowweaver.report.graph import draw
from flowweaver.report.view.compared import compared
from flowweaver.report.view.details import Detailer
from flowweaver.report.view.failures import failures, waiting
from flowweaver.report.view.head import is_live, run_head
from flowweaver.report.view.past import Past, expected, history
from flowweaver.report.view.rows import Rows, columns, most_telling, rows_of
from flowweaver.report.view.sources import Source
from flowweaver.report.view.times import critical_path
from flowweaver.version import __version__

FORMAT = 1
"""The version of the View's format: it grows when a reader of an older one would be misled."""

MOST_ROWS = 20_000
"""How many TaskRuns of a larger run are in the View: those that tell most."""

DETAILS_IN_REPORT = 500
"""For how many TaskRuns a report tells inputs, result and log: those that tell most."""


class View:
    """A run as told to people. Made from a source, kept up to date with what is taken in.

    Args:
        source: The run.
        past: The runs before it, where they were read already.
        rows: Its rows, where they are taken in bit by bit; else all records are read at once.
    """

    def __init__(self, source: Source, past: Past | None = None, rows: Rows | None = None) -> None:
        self._source = source
        self._past = Past(source) if past is None else past
        self._usual = expected(self._past)
        self._rows = rows_of(source.tasks, source.blueprint) if rows is None else rows
        self._detailer = Detailer(source, self._past, self._record_of)
        self._path: list[int] | None = None

    def take(self, records: Iterable[TaskRecord], first: int) -> list[int]:
        """Take in records that are new or have changed, the first of them from that place.

        Returns:
            The numbers of their rows.
        """
        self._detailer.forget()
        self._path = None
        return self._rows.take(records, first)

    def as_json(
        self, *, rows: int | None = None, details: int = 0, compare: bool = True
    ) -> dict[str, Any]:
        """Return all of it as JSON: see view.schema.json.

        Args:
            rows: How many TaskRuns to list, those that tell most; `MOST_ROWS` if not given.
            details: How many of them to tell in full.
            compare: Whether to tell what differs from the run before.
        """
        listed = most_telling(self._rows, MOST_ROWS if rows is None else rows)
        return {
            "format": FORMAT,
            "made_by": __version__,
            "outcomes": list(COUNTED),
            "tasks": self.tasks(),
            **self.changing(listed),
            "graph": draw(self._rows.names, self._source.blueprint.preds),
            "history": history(self._past),
            **(self._compared() if compare else {}),
            "details": {each["name"]: each for each in self._details(listed, details)},
        }

    def changing(self, listed: Sequence[int]) -> dict[str, Any]:
        """Return what changes while a run goes on; of the rows those that are `listed`."""
        began = self._source.run.created_at
        return {
            "made_at": round(time.time(), 3),
            "run": run_head(self._source, self._past, self._detailer.parameters()),
            "counts": self._rows.counts(),
            "rows": {"total": len(self._rows), **columns(self._rows, listed, began)},
            "times": self._times(began),
            "failures": failures(self._rows, began, self._record_at, self._detailer.given),
            "waiting": waiting(self._rows, self._record_at),
        }

    def tasks(self) -> list[dict[str, Any]]:
        """Return the tasks of the workflow, in its order."""
        return [self._task(place) for place in range(len(self._rows.names))]

    def running(self) -> list[tuple[str, float, int]]:
        """Return what runs: what it is called, when its attempt began, and which it is."""
        rows, table = self._rows, self._rows.table
        return [
            (rows.shown_name(number), rows.row(number).begun or 0.0, table.attempts[number])
            for number in rows.of_outcome("running")
        ]

    def tasks_of(self, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Return the tasks that rows belong to, by their places."""
        places = {self._rows.table.task[number] for number in numbers}
        return {place: self._task(place) for place in sorted(places)}

    def page(self, start: int, stop: int) -> dict[str, Any]:
        """Return a page of the rows, in the order of the workflow, as columns."""
        listed = list(islice(self._rows.table.in_order(), start, stop))
        began = self._source.run.created_at
        return {"total": len(self._rows), **columns(self._rows, listed, began)}

    def detail(self, name: str) -> dict[str, Any] | None:
        """Return one TaskRun in full by its name, ``page[3]``; None if there is no record."""
        record = self._record_of(name)
        return None if record is None else self._detailer.detail(record)

    def _record_of(self, name: str) -> TaskRecord | None:
        number = self._rows.number(name)
        if number is None:
            place = self._rows.place(name)
            return None if place is None else self._rows.wholes.get(place)
        has_record = self._rows.table.place[number] >= 0
        return self._record_at(number) if has_record else None

    def _record_at(self, number: int) -> TaskRecord:
        return self._source.record(self._rows.table.place[number])

    def _compared(self) -> dict[str, Any]:
        """Return what differs from the run before, if there is one."""
        if not self._past.measured:
            return {}
        before = self._past.measured[0]
        now = (self._source.run, self._source.tasks)
        return {"compared": compared(self._source, (before, self._source.tasks_of(before.id)), now)}

    def _details(self, listed: Sequence[int], most: int) -> Iterable[dict[str, Any]]:
        table = self._rows.table
        chosen = most_telling(self._rows, min(most, len(listed))) if most else []
        told = (self._record_at(number) for number in chosen if table.place[number] >= 0)
        return [self._detailer.detail(record) for record in told]

    def _task(self, place: int) -> dict[str, Any]:
        rows, blueprint = self._rows, self._source.blueprint
        name = rows.names[place]
        told: dict[str, Any] = {"name": name, "outcome": rows.outcome_of(place)}
        if rows.is_mapped(place):
            counts = rows.counts_of(place)
            told["elements"] = 0 if rows.find(name) else sum(counts.values())
            told["counts"] = counts if told["elements"] else {}
        if name in self._usual:
            told["expected"] = self._usual[name]
        if purpose := blueprint.purposes.get(place):
            told["purpose"] = purpose
        if spent := rows.spent(place):
            told["seconds"] = round(spent, 4)
        return told

    def _times(self, began: float) -> dict[str, Any]:
        """Return lanes, pauses and critical path; moments are seconds since `began`."""
        rows, path = self._rows, self._critical_path()
        gaps = rows.pauses()
        seconds = (rows.row(number).seconds or 0.0 for number in path)
        return {
            "lanes": len(rows.lanes),
            "workers": list(rows.lanes.workers),
            "order": rows.lanes.order(),
            "pauses": [[round(start - began, 4), round(end - began, 4)] for start, end in gaps],
            "critical_path": [rows.name(number) for number in path],
            "critical_seconds": round(sum(seconds), 4),
            "busy_seconds": round(max(0.0, rows.busy), 4),
        }

    def _critical_path(self) -> list[int]:
        if is_live(self._source):
            return []  # nobody knows what a run will end with that goes on
        if self._path is None:
            self._path = critical_path(self._rows.table, self._source.blueprint)
        return self._path

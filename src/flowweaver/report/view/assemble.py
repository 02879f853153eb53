"""A View put together: what every face shows of one run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from flowweaver.records import TaskRecord
from flowweaver.report.counts import COUNTED
from flowweaver.report.graph import draw
from flowweaver.report.view.compared import compared
from flowweaver.report.view.details import Detailer
from flowweaver.report.view.failures import failures, waiting
from flowweaver.report.view.head import is_live, run_head
from flowweaver.report.view.past import Past, expected, history, past_of
from flowweaver.report.view.rows import Row, columns, most_telling, rows_of
from flowweaver.report.view.sources import Source
from flowweaver.report.view.times import critical_path, pauses
from flowweaver.version import __version__

FORMAT = 1
"""The version of the View's format: it grows when a reader of an older one would be misled."""

MOST_ROWS = 20_000
"""Of a run with more TaskRuns, so many are in the View, those that tell most."""

DETAILS_IN_REPORT = 500
"""Of so many TaskRuns a report tells inputs, result and log, of those that tell most."""


class View:
    """A run as told to people. Made from a source, kept up to date with what is taken in.

    Args:
        source: The run.
        past: The runs before it, where they were read already.
    """

    def __init__(self, source: Source, past: Past | None = None) -> None:
        self._source = source
        self._past = past_of(source) if past is None else past
        self._usual = expected(self._past)
        self._rows = rows_of(source.tasks, source.blueprint)
        self._detailer = Detailer(source, self._past, self._record_of)

    def take(self, records: Iterable[TaskRecord]) -> list[Row]:
        """Take in records that are new or have changed; return their rows."""
        self._detailer.forget()
        return self._rows.take(records)

    def as_json(self, *, rows: int | None = None, details: int = 0) -> dict[str, Any]:
        """Return all of it as JSON: see view.schema.json.

        Args:
            rows: How many TaskRuns to list, those that tell most; `MOST_ROWS` if not given.
            details: How many of them to tell in full.
        """
        listed = most_telling(self._rows.all(), MOST_ROWS if rows is None else rows)
        return {
            "format": FORMAT,
            "made_by": __version__,
            "outcomes": list(COUNTED),
            "tasks": self.tasks(),
            **self.changing(listed),
            "graph": draw(self._rows.names, self._source.blueprint.preds),
            "history": history(self._past),
            **self._compared(),
            "details": {each["name"]: each for each in self._details(listed, details)},
        }

    def changing(self, listed: Sequence[Row]) -> dict[str, Any]:
        """Return what changes while a run goes on; of the TaskRuns those that are `listed`."""
        began = self._source.run.created_at
        return {
            "made_at": round(time.time(), 3),
            "run": run_head(self._source, self._past, self._detailer.parameters()),
            "counts": self._rows.counts(),
            "rows": {"total": len(self._rows), **columns(listed, began)},
            "times": self._times(began),
            "failures": failures(self._rows, began, self._detailer.given),
            "waiting": waiting(self._rows),
        }

    def tasks(self) -> list[dict[str, Any]]:
        """Return the tasks of the workflow, in its order."""
        return [self._task(place) for place in range(len(self._rows.names))]

    def running(self) -> list[tuple[str, float, int]]:
        """Return what runs: its name, when its attempt began, and which it is."""
        return [
            (self._rows.name(row), row.begun or 0.0, row.record.attempts)
            for row in self._rows.unsorted()
            if row.outcome == "running" and row.record is not None
        ]

    def tasks_of(self, rows: Iterable[Row]) -> dict[int, dict[str, Any]]:
        """Return the tasks that rows belong to, by their places."""
        return {place: self._task(place) for place in sorted({row.task for row in rows})}

    def page(self, start: int, stop: int) -> dict[str, Any]:
        """Return a page of the rows, in the order of the workflow, as columns."""
        rows = self._rows.all()[start:stop]
        return {"total": len(self._rows), **columns(rows, self._source.run.created_at)}

    def detail(self, name: str) -> dict[str, Any] | None:
        """Return one TaskRun in full by its name, ``page[3]``; None if there is no record."""
        record = self._record_of(name)
        return None if record is None else self._detailer.detail(record)

    def _record_of(self, name: str) -> TaskRecord | None:
        row = self._rows.find(name)
        place = self._rows.place(name)
        whole = None if place is None else self._rows.wholes.get(place)
        return whole if row is None else row.record

    def _compared(self) -> dict[str, Any]:
        """Return what differs from the run before, if there is one."""
        if not self._past.read:
            return {}
        now = (self._source.run, self._source.tasks)
        return {"compared": compared(self._source, self._past.read[0], now)}

    def _details(self, listed: Sequence[Row], most: int) -> Iterable[dict[str, Any]]:
        chosen = most_telling(listed, most) if most else []
        return [self._detailer.detail(row.record) for row in chosen if row.record is not None]

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
        rows, path = self._rows, list[Row]()
        if not is_live(self._source):  # nobody knows what a run will end with that goes on
            path = critical_path(rows.unsorted(), self._source.blueprint)
        spent = (row.seconds or 0.0 for row in rows.unsorted() if row.begun is not None)
        gaps = pauses(rows.unsorted())
        return {
            "lanes": len(rows.lanes),
            "workers": list(rows.lanes.workers),
            "order": rows.lanes.order(),
            "pauses": [[round(start - began, 4), round(end - began, 4)] for start, end in gaps],
            "critical_path": [rows.name(row) for row in path],
            "critical_seconds": round(sum(row.seconds or 0.0 for row in path), 4),
            "busy_seconds": round(sum(spent), 4),
        }

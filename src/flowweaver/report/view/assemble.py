"""A View put together: what every face shows of one run."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from typing import Any

import flowweaver
from flowweaver.records import TaskRecord
from flowweaver.report.counts import COUNTED
from flowweaver.report.graph import draw
from flowweaver.report.view.compared import compared
from flowweaver.report.view.details import Detailer
from flowweaver.report.view.failures import failures, waiting
from flowweaver.report.view.past import Past, expected, history, past_of
from flowweaver.report.view.rows import Row, Rows, columns, most_telling, rows_of
from flowweaver.report.view.sources import Source
from flowweaver.report.view.times import lanes_of, times
from flowweaver.status import RunStatus

FORMAT = 1
"""The version of the View's format: it grows when a reader of an older one would be misled."""

MOST_ROWS = 20_000
"""Of a run with more TaskRuns, so many are in the View, those that tell most."""

DETAILS_IN_REPORT = 500
"""Of so many TaskRuns a report tells inputs, result and log, of those that tell most."""

INTERRUPTED = "interrupted"
"""How a run is called that is marked as running while nobody works on it."""


class View:
    """A run as told to people. Made once from a source; parts of it can be had on their own.

    Args:
        source: The run.
        past: The runs before it, where they were read already.
    """

    def __init__(self, source: Source, past: Past | None = None) -> None:
        self._source = source
        self._past = past_of(source) if past is None else past
        self.rows: Rows = rows_of(source.run, source.tasks, source.blueprint)
        self.lanes = lanes_of(self.rows.rows)
        self.detailer = Detailer(source, self._past)

    def as_json(self, *, rows: int = MOST_ROWS, details: int = 0) -> dict[str, Any]:
        """Return all of it as JSON: see view.schema.json.

        Args:
            rows: How many TaskRuns to list, those that tell most.
            details: How many of them to tell in full.
        """
        source, began = self._source, self._source.run.created_at
        listed = most_telling(self.rows.rows, rows)
        return {
            "format": FORMAT,
            "made_at": round(time.time(), 3),
            "made_by": flowweaver.__version__,
            "run": self.run_json(),
            "counts": self.rows.counts(),
            "outcomes": list(COUNTED),
            "tasks": self.tasks_json(),
            "rows": {"total": len(self.rows.rows), **columns(listed, began, self.lanes)},
            "times": times(self.rows, source.blueprint, began, self.lanes),
            "failures": failures(self.rows, began),
            "waiting": waiting(self.rows),
            "graph": draw(self.rows.names, source.blueprint.preds),
            "history": history(self._past),
            **self._compared(),
            "details": {each["name"]: each for each in self._details(listed, details)},
        }

    def _compared(self) -> dict[str, Any]:
        """Return what differs from the run before, if there is one."""
        if not self._past.read:
            return {}
        now = (self._source.run, self._source.tasks)
        return {"compared": compared(self._source, self._past.read[0], now)}

    def run_json(self) -> dict[str, Any]:
        """Return the run itself."""
        run, info = self._source.run, self._source.run.info
        seconds = None if run.finished_at is None else run.finished_at - run.claimed_at
        told = {
            "id": run.id,
            "workflow": run.workflow,
            "status": status_of(self._source),
            "began": run.created_at,
            "continued": run.claimed_at if run.token > 1 else None,
            "ended": run.finished_at,
            "seconds": None if seconds is None else round(max(0.0, seconds), 4),
            "executions": run.token,
            "by": run.runner,
            "store": self._source.store_url,
            "parameters": self.detailer.parameters(),
            "expected_seconds": self._expected_seconds(),
            "commands": self._commands(),
            "info": {key: info[key] for key in _INFO if key in info},
        }
        return {key: value for key, value in told.items() if value is not None}

    def tasks_json(self) -> list[dict[str, Any]]:
        """Return the tasks of the workflow, each with what its TaskRuns come to."""
        usual = expected(self._past)
        by_task = self.rows.by_task()
        return [
            self._task(place, name, by_task.get(place, []), usual.get(name))
            for place, name in enumerate(self.rows.names)
        ]

    def detail(self, name: str) -> dict[str, Any] | None:
        """Return one TaskRun in full by its name, ``page[3]``; None if there is no record."""
        for row in self.rows.rows:
            if self.rows.name(row) == name:
                return self._row_detail(row)
        record = self._whole(name)
        return None if record is None else self.detailer.detail(record)

    def _whole(self, name: str) -> TaskRecord | None:
        return next((each for each in self.rows.wholes.values() if each.task == name), None)

    def _row_detail(self, row: Row) -> dict[str, Any] | None:
        return None if row.record is None else self.detailer.detail(row.record)

    def _details(self, listed: Iterable[Row], most: int) -> Iterable[dict[str, Any]]:
        chosen = most_telling(list(listed), most) if most else []
        found = (self._row_detail(row) for row in chosen)
        return [each for each in found if each is not None]

    def _task(self, place: int, name: str, rows: list[Row], usual: float | None) -> dict[str, Any]:
        blueprint = self._source.blueprint
        told: dict[str, Any] = {"name": name, "outcome": _summed(rows, self.rows.wholes.get(place))}
        if place in blueprint.mapped or any(row.element for row in rows):
            told["elements"] = len(rows) if rows and rows[0].element else 0
            told["counts"] = {
                outcome: count
                for outcome in COUNTED
                if (count := sum(row.outcome == outcome for row in rows if row.element))
            }
        if usual is not None:
            told["expected"] = usual
        if purpose := blueprint.purposes.get(place):
            told["purpose"] = purpose
        spent = [row.seconds for row in rows if row.seconds is not None]
        if spent:
            told["seconds"] = round(sum(spent), 4)
        return told

    def _expected_seconds(self) -> float | None:
        """Return how long a run takes that executes as much: the median of earlier ones."""
        finished = [
            run.finished_at - run.claimed_at
            for run in self._past.runs
            if run.finished_at is not None and run.status is RunStatus.COMPLETED and run.token == 1
        ]
        return round(sorted(finished)[len(finished) // 2], 4) if finished else None

    def _commands(self) -> dict[str, str]:
        """Return the commands that show or continue the same."""
        run = self._source.run
        if self._source.store_url is None:
            return {}
        where = f" --store {shlex.quote(self._source.store_url)}"
        run_id = shlex.quote(run.id)
        commands = {
            "show": f"flowweaver show {run_id}{where}",
            "logs": f"flowweaver logs {run_id}{where}",
            "report": f"flowweaver report {run_id}{where}",
        }
        target = run.info.get("target")
        if isinstance(target, str):
            again = f"flowweaver run {shlex.quote(target)}{where}"
            commands["continue" if run.status.is_unfinished else "again"] = again
        return commands


_INFO = ("executor", "flowweaver", "python", "target")


def status_of(source: Source) -> str:
    """Return where a run stands: "interrupted" where it runs by its record and by nobody else."""
    run = source.run
    if run.status is RunStatus.RUNNING and source.store_url is not None and not source.is_worked_on:
        return INTERRUPTED
    return run.status.value


def _summed(rows: list[Row], whole: TaskRecord | None) -> str:
    """Return what stands for all TaskRuns of a task: the worst, or what goes on, or what it is."""
    found = {row.outcome for row in rows}
    for outcome in _WORST_FIRST:
        if outcome in found:
            return outcome
    return "executed" if whole is not None and not rows else "pending"


_WORST_FIRST = (
    "failed", "retrying", "running", "pending", "upstream_failed", "cancelled", "executed",
    "restored", "skipped",
)  # fmt: skip

"""Tables of runs and of the tasks of one run, for terminals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from flowweaver.observers.style import STATUS_STYLES, one_line, seconds, why
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.counts import display_name, outcome


def runs_table(
    runs: Sequence[RunRecord], standing: Callable[[RunRecord], str] | None = None
) -> Table:
    """Return a table of runs: id, workflow, status, start, seconds, tasks, who runs it.

    `standing` says where a run stands; what its record says, if it is not given.
    """
    table = _table("run", "workflow", "status", "started", "took", "tasks", "by")
    for run in runs:
        table.add_row(
            _text(run.id),
            _text(run.workflow),
            _status(run.status.value if standing is None else standing(run)),
            _text(_moment(run.claimed_at)),
            _text(_took(run.claimed_at, run.finished_at)),
            _text(str(run.info.get("tasks", ""))),
            _text(run.runner),
        )
    return table


def tasks_table(tasks: Sequence[TaskRecord]) -> Table:
    """Return a table of TaskRuns: name, outcome, attempts, start, seconds, and why."""
    table = _table("task", "outcome", "attempts", "started", "took", "why")
    for task in tasks:
        table.add_row(
            _text(display_name(task)),
            _status(task.status.value, outcome(task)),
            _text(str(task.attempts or "")),
            _text("" if task.started_at is None else _moment(task.started_at)),
            _text("" if task.duration is None else seconds(task.duration)),
            Text(why(task.failure)) if task.failure else _text(task.reason),
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _text(value: str) -> Text:
    return Text(one_line(value))


def _status(status: str, shown: str | None = None) -> Text:
    return Text((shown or status).replace("_", " "), STATUS_STYLES.get(status, ""))


def _moment(epoch: float) -> str:
    """Return a moment in the reader's own time zone."""
    return datetime.fromtimestamp(epoch).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _took(start: float, end: float | None) -> str:
    return "" if end is None else seconds(max(0.0, end - start))

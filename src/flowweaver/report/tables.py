"""Tables of runs and of the tasks of one run, for terminals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from flowweaver.observers.style import STATUS_STYLES, one_line, seconds, why
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.counts import display_name, outcome

# What is copied, or compared line by line, stays on one line as long as others can give way.
_WHOLE = frozenset({"run", "started", "took"})


class RunsTable:
    """A table of runs: id, workflow, status, start, seconds, tasks, who runs it.

    Where there is no room for all of it, the last columns are left out: an id that is broken over
    lines can't be copied.

    Args:
        runs: The runs.
        standing: Says where a run stands; what its record says, if it is not given.
    """

    _HEADINGS = ("run", "workflow", "status", "started", "took", "tasks", "by")
    _NAMED = 1  # the workflow, which may be folded
    _SHORTEST = 12
    _LEAST = 3

    def __init__(
        self, runs: Sequence[RunRecord], standing: Callable[[RunRecord], str] | None = None
    ) -> None:
        self._rows = [
            (
                _text(run.id),
                _text(run.workflow),
                _status(run.status.value if standing is None else standing(run)),
                _text(_moment(run.claimed_at)),
                _text(_took(run.claimed_at, run.finished_at)),
                _text(str(run.info.get("tasks", ""))),
                _text(run.runner),
            )
            for run in runs
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as wide as there is room."""
        widths = [
            max([len(heading), *(cell.cell_len for cell in cells)])
            for heading, *cells in zip(self._HEADINGS, *self._rows, strict=True)
        ]
        widths[self._NAMED] = min(widths[self._NAMED], self._SHORTEST)
        shown = len(widths)
        while shown > self._LEAST and sum(widths[:shown]) + 2 * (shown - 1) > options.max_width:
            shown -= 1
        table = _table()
        for place, heading in enumerate(self._HEADINGS[:shown]):
            table.add_column(heading, overflow="fold", no_wrap=place != self._NAMED)
        for row in self._rows:
            table.add_row(*row[:shown])
        yield table


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
        table.add_column(heading, overflow="fold", no_wrap=heading in _WHOLE)
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

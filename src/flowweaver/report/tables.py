"""Tables of runs and of the tasks of one run, for terminals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from flowweaver.observers.style import STATUS_STYLES, one_line, seconds, why
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.counts import display_name, outcome

_BETWEEN = "  "
_INSET = 4


class RunsTable:
    """A table of runs: id, workflow, status, start, seconds, tasks, who runs it.

    Where there is no room for all of it, the last columns are left out, and where there is none for
    the first three, the workflow goes below: an id that is broken over lines can't be copied.

    Args:
        runs: The runs.
        standing: Says where a run stands; what its record says, if it is not given.
    """

    _HEADINGS = ("run", "workflow", "status", "started", "took", "tasks", "by")
    _NAMED, _STATUS = 1, 2  # the workflow may be folded
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
        if sum(widths[:shown]) + 2 * (shown - 1) > options.max_width:
            yield from self._narrow(console, widths, options.max_width)
            return
        table = _table()
        for place, heading in enumerate(self._HEADINGS[:shown]):
            is_folded = place == self._NAMED
            table.add_column(
                heading, overflow="fold", no_wrap=not is_folded, min_width=len(heading)
            )
        for row in self._rows:
            table.add_row(*row[:shown])
        yield table

    def _narrow(self, console: Console, widths: Sequence[int], room: int) -> Iterator[Text]:
        """Yield the ids and statuses, with the workflows below."""
        heading = self._HEADINGS[0]
        beside = room - widths[self._STATUS] - len(_BETWEEN)
        columns = [max(len(heading), min(widths[0], beside)), widths[self._STATUS]]
        headings = [Text(heading, "bold"), Text(self._HEADINGS[self._STATUS], "bold")]
        yield from _line(headings, columns, room)
        for row in self._rows:
            yield from _line([row[0], row[self._STATUS]], columns, room)
            yield from _below(row[self._NAMED], console, room)


class TasksTable:
    """A table of TaskRuns: name, outcome, attempts, start, seconds, and why.

    Each is one line where there is room for that. Where there is not, its reason goes below it, and
    of the columns the start and then the attempts are left out: a reason in a column of a few
    characters can't be read.

    Args:
        tasks: The TaskRuns.
    """

    _HEADINGS = ("task", "outcome", "attempts", "started", "took")
    _GIVE_WAY = ("started", "attempts", "took")  # in this order
    _NARROWEST_REASON = 40

    def __init__(self, tasks: Sequence[TaskRecord]) -> None:
        self._rows = [
            (
                _text(display_name(task)),
                _status(task.status.value, outcome(task)),
                _text(str(task.attempts or "")),
                _text("" if task.started_at is None else _moment(task.started_at)),
                _text("" if task.duration is None else seconds(task.duration)),
            )
            for task in tasks
        ]
        self._reasons = [
            Text(why(task.failure)) if task.failure else _text(task.reason) for task in tasks
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as wide as there is room; nothing is padded to the right."""
        room = options.max_width
        widths = self._widths()
        beside = room - sum(widths.values()) - len(widths) * len(_BETWEEN)
        longest = max((reason.cell_len for reason in self._reasons), default=0)
        is_beside = beside >= min(longest, self._NARROWEST_REASON)
        if not is_beside:
            widths = self._fitting(widths, room)
        headings = [Text(each, "bold") for each in widths] + [Text("why", "bold")] * is_beside
        yield from _line(headings, [*widths.values()], room)
        for row, reason in zip(self._rows, self._reasons, strict=True):
            cells = [cell for cell, name in zip(row, self._HEADINGS, strict=True) if name in widths]
            inset = room - beside if is_beside else _INSET
            told = list(reason.wrap(console, room - inset)) if reason else []
            if is_beside and told:
                cells.append(told.pop(0))
            yield from _line(cells, [*widths.values()], room)
            for each in told:
                each.rstrip()
                yield Text(" " * inset) + each

    def _widths(self) -> dict[str, int]:
        columns = zip(self._HEADINGS, *self._rows, strict=True)
        return {
            heading: max([len(heading), *(cell.cell_len for cell in cells)])
            for heading, *cells in columns
        }

    def _fitting(self, widths: dict[str, int], room: int) -> dict[str, int]:
        kept = dict(widths)
        for heading in self._GIVE_WAY:
            if sum(kept.values()) + len(_BETWEEN) * (len(kept) - 1) > room:
                del kept[heading]
        rest = sum(kept.values()) - kept["task"] + len(_BETWEEN) * (len(kept) - 1)
        kept["task"] = max(len("task"), min(kept["task"], room - rest))
        return kept


def _line(cells: Sequence[Text], widths: Sequence[int], room: int) -> Iterator[Text]:
    """Yield a row; a name that is too long for its column has lines of its own above."""
    name, *others = cells
    if name.cell_len > widths[0]:
        yield from (name.split(allow_blank=True) if name.cell_len <= room else _folded(name, room))
        name = Text()
    line, start = name.copy(), 0
    for width, cell in zip(widths, others, strict=False):
        start += width + len(_BETWEEN)
        line.pad_right(start - line.cell_len)
        line.append_text(cell)
    line.rstrip()
    yield line


def _below(text: Text, console: Console, room: int) -> Iterator[Text]:
    """Yield the lines of a text that has no room beside what it belongs to."""
    for line in text.wrap(console, room - _INSET):
        line.rstrip()
        yield Text(" " * _INSET) + line


def _folded(text: Text, width: int) -> Iterator[Text]:
    yield from text.divide(range(width, len(text), width))


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")


def _text(value: str) -> Text:
    return Text(one_line(value))


def _status(status: str, shown: str | None = None) -> Text:
    return Text((shown or status).replace("_", " "), STATUS_STYLES.get(status, ""))


def _moment(epoch: float) -> str:
    """Return a moment in the reader's own time zone."""
    return datetime.fromtimestamp(epoch).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _took(start: float, end: float | None) -> str:
    return "" if end is None else seconds(max(0.0, end - start))

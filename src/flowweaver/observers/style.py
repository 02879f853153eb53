"""How statuses, times and foreign texts look on a terminal and in a log."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowweaver.plugins import clean, shorten
from flowweaver.status import RunStatus, TaskStatus

if TYPE_CHECKING:
    from flowweaver.records import Failure

# Names of terminal colours, by the value of a status: a run's and a task's failure look alike.
STATUS_STYLES: Mapping[str, str] = {
    TaskStatus.RUNNING.value: "yellow",
    TaskStatus.RETRYING.value: "yellow",
    TaskStatus.COMPLETED.value: "green",
    TaskStatus.FAILED.value: "bold red",
    TaskStatus.UPSTREAM_FAILED.value: "red",
    TaskStatus.CANCELLED.value: "magenta",
    RunStatus.ABANDONED.value: "dim",
    "interrupted": "yellow",
}

_LONGEST_REASON = 200


def one_line(text: str, limit: int | None = None) -> str:
    """Return `text` on one line: what doesn't print is escaped, and so are line breaks.

    Names and messages come from users and data; none may move the cursor or fake a line.
    """
    cleaned = clean(text)
    return cleaned if limit is None else shorten(cleaned, limit)


def block(text: str) -> str:
    """Return `text` with its line breaks kept and all else that doesn't print escaped."""
    return "\n".join(clean(line.expandtabs()) for line in text.split("\n"))


def why(failure: Failure) -> str:
    """Return a failure on one line; where other tasks are to blame, only their names."""
    return one_line(failure.message if failure.causes else str(failure), _LONGEST_REASON)


def at_length(failure: Failure) -> str:
    """Return what is to be said of a failure below its one line: its traceback, or more lines."""
    if failure.trace or "\n" not in failure.message:
        return failure.trace
    return failure.message.partition("\n")[2]


def in_short(failure: Failure) -> str:
    """Return a failure on one line, without those that `at_length` has."""
    if failure.trace or failure.causes or "\n" not in failure.message:
        return why(failure)
    first = failure.message.partition("\n")[0]
    return one_line(f"{failure.kind}: {first}", _LONGEST_REASON)


def seconds(value: float) -> str:
    """Return a duration for people: "12 ms", "3.4 s", "5 min 07 s", "2 h 05 min"."""
    if not math.isfinite(value):  # as a store may say
        return "?"
    if value < 0.001:
        return "<1 ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"

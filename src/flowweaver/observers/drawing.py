"""Where a run stands, as it is drawn on a terminal of any width."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flowweaver.observers.style import STATUS_STYLES, one_line, seconds
from flowweaver.observers.tally import Share, Standing

_MOST_SHARES = 6
_NARROW = 60
_BAR = 30
# In the order in which they are shown.
_COUNTED = (
    "executed", "restored", "overridden", "running", "retrying", "failed", "upstream_failed",
    "skipped", "cancelled",
)  # fmt: skip


def drawn(standing: Standing, width: int, most_lines: int) -> RenderableType:
    """Return the drawing of where a run stands.

    Args:
        standing: Where the run stands.
        width: The terminal's width in characters.
        most_lines: How many lines fan-outs and running tasks may take together.
    """
    shares = _telling(standing.shares)
    running = _running(standing, width, max(1, most_lines - len(shares)))
    return Group(_head(standing, width), _counts(standing), *_shares(shares, width), *running)


def _head(standing: Standing, width: int) -> RenderableType:
    progress = f"{standing.done:,}/{standing.total:,}"
    took = seconds(standing.seconds)
    if standing.left is not None:
        took += f", about {seconds(standing.left)} left"
    if width < _NARROW:
        # The numbers stay; the title gives way.
        numbers = f"  {progress}  {seconds(standing.seconds)}"
        return Text(_cut(standing.title, width - len(numbers)) + numbers, "bold", no_wrap=True)
    head = Table.grid(padding=(0, 2))
    head.add_row(
        Text(one_line(standing.title), "bold", overflow="ellipsis", no_wrap=True),
        ProgressBar(total=max(standing.total, 1), completed=standing.done, width=_BAR),
        progress,
        took,
    )
    return head


def _counts(standing: Standing) -> Text:
    line = Text("  ")
    for label in _COUNTED:
        if count := standing.counts.get(label):
            style = STATUS_STYLES.get("completed" if label == "executed" else label, "")
            line.append(f"{label.replace('_', ' ')} {count:,}  ", style)
    return line


def _telling(shares: Sequence[Share]) -> list[Share]:
    """Return the mapped tasks that are under way or had failures, as many as fit."""
    return [share for share in shares if not share.is_over or share.failed][-_MOST_SHARES:]


def _shares(shares: Sequence[Share], width: int) -> list[Text]:
    return [_share(share, width) for share in shares]


def _share(share: Share, width: int) -> Text:
    told = f"  {share.done:,}/{share.total:,}"
    if share.rate is not None and not share.is_over:
        told += f"  {_pace(share.rate)}"
    if share.left is not None and width >= _NARROW:
        told += f"  {seconds(share.left)} left"
    failed = f"  {share.failed:,} failed" if share.failed else ""
    line = Text(f"  {_cut(share.task, width - 2 - len(told) - len(failed))}{told}", no_wrap=True)
    return line.append(failed, STATUS_STYLES["failed"])


def _pace(rate: float) -> str:
    return (
        f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.1f}/min"
    )


def _running(standing: Standing, width: int, most: int) -> list[Text]:
    lines = [_one(*each, width) for each in standing.running[:most]]
    if len(standing.running) > most:
        lines.append(Text(f"  and {len(standing.running) - most} more", "dim"))
    return lines


def _one(name: str, took: float, number: int, width: int) -> Text:
    told = f"  {seconds(took)}" + (f"  attempt {number}" if number > 1 else "")
    return Text(f"  {cut_name(name, width - 2 - len(told))}{told}", no_wrap=True)


def cut_name(name: str, room: int) -> str:
    """Return a name cut to `room` characters: the task's name is cut, the element's key stays."""
    base, bracket, element = name.rpartition("[")
    if not bracket or not name.endswith("]"):
        return _cut(name, room)
    end = f"[{element}"
    return _cut(base, room - len(end)) + end


def _cut(text: str, room: int) -> str:
    text = one_line(text)
    return text if len(text) <= room else f"{text[: max(1, room - 1)]}…"

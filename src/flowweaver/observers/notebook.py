"""Progress in a notebook: one picture that is replaced again and again."""

from __future__ import annotations

import html
import sys
from importlib import import_module
from typing import Any, Self

from flowweaver.events import Event
from flowweaver.observers.by_time import DrawnByTime
from flowweaver.observers.lines import in_words
from flowweaver.observers.style import one_line, seconds
from flowweaver.observers.tally import Share, Standing, Tally

_RENEWED_SECONDS = 0.25
_MOST_SHARES = 8


def in_notebook() -> bool:
    """Return whether this runs in a notebook, which can show pictures."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


class NotebookProgress(DrawnByTime):
    """An observer that shows counts, rates and the time left below the cell that is run."""

    def __init__(self) -> None:
        super().__init__()
        self._display: Any = import_module("IPython.display")
        self._shown: Any = None
        self._tally = Tally(None)
        self._title = ""

    def __enter__(self) -> Self:
        """Return itself: a notebook shows what bodies print by itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the last picture."""
        self._end()

    def _begin(self, event: Event) -> None:
        self._tally = Tally(event)
        self._title = f"{one_line(event.workflow)} {event.run_id}"
        self._shown = self._display.display(self._picture(), display_id=True)

    def _take(self, event: Event) -> None:
        self._tally.take(event)

    def _draw(self) -> None:
        while not self._ended.wait(_RENEWED_SECONDS):
            self._shown.update(self._picture())
        self._shown.update(self._picture())

    def _picture(self) -> Any:
        with self._lock:
            standing = self._tally.standing(self._title)
        return self._display.HTML(picture(standing))


def picture(standing: Standing) -> str:
    """Return where a run stands as HTML without any script."""
    lines = [_line(standing.title, standing.done, standing.total, seconds(standing.seconds))]
    lines += [_share(share) for share in standing.shares[-_MOST_SHARES:]]
    return f"<div>{''.join(lines)}<small>{html.escape(in_words(standing))}</small></div>"


def _share(share: Share) -> str:
    told = [] if share.rate is None or share.is_over else [f"{share.rate:.3g}/s"]
    if share.left is not None:
        told.append(f"{seconds(share.left)} left")
    if share.failed:
        told.append(f"{share.failed:,} failed")
    return _line(share.task, share.done, share.total, ", ".join(told))


def _line(name: str, done: int, total: int, told: str) -> str:
    return (
        f"<div><code>{html.escape(one_line(name, 80))}</code> "
        f'<progress max="{max(total, 1)}" value="{done}"></progress> '
        f"{done:,}/{total:,} <small>{html.escape(told)}</small></div>"
    )

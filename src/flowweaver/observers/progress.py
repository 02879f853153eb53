"""Progress for people who watch a run: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from flowweaver.observers.lines import LineProgress

if TYPE_CHECKING:
    from flowweaver.observers.live import LiveProgress


def progress(stream: TextIO | None = None, *, verbose: bool = False) -> LiveProgress | LineProgress:
    """Return an observer that shows the progress of a run.

    On a terminal that can move its cursor it is a display of counts, of what runs now and of the
    elapsed time; elsewhere it writes lines, for the first TaskRuns one by one, then counts. One
    observer watches one run at a time. Enter it as a context (``with progress() as shown:``) around
    the run, and what bodies print goes above the display instead of through it.

    Args:
        stream: Where to write; standard error if not given.
        verbose: Whether every start, retry and end has a line, however many there are.
    """
    stream = sys.stderr if stream is None else stream
    if not stream.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return LineProgress(stream, verbose=verbose)
    from flowweaver.observers.live import LiveProgress

    return LiveProgress(stream)

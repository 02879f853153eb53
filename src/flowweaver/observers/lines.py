"""Progress as a limited number of plain lines: for pipes, logs and terminals without a cursor.

Each of the first TaskRuns has its lines. After that only those that fail or take long are named;
the rest are counted, at growing intervals.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Self, TextIO

from flowweaver.events import Event, EventKind
from flowweaver.observers.style import one_line, seconds
from flowweaver.observers.tally import Standing, Tally
from flowweaver.observers.wording import describe, is_restored, task_name
from flowweaver.status import TaskStatus

# Restored tasks come in bursts: up to so many at once are named, more are only counted.
_MOST_NAMED = 5
_MOST_IN_FULL = 40
_MOST_FAILURES = 20
_MOST_LONG = 40
_LONG_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
_COUNTED = (
    "executed", "restored", "overridden", "failed", "upstream_failed", "skipped", "cancelled",
    "running",
)  # fmt: skip


class LineProgress:
    """An observer that writes lines, with the time of day.

    Args:
        stream: Where to write.
        verbose: Whether every start, retry and end has a line, however many there are.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False) -> None:
        self._stream = stream
        self._verbose = verbose
        self._restored: list[str] = []
        self._lock = threading.Lock()
        self._tally = Tally(None)
        self._budget = _Budget()
        self._ticker: _Ticker | None = None

    def __call__(self, event: Event) -> None:
        """Take in one event, and write the lines it calls for."""
        with self._lock:
            if event.kind is EventKind.RUN_STARTED:
                self._begin(event)
            elif event.kind is EventKind.RUN_FINISHED:
                self._end()
            elif event.kind is not EventKind.RUN_WAITING:
                self._tally.take(event)
                self._tell(event)
                return
            self._write(describe(event))

    def __enter__(self) -> Self:
        """Return itself: lines need no terminal of their own."""
        return self

    def __exit__(self, *error: object) -> None:
        """Write what was held back."""
        self.close()

    def note(self, text: str) -> None:
        """Write a line of the caller's own."""
        with self._lock:
            self._write(text)

    def close(self) -> None:
        """Write what was held back."""
        with self._lock:
            self._end()

    def _begin(self, event: Event) -> None:
        self._end()
        self._tally, self._budget = Tally(event), _Budget()

    def _end(self) -> None:
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        self._write_restored()

    def _tell(self, event: Event) -> None:
        if event.kind is EventKind.TASK_FINISHED and is_restored(event):
            if not self._tally.is_whole_of_mapped(event):  # whose elements have their own lines
                self._restored.append(task_name(event))
            return
        if self._verbose or self._budget.allows(event):
            self._write_restored()
            self._write(describe(event))
        elif self._ticker is None:
            self._write_restored()
            self._write("from here on counts, and what fails or takes long; -v tells all")
            self._ticker = _Ticker(self._count)

    def _count(self) -> None:
        """Write where the run stands."""
        with self._lock:
            if self._ticker is not None:
                self._write_restored()
                self._write(in_words(self._tally.standing("")))

    def _write_restored(self) -> None:
        names, self._restored = self._restored, []
        if len(names) > _MOST_NAMED:
            self._write(f"{len(names)} tasks restored")
            return
        for name in names:
            self._write(f"{name} restored")

    def _write(self, text: str) -> None:
        self._stream.write(f"{datetime.now():%H:%M:%S} {one_line(text)}\n")
        self._stream.flush()


class _Budget:
    """How many more lines of each kind may be written."""

    def __init__(self) -> None:
        self._in_full = _MOST_IN_FULL
        self._failures = _MOST_FAILURES
        self._long = _MOST_LONG
        self._told: set[str] = set()

    def allows(self, event: Event) -> bool:
        """Whether an event has a line of its own."""
        name = task_name(event)
        if event.kind is EventKind.TASK_STARTED:
            if not self._in_full:
                return False
            self._in_full -= 1
            self._told.add(name)
            return True
        if name in self._told:  # a TaskRun whose start has a line has all its lines
            if event.kind is EventKind.TASK_FINISHED:
                self._told.discard(name)
            return True
        if event.kind is EventKind.TASK_RETRYING or event.status is TaskStatus.FAILED:
            self._failures -= 1
            return self._failures >= 0
        if (event.duration or 0.0) >= _LONG_SECONDS:
            self._long -= 1
            return self._long >= 0
        if self._in_full:  # it ends without a start: it was skipped, or is a fan-out as a whole
            self._in_full -= 1
            return True
        return False


class _Ticker:
    """Calls a function at growing intervals, in a thread of its own."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._ended = threading.Event()
        threading.Thread(target=self._work, name="flowweaver-progress", daemon=True).start()

    def stop(self) -> None:
        """Call no more."""
        self._ended.set()

    def _work(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ended.wait(pause):
            self._tick()
            pause = min(1.5 * pause, _LONGEST_PAUSE)


def in_words(standing: Standing) -> str:
    """Return where a run stands, in one line."""
    counts = ", ".join(
        f"{standing.counts[key]:,} {key.replace('_', ' ')}"
        for key in _COUNTED
        if standing.counts.get(key)
    )
    line = f"{standing.done:,} of {standing.total:,} done: {counts}"
    slow = [f"{share.task} {share.failed:,} failed" for share in standing.shares if share.failed]
    if slow:
        line += f" ({', '.join(slow[:3])})"
    if standing.left is not None:
        line += f", about {seconds(standing.left)} left"
    return line

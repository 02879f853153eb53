"""Progress as a display that is redrawn in place, for terminals.

Events only change a few numbers; a thread redraws by time. So a run of many short tasks costs no
more drawing than a run of few long ones.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack
from time import monotonic
from typing import Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flowweaver.events import Event, EventKind
from flowweaver.observers.above import terminal_output_taken
from flowweaver.observers.style import STATUS_STYLES, one_line, seconds
from flowweaver.observers.wording import describe, is_restored, task_name
from flowweaver.status import TaskStatus

_REDRAW_SECONDS = 0.1
_MOST_RUNNING = 8
_MOST_MESSAGES = 20
# Whoever prints more than this between two redraws waits until it is on the screen.
_MOST_LINES_HELD = 1_000
# In the order in which they are shown.
_COUNTED = (
    "executed", "restored", "running", "retrying", "failed", "upstream_failed", "skipped",
    "cancelled",
)  # fmt: skip


class LiveProgress:
    """An observer that shows counts, what runs now and for how long, and the time gone by.

    Failures and retries are written above the display as they happen. Used as a context manager,
    it also takes what bodies print to a terminal, and shows it above the display.

    Args:
        stream: A terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._state = _State()
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._printing = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._taken = ExitStack()

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        if event.kind is EventKind.RUN_STARTED:
            self._begin(event)
        elif event.kind is EventKind.RUN_FINISHED:
            self._end()
        else:
            with self._lock:
                self._state.take(event)

    def __enter__(self) -> Self:
        """Take what is printed to a terminal from now on."""
        self._taken.enter_context(terminal_output_taken(self._hold))
        return self

    def __exit__(self, *error: object) -> None:
        """Give the terminal back, as `close` does."""
        self._taken.close()
        self.close()

    def note(self, text: str) -> None:
        """Show a line of the caller's own above the display."""
        with self._lock:
            self._state.messages.append((text, "bold"))

    def close(self) -> None:
        """Take the display away; what was to be shown above it is shown."""
        self._end()
        self._print()

    def _begin(self, event: Event) -> None:
        self._end()
        self._state = _State(event)
        self._ended.clear()
        self._thread = threading.Thread(
            target=self._redraw, name="flowweaver-progress", daemon=True
        )
        self._thread.start()

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ended.set()
            thread.join()

    def _redraw(self) -> None:
        with self._display() as live:
            while not self._ended.wait(_REDRAW_SECONDS):
                self._print()
                live.update(self._drawing(), refresh=True)
            self._print()

    def _display(self) -> Live:
        return Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _hold(self, lines: list[str]) -> None:
        with self._lock:
            self._lines += lines
            crowded = len(self._lines) > _MOST_LINES_HELD
        if crowded:
            self._print()

    def _print(self) -> None:
        """Print what is to stand above the display."""
        with self._printing:
            with self._lock:
                lines, self._lines = self._lines, []
                messages, self._state.messages = self._state.messages, []
            if lines:
                self._show(Text("\n").join(map(Text.from_ansi, lines)))
            for text, style in messages[:_MOST_MESSAGES]:
                self._show(Text(text, style))
            if len(messages) > _MOST_MESSAGES:
                self._show(Text(f"and {len(messages) - _MOST_MESSAGES} more like these", "red"))

    def _show(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _drawing(self) -> RenderableType:
        with self._lock:
            return self._state.drawing(max(1, min(_MOST_RUNNING, self._console.height - 5)))


class _State:
    """What is known of the run that is shown."""

    def __init__(self, started: Event | None = None) -> None:
        self.title = "" if started is None else f"{one_line(started.run.workflow)} {started.run.id}"
        self.total = 0 if started is None else len(started.run.tasks)
        self.done = 0
        self.began = monotonic()
        self.mapped: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.running: dict[str, tuple[float, int]] = {}
        self.retrying: set[str] = set()
        self.messages: list[tuple[str, str]] = []

    def take(self, event: Event) -> None:
        name = task_name(event)
        self.retrying.discard(name)
        if event.kind is EventKind.TASK_STARTED:
            self.running[name] = (monotonic(), event.attempt)
            return
        if event.kind is EventKind.TASK_RETRYING:
            self._retry(name, event.attempt)
            self.messages.append((describe(event), STATUS_STYLES["retrying"]))
            return
        self.running.pop(name, None)
        self._finish(event)
        if event.status is TaskStatus.FAILED:
            self.messages.append((describe(event), STATUS_STYLES["failed"]))

    def _finish(self, event: Event) -> None:
        # Of a mapped task the elements are counted; that it is done as a whole moves the bar.
        if event.element:
            self.mapped.add(event.task)
        else:
            self.done += 1
        if event.element or event.task not in self.mapped:
            self.counts[_outcome(event)] += 1

    def _retry(self, name: str, failed: int) -> None:
        # A failure is told once it is committed, and the next attempt may have started by then.
        if self.running.get(name, (0.0, 0))[1] <= failed:
            self.running.pop(name, None)
            self.retrying.add(name)

    def drawing(self, most_running: int) -> RenderableType:
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(self.title, "bold", overflow="ellipsis", no_wrap=True),
            ProgressBar(total=max(self.total, 1), completed=self.done, width=30),
            f"{self.done}/{self.total}",
            seconds(monotonic() - self.began),
        )
        return Group(head, self._counts(), *self._running(most_running))

    def _counts(self) -> Text:
        now = {**self.counts, "running": len(self.running), "retrying": len(self.retrying)}
        shown = [(label, now[label]) for label in _COUNTED if now.get(label)]
        line = Text("  ")
        for label, count in shown:
            style = STATUS_STYLES.get("completed" if label == "executed" else label, "")
            line.append(f"{label.replace('_', ' ')} {count}  ", style)
        return line

    def _running(self, most: int) -> list[Text]:
        now = monotonic()
        longest = list(self.running.items())[:most]
        lines = [
            Text(
                f"  {name}  {seconds(now - since)}" + (f"  attempt {n}" if n > 1 else ""),
                overflow="ellipsis",
                no_wrap=True,
            )
            for name, (since, n) in longest
        ]
        if len(self.running) > most:
            lines.append(Text(f"  and {len(self.running) - most} more", "dim"))
        return lines


def _outcome(event: Event) -> str:
    if event.status is TaskStatus.COMPLETED:
        return "restored" if is_restored(event) else "executed"
    return "cancelled" if event.status is None else event.status.value

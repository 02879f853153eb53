"""Progress as a display that is redrawn in place, for terminals."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Self, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from flowweaver.events import Event, EventKind
from flowweaver.observers.above import terminal_output_taken
from flowweaver.observers.by_time import DrawnByTime
from flowweaver.observers.drawing import drawn
from flowweaver.observers.style import STATUS_STYLES, one_line
from flowweaver.observers.tally import Tally
from flowweaver.observers.wording import describe
from flowweaver.status import TaskStatus

_REDRAW_SECONDS = 0.1
_MOST_RUNNING = 8
_MOST_MESSAGES = 20
# A body that prints more lines than this between two redraws waits until they are on the screen.
_MOST_LINES_HELD = 1_000


class LiveProgress(DrawnByTime):
    """An observer that shows counts, what runs now and for how long, and the elapsed time.

    Failures, retries and what the run waits for are written above the display as they happen. Used
    as a context manager, it also takes what bodies print to a terminal, and shows it there.

    Args:
        stream: A terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._console = Console(file=stream, highlight=False)
        self._state = _State()
        self._lines: list[str] = []
        self._printing = threading.Lock()
        self._taken = ExitStack()

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
        """Take the display away, after showing what belongs above it."""
        self._end()
        self._print()

    def _begin(self, event: Event) -> None:
        self._state = _State(event)

    def _take(self, event: Event) -> None:
        self._state.take(event)

    def _draw(self) -> None:
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
        """Print the lines and messages that belong above the display."""
        with self._printing:
            with self._lock:
                lines, self._lines = self._lines, []
                messages, self._state.messages = self._state.messages, []
            if lines:
                self._show(Text("\n").join(map(Text.from_ansi, lines)))
            for text, style in messages[:_MOST_MESSAGES]:
                self._show(Text(one_line(text), style))
            if len(messages) > _MOST_MESSAGES:
                self._show(Text(f"and {len(messages) - _MOST_MESSAGES} more like these", "red"))

    def _show(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _drawing(self) -> RenderableType:
        with self._lock:
            standing = self._state.tally.standing(self._state.title)
        most = max(1, min(_MOST_RUNNING, self._console.height - 5))
        return drawn(standing, self._console.width, most)


class _State:
    """What is known of the run that is shown."""

    def __init__(self, started: Event | None = None) -> None:
        self.title = "" if started is None else f"{started.workflow} {started.run_id}"
        self.tally = Tally(started)
        self.messages: list[tuple[str, str]] = []

    def take(self, event: Event) -> None:
        self.tally.take(event)
        if event.kind in (EventKind.TASK_RETRYING, EventKind.RUN_WAITING):
            self.messages.append((describe(event), STATUS_STYLES["retrying"]))
        elif event.kind is EventKind.TASK_FINISHED and event.status is TaskStatus.FAILED:
            self.messages.append((describe(event), STATUS_STYLES["failed"]))

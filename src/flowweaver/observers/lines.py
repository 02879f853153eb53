"""Progress as plain lines: one for each start, retry and end of a task."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Self, TextIO

from flowweaver.events import Event, EventKind
from flowweaver.observers.wording import describe, is_restored, task_name

# Restored tasks come in a burst: so many are told by name, more only by number.
_MOST_NAMED = 5


class LineProgress:
    """An observer that writes a line per event, with the time of day.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._restored: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write one event."""
        with self._lock:
            if event.kind is EventKind.TASK_FINISHED and is_restored(event):
                self._restored.append(task_name(event))
                return
            self._write_restored()
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
            self._write_restored()

    def _write_restored(self) -> None:
        names, self._restored = self._restored, []
        if len(names) > _MOST_NAMED:
            self._write(f"{len(names)} tasks restored")
            return
        for name in names:
            self._write(f"{name} restored")

    def _write(self, text: str) -> None:
        self._stream.write(f"{datetime.now():%H:%M:%S} {text}\n")
        self._stream.flush()

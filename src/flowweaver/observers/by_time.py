"""The base of displays that are redrawn by time, whatever number of events there is."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from flowweaver.events import Event, EventKind


class DrawnByTime(ABC):
    """An observer whose thread draws from the start of a run to its end.

    Events only change what is drawn next, so a run of many short tasks costs no more drawing than
    one of a few long tasks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        if event.kind is EventKind.RUN_STARTED:
            self._end()
            self._begin(event)
            self._ended.clear()
            self._thread = threading.Thread(
                target=self._draw, name="flowweaver-progress", daemon=True
            )
            self._thread.start()
        elif event.kind is EventKind.RUN_FINISHED:
            self._end()
        else:
            with self._lock:
                self._take(event)

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ended.set()
            thread.join()

    @abstractmethod
    def _begin(self, event: Event) -> None:
        """Show another run, which starts with this event."""

    @abstractmethod
    def _take(self, event: Event) -> None:
        """Take in what happened in the run. Called with the lock held."""

    @abstractmethod
    def _draw(self) -> None:
        """Draw again and again until `_ended` is set, and once more."""

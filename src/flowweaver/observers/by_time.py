"""What shows how a run goes on: events only change what is shown, a thread draws by time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from flowweaver.events import Event, EventKind


class DrawnByTime(ABC):
    """An observer whose thread draws from the start of a run to its end.

    So a run of many short tasks costs no more drawing than a run of few long ones.
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
        """A run starts: show it from now on."""

    @abstractmethod
    def _take(self, event: Event) -> None:
        """Something happened in it. Called with the lock held."""

    @abstractmethod
    def _draw(self) -> None:
        """Draw now and then until the run has `_ended`, and once more."""

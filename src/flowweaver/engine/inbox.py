"""Where finished calls arrive; `AsyncInbox` of `awaiting` is for a runner that awaits."""

from __future__ import annotations

import sys
from contextlib import suppress
from queue import Empty, SimpleQueue

from flowweaver.engine.body.call import Call

# On Windows a signal does not end a wait for a lock: its handler has to be given a moment.
_LONGEST_WAIT = 0.2 if sys.platform == "win32" else None


class Inbox:
    """Finished calls, put by any thread, taken by the runner's."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Call | None] = SimpleQueue()
        self._early: list[Call | None] = []
        self._lost: Exception | None = None

    def put(self, call: Call | None) -> None:
        """Hand in a finished call; None only wakes the runner. Safe in a signal handler."""
        self._queue.put(call)

    def lose(self, error: Exception) -> None:
        """Say that no call will come any more: raised once what is there was taken."""
        self._lost = error
        self.put(None)

    def wait(self, seconds: float | None) -> None:
        """Block until something is there, or for so many seconds at most."""
        if _LONGEST_WAIT is not None:
            seconds = _LONGEST_WAIT if seconds is None else min(seconds, _LONGEST_WAIT)
        with suppress(Empty):
            self._early.append(self._queue.get(timeout=seconds))

    def drain(self) -> list[Call | None]:
        """Take all that is there."""
        queue = self._queue
        batch, self._early = self._early, []
        batch.extend([queue.get_nowait() for _ in range(queue.qsize())])
        if self._lost is not None and not any(batch):
            raise self._lost
        return batch

    def __bool__(self) -> bool:
        return bool(self._early) or not self._queue.empty() or self._lost is not None

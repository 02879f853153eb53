"""Where finished calls arrive, for a runner that blocks and for one that awaits."""

from __future__ import annotations

import asyncio
import sys
import threading
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


class AsyncInbox(Inbox):
    """An inbox whose runner shares its thread with an event loop."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiter: asyncio.Future[None] | None = None

    def put(self, call: Call | None) -> None:
        """Hand in a finished call and wake the loop, from any thread."""
        self._queue.put(call)
        # What only wakes may come from a signal handler, which a sleeping loop would not notice.
        if call is not None and threading.get_ident() == self._thread:
            self._wake()
        elif self._waiter is not None:
            # A closed loop means that nobody waits for this body: it was left behind.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    async def wait_async(self, seconds: float | None) -> None:
        """Await until something is there, or for so many seconds."""
        self._waiter = waiter = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(seconds, self._wake)
        try:
            if not self:  # looked at after the waiter is set, so that no `put` is missed
                await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""Tasks on one thread that is not the caller's."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Any

from flowweaver.plugins import Backend, Call, Executor, Host, perform


def make(address: str, workers: int | None = None, **common: Any) -> OneThreadExecutor:
    """Return what ``--executor one-thread://ADDRESS`` asks for; the address names the thread."""
    if workers not in (None, 1):
        raise ValueError("one-thread runs one task at a time")
    return OneThreadExecutor(address or "one-thread", **common)


class OneThreadExecutor(Executor):
    """Runs one task at a time, on a thread of the given name."""

    def __init__(self, thread_name: str = "one-thread", **options: Any) -> None:
        super().__init__(**options)
        self.thread_name = thread_name

    def open_backend(self, host: Host) -> Backend:
        """Start the thread."""
        return OneThreadBackend(host, self.thread_name)


class OneThreadBackend:
    """The thread at work for one run. A body that is given up keeps it, and another takes over."""

    capacity = 1
    prefetch = False
    inline = False

    def __init__(self, host: Host, thread_name: str) -> None:
        self._host = host
        self._thread_name = thread_name
        self._lock = threading.Lock()
        self._start()

    def submit(self, call: Call) -> bool:
        """Have the call performed."""
        if call.task.is_async():
            call.worker = "event loop"
            self._host.loop.start(call, self._host.done)
        else:
            self._queue.put(call)
        return False

    def cancel(self, call: Call) -> None:
        """Leave the call behind."""
        if call.task.is_async():
            call.over = True
            self._host.loop.cancel(call)
            return
        with self._lock:
            call.over = True
            if not call.finished:
                self._queue.put(None)
                self._start()

    def close(self) -> None:
        """Let the thread end once its body has."""
        self._queue.put(None)

    def _start(self) -> None:
        self._queue: SimpleQueue[Call | None] = SimpleQueue()
        threading.Thread(
            target=self._work, args=[self._queue], name=self._thread_name, daemon=True
        ).start()

    def _work(self, queue: SimpleQueue[Call | None]) -> None:
        while (call := queue.get()) is not None:
            call.worker = self._thread_name
            perform(call, self._host.loop.wait_for)
            with self._lock:
                call.finished = True
                over = call.over
            if not over:
                self._host.done(call)

"""Worker threads that can be left behind: a body that hangs holds up nobody else."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from typing import Any

from flowweaver.plugins import Call, perform


class ThreadWorkers:
    """Up to `count` threads that perform calls from one queue.

    A thread can't be killed. `cancel` frees its slot instead: another thread takes over,
    and the one left behind ends when its body does. All are daemons, so that none of them holds
    up the interpreter's exit. A call's `worker` names the one that performs it: "worker 3".
    """

    def __init__(
        self,
        count: int,
        done: Callable[[Call], None],
        wait_for: Callable[[Awaitable[Any]], Any],
    ) -> None:
        self._free = count
        self._done = done
        self._wait_for = wait_for
        self._queue: SimpleQueue[Call | None] = SimpleQueue()
        self._started = 0
        self._lock = threading.Lock()

    def submit(self, call: Call) -> None:
        """Queue a call for the next free thread."""
        if self._free:
            self._free -= 1
            self._start_thread()
        self._queue.put(call)

    def cancel(self, call: Call) -> None:
        """Leave the call behind, wherever it is; its outcome is dropped."""
        with self._lock:
            if call.finished:
                return
            call.over = True
        self._start_thread(call.worker)

    def close(self) -> None:
        """Let every thread end once it has nothing to do."""
        for _ in range(self._started):
            self._queue.put(None)

    def _start_thread(self, worker: str = "") -> None:
        """Start a thread, which takes over the name of one that was left behind."""
        self._started += 1
        name = f"flowweaver-worker-{self._started}"
        called = worker or f"worker {self._started}"
        threading.Thread(target=self._work, args=(called,), name=name, daemon=True).start()

    def _work(self, worker: str) -> None:
        get, done, wait_for, lock = self._queue.get, self._done, self._wait_for, self._lock
        while (call := get()) is not None:
            if not call.over:
                call.worker = worker
                perform(call, wait_for)
            with lock:
                call.finished = True
                if call.over:
                    return  # another thread has this one's slot
            done(call)
            del call  # so that this thread keeps no value alive while it waits

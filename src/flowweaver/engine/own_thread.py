"""A thread for what an execution awaits and what blocks, which nobody else can keep busy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class OwnThread:
    """One daemon thread, started when first needed, that does one thing after the other."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """Have `work` done after what was submitted before; from within an event loop.

        Whoever cancels the future in time keeps the work from beginning.
        """
        done: Future[T] = Future()
        context = copy_context()
        self._queue.put(lambda: _do(done, lambda: context.run(work, *arguments)))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="flowweaver-store", daemon=True)
            self._thread.start()
        return asyncio.wrap_future(done)

    def close(self) -> None:
        """Let the thread end once it has nothing more to do."""
        self._queue.put(None)

    def _work(self) -> None:
        while (do := self._queue.get()) is not None:
            do()


def _do(done: Future[T], work: Callable[[], T]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)

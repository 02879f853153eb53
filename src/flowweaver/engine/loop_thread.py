"""An event loop for the coroutines of a run that blocks, made when the first of them comes."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from flowweaver.engine.body.call import Call, CallScope

if TYPE_CHECKING:
    from flowweaver.engine.loops import ServedLoop


class LoopThread:
    """An event loop in a daemon thread, started when the first coroutine needs it.

    Args:
        shared: Whether it outlives the runs whose bodies it is for; see `end_left`.
    """

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self._loop: ServedLoop | None = None
        self._lock = threading.Lock()

    def start(self, call: Call, done: Callable[[Call], None]) -> None:
        """Perform the call as a task of the loop."""
        self._running().start(call, done)

    def cancel(self, call: Call) -> None:
        """Cancel the call's task."""
        self._running().cancel(call)

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:
        """Await in the loop from any other thread."""
        return self._running().wait_for(awaitable)

    def close(self) -> None:
        """End all that still runs, and the loop; a body that blocks the loop is left behind."""
        if self._loop is not None:
            self._loop.close()

    def end_left(self, scope: CallScope) -> None:
        """End what the bodies of a scope have left behind in a loop that is shared."""
        if self._loop is not None:
            self._loop.end_left(scope)

    def _running(self) -> ServedLoop:
        with self._lock:
            if self._loop is None:
                # Most runs have no coroutines, and asyncio takes long to import.
                from flowweaver.engine.loops import ServedLoop

                self._loop = ServedLoop(shared=self._shared)
            return self._loop

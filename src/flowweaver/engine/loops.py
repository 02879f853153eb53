"""Where coroutines run: in a loop of the run's own, or in the one its caller runs in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

from flowweaver.engine.body.call import Call, perform_async
from flowweaver.forks import OneProcess, in_one_process

# How long coroutines may take to end once they are cancelled, before they are left behind.
_GRACE_SECONDS = 1.0


class LoopTasks:
    """The coroutines of one run in one event loop. All methods run in the loop's thread."""

    def __init__(self) -> None:
        self._tasks: dict[Call, asyncio.Task[None]] = {}

    def start(self, call: Call, done: Callable[[Call], None]) -> None:
        """Perform `call` in the running loop and tell `done` unless it was given up."""
        context = call.scope.context.copy()
        task = asyncio.get_running_loop().create_task(
            OneProcess(perform_async(call)), context=context
        )
        self._tasks[call] = task
        task.add_done_callback(lambda _: self._ended(call, done))

    def _ended(self, call: Call, done: Callable[[Call], None]) -> None:
        task = self._tasks.pop(call)
        call.finished = True
        if call.over:
            return
        if call.started is None:  # cancelled before its first step
            call.fail(asyncio.CancelledError())
        elif not task.cancelled() and (error := task.exception()) is not None:
            call.fail(error)
        done(call)

    def cancel(self, call: Call) -> None:
        """Cancel the coroutine of `call`, if it still runs."""
        task = self._tasks.get(call)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Cancel what still runs and wait a moment for it; what ignores that is left behind."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_GRACE_SECONDS)


class CallerLoop:
    """The event loop that `execute_async` was awaited in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks = LoopTasks()

    def start(self, call: Call, done: Callable[[Call], None]) -> None:
        """Perform the call as a task of the loop."""
        self._tasks.start(call, done)

    def cancel(self, call: Call) -> None:
        """Cancel the call's task."""
        self._tasks.cancel(call)

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:
        """Await in the loop from a worker thread."""
        return asyncio.run_coroutine_threadsafe(in_one_process(awaitable), self._loop).result()

    async def close(self) -> None:
        """End what still runs."""
        await self._tasks.close()


class LoopThread:
    """An event loop in a daemon thread, started when the first coroutine needs it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks = LoopTasks()
        self._lock = threading.Lock()

    def start(self, call: Call, done: Callable[[Call], None]) -> None:
        """Perform the call as a task of the loop."""
        self._running().call_soon_threadsafe(self._tasks.start, call, done)

    def cancel(self, call: Call) -> None:
        """Cancel the call's task."""
        self._running().call_soon_threadsafe(self._tasks.cancel, call)

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:
        """Await in the loop from any other thread."""
        return asyncio.run_coroutine_threadsafe(in_one_process(awaitable), self._running()).result()

    def close(self) -> None:
        """End what still runs and the loop; a body that blocks the loop is left behind."""
        if self._loop is None:
            return
        ended = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        try:
            ended.result(2 * _GRACE_SECONDS)
        except TimeoutError:
            return  # the loop is blocked by a body; as a daemon its thread holds up nothing
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _end(self) -> None:
        await self._tasks.close()
        await asyncio.get_running_loop().shutdown_asyncgens()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                ready: Future[asyncio.AbstractEventLoop] = Future()
                threading.Thread(
                    target=_serve, args=(ready,), name="flowweaver-loop", daemon=True
                ).start()
                self._loop = ready.result()
            return self._loop


def _serve(ready: Future[asyncio.AbstractEventLoop]) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.call_soon(ready.set_result, loop)
    try:
        loop.run_forever()
    finally:
        loop.close()

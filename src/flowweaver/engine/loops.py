"""Where coroutines run: in a loop of the run's own, or in the one its caller runs in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from flowweaver.engine.body.call import Call, CallScope, call_here, perform_async
from flowweaver.engine.left_tasks import TaskNotes, end_tasks
from flowweaver.forks import OneProcess, in_one_process

# How long coroutines may take to end once they are cancelled, before they are left behind.
_GRACE_SECONDS = 1.0


class LoopTasks:
    """The bodies of one run in one event loop. All methods run in the loop's thread."""

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
        self._notes = TaskNotes.open(self._loop)
        self._scopes: set[CallScope] = set()

    def start(self, call: Call, done: Callable[[Call], None]) -> None:
        """Perform the call as a task of the loop."""
        self._scopes.add(call.scope)
        self._tasks.start(call, done)

    def cancel(self, call: Call) -> None:
        """Cancel the call's task."""
        self._tasks.cancel(call)

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:
        """Await in the loop from a worker thread."""
        call = call_here()
        if call is not None:
            self._scopes.add(call.scope)
        return asyncio.run_coroutine_threadsafe(in_one_process(awaitable), self._loop).result()

    async def close(self) -> None:
        """End what still runs, and what bodies have left behind."""
        try:
            await self._tasks.close()
            for scope in self._scopes:
                await self._notes.end(scope)
        finally:
            self._notes.close()


class ServedLoop:
    """An event loop that a daemon thread runs.

    Args:
        shared: Whether it outlives the runs whose bodies it is for; see `end_left`.
    """

    def __init__(self, *, shared: bool) -> None:
        ready: Future[asyncio.AbstractEventLoop] = Future()
        threading.Thread(target=_serve, args=(ready,), name="flowweaver-loop", daemon=True).start()
        self._loop = ready.result()
        self._notes = TaskNotes.open(self._loop) if shared else None
        self._tasks = LoopTasks()

    def start(self, call: Call, done: Callable[[Call], None]) -> None:
        """Perform the call as a task of the loop."""
        self._loop.call_soon_threadsafe(self._tasks.start, call, done)

    def cancel(self, call: Call) -> None:
        """Cancel the call's task."""
        self._loop.call_soon_threadsafe(self._tasks.cancel, call)

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:
        """Await in the loop from any other thread."""
        return asyncio.run_coroutine_threadsafe(in_one_process(awaitable), self._loop).result()

    def close(self) -> None:
        """End all that still runs, and the loop; a body that blocks the loop is left behind."""
        if self._waited(self._end()):
            self._loop.call_soon_threadsafe(self._loop.stop)

    def end_left(self, scope: CallScope) -> None:
        """End what the bodies of a scope have left behind in a loop that is shared."""
        if self._notes is not None:
            self._waited(self._notes.end(scope))

    async def _end(self) -> None:
        await self._tasks.close()
        await end_tasks(asyncio.all_tasks())
        await asyncio.get_running_loop().shutdown_asyncgens()

    def _waited(self, ending: Coroutine[Any, Any, None]) -> bool:
        """Wait for an end in the loop; False if a body blocks it, which holds up nothing else."""
        try:
            asyncio.run_coroutine_threadsafe(ending, self._loop).result(3 * _GRACE_SECONDS)
        except TimeoutError:
            return False
        return True


def _serve(ready: Future[asyncio.AbstractEventLoop]) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.call_soon(ready.set_result, loop)
    try:
        loop.run_forever()
    finally:
        loop.close()

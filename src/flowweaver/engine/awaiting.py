"""One execution whose runner shares its thread with an event loop: what `execute_async` does.

Apart from `executor`, as most runs block, and asyncio takes long to import.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from flowweaver.engine.body.call import Call
from flowweaver.engine.execution import Execution
from flowweaver.engine.hosting import RunnerHost, noted
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.loops import CallerLoop
from flowweaver.engine.own_thread import OwnThread
from flowweaver.engine.protocols import Backend, Host
from flowweaver.engine.runner import Runner
from flowweaver.forks import leave_if_copied
from flowweaver.records import Changes
from flowweaver.run import Run


async def executed(execution: Execution, open_backend: Callable[[Host], Backend]) -> Run:
    """Execute in the running loop; see `Executor.execute_async`."""
    loop, inbox, thread = CallerLoop(), AsyncInbox(), OwnThread()
    claimed = opened = False
    try:
        runner = await _claimed(execution, inbox, thread)
        claimed = True
        if isinstance(runner, Run):
            return runner
        backend = open_backend(RunnerHost(loop, inbox, execution, blocking=False))
        opened = True
        runner.open(backend)
        with noted(runner, execution, inbox):
            await _drive(runner, execution, inbox, thread)
    finally:
        if opened:
            backend.close()
        await loop.close()
        closed = thread.submit(execution.close)
        thread.close()
        if claimed:  # or else it may still wait for another runner
            await asyncio.shield(closed)
    if runner.pressed:
        raise KeyboardInterrupt
    return execution.outcome(runner)


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


async def _claimed(execution: Execution, inbox: AsyncInbox, thread: OwnThread) -> Runner | Run:
    """Claim a run without blocking the loop; see `Execution.open`."""
    if execution.is_stored:
        return await thread.submit(execution.open, inbox)
    return execution.open(inbox)


async def _drive(
    runner: Runner, execution: Execution, inbox: AsyncInbox, thread: OwnThread
) -> None:
    """Take the runner's steps, awaiting. Being cancelled stops it kindly at first, then at once."""
    cancelled: asyncio.CancelledError | None = None
    while True:
        try:
            for step in runner.steps():
                leave_if_copied(execution.pid)
                if isinstance(step, Changes):
                    await _committed(execution, step, thread)
                else:
                    await inbox.wait_async(step)
                del step
            break
        except asyncio.CancelledError as error:
            cancelled = error
            runner.press()
    if cancelled is not None:
        raise cancelled


async def _committed(execution: Execution, changes: Changes, thread: OwnThread) -> None:
    """Commit without blocking the loop; a commit under way is seen through, even if cancelled."""
    if not execution.is_stored:
        return
    commit = thread.submit(execution.commit, changes)
    try:
        await asyncio.shield(commit)
    except asyncio.CancelledError:
        await asyncio.wait([commit])
        raise

"""The asyncio tasks that bodies make and leave behind: they end with the run they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from flowweaver.engine.body.call import CallScope, call_here

# How long tasks may take to end once they are cancelled, before they are left behind.
_GRACE_SECONDS = 1.0


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel other tasks than this one; forget those that have not ended after a moment."""
    left = {task for task in tasks if not task.done()} - {asyncio.current_task()}
    for task in left:
        task.cancel()
    try:
        if left:
            await asyncio.wait(left, timeout=_GRACE_SECONDS)
    finally:
        for task in left:
            if not task.done():
                asyncio._unregister_task(task)


class TaskNotes:
    """Notes by whose body each task of one event loop was made, as far as it was by one.

    Others may make tasks in the loop, too, and several runs at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._before: Any = loop.get_task_factory()
        self._users = 0
        self._made: dict[CallScope, WeakSet[asyncio.Task[Any]]] = {}

    @classmethod
    def open(cls, loop: asyncio.AbstractEventLoop) -> TaskNotes:
        """Have notes taken in a loop for one more user; `close` ends it."""
        notes = _notes.setdefault(loop, cls(loop))
        if not notes._users:
            loop.set_task_factory(notes._make)
        notes._users += 1
        return notes

    async def end(self, scope: CallScope) -> None:
        """End what the bodies of a run, or of a job of one, have left behind."""
        await end_tasks(self._made.pop(scope, ()))

    def close(self) -> None:
        """Leave the loop as it was, after the last user."""
        self._users -= 1
        if not self._users:
            del _notes[self._loop]
            if self._loop.get_task_factory() == self._make:
                self._loop.set_task_factory(self._before)

    def _make(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Future[Any]:
        if self._before is None:
            task = asyncio.Task(coroutine, loop=loop, **options)
        else:
            task = self._before(loop, coroutine, **options)
        call = call_here()
        if call is not None:
            self._made.setdefault(call.scope, WeakSet()).add(task)
        return task


_notes: WeakKeyDictionary[asyncio.AbstractEventLoop, TaskNotes] = WeakKeyDictionary()

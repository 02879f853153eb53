"""What a process that user code forks may do with what it inherits: nothing.

A run belongs to the process that executes it. A body, a condition or a hook that forks may do so as
it likes, as long as the child ends by itself. One that comes back into FlowWeaver's own code would
be a second runner of the same run; it is ended there.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Awaitable, Coroutine, Generator
from contextlib import suppress
from typing import Any, NoReturn, Protocol

from flowweaver.errors import FlowWeaverError


class Here:
    """Which process this is, so that nobody has to ask the system after every body.

    Attributes:
        pid: Its id.
    """

    pid = os.getpid()

    @classmethod
    def note_copy(cls) -> None:
        """Take note that this is a copy."""
        cls.pid = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Here.note_copy)


def leave_if_copied(pid: int, error: BaseException | None = None) -> None:
    """End this process if it is not `pid`; `error` is what it came back with."""
    if Here.pid != pid:
        _leave(pid, error)


def refuse_copy(pid: int, name: str) -> None:
    """Raise an error in a process that is not `pid`, where the attempt of task `name` runs."""
    if os.getpid() != pid:
        raise FlowWeaverError(
            f"A process that task {name!r} forked can't speak for the task; hand what it is to say "
            "back to the body."
        )


class OneProcess(Coroutine[Any, Any, Any]):
    """A coroutine that ends a copy of the process at the end of the step that made it.

    Such a copy has the event loop, too, with all else that is to be run there.
    """

    __slots__ = ("_coroutine", "_pid")

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self._pid = os.getpid()

    def send(self, value: Any) -> Any:
        """Take a step."""
        try:
            step = self._coroutine.send(value)
        except BaseException as error:
            leave_if_copied(self._pid, error)
            raise
        leave_if_copied(self._pid)
        return step

    def throw(self, *error: Any) -> Any:
        """Take a step, with an error."""
        try:
            step = self._coroutine.throw(*error)
        except BaseException as raised:
            leave_if_copied(self._pid, raised)
            raise
        leave_if_copied(self._pid)
        return step

    def close(self) -> None:
        """Have it end."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()


def in_one_process(awaitable: Awaitable[Any]) -> OneProcess:
    """Return a coroutine that awaits what a body returned."""

    async def wait() -> Any:
        return await awaitable

    return OneProcess(wait())


class Lock(Protocol):
    """What `threading.Lock` and `threading.RLock` make."""

    def acquire(self) -> bool:
        """Wait for it."""
        ...

    def release(self) -> None:
        """Give it free."""
        ...


def keep_free_in_copies(lock: Lock) -> None:
    """Have no thread hold a lock while the process is copied, as nobody could free it there."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )


def _leave(pid: int, error: BaseException | None) -> NoReturn:
    if isinstance(error, SystemExit):
        os._exit(error.code if isinstance(error.code, int) else int(error.code is not None))
    told = "" if error is None else "".join(traceback.format_exception(error))
    with suppress(Exception):
        os.write(
            sys.__stderr__.fileno() if sys.__stderr__ else 2,
            f"{told}flowweaver: process {os.getpid()} was forked by a task and came back from it; "
            f"only process {pid} goes on with the run, so it ends here. End such a process in the "
            "task, by os._exit().\n".encode(),
        )
    os._exit(1)

"""Task bodies for the executor kit that fail, in every way a body can."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

from flowweaver.engine.body.current import current_task
from flowweaver.testing.bodies import await_flag, note


class Odd(BaseException):
    """An error that is no `Exception`, as a user's library may have one."""


class TwoArguments(Exception):
    """Can be pickled but not unpickled: it needs two arguments."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")


class Unpicklable(Exception):
    """Holds a lock, which can't be pickled."""

    def __init__(self) -> None:
        super().__init__("holds a lock")
        self.lock = threading.Lock()


class Unspeakable(Exception):
    """Raises when asked for its text."""

    def __str__(self) -> str:
        raise RuntimeError("no text for you")

    __repr__ = __str__


class BlowsUpUnpickled(Exception):
    """Raises while it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return _blow_up, ()


def _blow_up() -> Any:
    raise RuntimeError("not to be unpickled")


def _recurse() -> int:
    return _recurse() + 1


def _in_a_circle() -> Exception:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    return first


_ERRORS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("no good"),
    "Odd": lambda: Odd("odd"),
    "SystemExit": SystemExit,
    "SystemExit 0": lambda: SystemExit(0),
    "SystemExit 3": lambda: SystemExit(3),
    "SystemExit text": lambda: SystemExit("bye"),
    "GeneratorExit": GeneratorExit,
    "StopIteration": lambda: StopIteration(5),
    "StopAsyncIteration": StopAsyncIteration,
    "CancelledError": asyncio.CancelledError,
    "MemoryError": MemoryError,
    "ExceptionGroup": lambda: ExceptionGroup("both", [ValueError("a"), KeyError("b")]),
    "BaseExceptionGroup": lambda: BaseExceptionGroup("odd", [Odd("a"), ValueError("b")]),
    "TwoArguments": lambda: TwoArguments(404, "not found"),
    "Unpicklable": Unpicklable,
    "Unspeakable": Unspeakable,
    "BlowsUpUnpickled": BlowsUpUnpickled,
    "long message": lambda: ValueError("x" * 10_000_000),
    "surrogate": lambda: ValueError("\ud800"),
    "cause in a circle": _in_a_circle,
}

ERRORS = (*_ERRORS, "RecursionError", "sys.exit")


def raise_error(which: str) -> None:
    """Raise one of `ERRORS`."""
    if which == "RecursionError":
        _recurse()
    elif which == "sys.exit":
        sys.exit(7)
    else:
        raise _ERRORS[which]()


async def raise_error_async(which: str) -> None:
    """Raise one of `ERRORS` from a coroutine."""
    await asyncio.sleep(0)
    raise_error(which)


def press_ctrl_c() -> None:
    """Raise what Ctrl-C raises."""
    raise KeyboardInterrupt


def fail_until(folder: str, attempt: int, name: str = "") -> int:
    """Fail before this attempt, and return its number at it; note each."""
    now = current_task().attempt
    note(folder, f"{name} {now}".strip())
    if now < attempt:
        raise ConnectionError(f"attempt {now}")
    return now


async def fail_until_async(folder: str, attempt: int, name: str = "") -> int:
    """Do as `fail_until`, in a coroutine."""
    await asyncio.sleep(0)
    return fail_until(folder, attempt, name)


def fail_then_await(folder: str, flag: str) -> None:
    """Fail at first; then wait for a flag."""
    if current_task().attempt == 1:
        raise ConnectionError("attempt 1")
    await_flag(folder, flag)


def hang_until(folder: str, attempt: int, flag: str) -> int:
    """Hang until a flag is raised before this attempt, and return its number at it."""
    now = current_task().attempt
    if now < attempt:
        await_flag(folder, flag)
    return now


def fail_noting(folder: str, name: str) -> None:
    """Note that this ran, and fail."""
    note(folder, name)
    raise ValueError(f"{name} is broken")


def fail_while_away(folder: str, name: str) -> str:
    """Fail until the folder's owner has repaired it by raising the flag of that name."""
    from pathlib import Path

    note(folder, name)
    if not Path(folder, f"{name}.flag").exists():
        raise ConnectionError(f"{name} is away")
    return name


def unstorable(folder: str, name: str) -> dict[str, list[Any]]:
    """Return something that no store can keep."""
    note(folder, name)
    return {"x": [1, threading.Lock()]}


def only_connection_errors(error: BaseException) -> bool:
    """Ask for a retry of connection errors."""
    return isinstance(error, ConnectionError)


def confused(error: BaseException) -> bool:
    """Raise when asked whether to retry."""
    raise RuntimeError("which error?") from error


def odd_at_that(_: BaseException) -> bool:
    """Raise what is no exception when asked whether to retry."""
    raise Odd("odd")


def odd_wait(_: BaseException, __: int) -> float:
    """Raise what is no exception when asked how long to wait."""
    raise Odd("odd")

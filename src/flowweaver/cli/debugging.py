"""A body in the debugger: what is stepped through is the user's own, from its first line."""

from __future__ import annotations

import functools
import inspect
import pdb
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

# What leads to a body and away from it; nobody wants to step through that.
_SKIPPED = ("flowweaver.*", "asyncio.*", "runpy", "click.*")


def debugged(body: Callable[..., Any], call: Callable[[], Any]) -> Any:
    """Return what `call` returns, and stop in the debugger at the first line of `body` meanwhile.

    A body without Python code of its own, such as a built-in, is stopped at nowhere.
    """
    return _Debugger(_code_of(body)).runcall(call)


class _Debugger(pdb.Pdb):
    """Runs on to a piece of code, and is an ordinary debugger from there."""

    def __init__(self, code: CodeType | None) -> None:
        super().__init__(skip=_SKIPPED)
        self._code = code
        self._is_there = False

    def stop_here(self, frame: FrameType) -> bool:
        """Whether to stop in a frame: not before that of the body."""
        return (self._is_there or frame.f_code is self._code) and bool(super().stop_here(frame))

    def user_call(self, frame: FrameType, argument_list: None) -> None:
        """Take a call; that of the body is stopped at its first line, not at its head."""
        if self._is_there:
            super().user_call(frame, argument_list)

    def user_line(self, frame: FrameType) -> None:
        """Stop at a line."""
        self._is_there = True
        super().user_line(frame)


def _code_of(body: Callable[..., Any]) -> CodeType | None:
    found: Any = body
    while isinstance(found, functools.partial):
        found = found.func
    found = inspect.unwrap(found)
    found = getattr(found, "__func__", found)
    if not hasattr(found, "__code__"):
        found = getattr(type(found).__call__, "__func__", type(found).__call__)
    code: CodeType | None = getattr(found, "__code__", None)
    return code

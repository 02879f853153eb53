"""Exceptions turned into records that survive any process."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType

from flowweaver.errors import CommandError, FlowWeaverError
from flowweaver.masking import mask
from flowweaver.records import Failure

_LONGEST_TEXT = 16_384
_MOST_MEMBERS = 3
_MOST_CAUSES = 100
_OWN_PACKAGE = __name__.partition(".")[0] + "."
_BODIES_OF_KITS = f"{_OWN_PACKAGE}testing."


def failure_of(error: BaseException) -> Failure:
    """Return what is known of `error` as text, whatever its own methods do when asked."""
    if isinstance(error, SystemExit):
        return Failure(_name(error), f"the task called exit({_code(error)})", _trace(error))
    return Failure(_name(error), _message(error) + _members(error), _trace(error))


def leaves_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, or those that a group is made of, however it is nested."""
    waiting = [error]
    while waiting:
        first = waiting.pop()
        if isinstance(first, BaseExceptionGroup):
            waiting.extend(reversed(first.exceptions))
        else:
            yield first


def _name(error: BaseException) -> str:
    kind = type(error)
    if kind.__module__ in ("builtins", "__main__"):
        return mask(kind.__qualname__)
    return mask(f"{kind.__module__}.{kind.__qualname__}")


def _members(error: BaseException) -> str:
    """Return what a group is made of, to follow its own message; "" for no group."""
    if not isinstance(error, BaseExceptionGroup):
        return ""
    leaves = list(leaves_of(error))
    shown = [f"{_name(leaf)}: {_message(leaf)}" for leaf in leaves[:_MOST_MEMBERS]]
    if len(leaves) > _MOST_MEMBERS:
        shown.append(f"and {len(leaves) - _MOST_MEMBERS} more")
    return _cut(": " + "; ".join(shown))


def _code(error: SystemExit) -> str:
    return "" if error.code is None else _cut(repr(error.code))


def _message(error: BaseException) -> str:
    try:
        return _cut(str(error))
    except Exception as problem:  # a hostile __str__ must not hide that the task failed
        return f"(its message can't be shown: {type(problem).__name__} in __str__)"


def _trace(error: BaseException) -> str:
    if _says_all(error):
        return ""
    try:
        shown = traceback.TracebackException(
            type(error), error, _user_frames(error.__traceback__), compact=True
        )
        return _cut("".join(shown.format()))
    except Exception:
        frames = "".join(traceback.format_tb(_user_frames(error.__traceback__)))
        return _cut(f"Traceback (most recent call last):\n{frames}{type(error).__name__}\n")


def _says_all(error: BaseException) -> bool:
    """Whether an error is FlowWeaver's and no code of others led to it, or to what caused it."""
    if isinstance(error, CommandError):
        return True
    if not isinstance(error, FlowWeaverError):
        return False
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None:
            return True
        if _first_of_others(cause.__traceback__) is not None:
            return False
        cause = cause.__cause__ or cause.__context__
    return False


def _user_frames(trace: TracebackType | None) -> TracebackType | None:
    """Leave out the frames of FlowWeaver that led to the body."""
    return _first_of_others(trace) or trace


def _first_of_others(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if not module.startswith(_OWN_PACKAGE) or module.startswith(_BODIES_OF_KITS):
            return trace
        trace = trace.tb_next
    return None


def _cut(text: str) -> str:
    text = mask(text)
    if len(text) > _LONGEST_TEXT:
        half = _LONGEST_TEXT // 2
        left_out = len(text) - 2 * half
        text = f"{text[:half]}\n... {left_out} characters left out ...\n{text[-half:]}"
    # What UTF-8 can't hold (lone surrogates) no store can.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

"""Exceptions that quote secrets, as they are handed to whoever executes a workflow."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from flowweaver.engine.body.failures import failure_of
from flowweaver.errors import FlowWeaverError
from flowweaver.masking import mask, masker


def without_secrets(error: BaseException | None) -> BaseException | None:
    """Return an exception that quotes no secret, nor does what led to it.

    It is the same, with secrets taken out of its arguments, attributes and notes. One whose message
    comes from elsewhere is stood in for by a `FlowWeaverError` with its traceback.
    """
    if error is None or not masker.knows_any or not _quotes(error):
        return error
    for each in _all_of(error):
        _mask(each)
    if not _quotes(error):
        return error
    stand_in = FlowWeaverError(str(failure_of(error)))
    return stand_in.with_traceback(error.__traceback__)


def _quotes(error: BaseException) -> bool:
    """Whether there is a secret in anything that is usually shown of an exception."""
    try:
        shown = "".join(traceback.format_exception(error))
        shown += "".join(repr((each, each.args, vars(each))) for each in _all_of(error))
    except Exception:  # its own methods raise: nobody knows what it quotes
        return True
    return mask(shown) != shown


def _all_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, what led to it, and the members of groups."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def _mask(error: BaseException) -> None:
    with suppress(Exception):
        error.args = tuple(map(_masked, error.args))
    for name, value in list(vars(error).items()):
        with suppress(Exception):
            setattr(error, name, _masked(value))
    if isinstance(error, OSError):  # its message is made of what is none of its attributes
        for name in ("filename", "filename2"):
            if getattr(error, name) is not None:
                setattr(error, name, _masked(getattr(error, name)))


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if type(value) is list and all(isinstance(item, str) for item in value):
        return list(map(mask, value))  # its notes
    shown = repr(value)
    masked = mask(shown)
    return value if masked == shown else masked

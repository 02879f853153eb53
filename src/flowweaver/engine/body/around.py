"""What users put around bodies: context managers, for tracing and its like.

The function of a call is put inside another that enters them. So they are entered where the body
runs, in whichever process and on whichever executor.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from flowweaver.definitions.signature import is_coroutine_function
from flowweaver.definitions.task import Task
from flowweaver.engine.body.call import Call
from flowweaver.engine.body.current import CurrentTask, current_task
from flowweaver.engine.protocols import Backend

_log = logging.getLogger("flowweaver")

Around = Callable[[CurrentTask], AbstractContextManager[Any] | AbstractAsyncContextManager[Any]]
"""Gives what is entered around a body; an asynchronous one only suits async functions."""


def surrounded(backend: Backend, arounds: Sequence[Around]) -> Backend:
    """Return a backend that has bodies run inside what `arounds` give, the first outermost."""
    return SurroundedBackend(backend, tuple(arounds)) if arounds else backend


class SurroundedBackend:
    """A backend whose calls have their functions put inside others."""

    def __init__(self, backend: Backend, arounds: tuple[Around, ...]) -> None:
        self._backend = backend
        self._arounds = arounds
        self._twins: dict[Task[..., Any], Task[..., Any]] = {}

    @property
    def capacity(self) -> int:
        """How many calls run at once."""
        return self._backend.capacity

    @property
    def prefetch(self) -> bool:
        """Whether calls may wait for a free place there."""
        return self._backend.prefetch

    @property
    def inline(self) -> bool:
        """Whether calls may be performed by `submit` itself."""
        return self._backend.inline

    def submit(self, call: Call) -> bool:
        """Have the call performed, with its function inside."""
        twin = self._twins.get(call.task)
        if twin is None:
            twin = self._twins[call.task] = self._twin(call.task)
        call.task = twin
        return self._backend.submit(call)

    def cancel(self, call: Call) -> None:
        """Stop the call."""
        self._backend.cancel(call)

    def close(self) -> None:
        """Let go of everything."""
        self._backend.close()

    def _twin(self, task: Task[..., Any]) -> Task[..., Any]:
        kind = SurroundedCoroutine if is_coroutine_function(task.fn) else SurroundedFunction
        return Task.of(task.name, kind(task.fn, self._arounds), task.options)


class _Surrounded:
    """A function inside others; looked at, it is as the function itself."""

    def __init__(self, fn: Callable[..., Any], arounds: tuple[Around, ...]) -> None:
        self._fn = fn
        self._arounds = arounds
        itself: Any = self
        functools.update_wrapper(itself, fn, updated=())

    @property
    def __code__(self) -> Any:
        return self._fn.__code__

    @property
    def __globals__(self) -> Any:
        return self._fn.__globals__


class SurroundedFunction(_Surrounded):
    """A plain function inside context managers."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it; what it returns to be awaited is awaited inside, too."""
        entered = [context for around in self._arounds if (context := _entered(around))]
        try:
            value = self._fn(*args, **kwargs)
        except BaseException as error:
            _leave(entered, error)
            raise
        if hasattr(value, "__await__"):
            return _awaited(value, entered)
        _leave(entered, None)
        return value


class SurroundedCoroutine(_Surrounded):
    """A coroutine function inside context managers, synchronous or not."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Await it."""
        entered = [context for around in self._arounds if (context := await _entered_async(around))]
        try:
            value = await self._fn(*args, **kwargs)
        except BaseException as error:
            await _leave_async(entered, error)
            raise
        await _leave_async(entered, None)
        return value


async def _awaited(value: Any, entered: Sequence[Any]) -> Any:
    try:
        result = await value
    except BaseException as error:
        _leave(entered, error)
        raise
    _leave(entered, None)
    return result


# What is put around a body does not change what becomes of it: whatever that raises is logged.


def _entered(around: Around) -> Any:
    try:
        context: Any = around(current_task())
        context.__enter__()
    except Exception:
        _log.exception("%r raised, and the body runs without it", around)
        return None
    return context


async def _entered_async(around: Around) -> Any:
    try:
        context: Any = around(current_task())
        if hasattr(context, "__aenter__"):
            await context.__aenter__()
        else:
            context.__enter__()
    except Exception:
        _log.exception("%r raised, and the body runs without it", around)
        return None
    return context


def _leave(entered: Sequence[Any], error: BaseException | None) -> None:
    for context in reversed(entered):
        try:
            context.__exit__(*_details(error))
        except BaseException as raised:
            _pass_over(raised, error, context)


async def _leave_async(entered: Sequence[Any], error: BaseException | None) -> None:
    for context in reversed(entered):
        try:
            if hasattr(context, "__aexit__"):
                await context.__aexit__(*_details(error))
            else:
                context.__exit__(*_details(error))
        except BaseException as raised:
            _pass_over(raised, error, context)


def _details(error: BaseException | None) -> tuple[Any, Any, Any]:
    return (None, None, None) if error is None else (type(error), error, error.__traceback__)


def _pass_over(raised: BaseException, error: BaseException | None, context: object) -> None:
    """Go on after what leaving a context raised, unless that is to end more than the context."""
    if raised is error:
        return
    if not isinstance(raised, Exception):
        raise raised
    _log.error("leaving %r raised", context, exc_info=raised)

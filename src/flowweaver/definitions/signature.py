"""What a function takes and gives: its parameters and kind, read once per function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import CodeType, FunctionType, MethodType
from typing import Any

from flowweaver.introspection import signature_of

_VARKEYWORDS = inspect.CO_VARKEYWORDS
_COROUTINE = inspect.CO_COROUTINE
_GENERATES = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters a function can be given by name, and what calling it gives.

    `required` have no default, `optional` have one, and `named` are both; `takes_any` is true for
    ``**kwargs`` and `positional_only` names what can't be given by name. `is_coroutine` and
    `is_generator` say what a call gives instead of the result.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    takes_any: bool
    positional_only: tuple[str, ...]
    is_coroutine: bool = False
    is_generator: bool = False
    named: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "named", self.required + self.optional)


# What functions take by the identity of their code, with the code, which so stays its own: a code
# object's hash would go through all of its instructions.
_known: dict[object, tuple[CodeType, Signature]] = {}
_MOST_KNOWN = 4096


def read_signature(fn: Callable[..., Any]) -> Signature:
    """Return what `fn` takes; a callable that can't be inspected takes nothing by name.

    Plain functions, the usual case, are read from their code object: `inspect.signature` costs
    more than all the rest of defining a task.
    """
    if type(fn) is FunctionType and not fn.__dict__:
        code, defaults, keyword_defaults = fn.__code__, fn.__defaults__, fn.__kwdefaults__
        key: object = id(code)
        if defaults or keyword_defaults:
            key = (key, len(defaults or ()), tuple(keyword_defaults or ()))
        known = _known.get(key)
        if known is None:
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            signature = _of_code(code, len(defaults or ()), tuple(keyword_defaults or ()))
            known = _known[key] = (code, signature)
        return known[1]
    parameters: Iterable[inspect.Parameter] = ()
    with suppress(TypeError, ValueError):
        parameters = signature_of(fn).parameters.values()
    return _of_parameters(parameters, _flags(fn))


def is_coroutine_function(fn: Callable[..., Any]) -> bool:
    """Whether calling `fn` gives a coroutine, seen through partials and callable objects."""
    return bool(_flags(fn) & _COROUTINE)


def _flags(fn: Any) -> int:
    """Return the code flags of what is run when `fn` is called; 0 for built-ins."""
    while type(fn) is not FunctionType:
        if isinstance(fn, functools.partial):
            fn = fn.func
        elif isinstance(fn, MethodType):
            fn = fn.__func__
        elif isinstance(fn, FunctionType):
            break
        else:
            fn = getattr(type(fn), "__call__", None)  # noqa: B004 - its method, which may be async
            if not isinstance(fn, FunctionType):
                return 0
    flags: int = fn.__code__.co_flags
    return flags


def _of_code(code: CodeType, defaults: int, keyword_defaults: tuple[str, ...]) -> Signature:
    names = code.co_varnames
    positional = names[: code.co_argcount]
    keyword = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    split = len(positional) - defaults
    by_name = positional[code.co_posonlyargcount :]
    with_default = {*positional[split:], *keyword_defaults}
    return Signature(
        required=tuple(name for name in by_name + keyword if name not in with_default),
        optional=tuple(name for name in by_name + keyword if name in with_default),
        takes_any=bool(code.co_flags & _VARKEYWORDS),
        positional_only=positional[: code.co_posonlyargcount],
        is_coroutine=bool(code.co_flags & _COROUTINE),
        is_generator=bool(code.co_flags & _GENERATES),
    )


def _of_parameters(parameters: Iterable[inspect.Parameter], flags: int) -> Signature:
    required: list[str] = []
    optional: list[str] = []
    positional_only: list[str] = []
    takes_any = False
    for parameter in parameters:
        name = parameter.name
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_any = True
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            positional_only.append(name)
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            (required if parameter.default is parameter.empty else optional).append(name)
    return Signature(
        tuple(required),
        tuple(optional),
        takes_any,
        tuple(positional_only),
        is_coroutine=bool(flags & _COROUTINE),
        is_generator=bool(flags & _GENERATES),
    )

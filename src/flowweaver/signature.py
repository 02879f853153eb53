"""What a function takes: its parameters, read once per function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

_VARKEYWORDS = inspect.CO_VARKEYWORDS


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters a function can be given by name.

    `required` have no default, `optional` have one, and `named` are both; `takes_any` is true for
    ``**kwargs`` and `positional_only` names what can't be given by name.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    takes_any: bool
    positional_only: tuple[str, ...]
    named: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "named", self.required + self.optional)


def read_signature(fn: Callable[..., Any]) -> Signature:
    """Return what `fn` takes; a callable that can't be inspected takes nothing by name.

    Plain functions, the usual case, are read from their code object: `inspect.signature` costs
    more than all the rest of defining a task.
    """
    if type(fn) is FunctionType and not fn.__dict__:
        return _of_code(fn.__code__, len(fn.__defaults__ or ()), tuple(fn.__kwdefaults__ or ()))
    try:
        return _of_parameters(inspect.signature(fn))
    except (TypeError, ValueError):
        return _NOTHING


@functools.lru_cache(maxsize=4096)
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
    )


def _of_parameters(signature: inspect.Signature) -> Signature:
    required: list[str] = []
    optional: list[str] = []
    positional_only: list[str] = []
    takes_any = False
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_any = True
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            positional_only.append(name)
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            (required if parameter.default is parameter.empty else optional).append(name)
    return Signature(tuple(required), tuple(optional), takes_any, tuple(positional_only))


_NOTHING = Signature((), (), False, ())

"""Whether a value fits an annotation, as far as that can be told without guessing."""

from __future__ import annotations

import collections.abc
import functools
import types
import typing
from collections.abc import Callable
from typing import Any

# PEP 484: an int is fine where a float is asked for, and either where a complex is.
_NUMBER_TOWER: dict[type, tuple[type, ...]] = {float: (int,), complex: (int, float)}
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_CONTAINERS = (
    list,
    set,
    frozenset,
    collections.abc.Collection,
    collections.abc.Container,
    collections.abc.Iterable,
    collections.abc.MutableSequence,
    collections.abc.MutableSet,
    collections.abc.Sequence,
    collections.abc.Set,
)
# Others may be lazy or endless, or iterate over something else than what they contain.
_WALKED = (dict, frozenset, list, set, tuple)


def annotations_of(fn: Callable[..., Any]) -> dict[str, Any]:
    """Return the resolved annotations of a function; empty where they can't be resolved."""
    called: Any = fn
    while isinstance(called, functools.partial):
        called = called.func
    if isinstance(called, type):
        called = called.__init__  # type: ignore[misc]  # what calling this very class calls
    elif not hasattr(called, "__name__"):
        called = type(called).__call__
    try:
        return typing.get_type_hints(called)
    except Exception:  # names that exist for type checkers only, or callables without hints
        return {}


def fits(value: object, annotation: Any) -> bool:
    """Return False only if `value` certainly is not of the type that `annotation` says."""
    if annotation is Any or annotation is None:
        return annotation is Any or value is None
    origin = typing.get_origin(annotation)
    if origin is None:
        return _is_instance(value, annotation)
    arguments = typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, option) for option in arguments)
    if origin is typing.Literal:
        return any(type(value) is type(option) and value == option for option in arguments)
    if origin is typing.Annotated:
        return fits(value, arguments[0])
    return _fits_container(value, origin, arguments)


def _is_instance(value: object, annotation: Any) -> bool:
    if not isinstance(annotation, type) or getattr(annotation, "_is_protocol", False):
        return True
    try:
        return isinstance(value, (annotation, *_NUMBER_TOWER.get(annotation, ())))
    except Exception:  # types that can't be asked, or whose own answer fails
        return True


def _fits_container(value: object, origin: Any, arguments: tuple[Any, ...]) -> bool:
    if not isinstance(origin, type):
        return True
    if not _is_instance(value, origin):
        return False
    if type(value) not in _WALKED:
        return True
    content: Any = value
    if origin in _MAPPINGS:
        return all(fits(k, arguments[0]) and fits(v, arguments[1]) for k, v in content.items())
    if origin is tuple and arguments[-1:] != (...,):
        return len(content) == len(arguments) and all(map(fits, content, arguments))
    if origin is tuple or origin in _CONTAINERS:
        return all(fits(item, arguments[0]) for item in content)
    return True

"""Whether a value fits an annotation, as far as that can be told without guessing."""

from __future__ import annotations

import collections.abc
import os
import types
import typing
from pathlib import Path, PurePath
from typing import Any

from flowweaver.definitions.annotations import bare, fields_of
from flowweaver.secret import Secret

# PEP 484: an int is fine where a float is asked for, and either where a complex is.
_NUMBER_TOWER: dict[type, tuple[type, ...]] = {float: (int,), complex: (int, float)}
_QUALIFIERS = (typing.Required, typing.NotRequired)
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


def as_asked(value: Any, annotation: Any) -> Any:
    """Return `value` with text as what `annotation` asks for, in containers too.

    That is paths, and secrets: what is given where a secret is asked for is one from then on.
    """
    annotation = bare(annotation)
    if typing.is_typeddict(annotation) and type(value) is dict:
        hints = fields_of(annotation)
        return {name: as_asked(part, hints.get(name, Any)) for name, part in value.items()}
    if fits(value, annotation):
        return value
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _QUALIFIERS:
        return as_asked(value, arguments[0])
    if origin in (typing.Union, types.UnionType):
        made = (as_asked(value, option) for option in arguments)
        return next((one for one in made if fits(one, annotation)), value)
    if origin is Secret or annotation is Secret:
        return _as_secret(value, arguments[0] if arguments else Any)
    if isinstance(value, str | os.PathLike):
        return _as_path(value, origin or annotation)
    if type(value) not in _WALKED or not isinstance(origin, type):
        return value
    if origin in _MAPPINGS:
        pairs = value.items()
        return {as_asked(k, arguments[0]): as_asked(v, arguments[1]) for k, v in pairs}
    if origin is tuple and arguments[-1:] != (...,):
        return tuple(map(as_asked, value, arguments)) if len(arguments) == len(value) else value
    if origin is tuple or origin in _CONTAINERS:
        return type(value)(as_asked(item, arguments[0]) for item in value)
    return value


def _as_secret(value: Any, kind: Any) -> Any:
    is_one = value is not None and type(value) is not Secret and fits(value, kind)
    return Secret(value) if is_one else value


def _as_path(value: str | os.PathLike[str], kind: Any) -> Any:
    if kind is os.PathLike:
        kind = Path
    is_path = isinstance(kind, type) and issubclass(kind, PurePath)
    return kind(value) if is_path and os.fspath(value) else value

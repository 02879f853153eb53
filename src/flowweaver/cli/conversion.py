"""Text and JSON turned into what an annotation asks for.

Where nothing is annotated, what reads as a JSON number, true, false, null, list, object or quoted
text is that, and all else is text.
"""

from __future__ import annotations

import collections.abc
import json
import types
import typing
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from flowweaver.definitions.annotations import bare
from flowweaver.definitions.typecheck import fits
from flowweaver.secret import Secret

MISFITS = (ValueError, TypeError, InvalidOperation)

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")
_UNIONS = (typing.Union, types.UnionType)
_COLLECTIONS: dict[Any, type] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: frozenset,
}
_MAPPINGS = (dict, collections.abc.Mapping)
# Lower is tried first: everything is a float or a text that is something narrower too.
_LATE = {float: 1, str: 2}


def parse_json(text: str) -> Any:
    """Return the value of strict JSON, without NaN; raises `ValueError` if it is none."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


# From text --------------------------------------------------------------------------------------


def from_text(text: str, annotation: Any) -> Any:
    """Return `text` read as `annotation` says; raises one of `MISFITS` where it can't be."""
    annotation = bare(annotation)
    origin = typing.get_origin(annotation)
    if origin in _UNIONS:
        return _union_from_text(text, typing.get_args(annotation))
    if Secret in (origin, annotation):
        return Secret(from_text(text, *typing.get_args(annotation) or (str,)))
    if origin is typing.Literal:
        return _pick(text, {_literal_text(item): item for item in typing.get_args(annotation)})
    if isinstance(annotation, type) and origin is None:
        if issubclass(annotation, Enum):
            return _enum_member(text, annotation)
        for kind, read in _READERS.items():
            if annotation is kind:
                return read(text)
        if issubclass(annotation, PurePath):
            return annotation(text)
    if (origin or annotation) in _COLLECTIONS or (origin or annotation) in _MAPPINGS:
        return from_json(parse_json(text), annotation)
    return _guess(text)


def _union_from_text(text: str, options: tuple[Any, ...]) -> Any:
    if text == "null" and types.NoneType in options:
        return None
    for option in sorted(options, key=lambda item: _LATE.get(item, 0)):
        if option is types.NoneType:
            continue
        try:
            return from_text(text, option)
        except MISFITS:
            continue
    raise ValueError(text)


def _literal_text(item: Any) -> str:
    if isinstance(item, Enum):
        return item.name
    return json.dumps(item) if item is None or isinstance(item, bool) else str(item)


def _enum_member(text: str, kind: type[Enum]) -> Enum:
    by_value = {str(member.value): member for member in kind}
    return _pick(text, {**by_value, **kind.__members__})  # type: ignore[no-any-return]


def _pick(text: str, choices: dict[str, Any]) -> Any:
    if text not in choices:
        raise ValueError(text)
    return choices[text]


def _boolean(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError(text)


_READERS: dict[type, Callable[[str], Any]] = {
    bool: _boolean,
    int: int,
    float: float,
    complex: complex,
    str: str,
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    UUID: UUID,
}


def _guess(text: str) -> Any:
    if text[:1] in tuple('-0123456789[{"') or text in ("true", "false", "null"):
        try:
            return parse_json(text)
        except ValueError:
            return text
    return text


# From JSON --------------------------------------------------------------------------------------


def from_json(value: Any, annotation: Any) -> Any:
    """Return what `annotation` makes of a JSON value; raises one of `MISFITS` where it can't be."""
    annotation = bare(annotation)
    origin = typing.get_origin(annotation)
    if origin in _UNIONS:
        return _union_from_json(value, typing.get_args(annotation))
    if Secret in (origin, annotation):
        return Secret(from_json(value, *typing.get_args(annotation) or (Any,)))
    if isinstance(value, list):
        return _items_from_json(value, origin or annotation, typing.get_args(annotation))
    if isinstance(value, dict):
        return _pairs_from_json(value, origin or annotation, typing.get_args(annotation))
    if isinstance(value, str) and annotation is not Any and annotation is not str:
        return from_text(value, annotation)
    if annotation is float and type(value) is int:
        return float(value)
    return value


def _union_from_json(value: Any, options: tuple[Any, ...]) -> Any:
    if any(fits(value, option) for option in options):
        return value
    for option in options:
        try:
            made = from_json(value, option)
        except MISFITS:
            continue
        if fits(made, option):
            return made
    return value


def _items_from_json(value: list[Any], kind: Any, arguments: tuple[Any, ...]) -> Any:
    make = _COLLECTIONS.get(kind, list)
    if make is tuple and arguments[-1:] != (...,) and len(arguments) == len(value):
        return tuple(map(from_json, value, arguments))
    item = arguments[0] if arguments else Any
    return make(from_json(part, item) for part in value)


def _pairs_from_json(value: dict[str, Any], kind: Any, arguments: tuple[Any, ...]) -> Any:
    if kind not in _MAPPINGS or len(arguments) != 2:
        return value
    of_key, of_value = arguments
    return {
        (key if of_key is str else from_text(key, of_key)): from_json(item, of_value)
        for key, item in value.items()
    }


def shown(annotation: Any) -> str:
    """Return what an annotation asks for, in words for whoever gave something else."""
    annotation = bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f"one of {', '.join(annotation.__members__)}"
    if typing.get_origin(annotation) is typing.Literal:
        return f"one of {', '.join(map(_literal_text, typing.get_args(annotation)))}"
    if annotation is bool:
        return "true or false"
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    words = str(annotation)
    for module in ("typing.", "collections.abc.", "flowweaver.secret."):
        words = words.replace(module, "")
    return words


def how_to_write(annotation: Any, text: object) -> str:
    """Return how a list or mapping is written, for whoever wrote what is no JSON."""
    with suppress(ValueError):
        if not isinstance(text, str) or isinstance(parse_json(text), list | dict):
            return ""
    annotation = bare(annotation)
    kind, parts = typing.get_origin(annotation), typing.get_args(annotation)
    numbers = bool(parts) and all(part in (int, float) for part in parts if part is not ...)
    if kind in _MAPPINGS:
        return """; write it as JSON, such as '{"a": 1}'"""
    if kind in _COLLECTIONS:
        return "; write it as JSON, such as " + ("'[1, 2]'" if numbers else """'["a", "b"]'""")
    return ""

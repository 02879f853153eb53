"""What elements of mapped tasks are called for people: as their task says, or by what they get."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from string import Formatter
from types import MemberDescriptorType
from typing import Any
from uuid import UUID

from flowweaver.masking import mask
from flowweaver.records import Failure
from flowweaver.serialize.describe import Raised, clean, contained, shorten
from flowweaver.serialize.display import show
from flowweaver.serialize.held import value_of
from flowweaver.serialize.shape import BUILT_IN

_LONGEST = 60
_FORMATTER = Formatter()
# Scalars of Python's own whose text says all that people want to know.
_AS_TEXT = frozenset({date, datetime, time, timedelta, Decimal, UUID})


def element_label(
    template: str | None, arguments: Mapping[str, Any], by_element: Iterable[str]
) -> str:
    """Return what tells an element from the others of its task, in one line without secrets.

    Args:
        template: What the task says they are called: "{city}"; None if it says nothing.
        arguments: What the element is given.
        by_element: The names of those arguments that others have not been given.
    """
    text: str | Raised = ""
    if template is not None:
        text = contained(_FORMATTER.vformat, template, (), _Values(arguments))
    if template is None or isinstance(text, Raised):
        text = contained(_given, [arguments[name] for name in by_element if name in arguments])
    return "" if isinstance(text, Raised) else shorten(clean(mask(text)), _LONGEST)


class _Values(dict[str, Any]):
    """Arguments of which those are turned back that are asked for."""

    def __getitem__(self, name: str) -> Any:
        return value_of(super().__getitem__(name))


def _given(values: Iterable[Any]) -> str:
    return ", ".join(map(_shown, values))


def _shown(value: Any) -> str:
    """Return one of Python's own values as it is written; of others, what they are made of."""
    kind = type(value)
    if kind is str:
        return str(value[: 2 * _LONGEST])
    if kind in _AS_TEXT or isinstance(value, PurePath):
        return str(value)
    if kind is Failure:
        return f"failed: {value}"
    if kind in BUILT_IN:
        return show(value, 2 * _LONGEST)
    fields = _fields_of(value)
    if fields is None:
        return f"<{kind.__name__}>"
    parts = (f"{name}={show(item, _LONGEST)}" for name, item in fields)
    return f"{kind.__name__}({', '.join(parts)})"


def _fields_of(value: Any) -> Iterable[tuple[str, Any]] | None:
    """Return the fields of an object, read without code of its class; None if it has none."""
    held = vars(type(value))
    if isinstance(value, tuple):
        names = held.get("_fields")
        return None if names is None else zip(names, tuple.__iter__(value), strict=False)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    elif (attributes := held.get("__attrs_attrs__")) is not None:
        names = [attribute.name for attribute in attributes]
    elif (names := held.get("__pydantic_fields__", held.get("model_fields"))) is None:
        return None
    return ((name, _held_as(value, name)) for name in names)


def _held_as(value: object, name: str) -> object:
    slot = getattr(type(value), name, None)
    if isinstance(slot, MemberDescriptorType):
        return slot.__get__(value)
    return object.__getattribute__(value, "__dict__").get(name)

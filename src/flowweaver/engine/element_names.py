"""What elements of mapped tasks are called for people: as their task says, or by what they get."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from string import Formatter
from typing import Any
from uuid import UUID

from flowweaver.masking import mask
from flowweaver.serialize.describe import Raised, clean, contained, shorten
from flowweaver.serialize.display import show
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
        text = contained(_FORMATTER.vformat, template, (), arguments)
    if template is None or isinstance(text, Raised):
        text = contained(_given, [arguments[name] for name in by_element if name in arguments])
    return "" if isinstance(text, Raised) else shorten(clean(mask(text)), _LONGEST)


def _given(values: Iterable[Any]) -> str:
    return ", ".join(map(_shown, values))


def _shown(value: Any) -> str:
    """Return one of Python's own values as it is written; of others, what they are made of."""
    kind = type(value)
    if kind is str:
        return str(value[: 2 * _LONGEST])
    if kind in _AS_TEXT or isinstance(value, PurePath):
        return str(value)
    if kind in BUILT_IN:
        return show(value, 2 * _LONGEST)
    if dataclasses.is_dataclass(value):
        fields = (field.name for field in dataclasses.fields(value))
        parts = (f"{name}={show(vars(value).get(name), _LONGEST)}" for name in fields)
        return f"{kind.__name__}({', '.join(parts)})"
    return f"<{kind.__name__}>"

"""What one function or class of the project means, the same wherever it stands."""

from __future__ import annotations

from types import FunctionType
from typing import Any
from weakref import ref

from flowweaver.fingerprint import nodes
from flowweaver.fingerprint.cache import fingerprint_callable
from flowweaver.fingerprint.kinds import is_a
from flowweaver.fingerprint.standing import How, standing_of

_LENGTH = 16

_known: dict[int, tuple[ref[Any], int, str]] = {}
"""What was asked for since a run last began, by identity: each result that is kept asks again."""


def meaning_of(value: Any) -> str:
    """Return what a function or class means; "" if it is not the project's own."""
    if not is_a(value, type) and not is_a(value, FunctionType):
        return ""
    key = id(value)
    reference, began, meaning = _known.get(key, (None, -1, ""))
    if reference is None or reference() is not value or began != nodes.generation():
        meaning = _meaning_of(value)
        _known[key] = ref(value, lambda _: _known.pop(key, None)), nodes.generation(), meaning
    return meaning


def _meaning_of(value: Any) -> str:
    if standing_of(value).how is not How.MEANING:
        return ""
    return fingerprint_callable(value).digest[:_LENGTH]

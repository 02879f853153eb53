"""Show a value to people: short, and the same in each process."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Mapping
from itertools import islice
from typing import Any

from flowweaver.fingerprint.kinds import is_a, is_any_of, module_of
from flowweaver.fingerprint.owners import Owner, owner_of_module

_MOST_ITEMS = 100
_DEEPEST = 4
_LONGEST_LINE = 88
_LONGEST_SCALAR = 300

_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("{", "}"),
}
_HIDDEN = "(not shown: it may be secret)"
_SECRET = re.compile(r"passw|secret|token|credential|api_?key|private_?key", re.IGNORECASE)
_CODE = (type, types.FunctionType, types.BuiltinFunctionType)


def render(value: object, name: str = "") -> str:
    """Return the value as text: containers over several lines if long, objects by attributes.

    What its name says is secret is not shown.
    """
    if _SECRET.search(name):
        return _HIDDEN
    if is_a(value, str) and "\n" in value:
        return value
    return _render(value, 0)


def _render(value: object, depth: int) -> str:
    if depth > _DEEPEST:
        return "..."
    if is_a(value, types.MethodType):
        return f"{_render(value.__self__, depth + 1)}.{value.__name__}"
    if is_a(value, types.ModuleType):
        return value.__name__
    if is_any_of(value, _CODE):
        return f"{module_of(value)}.{value.__qualname__}"  # type: ignore[attr-defined]
    if is_a(value, functools.partial):
        arguments = [_render(each, depth + 1) for each in (value.func, *value.args)]
        return _call("partial", arguments, value.keywords, depth)
    if type(value) in _BRACKETS:
        return _items(value, depth)
    if type(value) is dict:
        entries = [f"{_render(k, depth + 1)}: {_named(k, v, depth)}" for k, v in _some(value)]
        return _bracketed("{", _with_rest(entries, len(value)), "}", depth)
    return _object(value, depth)


def _items(value: Any, depth: int) -> str:
    opening, closing = _BRACKETS[type(value)]
    if opening == "{":
        parts = sorted(_render(each, depth + 1) for each in value)[:_MOST_ITEMS]
    else:
        parts = [_render(each, depth + 1) for each in islice(value, _MOST_ITEMS)]
    return _bracketed(opening, _with_rest(parts, len(value)), closing, depth)


def _named(name: object, value: object, depth: int) -> str:
    return _HIDDEN if _SECRET.search(str(name)) else _render(value, depth + 1)


def _some(value: Mapping[Any, object]) -> list[tuple[Any, object]]:
    return list(islice(value.items(), _MOST_ITEMS))


def _with_rest(parts: list[str], total: int) -> list[str]:
    return parts if total <= len(parts) else [*parts, f"... {total - len(parts)} more"]


def _object(value: object, depth: int) -> str:
    cls = type(value)
    try:
        if owner_of_module(module_of(cls)) is Owner.PROJECT and hasattr(value, "__dict__"):
            return _call(f"{cls.__module__}.{cls.__qualname__}", [], vars(value), depth)
        text = repr(value)
    except Exception:
        text = f"<{cls.__module__}.{cls.__qualname__}>"
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return text if len(text) <= _LONGEST_SCALAR else f"{text[:_LONGEST_SCALAR]}..."


def _call(name: str, arguments: list[str], keywords: dict[str, object], depth: int) -> str:
    named = [f"{key}={_named(key, each, depth)}" for key, each in _some(keywords)]
    return _bracketed(f"{name}(", [*arguments, *named], ")", depth)


def _bracketed(opening: str, parts: list[str], closing: str, depth: int) -> str:
    line = f"{opening}{', '.join(parts)}{closing}"
    if len(line) <= _LONGEST_LINE and "\n" not in line:
        return line
    margin = "    " * (depth + 1)
    inner = "".join(f"{margin}{part},\n" for part in parts)
    return f"{opening}\n{inner}{margin[4:]}{closing}"

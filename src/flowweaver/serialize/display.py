"""Values as people read them in one line, without their own repr having a say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flowweaver.serialize.describe import shorten

LONGEST = 2_000
"""Characters shown of any value."""

BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "frozenset": ("frozenset({", "})"),
    "dict": ("{", "}"),
}
"""What stands around the items of a container, by its type's name."""
_KINDS: dict[type, tuple[str, str]] = {
    kind: BRACKETS[kind.__name__] for kind in (list, tuple, set, frozenset)
}


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Stands for a part that isn't decoded for display: its text."""

    text: str


def show(value: object, limit: int = LONGEST) -> str:
    """Return at most `limit` characters of a decoded value of builtin types.

    Stops when there is enough, so a large value costs no more than a small one.
    """
    texts: list[str] = []
    size = 0
    for text in _texts(value):
        texts.append(text)
        size += len(text)
        if size > limit:
            break
    return shorten("".join(texts), limit)


def _texts(value: Any) -> Iterator[str]:
    kind = type(value)
    if kind is dict:
        yield "{"
        for n, (key, item) in enumerate(value.items()):
            yield ", " if n else ""
            yield from _texts(key)
            yield ": "
            yield from _texts(item)
        yield "}"
    elif kind in _KINDS and (value or kind in (list, tuple)):
        opening, closing = _KINDS[kind]
        yield opening
        yield from _items(value)
        yield ",)" if kind is tuple and len(value) == 1 else closing
    else:
        yield leaf_text(value)


def _items(items: Iterable[object]) -> Iterator[str]:
    for n, item in enumerate(items):
        yield ", " if n else ""
        yield from _texts(item)


def leaf_text(value: Any) -> str:
    """Return a value that has no parts as Python writes it, cut where it is long."""
    if isinstance(value, Shown):
        return value.text
    if isinstance(value, str | bytes | bytearray):
        text = repr(value[:LONGEST])
        return text if len(value) <= LONGEST else text + "…"
    if type(value) is int and value.bit_length() > 2000:
        return f"<int of {value.bit_length()} bits>"
    return repr(value)

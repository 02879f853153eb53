"""What a value is made of, seen by exact type: the scan before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any
from uuid import UUID

from flowweaver.secret import Secret
from flowweaver.serialize.registry import code_free_codec_for

MAX_DEPTH = 200
"""Levels of containers in a value. Far below what json and pickle reach on a default stack,
so that what could be written can also be read, from a thread or a deep call."""

PLAIN = frozenset({type(None), bool, int, float, str})
"""The types that JSON has itself, apart from list and dict."""

ATOMIC = PLAIN | {bytes, complex, date, datetime, time, timedelta, Decimal, Secret, UUID}
"""Immutable scalar types."""

_TAGGED_LEAVES = (ATOMIC - PLAIN) | {
    PosixPath,
    PurePosixPath,
    PureWindowsPath,
    WindowsPath,
    range,
}
CONTAINERS = frozenset({list, dict, tuple, set, frozenset})
"""The builtin types that hold others."""
BUILT_IN = ATOMIC | _TAGGED_LEAVES | CONTAINERS | {bytearray}
"""The types that FlowWeaver's own JSON forms keep; no registered codec is asked about them."""

_STR_ONLY = frozenset({str})
_REPEATABLE_ITEMS = 32
_IMMUTABLES_CODECS = frozenset({"numpy-scalar"})


class Shape(Enum):
    """Which form keeps a value exactly, if it isn't plain JSON."""

    TAGGED = "JSON with tags"
    OTHER = "pickle"
    TOO_DEEP = "none"


def is_atomic(value: object) -> bool:
    """Return whether `value` is an immutable scalar, safe to share without copying."""
    return type(value) in ATOMIC


def is_plain(value: Any) -> bool:
    """Return whether JSON itself has all that `value` is made of, each mutable met once.

    Stands apart from `shape_of`, and asks whole levels at a time, because each result passes it.
    """
    if type(value) in PLAIN:
        return True
    level = [value]
    seen: set[int] = set()
    for _ in range(MAX_DEPTH):
        if not level:
            return True
        below: list[object] = []
        for item in level:
            kind = type(item)
            if kind is dict and _STR_ONLY.issuperset(map(type, item)):
                inner = item.values()
            elif kind is list:
                inner = item
            else:
                return False
            if id(item) in seen:
                return False
            seen.add(id(item))
            if not PLAIN.issuperset(map(type, inner)):
                below += [part for part in inner if type(part) not in PLAIN]
        level = below
    return not level


def shape_of(value: object) -> Shape:
    """Return the form that keeps `value` exactly; looks at containers level by level.

    A mutable object that is there twice (or contains itself) would become two equal ones in
    JSON, so it makes the value OTHER.
    """
    shape = Shape.TAGGED
    scan = _Scan()
    level = [value] if type(value) not in PLAIN else []
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return shape
        below: list[object] = []
        for item in level:
            if not scan.can_tag(item, below):
                shape = Shape.OTHER
        level = below
    return Shape.TOO_DEEP if level else shape


class _Scan:
    """What one scan has met: objects by identity, and types with what was found of them."""

    __slots__ = ("immutables", "kinds", "seen")

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.immutables: set[type] = set()
        self.kinds: dict[type, bool] = {}

    def can_tag(self, item: Any, below: list[object]) -> bool:
        """Return whether tagged JSON keeps an item that isn't plain, its parts aside.

        Those of its parts that aren't plain are added to `below`.
        """
        kind = type(item)
        if kind in _TAGGED_LEAVES or kind in self.immutables:
            return True
        if id(item) in self.seen:
            return _repeatable(item)
        self.seen.add(id(item))
        if kind in CONTAINERS:
            _descend(item, below)
            if kind is dict:
                _descend(item.values(), below)
            return True
        found = self.kinds.get(kind)
        return self._judge(kind) if found is None else found

    def _judge(self, kind: type) -> bool:
        codec = code_free_codec_for(kind)
        if codec is not None and codec.name in _IMMUTABLES_CODECS:
            self.immutables.add(kind)
        found = self.kinds[kind] = kind is bytearray or codec is not None
        return found


def _descend(items: Iterable[object], below: list[object]) -> None:
    if not PLAIN.issuperset(map(type, items)):
        below.extend(item for item in items if type(item) not in PLAIN)


def _repeatable(item: object) -> bool:
    """Return whether an immutable may be written out again: the compiler shares constants.

    Only small flat ones, since nested sharing would grow without limit.
    """
    return (
        type(item) in (tuple, frozenset)
        and len(item) <= _REPEATABLE_ITEMS  # type: ignore[arg-type]
        and PLAIN.issuperset(map(type, item))  # type: ignore[call-overload]
    )

"""Whether two values are the same in value and exact type; knows nothing of the codecs."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import fields, is_dataclass
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from functools import partial


def same(a: object, b: object) -> bool:
    """Return whether `b` could stand for `a` without anyone noticing (identity aside)."""
    return _Comparison().same(a, b)


class _Comparison:
    def __init__(self) -> None:
        self.met: dict[int, int] = {}

    def same(self, a, b) -> bool:
        if type(a) is not type(b):
            return False
        if id(a) in self.met and isinstance(a, list | dict | set | bytearray):
            # Shared or cyclic: the other side must share alike.
            return self.met[id(a)] == id(b)
        if self.met.get(id(a)) == id(b):
            return True
        self.met[id(a)] = id(b)
        return self.same_content(a, b)

    def same_content(self, a, b) -> bool:
        if isinstance(a, float | complex):
            return same_number(a, b)
        if isinstance(a, Decimal):
            return a.as_tuple() == b.as_tuple()
        if isinstance(a, datetime | time):
            return (
                a.replace(tzinfo=None) == b.replace(tzinfo=None)
                and a.fold == b.fold
                and type(a.tzinfo) is type(b.tzinfo)
                and repr(a.tzinfo) == repr(b.tzinfo)
            )
        if isinstance(a, Enum):
            return a is b
        if isinstance(a, partial):
            return self.same([a.func, a.args, a.keywords], [b.func, b.args, b.keywords])
        if isinstance(a, dict):
            factories = (
                (a.default_factory, b.default_factory) if isinstance(a, defaultdict) else (0, 0)
            )
            return factories[0] is factories[1] and self.same_in_turn(
                [x for pair in a.items() for x in pair], [x for pair in b.items() for x in pair]
            )
        if isinstance(a, set | frozenset):
            return len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
        if isinstance(a, list | tuple | deque):
            return self.same_in_turn(a, b) and getattr(a, "maxlen", 0) == getattr(b, "maxlen", 0)
        if is_dataclass(a) and not isinstance(a, type):
            return all(self.same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
        if isinstance(a, BaseException):
            return self.same(a.args, b.args)
        if type(a).__eq__ is object.__eq__ and hasattr(a, "__dict__"):
            return self.same(a.__dict__, b.__dict__)
        return a is b or (a == b and (isinstance(a, int) or str(a) == str(b)))

    def same_in_turn(self, a, b) -> bool:
        return len(a) == len(b) and all(map(self.same, a, b))


def same_number(a, b) -> bool:
    if isinstance(a, complex):
        return same_number(a.real, b.real) and same_number(a.imag, b.imag)
    if math.copysign(1, a) != math.copysign(1, b):
        return False
    return a == b or (a != a and b != b)

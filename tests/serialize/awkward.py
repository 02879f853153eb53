"""Values that careless storing changes, and classes for them."""

from __future__ import annotations

import enum
import re
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from uuid import UUID, SafeUUID, uuid5
from zoneinfo import ZoneInfo


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Row(list):
    pass


class Table(dict):
    pass


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Right(enum.Flag):
    READ = 1
    WRITE = 2


Point = namedtuple("Point", "x y")


@dataclass
class Order:
    id: int
    lines: list = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str


class Plain:
    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


def shared_list() -> object:
    inner = [1]
    return {"a": inner, "b": inner}


def cyclic_list() -> object:
    loop: list = [1]
    loop.append(loop)
    return loop


def cyclic_through_tuple() -> object:
    inner: list = []
    loop = (inner,)
    inner.append(loop)
    return loop


def shared_tuple() -> object:
    pair = (1, 2)
    return [pair, pair, pair]


def shared_nested_tuple() -> object:
    pair: tuple = ()
    for _ in range(60):
        pair = (pair, pair)
    return pair


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth - 1):
        value = [value]
    return value


BERLIN = ZoneInfo("Europe/Berlin")

AWKWARD: dict[str, object] = {
    "none": None,
    "false": False,
    "true": True,
    "zero": 0,
    "empty text": "",
    "empty list": [],
    "empty dict": {},
    "empty tuple": (),
    "empty set": set(),
    "empty frozenset": frozenset(),
    "empty bytes": b"",
    "zero float": 0.0,
    "none in places": [None, {"a": None}, (None,)],
    "tuple": (1, 2),
    "tuple of one": (None,),
    "nested int keys": {1: {2: (3, {4: "x"})}},
    "true, one and text keys": [{True: "a"}, {1: "a"}, {1.0: "a"}, {"1": "a"}],
    "odd keys": {None: 1, (1, "a"): 2, b"k": 3, frozenset({1}): 4, 2.5: 5, date(2024, 1, 1): 6},
    "order of keys": {"b": 1, "a": 2, "c": 3},
    "key like a tag": {"$tuple": [1, 2]},
    "key like a tag beside a tuple": {"$tuple": [1, 2], "t": (1,)},
    "key of a dollar alone": ({"$": 1}, {"$part": ["bytes", 0, 0]}),
    "nan": float("nan"),
    "negative nan": -float("nan"),
    "infinity": float("inf"),
    "negative infinity": [float("-inf")],
    "negative zero": -0.0,
    "tiny float": 5e-324,
    "float of 17 digits": 0.1 + 0.2,
    "whole float": 1e16,
    "complex": complex(-0.0, float("nan")),
    "2**200": 2**200,
    "2**20000": 2**20000,
    "-2**20000 in a list": [-(2**20000), 0],
    "bytes": b"\x00x\xff",
    "bytes in a dict": {"b": b"\x00\n"},
    "bytearray": bytearray(b"\n\x00"),
    "NUL text": "a\x00b",
    "emoji": "\U0001f600 e\u0301 \u00e9",
    "lone surrogate": "a\ud800",
    "two lone surrogates": ["\ud83d\ude00"],
    "surrogate key": {"\udcff": 1},
    "line separators": "\u2028\n\r\t\x1b[31m",
    "naive datetime": datetime(2024, 2, 29, 1, 2, 3, 4),
    "utc datetime": datetime(2024, 1, 1, tzinfo=UTC),
    "fixed offset": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-5, microseconds=1))),
    "named offset": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), "CET")),
    "zoneinfo": datetime(2024, 7, 1, 12, tzinfo=BERLIN),
    "fold": datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1),
    "first and last datetime": [datetime.min, datetime.max],
    "date": date(1, 1, 1),
    "time": time(23, 59, 59, 999999, tzinfo=UTC, fold=1),
    "timedelta": timedelta(days=-1, microseconds=1),
    "longest timedelta": [timedelta.max, timedelta.min],
    "decimal": [Decimal("1.10"), Decimal("-0"), Decimal("1E+400"), Decimal("Infinity")],
    "decimal nan": (Decimal("NaN"), Decimal("-sNaN42")),
    "uuid": uuid5(UUID(int=0), "x"),
    "safe uuid": UUID(int=5, is_safe=SafeUUID.safe),
    "path": Path("/a/b.txt"),
    "pure paths": [PurePosixPath("//a"), PureWindowsPath("c:/x"), Path(), Path("\udcff")],
    "set": {1, "1", (1,), None, 2.5, b"1"},
    "set of text": {"b", "a", "c"},
    "set of nans": [{float("nan"), 1}],
    "frozenset in a set": {frozenset({1, 2}), frozenset()},
    "range": range(2**70, 0, -3),
    "small tuple shared": shared_tuple(),
    "nested tuple shared": shared_nested_tuple(),
    "long tuple shared": [tuple(range(100))] * 2,
    "list shared": shared_list(),
    "list in itself": cyclic_list(),
    "list in itself through a tuple": cyclic_through_tuple(),
    "deep list": nested(190),
    "text subclass": Text("x"),
    "int subclass": [Number(1)],
    "list subclass": Row([1]),
    "dict subclass": Table(a=1),
    "enum": {"c": Colour.RED},
    "int enum": [Level.LOW, 1],
    "flag": Right.READ | Right.WRITE,
    "namedtuple": Point(1, [2]),
    "dataclass": Order(1, [(1, 2)]),
    "frozen dataclass": Money(Decimal("1.10"), "EUR"),
    "dataclass with nan": Money(Decimal(0), float("nan")),  # type: ignore[arg-type]
    "user object": Plain(x=(1, 2)),
    "ordered dict": OrderedDict(a=1),
    "default dict": defaultdict(list, a=[1]),
    "counter": Counter("aab"),
    "deque": deque([1, (2,)], maxlen=3),
    "fraction": Fraction(1, 3),
    "slice": [slice(1, None)],
    "ellipsis": ...,
    "class": Order,
    "function": nested,
    "partial": partial(nested, depth=3),
    "pattern": re.compile("a+"),
    "exception": ValueError("x", 1),
}

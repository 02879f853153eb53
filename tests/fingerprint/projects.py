"""Small projects for the catalogue of edits; each target can be called without arguments."""

SIMPLE = '''
"""Steps of a small flow."""

import math
import os


def unrelated(x):
    return x - 1


def half(value):
    """Return half."""
    return value / 2


def run(values=(1, 2, 3), scale=10):
    """Add things up.

    At length.
    """
    # The total.
    total = 0
    for value in values:
        total += half(value) * scale  # scaled
    if total > 1000:
        total = math.floor(total)
    return {"total": total, 'text': "a" "b"}
'''

PROJECT = {
    "config.py": """
        LIMIT = 3
        RATES = {"a": 1, "b": 2}
        NAMES = ["x", "y"]
        PORT = 1
        """,
    "deep.py": """
        def tidy(text):
            clean = text.strip()
            return clean.lower()
        """,
    "helpers.py": """
        from deep import tidy

        def parse(line):
            return tidy(line).split(",")
        """,
    "steps.py": """
        import config
        from config import LIMIT
        from helpers import parse

        def run(line=" A,b,c,d "):
            return parse(line)[:LIMIT], config.RATES, config.NAMES
        """,
}

CLASSES = '''
from dataclasses import dataclass, field
from enum import Enum


class Level(Enum):
    LOW = 1
    HIGH = 2


class Base:
    def start(self):
        return 1

    def stop(self):
        return "stop"


class Meta(type):
    def __call__(cls, *args):
        made = super().__call__(*args)
        made.tag = "meta"
        return made


class Cleaner(Base, metaclass=Meta):
    """Cleans."""

    factor = 2
    names: list = ["a"]

    def __init__(self, offset=5):
        self.offset = offset

    def clean(self, value):
        return self.shift(value) * self.factor + self.start()

    def shift(self, value):
        return value + self.offset

    @property
    def doubled(self):
        return self.offset * 2

    @staticmethod
    def plain():
        return "plain"

    @classmethod
    def make(cls):
        return cls(7)

    class Inner:
        depth = 1


@dataclass
class Row:
    key: str = "k"
    number: int = 4
    items: list = field(default_factory=lambda: [1])


def run():
    cleaner = Cleaner.make()
    cleaned = cleaner.clean(3), cleaner.doubled, cleaner.plain(), cleaner.tag, Cleaner.Inner.depth
    return cleaned, Row().number, Row().items, Level.HIGH.value, cleaner.stop()
'''

DECORATED = {
    "tools.py": """
        import functools

        def times(count):
            def decorate(fn):
                @functools.wraps(fn)
                def wrapper(*args, **kwargs):
                    return [fn(*args, **kwargs) for _ in range(count)]
                return wrapper
            return decorate

        def loud(fn):
            def wrapper():
                return str(fn()).upper()
            return wrapper
        """,
    "steps.py": """
        from functools import lru_cache
        from tools import loud, times

        @times(2)
        def twice():
            return "a"

        @lru_cache(maxsize=None)
        def kept():
            return "k"

        @loud
        def run():
            return twice(), kept()
        """,
}

VALUES = """
import os
import re
from collections import namedtuple
from decimal import Decimal
from functools import partial
from operator import itemgetter
from pathlib import Path

Point = namedtuple("Point", "x y")


class Scaler:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, value=2):
        return value * self.factor

    def run(self, value=2):
        return self(value)


def double(x):
    return 2 * x


def power(x=3, n=2):
    return x**n


def make(rate):
    def inner(x=2):
        return x * rate
    return inner


scaler = Scaler(3)
bound = scaler.run
cubed = partial(power, n=3)
closed = make(5)
first, second = lambda x=1: x + 1, lambda x=1: x + 2
TABLE = {"double": double, "keys": {"a", "b", "c"}}
PATTERN = re.compile("a+", re.I)
PRICE = Decimal("1.10")
ORIGIN = Point(0, 1)
get = itemgetter(1)
HERE = Path(globals().get("__file__", "/notebook/steps.py")).parent
PLACES = {"data": HERE / "data.csv", "text": os.path.join(HERE, "x.txt")}
COUNTS = {}
COUNTS["a"] = 1
for letter in "bc":
    COUNTS[letter] = 2


def run(at=HERE / "default"):
    found = PATTERN.findall("AAb"), PRICE, tuple(ORIGIN), get([1, 2]), COUNTS
    places = PLACES["data"].name, os.path.basename(PLACES["text"]), at.name
    return found, places, scaler(), TABLE["double"](4), sorted(TABLE["keys"])
"""

IMPORTS = {
    "pkg/__init__.py": "from pkg.core import work\n",
    "pkg/core.py": """
        import json

        from .parts import SIZE, piece

        def work():
            return json.dumps(piece(SIZE))
        """,
    "pkg/parts.py": """
        SIZE = 3

        def piece(size):
            return list((size, *range(size)))

        def other():
            return None
        """,
    "steps.py": """
        def run():
            import pkg.parts as parts
            from pkg import work

            return work(), parts.piece(1)

        def by_name():
            from importlib import import_module

            return import_module("pkg.parts").piece(2)

        def by_getattr():
            import pkg.parts

            return getattr(pkg.parts, "piece")(1)
        """,
}

TASKS = """
import flowweaver as ft

@ft.task
def part():
    return 1

@ft.task
def run():
    return part() + 1
"""

MATCH = """
def run(value=(1, 2)):
    match value:
        case (1, y):
            return y
        case _:
            return None
"""

GENERIC = """
from functools import singledispatch

@singledispatch
def show(value):
    return "any"

@show.register
def _of_int(value: int):
    return "int"

def run():
    return show(1)
"""

HANDED_AROUND = {
    "one.py": "def f():\n    return 1\n",
    "steps.py": """
        import one

        def call(module, name):
            return getattr(module, name)()

        def run():
            return call(one, "f")
        """,
}

TYPED = """
import abc
from dataclasses import dataclass
from enum import Flag, IntEnum, auto
from functools import cached_property, wraps
from typing import Generic, NamedTuple, Protocol, TypedDict, TypeVar

T = TypeVar("T")


def checked(method):
    @wraps(method)
    def wrapper(self):
        return [method(self)]
    return wrapper


class Place(NamedTuple):
    name: str = "here"
    height: int = 3

    def up(self):
        return self.height + 1


class Options(TypedDict):
    size: int


class Right(Flag):
    READ = auto()
    WRITE = auto()


class Size(IntEnum):
    SMALL = 1

    def twice(self):
        return self * 2


class Shape(Protocol):
    def area(self): ...


class Abstract(abc.ABC, Generic[T]):
    unit = "m"

    @abc.abstractmethod
    def area(self):
        return 0

    def described(self):
        return f"{self.area()} {self.unit}"


class Square(Abstract[int], Shape):
    side = 2

    def __init__(self):
        super().__init__()

    def area(self):
        return super().area() + self.side**2

    @cached_property
    def border(self):
        return 4 * self.side

    @checked
    def corners(self):
        return 4


@dataclass(slots=True, kw_only=True)
class Slotted:
    depth: int = 7

    def deeper(self):
        return self.depth + 1


def run():
    square = Square()
    shown = square.described(), square.border, square.corners(), Options(size=1)
    rights = (Right.READ | Right.WRITE).value
    return shown, Place().up(), rights, Size.SMALL.twice(), Slotted().deeper()
"""

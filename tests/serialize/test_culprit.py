"""The part of a value that can't be stored is named by its path."""

from __future__ import annotations

import functools
import os
import threading
from collections import OrderedDict, defaultdict, deque

import numpy as np
import pytest

from flowweaver.errors import UnstorableError
from flowweaver.serialize import encode

from .awkward import Money, Order, Plain, Point, Row, Table, cyclic_list


class Raising:
    def __init__(self, error):
        self.error = error

    def __reduce__(self):
        raise self.error

    def __repr__(self):
        raise self.error


class Recursing:
    def __reduce__(self):
        return self.__reduce__()


class OneWay(Exception):
    """Pickles, but doesn't come back: its __init__ takes two arguments."""

    def __init__(self, first, second):
        super().__init__(f"{first} {second}")


class WritesAnotherType(str):
    __slots__ = ()

    def __reduce__(self):
        return str, (str(self),)


class ForgetsItsContent:
    def __init__(self, content=0):
        self.content = content

    def __eq__(self, other):
        return self.content == other.content

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self):
        return ForgetsItsContent, ()


class ForgetsAnItem(list):
    def __reduce__(self):
        return list, (self[1:],)


class Slotted:
    __slots__ = "body"  # noqa: PLC0205 - as users write it

    def __init__(self, body):
        self.body = body


class OddState:
    def __init__(self, state):
        self.state = state

    def __reduce__(self):
        return OddState, (), [self.state]

    def __setstate__(self, state):
        pass


class ByName:
    def __reduce__(self):
        return "no_such_global"


class Tuple(tuple):
    pass


class Set(set):
    pass


class Speechless(Exception):
    def __str__(self):
        raise self


def generator():
    yield


class Endless:
    """Makes up a new part each time it is asked for its parts, and never pickles."""

    asked = 0

    def __reduce_ex__(self, protocol):
        Endless.asked += 1
        if Endless.asked % 2:
            raise ValueError("not now")
        return Endless, (Endless(),)


def list_with_itself():
    loop = []
    loop += [loop, LOCK]
    return loop


def local_class():
    class Local:
        pass

    return Local()


LOCK = threading.Lock()


def chain(length):
    link = None
    for _ in range(length):
        link = Plain(next=link)
    return link


class WithUnit(np.ndarray):
    """An array with an attribute, as NumPy's guide has it, which its pickle leaves out."""

    def __new__(cls, values, unit):
        made = np.asarray(values).view(cls)
        made.unit = unit
        return made


UNSTORABLE = {
    "attribute of an array": (WithUnit([1], "km"), "result.unit", "str would come back as None"),
    "attribute of an array inside": ([WithUnit([1], "km")], "result[0].unit", "str would come"),
    "lock": (LOCK, "result", "_thread.lock"),
    "generator": ({"g": generator()}, "result['g']", "generator"),
    "lambda": ((1, lambda: 0), "result[1]", "function"),
    "module": ({"x": [0, 1, 2, os]}, "result['x'][3]", "module 'os'"),
    "memoryview": (memoryview(b""), "result", "memoryview"),
    "local class": ([local_class()], "result[0]", "Local"),
    "class not importable": (type("Lost", (), {}), "result", "class '"),
    "reduce raises": (
        {"a": [Raising(ValueError("no\nmore"))]},
        "result['a'][0]",
        "ValueError: no)",
    ),
    "reduce exits": ([Raising(SystemExit(3))], "result[0]", "SystemExit: 3"),
    "reduce raises a BaseException": (Raising(BaseException()), "result", "(BaseException)"),
    "error without a text": (Raising(Speechless()), "result", "Speechless)"),
    "reduce recurses": ({"a": [1, Recursing()]}, "result['a'][1]", "RecursionError"),
    "long chain of objects": ({"a": 1, "c": chain(200_000)}, "result['c']", "RecursionError"),
    "doesn't unpickle": ([1, OneWay(1, 2)], "result[1]", "OneWay"),
    "another type": ({"a": [WritesAnotherType("x")]}, "result['a'][0]", "would come back as str"),
    "another key": ({WritesAnotherType("x"): 1}, "result.keys()[0]", "would come back as str"),
    "other content": ((ForgetsItsContent(5),), "result[0]", "would come back unequal"),
    "in a key": ({"a": {lambda: 0: 1}}, "result['a'].keys()[0]", "function"),
    "in a set": ({"s": {LOCK}}, "result['s'][0]", "_thread.lock"),
    "behind an odd key": ({("a", 1): {Point(1, 2): LOCK}}, "result[<tuple>][<", "lock"),
    "behind a huge key": ({2**20000: LOCK}, "result[<a huge int>]", "lock"),
    "behind an ugly key": ({"\x1b[31m": LOCK}, r"result['\x1b[31m']", "lock"),
    "in an attribute": ([Plain(x={"y": LOCK})], "result[0].x['y']", "_thread.lock"),
    "in a dataclass": (Order(1, [Order(2, [LOCK])]), "result.lines[0].lines[0]", "lock"),
    "in a frozen dataclass": (Money(1, LOCK), "result.currency", "lock"),
    "in a slot": (Slotted(LOCK), "result.body", "lock"),
    "in a namedtuple": ([Point(1, LOCK)], "result[0][1]", "lock"),
    "in a tuple subclass": (Tuple([1, LOCK]), "result[1]", "lock"),
    "in a set subclass": (Set([LOCK]), "result[0]", "lock"),
    "in a list subclass": (Row([1, LOCK]), "result[1]", "lock"),
    "in a dict subclass": (Table(a=LOCK), "result['a']", "lock"),
    "in an ordered dict": (OrderedDict(a=LOCK), "result['a']", "lock"),
    "in a deque": (deque([1, LOCK]), "result[1]", "lock"),
    "default factory": (defaultdict(lambda: 0), "result.default_factory", "function"),
    "in a partial": (functools.partial(sorted, LOCK), "result.args[0]", "lock"),
    "in an exception": (ValueError(1, LOCK), "result.args[1]", "lock"),
    "in a state": (OddState(LOCK), "result.state", "lock"),
    "in a nameless state": (OddState({1: LOCK}), "result.state", "lock"),
    "by a name that isn't there": ([ByName()], "result[0]", "ByName"),
    "beside a cycle": ([cyclic_list(), LOCK], "result[1]", "lock"),
    "itself inside": (
        list_with_itself(),
        "result[1]",
        "lock",
    ),
}


@pytest.mark.parametrize(("value", "path", "reason"), UNSTORABLE.values(), ids=UNSTORABLE.keys())
def test_unstorable_part_is_named_by_path_and_type(value, path, reason):
    with pytest.raises(UnstorableError) as caught:
        encode(value)
    assert caught.value.path.startswith(path)
    assert reason in str(caught.value)


def test_open_file_is_unstorable(tmp_path):
    with (tmp_path / "x").open("w") as file, pytest.raises(UnstorableError) as caught:
        encode({"f": [file]})
    assert caught.value.path == "result['f'][0]"


@pytest.mark.parametrize("value", [entry[0] for entry in UNSTORABLE.values()], ids=UNSTORABLE)
def test_message_is_one_printable_line_with_a_way_out(value):
    with pytest.raises(UnstorableError) as caught:
        encode(value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 700


def test_search_ends_though_the_parts_never_do():
    with pytest.raises(UnstorableError, match="not now"):
        encode(Endless())


def test_deepest_culprit_is_named_in_full():
    value = LOCK
    for _ in range(150):
        value = [value]
    with pytest.raises(UnstorableError) as caught:
        encode(value)
    assert caught.value.path == "result" + "[0]" * 150

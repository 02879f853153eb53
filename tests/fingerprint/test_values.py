"""Digests of values: by what they are, the same in each process."""

from __future__ import annotations

import ast
import copy
import datetime
import functools
import operator
import os
import re
import sqlite3
import subprocess
import sys
import types
import uuid
import weakref
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, Flag
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy
import pandas
import plum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver.fingerprint.passing import Passing
from flowweaver.fingerprint.spelling import literals_of
from flowweaver.fingerprint.values import digest_value


def digest(value: object) -> str:
    return digest_value(value).digest


class Color(Enum):
    RED = 1
    BLUE = 2


class Right(Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: int = 0


class Plain:
    def __init__(self, **state: object) -> None:
        self.__dict__.update(state)


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a: object) -> None:
        self.a = a


class Refusing:
    def __init__(self, state: object) -> None:
        self.state = state

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RuntimeError("not to be stored")


class Words(list[str]):
    pass


def fn() -> None: ...


DISTINCT: list[object] = [
    None, True, False, 0, 1, -1, 2**80, 0.0, -0.0, 1.0, float("nan"), float("inf"), 1j,
    "", "1", "é", "\ud800", b"", b"1", bytearray(b"1"), ..., NotImplemented,
    (), [], {}, set(), frozenset(), (1,), [1], [[1]], [1, 2], [2, 1], {1}, {1, 2}, frozenset({1}),
    {1: 2}, {2: 1}, {1: 2, 3: 4}, {3: 4, 1: 2}, {"a": None}, {"a": {}}, {"a": []},
    types.MappingProxyType({1: 3}), OrderedDict(a=1), defaultdict(list), Counter("a"),
    deque([1]), deque([1], 3), range(3), range(0, 3, 2), slice(1), slice(1, 2),
    Decimal("1"), Decimal("1.0"), Fraction(1, 3), uuid.UUID(int=1), PurePosixPath("a"),
    datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.timedelta(1),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), re.compile("a"), re.compile("a", re.I),
    Color.RED, Color.BLUE, Right.READ, Right.READ | Right.WRITE, Point(1), Point(1, 1),
    Plain(a=1), Plain(a=2), Plain(b=1), Slotted(1), Slotted(2), Refusing(1), Refusing(2),
    Words(["a"]), Words(["b"]), types.SimpleNamespace(a=1), types.SimpleNamespace(a=2),
    int, str, len, sorted, "".join, ",".join, [].append, operator.itemgetter(1),
    operator.itemgetter(2), functools.partial(max, 1), functools.partial(max, 2),
    functools.partial(min, 1), functools.partial(max, key=1), list[int], list[str], int | str,
    numpy.arange(3), numpy.arange(4), numpy.arange(3.0), numpy.arange(3).reshape(3, 1),
    numpy.float32(1), numpy.float64(1), numpy.dtype("i4"),
    pandas.DataFrame({"a": [1]}), pandas.DataFrame({"a": [2]}), pandas.DataFrame({"b": [1]}),
    pandas.Timestamp("2020-01-01"),
]  # fmt: skip


def test_values_that_differ_have_digests_that_differ() -> None:
    seen: dict[object, object] = {}
    for value in DISTINCT:
        found = digest_value(value)
        key = found.digest, tuple(code.value for code in found.code)
        assert key not in seen, (value, seen.get(key))
        seen[key] = value


@pytest.mark.parametrize("value", DISTINCT, ids=lambda value: type(value).__name__)
def test_copy_has_the_same_digest(value: object) -> None:
    if not isinstance(value, types.MappingProxyType | Refusing):
        assert digest(copy.deepcopy(value)) == digest(value)


@pytest.mark.parametrize("kind", [str, Path, lambda place: {"a": [str(place)]}])
def test_place_of_the_project_plays_no_part(kind: Any) -> None:
    one, two, three = (
        digest_value(kind(Path(folder) / "data.csv"), folder).digest
        for folder in ("/home/me/project", "/srv/app", "/srv/application")
    )
    assert one == two == three
    elsewhere = digest_value(kind(Path("/srv/application/data.csv")), "/srv/app").digest
    assert elsewhere != one


def test_none_of_these_is_opaque() -> None:
    assert [value for value in DISTINCT if digest_value(value).opaque] == []


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, -0.0, 1.0, "", "a", b"a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from([0, 1, "a", None]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(plain, plain)
def test_digests_are_equal_just_where_the_values_are(one: object, two: object) -> None:
    # For these types repr tells everything, the order of a dict too.
    assert (digest(one) == digest(two)) == (repr(one) == repr(two))


@given(plain)
def test_content_is_private_unless_it_is_in_the_source(value: object) -> None:
    told = literals_of(ast.parse(repr(value), mode="eval"))
    assert not digest_value(value, literals=told).is_private


@pytest.mark.parametrize("value", ["s3cr3t", b"s3cr3t", 1234, 1.5, ["a"], Plain(a="s3cr3t")])
def test_what_is_not_in_the_source_is_private(value: object) -> None:
    assert digest_value(value).is_private


def test_order_of_a_set_plays_no_part() -> None:
    assert digest({"a", "b", fn, len}) == digest({len, fn, "b", "a"})


def test_sharing_plays_no_part() -> None:
    shared = [1]
    assert digest([shared, shared]) == digest([[1], [1]])


def test_much_shared_value_is_not_walked_again_and_again() -> None:
    value: list[object] = []
    for _ in range(50):
        value = [value, value]
    assert digest_value(value).opaque == ()


def test_value_within_itself_has_a_digest() -> None:
    def cycle(mark: int) -> list[object]:
        value: list[object] = [mark]
        value.append(value)
        return value

    assert digest(cycle(1)) == digest(cycle(1)) != digest(cycle(2))


def test_object_within_itself_has_a_digest() -> None:
    one, two = Plain(a=1), Plain(a=2)
    one.me, two.me = one, two  # type: ignore[attr-defined]
    assert digest(one) != digest(two)


def neighbours(joined: Callable[[], Any], count: int, reach: int) -> list[Plain]:
    """Return objects in a ring, each with those next to it in a set."""
    places = [Plain(number=number, near=joined()) for number in range(count)]
    for number, place in enumerate(places):
        for near in range(1, reach + 1):
            place.near.add(places[(number + near) % count])  # type: ignore[attr-defined]
            place.near.add(places[number - near])  # type: ignore[attr-defined]
    return places


@pytest.mark.parametrize("joined", [set, weakref.WeakSet])
@pytest.mark.parametrize(("count", "reach"), [(2, 1), (9, 3), (300, 4)])
def test_objects_may_point_at_each_other_through_sets(
    joined: Callable[[], Any], count: int, reach: int
) -> None:
    one, same = neighbours(joined, count, reach), neighbours(joined, count, reach)
    assert digest(one) == digest(same)
    same[-1].number = -1  # type: ignore[attr-defined]
    assert digest(one) != digest(same)


def test_sets_may_be_nested_deeply_and_share_what_is_inside() -> None:
    def nested(inside: object) -> frozenset[object]:
        value = frozenset([inside])
        for number in range(40):
            value = frozenset([value, (number, value)])
        return value

    assert digest(nested(1)) == digest(nested(1)) != digest(nested(2))


@pytest.mark.parametrize("depth", [12, 40])
def test_elements_of_a_set_that_differ_deep_inside_have_an_order(depth: int) -> None:
    def nested(inside: object) -> object:
        for _ in range(depth):
            inside = (inside,)
        return inside

    made = [nested(number) for number in range(20)]
    assert digest([{*made}, len]) == digest([{*reversed(made)}, len])


def test_functions_in_a_set_may_call_themselves() -> None:
    def down_by(step: int) -> Callable[[int], int]:
        def down(number: int) -> int:
            return 0 if number <= 0 else down(number - step)

        return down

    steps = [down_by(step) for step in range(1, 10)]
    assert digest({*steps}) == digest({*reversed(steps)})


def test_functions_of_one_name_have_an_order_in_a_set() -> None:
    def over(limit: int) -> Callable[[int], bool]:
        return lambda number: number > limit

    found = digest_value({over(limit) for limit in range(20)})
    again = digest_value({over(limit) for limit in reversed(range(20))})
    assert [each.value(10) for each in found.code] == [each.value(10) for each in again.code]  # type: ignore[operator]


def test_what_is_nested_deeply_counts_too() -> None:
    def nested(inside: object) -> object:
        for _ in range(5000):
            inside = [inside]
        return inside

    assert digest(nested(1)) == digest(nested(1)) != digest(nested(2))


def test_code_is_handed_back_in_the_order_met() -> None:
    found = digest_value([fn, {"a": Plain}, fn, int])
    assert [code.value for code in found.code] == [fn, Plain]


def test_what_refuses_to_be_taken_apart_is_opaque_if_it_is_not_the_projects() -> None:
    with sqlite3.connect(":memory:") as connection:
        assert digest_value([connection]).opaque == ("the state of sqlite3.Connection",)
    connection.close()


def test_asking_an_object_written_in_c_for_its_dict_plays_no_part() -> None:
    with_dict = plum.Function(len)
    before = digest_value(with_dict).digest
    getattr(with_dict, "__dict__", None)
    assert digest_value(with_dict).digest == before


def test_address_of_a_class_around_is_no_content() -> None:
    # Debian's Python has its classes at low addresses.
    made, other = id(type("Made", (), {})), id(type("Other", (), {}))
    passing = Passing(frozenset({made}))
    assert (passing.without(made), passing.without(other)) == ("(an address)", other)
    assert passing.without(f"Made:{made} Other:{other}") == f"Made:# Other:{other}"


def test_digest_is_the_same_in_each_process() -> None:
    program = (
        "from tests.fingerprint.test_values import DISTINCT, digest\n"
        "print([digest(value) for value in DISTINCT])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == f"{[digest(value) for value in DISTINCT]}\n"

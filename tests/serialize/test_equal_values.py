"""Equal values have equal digests, however they came to be."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy
import pandas
import pyarrow
import pytest

from flowweaver.serialize import decode, decode_trusted, encode

FRAME = pandas.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 3]})
TABLE = pyarrow.table(
    {"s": ["aa", None, "b", "c"], "x": [1, 2, 3, 4], "l": [[1], [2, 3], None, []]}
)


def by_a_worker(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def chunked() -> Any:
    return pyarrow.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)])


def filtered() -> Any:
    more = pyarrow.table({"s": ["zz"], "x": [9], "l": [[7]]})
    whole = pyarrow.concat_tables([more, TABLE]).combine_chunks()
    return whole.filter(pyarrow.array([False, True, True, True, True]))


def twice(part: Any) -> list[Any]:
    return [part, part]


class Held:
    """An object as a user may have it, equal by what it holds."""

    def __init__(self, part: Any) -> None:
        self.part = part

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and self.part is other.part

    def __hash__(self) -> int:
        return hash(self.part)


def groups() -> list[Any]:
    return [group for _, group in FRAME.groupby("k")]


def masked(**options: Any) -> Any:
    return numpy.ma.masked_array([1, 2, 3], mask=[0, 1, 0], **options)


def looked_at() -> Any:
    array = masked()
    assert array.fill_value == 999999
    return array


PAIRS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "table of chunks": (lambda: TABLE, chunked),
    "table of chunks in a list": (lambda: [TABLE], lambda: [chunked()]),
    "table that was filtered": (lambda: TABLE, filtered),
    "table that was sliced": (lambda: TABLE.slice(1), lambda: chunked().slice(1)),
    "table without rows": (lambda: TABLE.slice(0, 0), lambda: filtered().slice(0, 0)),
    "groups by a worker": (groups, lambda: by_a_worker(groups())),
    "masked array by a worker": (masked, lambda: by_a_worker(masked())),
    "masked array that was looked at": (masked, looked_at),
    "masked arrays in a list": (lambda: [masked()], lambda: by_a_worker([masked()])),
    "masked array beside a set": (lambda: [{1, 2}, masked()], lambda: [{2, 1}, looked_at()]),
}


# Equal values whose bytes differ, since pickle keeps which parts are one object.
ALIKE: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "list twice": (lambda: twice([1, 2]), lambda: [[1, 2], [1, 2]]),
    "dict twice": (lambda: twice({"a": 1}), lambda: [{"a": 1}, {"a": 1}]),
    "tuple that holds a list twice": (lambda: twice((1, [2])), lambda: [(1, [2]), (1, [2])]),
    "set twice": (lambda: twice({1, 2}), lambda: [{2, 1}, {1, 2}]),
    "NaN beside it": (lambda: [math.nan, *twice([1])], lambda: [math.nan, [1], [1]]),
    "array twice": (lambda: twice(numpy.arange(3)), lambda: [numpy.arange(3), numpy.arange(3)]),
    "frame twice": (lambda: twice(FRAME), lambda: [FRAME, FRAME.copy()]),
    "object twice": (lambda: twice(Held([1])), lambda: [Held([1]), Held([1])]),
    "part of two objects": (
        lambda: [Held(part) for part in twice([1])],
        lambda: [Held([1]), Held([1])],
    ),
    "text of the source and text that was made": (
        lambda: [Held("ab"), Held("ab")],
        lambda: [Held("ab"), Held("".join(["a", "b"]))],
    ),
    "objects in a set": (
        lambda: {Held(1), Held("ab")},
        lambda: {Held("".join(["a", "b"])), Held(1)},
    ),
    "table of chunks in an object": (lambda: Held(TABLE), lambda: Held(chunked())),
    "column of chunks": (lambda: TABLE["s"], lambda: chunked()["s"]),
    "slice of an Arrow array": (
        lambda: pyarrow.array([1, 2]),
        lambda: pyarrow.array([0, 1, 2])[1:],
    ),
    "frame put together in an object": (
        lambda: Held(FRAME),
        lambda: Held(pandas.concat([FRAME[["k"]], FRAME[["x"]]], axis=1)),
    ),
    "array in Fortran's order in an object": (
        lambda: Held(numpy.eye(2, 3)),
        lambda: Held(numpy.asfortranarray(numpy.eye(2, 3))),
    ),
    "groups in an object by a worker": (
        lambda: Held(groups()),
        lambda: by_a_worker(Held(groups())),
    ),
}


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_equal_values_have_the_same_digest(
    one: Callable[[], Any], other: Callable[[], Any]
) -> None:
    assert encode(one()).digest == encode(other()).digest


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
def test_equal_values_are_known_by_the_same(
    one: Callable[[], Any], other: Callable[[], Any]
) -> None:
    assert encode(one()).known_by == encode(other()).known_by


@pytest.mark.parametrize("make", [pair[0] for pair in ALIKE.values()], ids=ALIKE)
def test_what_is_one_object_is_one_when_it_is_back(make: Callable[[], Any]) -> None:
    encoded = encode(make())
    assert encode(decode_trusted(encoded)).known_by == encoded.known_by
    back = decode_trusted(encode(twice([1])))
    assert back[0] is back[1]


def test_values_that_are_not_equal_are_known_by_others() -> None:
    values = [
        twice([1, 2]), twice([2, 1]), twice((1, 2, [])), [[1, 2]], [[1, 2]] * 3, twice(Held(1)),
        twice(Held(1.0)), [Held([1])], [Held((1,))], Held({1}), Held(frozenset({1})), Held({2}),
        Held(TABLE), Held(TABLE["x"]), Held(TABLE["x"].chunk(0)), Held(numpy.eye(2)),
        Held(numpy.eye(2).tolist()),
    ]  # fmt: skip
    assert len({encode(value).known_by for value in values}) == len(values)


def test_value_without_end_when_written_out_is_known_by_its_bytes() -> None:
    nested: list[Any] = [0]
    for _ in range(40):
        nested = twice(nested)
    itself = Held([])
    itself.part.append(itself)
    for value in (nested, Held(nested), itself):
        encoded = encode(value)
        assert (encoded.likeness, encoded.known_by) == ("", encoded.digest)


def test_fill_value_of_ones_own_counts_and_comes_back() -> None:
    own = pickle.loads(bytes(encode(masked(fill_value=7)).data))
    assert own.fill_value == 7
    assert encode(masked(fill_value=7)).digest != encode(masked()).digest


@pytest.mark.parametrize("make", [chunked, filtered])
def test_compacted_table_comes_back_equal(make: Callable[[], Any]) -> None:
    back = decode(encode(make()))
    assert back.equals(TABLE)
    assert back.schema.equals(TABLE.schema, check_metadata=True)


def test_a_hard_mask_stays_hard() -> None:
    own = pickle.loads(bytes(encode(masked(hard_mask=True)).data))
    own[1] = 99
    assert own.tolist() == [1, None, 3]
    assert own.hardmask
    assert encode(own).digest == encode(masked(hard_mask=True)).digest != encode(masked()).digest

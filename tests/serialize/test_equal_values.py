"""Equal values have equal digests, however they came to be."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy
import pandas
import pyarrow
import pytest

from flowweaver.serialize import decode, encode

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


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_equal_values_have_the_same_digest(
    one: Callable[[], Any], other: Callable[[], Any]
) -> None:
    assert encode(one()).digest == encode(other()).digest


def test_fill_value_of_ones_own_counts_and_comes_back() -> None:
    own = pickle.loads(bytes(encode(masked(fill_value=7)).data))
    assert own.fill_value == 7
    assert encode(masked(fill_value=7)).digest != encode(masked()).digest


@pytest.mark.parametrize("make", [chunked, filtered])
def test_compacted_table_comes_back_equal(make: Callable[[], Any]) -> None:
    back = decode(encode(make()))
    assert back.equals(TABLE)
    assert back.schema.equals(TABLE.schema, check_metadata=True)

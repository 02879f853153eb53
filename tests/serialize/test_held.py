"""Large stored values, decoded by whoever takes them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow
import pytest

from flowweaver.serialize import Encoded, encode
from flowweaver.serialize.held import (
    Held,
    HeldList,
    Original,
    Originals,
    is_to_be_held,
    listed,
    values_of,
)
from flowweaver.serialize.shared_memory import MAPPED_FROM, FileMemory, place_in_file
from tests.serialize.awkward import Plain

ROWS = MAPPED_FROM // 8 + 10
LARGE = [
    np.arange(ROWS),
    bytes(MAPPED_FROM),
    polars.DataFrame({"n": range(ROWS)}),
    pyarrow.table({"n": range(ROWS)}),
]


def stored(value: Any, folder: Path) -> Encoded:
    """Return a value encoded and mapped from a file, as a store gives it."""
    encoded = encode(value)
    path = folder / encoded.digest
    path.write_bytes(encoded.data)
    with path.open("rb") as file:
        data = memoryview(FileMemory(file.fileno(), len(encoded.data)))
    return Encoded.verified(encoded.codec, data, encoded.digest)


def equal(one: Any, other: Any) -> bool:
    return encode(one) == encode(other) and type(one) is type(other)


@pytest.mark.parametrize("value", LARGE, ids=lambda value: type(value).__name__)
def test_each_taker_gets_the_value(value: Any, tmp_path: Path) -> None:
    held = Held(stored(value, tmp_path))
    assert equal(held.value(), value)
    assert equal(pickle.loads(pickle.dumps(held, 5)), value)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(held, 5, buffer_callback=buffers.append)
    assert len(data) < 1000
    assert equal(pickle.loads(data, buffers=buffers), value)


def test_takers_share_nothing_and_leave_the_file_as_it_is(tmp_path: Path) -> None:
    encoded = stored(LARGE[0], tmp_path)
    held = Held(encoded)
    first, second = held.value(), held.value()
    first[:] = 7
    assert equal(second, LARGE[0])
    assert equal(held.value(), LARGE[0])
    assert equal(pickle.loads(pickle.dumps(held, 5)), LARGE[0])
    assert (tmp_path / encoded.digest).read_bytes() == bytes(encode(LARGE[0]).data)


def test_it_is_sent_by_the_file_it_is_in(tmp_path: Path) -> None:
    encoded = stored(LARGE[0], tmp_path)
    buffers: list[pickle.PickleBuffer] = []
    pickle.dumps(Held(encoded), 5, buffer_callback=buffers.append)
    place = place_in_file(buffers[0].raw())
    assert place is not None
    assert place[1] == 0
    assert Path(f"/proc/self/fd/{place[0]}").samefile(tmp_path / encoded.digest)


def test_bytes_that_are_in_no_file_are_held_too() -> None:
    held = Held(encode(LARGE[0]))
    assert equal(held.value(), LARGE[0])
    assert equal(pickle.loads(pickle.dumps(held, 5)), LARGE[0])


def test_only_what_is_large_and_known_to_every_process_is_held() -> None:
    assert all(is_to_be_held(encode(value)) for value in LARGE)
    assert not is_to_be_held(encode(np.arange(10)))
    assert not is_to_be_held(encode(["a list of text"] * 600_000))
    assert not is_to_be_held(Encoded("a user's", bytes(MAPPED_FROM), "digest"))


def test_what_holds_a_held_value_is_turned_back_whole() -> None:
    one, other = Held(encode(LARGE[1])), listed([1, Held(encode(LARGE[1])), [2]])
    assert type(other) is HeldList
    assert pickle.loads(pickle.dumps(other, 5)) == [1, LARGE[1], [2]]
    arguments = {"a": one, "b": 3, "c": listed([other, 4])}
    body, condition = values_of(arguments, {"d": one})
    assert body == {"a": LARGE[1], "b": 3, "c": [[1, LARGE[1], [2]], 4]}
    assert body["a"] is condition["d"]
    assert type(body["c"]) is type(body["c"][0]) is list
    assert type(listed([1, 2])) is list


def test_copies_of_what_is_one_object_are_one_object() -> None:
    node = Plain()
    originals = Originals({"nodes": [node], "start": node, "more": {"a": 1}})
    given = {name: Original(originals, name) for name in ("nodes", "start", "more")}
    for _ in range(2):
        (first,), (second,) = values_of(given), values_of(given)
        assert first["nodes"][0] is first["start"] is not second["start"]
        assert first["more"] == {"a": 1}
        first["more"].clear()
    assert type(pickle.loads(pickle.dumps(given))["start"]) is Plain

"""Memory that encoded values share with other processes."""

from __future__ import annotations

import gc
import os
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from pickle import PickleBuffer

import polars
import pyarrow
import pytest

from flowweaver.serialize import decode, encode, frames, shared_memory
from flowweaver.serialize.encoded import Encoded
from flowweaver.serialize.shared_memory import (
    MAPPED_FROM,
    FileMemory,
    SharedMemory,
    content_of,
    file_behind,
    place_in_file,
    room_for,
)
from flowweaver.serialize.spool import joined

ROWS = MAPPED_FROM // 8 + 10


@pytest.fixture
def sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_memory, "_is_shared", True)


def test_what_is_large_is_joined_in_shared_memory_where_that_is_asked_for(sharing: None) -> None:
    parts = [b"head", bytes(MAPPED_FROM)]
    whole = joined(parts)
    assert isinstance(whole, memoryview)
    assert isinstance(whole.obj, SharedMemory)
    assert whole == b"".join(parts)
    assert type(joined([b"head", b"rest"])) is bytes


def test_nothing_is_shared_where_nobody_asked() -> None:
    assert type(joined([bytes(MAPPED_FROM)])) is bytes
    assert place_in_file(room_for(MAPPED_FROM)) is None


def test_tables_are_encoded_the_same_in_shared_memory(sharing: None) -> None:
    table = pyarrow.table({"n": range(ROWS)})
    shared = encode(table)
    assert isinstance(memoryview(shared.data).obj, SharedMemory)
    assert decode(shared).equals(table)
    small = encode(table.slice(0, 10))
    assert decode(small).equals(table.slice(0, 10))


def test_place_is_that_of_the_view() -> None:
    room = memoryview(SharedMemory(10_000))
    assert place_in_file(room[123:]) == (room.obj.fd, 123)
    assert place_in_file(room.toreadonly()) == (room.obj.fd, 0)
    assert place_in_file(PickleBuffer(room[123:]).raw()) == (room.obj.fd, 123)


def test_takers_own_memory_is_no_place_to_send_from(tmp_path: Path) -> None:
    """It may have been changed, which its file knows nothing of."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10_000)
    with path.open("rb") as file:
        own = memoryview(FileMemory(file.fileno(), 10_000))
    assert place_in_file(own) is None
    assert file_behind(own[7:]) == (own.obj.fd, 7)


@pytest.mark.skipif(not hasattr(os, "pread"), reason="Windows reads at the place of the file")
def test_bytes_are_read_from_the_file_behind_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"headxyz")
    with path.open("rb") as file:
        own = memoryview(FileMemory(file.fileno(), 7))
    asked: list[tuple[int, int, int]] = []

    def read_less(fd: int, size: int, start: int) -> bytes:
        asked.append((fd, size, start))
        return b"x"

    assert content_of(own[4:]) == b"xyz"
    monkeypatch.setattr(os, "pread", read_less)
    assert content_of(own[4:]) == b"xyz"
    assert asked == [(own.obj.fd, 3, 4)]
    assert content_of(own[4:].toreadonly()) == content_of(b"xyz") == b"xyz"


def in_file(encoded: Encoded, path: Path) -> Encoded:
    path.write_bytes(encoded.data)
    with path.open("rb") as file:
        own = memoryview(FileMemory(file.fileno(), len(encoded.data)))
    return Encoded(encoded.codec, own, encoded.digest)


TEXTS = ["a", None, "much longer than what fits", ""] * 10
COLUMNS = {
    "numbers": polars.Series([1, None, 3] * 10),
    "floats": polars.Series([0.5, None, float("nan"), -0.0]),
    "text": polars.Series(TEXTS),
    "bytes": polars.Series([b"raw", None, b"x" * 40]),
    "flags": polars.Series([True, None, False]),
    "times": polars.Series([datetime(2026, 1, 2, 3)] * 9).dt.replace_time_zone("Europe/Oslo"),
    "lengths": polars.Series([timedelta(1)] * 9).cast(polars.Duration("ms")),
    "categories": polars.Series(TEXTS, dtype=polars.Categorical),
    "one of": polars.Series(["b", "a", None], dtype=polars.Enum(["a", "b", "c"])),
    "decimals": polars.Series([Decimal("1.20"), None]),
    "lists": polars.Series([[1, 2], [], None]),
    "pairs": polars.Series([[1, 2], [3, 4]], dtype=polars.Array(polars.Int64, 2)),
    "structs": polars.Series([{"a": 1, "b": "q"}, None]),
    "nothing": polars.Series([None, None]),
    "no rows": polars.Series([], dtype=polars.Enum(["a"])),
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux opens a descriptor's file anew")
@pytest.mark.parametrize("name", COLUMNS)
def test_polars_frame_is_read_from_its_file_by_pyarrow(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = COLUMNS[name].to_frame("n")
    stored = in_file(encode(frame), tmp_path / "file")
    if frame.schema["n"] != polars.Enum:  # of which an old polars does not tell pyarrow all
        monkeypatch.delattr(frames, "_polars_by_itself")
    back = decode(stored)
    assert back.schema == frame.schema
    assert back.equals(frame)
    assert encode(back).digest == stored.digest


@pytest.mark.parametrize("is_there", [True, False], ids=["with pyarrow", "without"])
def test_polars_frame_that_pyarrow_cannot_read_is_read_by_polars(
    is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = polars.DataFrame({"n": range(9)}, schema={"n": polars.Int128})
    stored = in_file(encode(frame), tmp_path / "file")
    if not is_there:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert decode(stored).equals(frame)


def test_takers_of_one_frame_each_read_at_a_place_of_their_own(tmp_path: Path) -> None:
    frame = polars.DataFrame({"n": range(9)}, schema={"n": polars.Int128})
    stored = in_file(encode(frame), tmp_path / "file")
    fd = stored.data.obj.fd
    place = os.lseek(fd, 7, os.SEEK_SET)  # where another taker reads just now
    decode(stored)
    assert os.lseek(fd, 0, os.SEEK_CUR) == place


def open_descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells what is open")
def test_descriptors_go_with_the_memory() -> None:
    gc.collect()  # what earlier tests left goes now, and not meanwhile
    before = open_descriptors()
    made = [SharedMemory(10_000) for _ in range(10)]
    taken = open_descriptors() - before
    made.clear()
    # One descriptor more is that of the listing itself.
    assert len(taken) in (20, 21)
    assert len(taken & open_descriptors()) <= 1

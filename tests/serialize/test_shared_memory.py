"""Memory that encoded values share with other processes."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from pickle import PickleBuffer

import polars
import pyarrow
import pytest

from flowweaver.serialize import decode, encode, shared_memory
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


def test_polars_reads_from_the_file_behind_memory(tmp_path: Path) -> None:
    frame = polars.DataFrame({"n": range(1000), "text": ["x"] * 1000})
    encoded = encode(frame)
    path = tmp_path / "file"
    path.write_bytes(encoded.data)
    with path.open("rb") as file:
        own = memoryview(FileMemory(file.fileno(), len(encoded.data)))
    back = decode(Encoded(encoded.codec, own, encoded.digest))
    assert back.equals(frame)


def test_takers_of_one_frame_each_read_at_a_place_of_their_own(tmp_path: Path) -> None:
    encoded = encode(polars.DataFrame({"n": range(1000)}))
    path = tmp_path / "file"
    path.write_bytes(encoded.data)
    with path.open("rb") as file:
        own = memoryview(FileMemory(file.fileno(), len(encoded.data)))
    place = os.lseek(own.obj.fd, 7, os.SEEK_SET)  # where another taker reads just now
    decode(Encoded(encoded.codec, own, encoded.digest))
    assert os.lseek(own.obj.fd, 0, os.SEEK_CUR) == place


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

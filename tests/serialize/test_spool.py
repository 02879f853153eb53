"""Large values that are written into files as they are encoded."""

from __future__ import annotations

import errno
import os
import pickle
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from flowweaver.serialize import decode_trusted, encode
from flowweaver.serialize.encoded import CHUNK, content_digest
from flowweaver.serialize.shared_memory import MAPPED_FROM, Untouched, file_memory, place_in_file
from flowweaver.serialize.spool import sealed, spooled, spooling

pytestmark = pytest.mark.skipif(
    not hasattr(os, "O_TMPFILE"), reason="only Linux has files without a name"
)


@dataclass
class Kept:
    """What only pickle keeps."""

    numbers: Any


ROWS = MAPPED_FROM // 8 + 10
LARGE: dict[str, Callable[[], Any]] = {
    "array": lambda: np.arange(ROWS),
    "Fortran order": lambda: np.asfortranarray(np.arange(ROWS * 2).reshape(2, -1)),
    "bytes": lambda: bytes(MAPPED_FROM),
    "polars": lambda: polars.DataFrame({"n": range(ROWS), "text": ["é"] * ROWS}),
    "pandas": lambda: pandas.DataFrame({"n": range(ROWS)}),
    "Arrow": lambda: pyarrow.table({"n": range(ROWS)}).slice(1, ROWS - 2),
    "dict": lambda: {"n": np.arange(ROWS), "m": np.arange(ROWS)},
    "pickle": lambda: Kept(np.arange(ROWS)),
}


@pytest.fixture(params=LARGE)
def value(request: pytest.FixtureRequest) -> Any:
    return LARGE[request.param]()


def test_what_is_written_into_a_file_is_the_same(value: Any, tmp_path: Path) -> None:
    with spooling(tmp_path):
        there = encode(value)
    here = encode(value)
    assert (there.codec, there.digest) == (here.codec, here.digest)
    assert there.data == here.data
    assert encode(decode_trusted(there)).digest == here.digest


def test_file_has_no_name_and_stands_on_the_disk_of_the_folder(value: Any, tmp_path: Path) -> None:
    with spooling(tmp_path):
        encoded = encode(value)
    assert isinstance(encoded.data, memoryview)
    assert encoded.data.readonly
    place = place_in_file(pickle.PickleBuffer(encoded.data).raw())
    assert place is not None
    fd, start = place
    status = Path(f"/proc/self/fd/{fd}").stat()
    assert (status.st_dev, status.st_nlink) == (tmp_path.stat().st_dev, 0)
    assert (status.st_size, start) == (len(encoded.data), 0)
    assert list(tmp_path.iterdir()) == []


def test_small_values_and_those_that_nobody_wants_there_are_in_memory(tmp_path: Path) -> None:
    with spooling(tmp_path):
        assert isinstance(encode(np.arange(10)).data, bytes)
    assert isinstance(encode(np.arange(ROWS)).data, bytes)
    with spooling(tmp_path), spooling(None):
        assert isinstance(encode(np.arange(ROWS)).data, bytes)


def test_folder_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    with spooling(tmp_path / "missing"):
        assert encode(np.arange(ROWS)) == encode(np.arange(ROWS))


def test_disk_that_is_full_is_left_to_the_store_to_tell(tmp_path: Path) -> None:
    def write(file: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    with spooling(tmp_path):
        assert spooled(MAPPED_FROM, write) is None


def test_what_else_goes_wrong_is_not_passed_over(tmp_path: Path) -> None:
    def write(file: BinaryIO) -> None:
        raise ValueError("it can't be written")

    with spooling(tmp_path), pytest.raises(ValueError, match="can't be written"):
        spooled(MAPPED_FROM, write)


def test_the_disk_begins_to_write_while_a_value_is_still_being_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, int]] = []

    def refuse(fd: int) -> None:
        synced.append((os.fstat(fd).st_size, os.lseek(fd, 0, os.SEEK_CUR)))
        raise OSError(errno.EIO, "the disk fails")

    monkeypatch.setattr("flowweaver.serialize.spool.os.fsync", refuse)
    with spooling(tmp_path):
        made = encode(bytes(MAPPED_FROM))
    for thread in threading.enumerate():
        if thread.name == "flowweaver-sync":
            thread.join()
    # By an opening of its own, which is at its beginning: the store is told of the error, too.
    assert synced == [(MAPPED_FROM, 0)]
    assert made.data == bytes(MAPPED_FROM)


@pytest.mark.parametrize("size", [MAPPED_FROM, 2 * CHUNK + 1])
def test_a_value_is_written_where_no_thread_can_be_started(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with spooling(tmp_path), monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        made = encode(bytes(size))
    assert made.data == bytes(size)
    assert made.digest == encode(bytes(size)).digest
    del made
    assert opened_in(tmp_path) == []


@pytest.mark.parametrize(
    ("size", "chunks"), [(CHUNK, 0), (CHUNK + 1, 2), (2 * CHUNK, 2), (3 * CHUNK - 1, 3)]
)
def test_what_has_several_chunks_is_hashed_as_it_is_written(
    size: int, chunks: int, tmp_path: Path
) -> None:
    content = random.Random(size).randbytes(size)
    with spooling(tmp_path):
        made = encode(content)
    assert isinstance(made.data, memoryview)
    memory = file_memory(made.data)
    assert isinstance(memory, Untouched)
    assert len(memory.chunk_digests) == chunks
    assert made.digest == content_digest("bytes", content) == content_digest("bytes", made.data)


def test_digest_is_of_what_stands_in_the_file_whatever_becomes_of_the_value(
    tmp_path: Path,
) -> None:
    array = bytearray(CHUNK)

    def write(file: BinaryIO) -> None:
        for value in range(3):
            array[:] = bytes([value]) * CHUNK
            file.write(array)
        array[:] = bytes([9]) * CHUNK

    with spooling(tmp_path):
        data = spooled(3 * CHUNK, write)
    assert data is not None
    assert sealed("bytes", data).digest == content_digest("bytes", data)


def opened_in(folder: Path) -> list[str]:
    """Return what of a folder this process has open."""
    leads = []
    for path in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # another thread has closed it by now
            leads.append(str(path.readlink()))
    return [lead for lead in leads if lead.startswith(str(folder))]

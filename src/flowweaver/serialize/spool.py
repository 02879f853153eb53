"""Nameless files for large values, which a store on the same disk takes over.

A value is written once: its digest is made from the file while it is written, and the store gives
the file a name. A file that no store takes over leaves nothing behind.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from io import BufferedWriter, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, Self

from flowweaver.serialize.encoded import CHUNK, Data, Encoded, chunk_digest, seal, tree_digest
from flowweaver.serialize.shared_memory import (
    MAPPED_FROM,
    Untouched,
    file_memory,
    is_for_sharing,
    path_of,
    room_for,
)

_folder: ContextVar[Path | None] = ContextVar("flowweaver_spool", default=None)
_NAMELESS = getattr(os, "O_TMPFILE", None)


class spooling:  # named like a function since it is used as `with spooling(folder):`
    """Have large values written into files on this folder's disk while the context lasts."""

    # Not a generator, which is slower: every result that is stored passes here.
    __slots__ = ("_token", "_wanted")

    def __init__(self, folder: Path | None) -> None:
        self._wanted = folder

    def __enter__(self) -> None:
        self._token = _folder.set(self._wanted)

    def __exit__(self, *_: object) -> None:
        _folder.reset(self._token)


def spooled(size: int, write: Callable[[BinaryIO], object]) -> memoryview | None:
    """Return what `write` writes, about `size` bytes, as a file mapped into memory.

    None where so few bytes need no file, or none can be made; that the disk is full is for the
    store to say.
    """
    folder = _folder.get()
    if folder is None or _NAMELESS is None or size < MAPPED_FROM:
        return None
    try:
        fd = os.open(folder, _NAMELESS | os.O_RDWR, 0o600)
    except OSError:
        return None  # not every file system has such files
    try:
        with _HashedFile(fd) as hashed:
            with BufferedWriter(hashed) as file:
                write(file)
            _begin_to_sync(fd)
            memory = Untouched(fd, hashed.size)
            memory.chunk_digests = hashed.chunk_digests()
        return memoryview(memory).toreadonly()
    except OSError:
        return None
    finally:
        os.close(fd)


def sealed(codec: str, data: Data, likeness: str = "") -> Encoded:
    """Return the bytes that `codec` wrote, with their digest: as made on the way, if it was."""
    memory = file_memory(data)
    if not isinstance(memory, Untouched) or not memory.chunk_digests:
        return seal(codec, data, likeness)
    return Encoded.verified(codec, data, tree_digest(codec, memory.chunk_digests), likeness)


class _HashedFile(RawIOBase):
    """A file whose chunks are hashed by other threads while those behind them are written.

    They are hashed as they stand in the file: what is written may be memory that a thread changes.
    """

    def __init__(self, fd: int) -> None:
        super().__init__()
        self.size = 0
        self._fd = fd
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, "flowweaver-hash")
        self._digests: list[Future[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Write what fits into the present chunk; return how many bytes that was."""
        written = os.write(self._fd, memoryview(data)[: CHUNK - self.size % CHUNK])
        self.size += written
        if not self.size % CHUNK:
            self._hash(self.size - CHUNK)
        return written

    def chunk_digests(self) -> tuple[bytes, ...]:
        """Return the digests of all chunks; none if it is but one, or threads can't be had."""
        if self.size > CHUNK and self.size % CHUNK:
            self._hash(self.size - self.size % CHUNK)
        if self.size <= CHUNK or len(self._digests) * CHUNK < self.size:
            return ()
        return tuple(each.result() for each in self._digests)

    def _hash(self, start: int) -> None:
        with suppress(RuntimeError):  # there can be no more threads
            size = self.size - start
            self._digests.append(self._pool.submit(_digest_in, self._fd, start, size))


def _digest_in(fd: int, start: int, size: int) -> bytes:
    with (
        mmap.mmap(fd, size, access=mmap.ACCESS_READ, offset=start) as memory,
        memoryview(memory) as chunk,
    ):
        return chunk_digest(chunk)


def _begin_to_sync(fd: int) -> None:
    """Let the disk write while the digest is made, so that the store's own sync takes less time.

    A disk's error is reported once to each descriptor that was opened separately. This opens the
    file anew, and so does not swallow an error that the store has to see.
    """
    try:
        own = os.open(path_of(fd), os.O_RDWR)
    except OSError:
        return
    try:
        threading.Thread(target=_sync, args=(own,), name="flowweaver-sync", daemon=True).start()
    except RuntimeError:  # there can be no more threads
        os.close(own)


def _sync(fd: int) -> None:
    with suppress(OSError):
        os.fsync(fd)
    os.close(fd)


def joined(parts: Sequence[Data]) -> Data:
    """Return the parts joined, in a file or in memory."""
    size = sum(map(len, parts))
    made = spooled(size, lambda file: file.writelines(parts))
    if made is not None:
        return made
    if not is_for_sharing(size):
        return b"".join(parts)
    room, start = room_for(size), 0
    for part in parts:
        room[start : start + len(part)] = part
        start += len(part)
    return room

"""Memory for encoded values that another process can map, instead of being sent a copy."""

from __future__ import annotations

import mmap
import os
import sys
from typing import Self

from flowweaver.serialize.encoded import Data

MAPPED_FROM = 8 * 1024 * 1024
"""Bytes from which a value is mapped: smaller ones are cheaper to copy without a descriptor."""

_is_shared = False


class FileMemory(mmap.mmap):
    """The bytes of a file for one taker alone, whose changes never reach the file.

    Attributes:
        fd: A descriptor of the file, closed together with the mapping.
    """

    fd: int

    def __new__(cls, fd: int, size: int, access: int = mmap.ACCESS_COPY) -> Self:
        made = super().__new__(cls, fd, size, access=access)
        made.fd = os.dup(fd)
        return made

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            os.close(self.fd)


class SharedMemory(FileMemory):
    """The bytes of a nameless file; whoever else maps it sees what is written here."""

    def __new__(cls, size: int) -> Self:
        fd = nameless_file(size)
        try:
            return super().__new__(cls, fd, size, mmap.ACCESS_WRITE)
        finally:
            os.close(fd)


class Untouched(FileMemory):
    """The bytes of a file that nobody changes here, so that another process reads the same.

    Attributes:
        chunk_digests: The digests of its chunks, if they were made as it was written.
    """

    chunk_digests: tuple[bytes, ...] = ()


def file_memory(data: Data) -> FileMemory | None:
    """Return the mapping that bytes are in, if it is of a whole file and they are all of it."""
    owner = _owner(data) if isinstance(data, memoryview) else None
    return owner if isinstance(owner, FileMemory) and len(owner) == len(data) else None


def untouched(data: Data) -> Data:
    """Return bytes that nobody has changed: mapped anew, if they were mapped from a file."""
    memory = file_memory(data)
    return data if memory is None else memoryview(Untouched(memory.fd, len(memory)))


def mapped_anew(data: Data) -> Data:
    """Return the same bytes for one taker alone, if they can be had without a copy."""
    memory = file_memory(data)
    return data if memory is None else memoryview(FileMemory(memory.fd, len(memory)))


def nameless_file(size: int) -> int:
    """Return the descriptor of a file of `size` bytes that is gone once nobody has it open."""
    if sys.platform == "linux":
        fd = os.memfd_create("flowweaver")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.truncate(fd, size)
    return fd


def share_large() -> None:
    """Have large values encoded where another process can map them, from now on."""
    global _is_shared  # noqa: PLW0603
    _is_shared = True


def room_for(size: int) -> memoryview:
    """Return memory that a value of `size` bytes is encoded into."""
    return memoryview(SharedMemory(size) if is_for_sharing(size) else bytearray(size))


def is_for_sharing(size: int) -> bool:
    """Return whether a value of `size` bytes is put where another process can map it."""
    return _is_shared and size >= MAPPED_FROM


def place_in_file(view: memoryview) -> tuple[int, int] | None:
    """Return the descriptor and offset at which another process finds a view's bytes, or None."""
    memory = _owner(view)
    if not isinstance(memory, SharedMemory | Untouched):
        return None
    return (memory.fd, 0) if len(view) == len(memory) else file_behind(view)


def file_behind(view: memoryview) -> tuple[int, int] | None:
    """Return the descriptor of the file behind a view, and its offset there; None without one.

    The file lacks what a taker has changed in a mapping of its own.
    """
    owner = _owner(view)
    if not isinstance(owner, FileMemory) or view.readonly:
        return None
    return owner.fd, _address(view) - _address(memoryview(owner))


def content_of(data: Data) -> bytes:
    """Return a copy of bytes, read from the file behind them if there is one.

    Mapped memory is had page by page, which takes twice as long, and under Python's lock.
    """
    found = file_behind(data) if isinstance(data, memoryview) else None
    if found is None or not hasattr(os, "pread"):
        return bytes(data)
    content = os.pread(found[0], len(data), found[1])
    # A call reads at most 2 GB.
    return content if len(content) == len(data) else bytes(data)


def path_of(fd: int) -> str:
    """Return a path by which Linux opens the file of a descriptor anew, whether it has a name.

    What is opened so shares neither the place with the descriptor nor the errors it is to report.
    """
    return f"/proc/self/fd/{fd}"


def _address(view: memoryview) -> int:
    import ctypes

    return ctypes.addressof(ctypes.c_char.from_buffer(view))


def _owner(view: memoryview) -> object:
    """Return the object whose memory a view shows, through the views that unpickling makes."""
    owner: object = view.obj
    while isinstance(owner, memoryview):
        owner = owner.obj
    return owner

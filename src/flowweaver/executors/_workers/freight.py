"""Large bytes on their way between processes: in files that both map, never through the socket."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Sequence
from typing import Self

from flowweaver.plugins import MAPPED_FROM, FileMemory, nameless_file, place_in_file

PLACE = struct.Struct("!iQQ")
"""Where bytes are: the number of the file (-1: in the socket, in order), the start, the length."""
MOST_FILES = 64
"""More descriptors don't go with one message; what is beyond them goes by the socket."""


class Freight:
    """The buffers beside one message, sorted by how they travel.

    What lies in shared memory goes by its file; what else is large is copied into one.

    Attributes:
        files: The descriptors to be sent.
        inline: What goes by the socket.
    """

    def __init__(self, views: Sequence[memoryview]) -> None:
        self.files: list[int] = []
        self.inline: list[memoryview] = []
        self._own: list[int] = []
        self._places = [self._stow(view) for view in views]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self._own:
            os.close(fd)

    def table(self) -> bytes:
        """Return where the buffers are, one after the other."""
        return b"".join([PLACE.pack(*place) for place in self._places])

    def _stow(self, view: memoryview) -> tuple[int, int, int]:
        size = view.nbytes
        if size < MAPPED_FROM or len(self.files) >= MOST_FILES:
            self.inline.append(view)
            return -1, 0, size
        found = place_in_file(view)
        if found is not None:
            fd, start = found
            self.files.append(fd)
        else:
            start = 0
            self.files.append(_copied(view))
            self._own.append(self.files[-1])
        return len(self.files) - 1, start, size


def mapped(fd: int, start: int, length: int) -> memoryview:
    """Return a part of a file, in memory of its own: what is changed there stays there."""
    if not start:
        return memoryview(FileMemory(fd, length))
    skipped = start % mmap.ALLOCATIONGRANULARITY
    memory = mmap.mmap(fd, skipped + length, access=mmap.ACCESS_COPY, offset=start - skipped)
    return memoryview(memory)[skipped:]


def _copied(view: memoryview) -> int:
    fd = nameless_file(view.nbytes)
    while view:
        view = view[os.write(fd, view) :]
    return fd

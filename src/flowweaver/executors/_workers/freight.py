"""Large buffers between processes: in files that both map, as long as descriptors last."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Sequence
from typing import Self

from flowweaver.plugins import MAPPED_FROM, FileMemory, nameless_file, place_in_file

SPAN = struct.Struct("!iQQ")
"""Where a buffer is: the number of its file (-1: on the socket, in order), its start and length."""
MOST_FILES = 64
"""The most descriptors that are sent with one message; further buffers go through the socket."""


class Freight:
    """The buffers beside one message, sorted by how they travel.

    A buffer in shared memory goes as a part of its file; another large one is copied into a file.

    Attributes:
        files: The descriptors to be sent.
        inline: The buffers that go through the socket.
    """

    def __init__(self, views: Sequence[memoryview]) -> None:
        self.files: list[int] = []
        self.inline: list[memoryview] = []
        self._own: list[int] = []
        self._spans = [self._stow(view) for view in views]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self._own:
            os.close(fd)

    def table(self) -> bytes:
        """Return where the buffers are, one after the other."""
        return b"".join([SPAN.pack(*span) for span in self._spans])

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
    """Return a part of a file in memory of its own, whose changes never reach the file."""
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

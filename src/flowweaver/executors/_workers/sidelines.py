"""Two pipes beside the wire: permits to begin calls, and a tray for outcomes that wake nobody.

A worker that has several calls takes a permit before it begins each, and lays the outcome of each
in its tray before it takes the next permit. So whatever becomes of the worker, its supervisor knows
which calls were begun and how those that ended came out, and can take back what was not begun.
"""

from __future__ import annotations

import os
import pickle
import select
import struct
from contextlib import suppress
from typing import Any

_HEAD = struct.Struct("!I")
# What a pipe takes whole or not at all.
_LARGEST = getattr(select, "PIPE_BUF", 512) - _HEAD.size
_CHUNK = 65_536


class Permits:
    """A pipe that holds one byte for each call that may be begun. Either end may read it.

    Args:
        source: The descriptor to take permits from.
        sink: The descriptor to give them by, which the supervisor has.
    """

    __slots__ = ("_sink", "_source")

    def __init__(self, source: int, sink: int = -1) -> None:
        os.set_blocking(source, False)
        self._source = source
        self._sink = sink

    def give(self, count: int) -> None:
        """Let `count` more calls be begun."""
        os.write(self._sink, bytes(count))

    def take(self, most: int = 1) -> int:
        """Take permits as far as there are any, and return how many."""
        try:
            return len(os.read(self._source, most))
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Close the pipe."""
        for fd in (self._source, self._sink):
            if fd >= 0:
                os.close(fd)


class Tray:
    """The end of a pipe that a worker leaves small messages in.

    Each message in it is whole, and stays there when the worker dies.
    """

    __slots__ = ("_sink",)

    def __init__(self, sink: int) -> None:
        self._sink = sink

    def lay(self, message: tuple[Any, ...]) -> bool:
        """Leave a message; False if it is too large."""
        data = pickle.dumps(message, 5)
        if len(data) > _LARGEST:
            return False
        os.write(self._sink, _HEAD.pack(len(data)) + data)
        return True


class TrayReader:
    """The supervisor's end of a tray."""

    __slots__ = ("_rest", "_source")

    def __init__(self, source: int) -> None:
        os.set_blocking(source, False)
        self._source = source
        self._rest = b""

    def collect(self) -> list[tuple[Any, ...]]:
        """Return the messages there are, in order; never waits."""
        data = self._rest
        with suppress(BlockingIOError):
            while chunk := os.read(self._source, _CHUNK):
                data += chunk
        messages: list[tuple[Any, ...]] = []
        start, size = 0, _HEAD.size
        while len(data) - start >= size:
            (length,) = _HEAD.unpack_from(data, start)
            end = start + size + length
            if end > len(data):
                break
            messages.append(pickle.loads(data[start + size : end]))
            start = end
        self._rest = data[start:]
        return messages

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._source)

"""Lines that show when they are torn or damaged: length, checksum, JSON.

A line is ``<length> <check> <sum> <payload>``: the payload's length in bytes as 8 hex digits, the
CRC-32 of those digits, and 8 bytes of blake2b over the sum of the line before and the payload. So
a flipped bit, a line lost, doubled or out of place is told from a line whose end was never
written: the length is sound there, and the file ends before it is reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple
from zlib import crc32

_HEAD = 8 + 1 + 8 + 1 + 16 + 1

START = b""
"""The sum before the first line."""


class Line(NamedTuple):
    """A line as read: its payload, where that starts, its sum, and where the next line starts."""

    payload: bytes
    start: int
    sum: bytes
    end: int


class DamagedLineError(Exception):
    """A line is not as it was written; the message says where."""


def framed(payloads: list[bytes], before: bytes) -> bytes:
    """Return the lines of `payloads`, to be put after the line of sum `before`."""
    parts = []
    for payload in payloads:
        before = _sum(before, payload)
        length = b"%08x" % len(payload)
        parts.append(b"%b %08x %b %b\n" % (length, crc32(length), before, payload))
    return b"".join(parts)


def lines(data: bytes, offset: int, before: bytes) -> Iterator[Line]:
    """Yield the whole lines in `data`, which stands at `offset` after the line of sum `before`.

    A last line that was not written to its end is left out. (It may end in NULs, where a file
    had grown before the power went.)

    Raises:
        DamagedLineError: A line is not as it was written.
    """
    position, beyond = 0, len(data.rstrip(b"\0"))
    while position + _HEAD <= beyond:
        start = position + _HEAD
        length = _length(data[position:start], offset + position)
        end = start + length + 1
        if end > beyond:
            return
        payload = data[start : end - 1]
        before = _sum(before, payload)
        if data[start - 17 : start - 1] != before or data[end - 1 : end] != b"\n":
            raise DamagedLineError(f"the line at byte {offset + position} fails its checksum")
        yield Line(payload, offset + start, before, offset + end)
        position = end


def _length(head: bytes, place: int) -> int:
    length, check, rest = head[:8], head[9:17], head[17:]
    sound = check == b"%08x" % crc32(length) and head[8:9] + rest[:1] + rest[-1:] == b"   "
    if not sound:
        raise DamagedLineError(f"the line at byte {place} has a damaged head")
    return int(length, 16)


def _sum(before: bytes, payload: bytes) -> bytes:
    return blake2b(before + payload, digest_size=8).hexdigest().encode()

"""Bytes behind a head line for people, so that previews need neither library nor payload."""

from __future__ import annotations

from flowweaver.serialize.describe import clean, shorten
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.spool import joined

_LONGEST = 400
_CHUNK = 65_536


def head_line(head: str) -> bytes:
    """Return the head line of a payload, cut where it is long."""
    return shorten(clean(head), _LONGEST).encode() + b"\n"


def with_head(head: str, *payload: Data) -> Data:
    """Return a payload in pieces behind its head line; the pieces are copied once."""
    return joined([head_line(head), *payload])


def head_of(data: Data) -> str:
    """Return the head line; for damaged bytes, whatever text is in its place."""
    return _beginning(data).partition(b"\n")[0].decode(errors="replace")


def payload_of(data: Data) -> memoryview:
    """Return the bytes behind the head line."""
    return memoryview(data)[_beginning(data).index(b"\n") + 1 :]


def first_line(data: Data) -> bytes:
    """Return what stands before the first newline; raises `ValueError` if there is none."""
    for start in range(0, len(data), _CHUNK):
        if (place := bytes(data[start : start + _CHUNK]).find(b"\n")) >= 0:
            return bytes(data[: start + place])
    raise ValueError("a line has no end")


def _beginning(data: Data) -> bytes:
    return bytes(data[: 4 * _LONGEST])

"""Bytes under a line for people: previews then need neither the library nor the payload."""

from __future__ import annotations

from flowweaver.serialize.describe import clean, shorten

_LONGEST = 400


def with_head(head: str, payload: bytes) -> bytes:
    """Return the payload under its head line."""
    return shorten(clean(head), _LONGEST).encode() + b"\n" + payload


def head_of(data: bytes) -> str:
    """Return the head line; of damaged bytes, what stands in its place."""
    return data[: 4 * _LONGEST].partition(b"\n")[0].decode(errors="replace")


def payload_of(data: bytes) -> bytes:
    """Return what stands below the head line."""
    return data[data.index(b"\n") + 1 :]

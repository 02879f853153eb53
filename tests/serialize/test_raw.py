"""Bytes are stored as they are."""

from __future__ import annotations

from flowweaver.serialize import encode
from flowweaver.serialize.raw import RawBytes


def test_stored_bytes_are_the_value():
    assert encode(b"\x00x").data == b"\x00x" == RawBytes().encode(b"\x00x")


def test_only_exact_bytes_are_handled():
    assert [RawBytes().handles(kind) for kind in (bytes, bytearray, str)] == [True, False, False]

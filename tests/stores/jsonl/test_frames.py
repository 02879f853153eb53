"""Lines with length and checksum: whole, cut or damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver.stores.jsonl.frames import START, DamagedLineError, framed, lines

PAYLOADS = st.lists(st.binary(max_size=40).filter(lambda data: b"\0" not in data), max_size=6)


def payloads_of(data: bytes) -> list[bytes]:
    return [line.payload for line in lines(data, 0, START)]


@given(PAYLOADS)
def test_lines_come_back(payloads: list[bytes]) -> None:
    data = framed(payloads, START)
    assert payloads_of(data) == payloads
    found = list(lines(data, 0, START))
    assert [data[line.start : line.start + len(line.payload)] for line in found] == payloads
    assert [line.end for line in found][-1:] == [len(data)][: len(payloads)]


@given(PAYLOADS, PAYLOADS)
def test_reading_can_go_on_after_any_line(before: list[bytes], after: list[bytes]) -> None:
    data = framed(before, START)
    last = ([*lines(data, 0, START)] or [None])[-1]
    sum_, end = (START, 0) if last is None else (last.sum, last.end)
    data += framed(after, sum_)
    assert [line.payload for line in lines(data[end:], end, sum_)] == after


@given(PAYLOADS, st.data())
def test_cut_lines_are_left_out(payloads: list[bytes], data: st.DataObject) -> None:
    whole = framed(payloads, START)
    length = data.draw(st.integers(0, len(whole)))
    nulls = data.draw(st.sampled_from([b"", b"\0" * 100]))
    kept = payloads_of(whole[:length] + nulls)
    assert kept == payloads[: len(kept)]
    assert len(framed(payloads[: len(kept) + 1], START)) > length or kept == payloads


@given(PAYLOADS.filter(bool), st.data())
def test_flipped_bit_is_damage(payloads: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(framed(payloads, START))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DamagedLineError):
        payloads_of(bytes(whole))

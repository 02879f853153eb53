"""Plain JSON, strictly."""

from __future__ import annotations

import json
import sys

import pytest

from flowweaver.serialize import decode_trusted, encode
from flowweaver.serialize.plain_json import _make_writer

LARGE = [7**2000, -(7**4000), 10**3999]


@pytest.fixture
def short_ints():
    """Let this process read ints of 640 digits only, as another one may be set."""
    usual = sys.get_int_max_str_digits()
    yield
    sys.set_int_max_str_digits(usual)


def test_ints_are_read_under_a_smaller_digit_limit_than_they_were_written(short_ints):
    encoded = encode(LARGE)
    assert encoded.codec == "json"
    sys.set_int_max_str_digits(640)
    assert decode_trusted(encoded) == LARGE


def test_text_is_what_any_json_reader_reads():
    value = {"a": [1, -0.0, 1e300, 'é\u2028\x00"\\'], "b": {}}
    assert json.loads(encode(value).data) == value


@pytest.mark.parametrize("value", [1, "é\n", {"a": [1.5, None, {}]}, []])
def test_writer_without_the_c_encoder_writes_the_same(value):
    assert _make_writer(None)(value).encode() == encode(value).data


@pytest.mark.parametrize("value", [float("nan"), [float("inf")]])
def test_writers_refuse_what_json_has_not(value):
    with pytest.raises(ValueError, match="JSON"):
        _make_writer(None)(value)

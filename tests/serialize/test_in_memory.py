"""Bytes are read wherever in memory they are: large ones are mapped, or shared with a process."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from flowweaver.serialize import Encoded, decode_trusted, encode, preview

_SHARED = [1, 2]
VALUES: dict[str, Any] = {
    "text": "ä" * 300,
    "list": [1, "b", None],
    "mapping": {"a": [1.5]},
    "huge number": 10**5000,
    "long": ["text"] * 50_000,
    "tagged": (1, {2: date(2026, 11, 30)}),
    "tagged with a part": {"array": np.arange(3), "more": (1,)},
    "pickle": [_SHARED, _SHARED],
    "bytes": b"bytes",
    "array": np.arange(5),
    "scalar": np.float32(1.5),
    "frame": pl.DataFrame({"x": [1, 2]}),
}


@pytest.mark.parametrize("make", [memoryview, lambda data: memoryview(bytearray(data))])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_value_and_preview_are_those_of_bytes(value: Any, make: Any) -> None:
    encoded = encode(value)
    data = bytes(encoded.data)
    whole = Encoded(encoded.codec, data, encoded.digest)
    mapped = Encoded(encoded.codec, make(data), encoded.digest)
    assert encode(decode_trusted(mapped)).digest == encoded.digest
    assert preview(mapped) == preview(whole)
    assert not preview(mapped).startswith(f"<{encoded.codec}") or encoded.codec == "pickle"

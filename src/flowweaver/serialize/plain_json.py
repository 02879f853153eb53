"""Values that JSON keeps exactly as they are: the fast path."""

from __future__ import annotations

from collections.abc import Callable
from json import JSONDecoder, JSONEncoder, encoder
from typing import Any

from flowweaver.serialize.display import LONGEST, show
from flowweaver.serialize.encoded import Data

_SHOWN_WHOLE = 100_000
_DIGITS_AT_ONCE = 600


def _make_writer(c_make_encoder: Any) -> Callable[[Any], str]:
    """Return a function that writes JSON text, strictly and compactly.

    `JSONEncoder.encode` builds its C encoder anew at each call, for half the time a small
    value takes; without the C encoder (PyPy) it is as good as any.
    """
    if c_make_encoder is None:
        return JSONEncoder(
            ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
        ).encode
    form = {"encoder": encoder.encode_basestring, "key_separator": ":", "item_separator": ","}
    switches = {"sort_keys": False, "skipkeys": False, "allow_nan": False}
    write = c_make_encoder(markers=None, default=None, indent=None, **form, **switches)
    return lambda value: "".join(write(value, 0))


_write = _make_writer(getattr(encoder, "c_make_encoder", None))
_read = JSONDecoder().raw_decode


class PlainJson:
    """Form of None, bool, int, finite float, str, and lists and str-keyed dicts of them."""

    name = "json"
    runs_code = False

    def encode(self, value: Any) -> bytes:
        """Return JSON text.

        Raises:
            ValueError: a NaN, an infinity, a lone surrogate, or an int too long for decimals.
        """
        return _write(value).encode()

    def decode(self, data: Data) -> Any:
        """Return the value."""
        text = str(data, "utf-8")
        try:
            return _read(text)[0]
        except ValueError:
            # Written under a larger sys.set_int_max_str_digits than this process has.
            return JSONDecoder(parse_int=_long_int).decode(text)

    def preview(self, data: Data) -> str:
        """Return the value as Python writes it; the JSON text itself when it is large."""
        if len(data) > _SHOWN_WHOLE:
            return str(data[:LONGEST], "utf-8", "replace")
        return show(self.decode(data))


def _long_int(digits: str) -> int:
    sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits)
    value = 0
    for start in range(0, len(digits), _DIGITS_AT_ONCE):
        block = digits[start : start + _DIGITS_AT_ONCE]
        value = value * 10 ** len(block) + int(block)
    return sign * value

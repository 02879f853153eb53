"""Bytes, stored as they are."""

from __future__ import annotations

from flowweaver.serialize.describe import size_text
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.shared_memory import content_of

_SHOWN_WHOLE = 60


class RawBytes:
    """Codec for exact `bytes`."""

    name = "bytes"
    runs_code = False

    def handles(self, kind: type) -> bool:
        """Return whether `kind` is `bytes` itself."""
        return kind is bytes

    def encode(self, value: bytes) -> bytes:
        """Return the value."""
        return value

    def decode(self, data: Data) -> bytes:
        """Return the value."""
        return content_of(data)

    def preview(self, data: Data) -> str:
        """Return the literal, or its beginning and the size."""
        shown = bytes(data[:_SHOWN_WHOLE])
        if len(data) <= _SHOWN_WHOLE:
            return repr(shown)
        return f"{shown!r}.. ({size_text(len(data))})"

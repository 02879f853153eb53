"""Bytes, stored as they are."""

from __future__ import annotations

from flowweaver.serialize.describe import size_text

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

    def decode(self, data: bytes) -> bytes:
        """Return the value."""
        return data

    def preview(self, data: bytes) -> str:
        """Return the literal, or its beginning and the size."""
        if len(data) <= _SHOWN_WHOLE:
            return repr(data)
        return f"{data[:_SHOWN_WHOLE]!r}.. ({size_text(len(data))})"

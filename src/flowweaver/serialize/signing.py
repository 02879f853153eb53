"""Signatures of what could run code when it is read."""

from __future__ import annotations

import hmac
from threading import Lock
from typing import Any

from flowweaver.errors import UndecodableError
from flowweaver.serialize.encoded import Encoded
from flowweaver.serialize.encoding import decode_trusted
from flowweaver.serialize.keyfile import load_key
from flowweaver.serialize.registry import needs_signature

_WAY_OUT = (
    "give the key it was written with (FLOWWEAVER_KEY or FLOWWEAVER_KEY_FILE), or run its task "
    "again"
)


class Signer:
    """Signs and verifies encoded values with a key that is kept outside every store.

    Without `key`, the key comes from FLOWWEAVER_KEY or the key file when it is first needed.
    """

    __slots__ = ("_key", "_lock")

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self._lock = Lock()

    def sign(self, encoded: Encoded) -> str:
        """Return the hex HMAC-SHA256 of codec and bytes.

        Raises:
            StoreError: there is no key, and none can be made.
        """
        message = hmac.new(self._get_key(), encoded.codec.encode() + b"\0", "sha256")
        message.update(encoded.data)
        return message.hexdigest()

    def verify(self, encoded: Encoded, signature: str | None) -> None:
        """Refuse what could run code unless it carries the right signature.

        What runs no code needs none, and passes without a key.

        Raises:
            UndecodableError: the signature is missing or doesn't fit.
            StoreError: there is no key, and none can be made.
        """
        if not needs_signature(encoded.codec):
            return
        if not signature:
            raise UndecodableError(
                f"A result stored as {encoded.codec} carries no signature, so it is not read: it "
                f"could run any code. To go on, {_WAY_OUT}."
            )
        if not hmac.compare_digest(self.sign(encoded).encode(), signature.encode()):
            raise UndecodableError(
                f"The signature of a result stored as {encoded.codec} doesn't fit: it was written "
                f"with another key, or changed since. To go on, {_WAY_OUT}."
            )

    def decode(self, encoded: Encoded, signature: str | None) -> Any:
        """Return the value of stored bytes; what could run code must carry its signature.

        Raises:
            UndecodableError: the signature is missing or doesn't fit, or the bytes don't decode.
            StoreError: there is no key, and none can be made.
        """
        self.verify(encoded, signature)
        return decode_trusted(encoded)

    def _get_key(self) -> bytes:
        with self._lock:
            if self._key is None:
                self._key = load_key()
            return self._key

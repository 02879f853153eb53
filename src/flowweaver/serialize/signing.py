"""Signatures of what could run code when it is read."""

from __future__ import annotations

import hmac
from threading import Lock
from typing import Any

from flowweaver.errors import UndecodableError
from flowweaver.serialize.encoded import Encoded
from flowweaver.serialize.encoding import decode_trusted
from flowweaver.serialize.keyfile import load_key
from flowweaver.serialize.pickle_names import Home
from flowweaver.serialize.registry import needs_signature

# The beginning of a signature that is bound to a place.
_PLACED = "at:"
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

    def check_key(self) -> None:
        """Raise `StoreError` if there is no key and none can be made."""
        self._get_key()

    def sign(self, encoded: Encoded, place: str = "") -> str:
        """Return the signature of a value at a place; it fits the value nowhere else.

        It is the hex HMAC-SHA256 of the value's digest, a NUL and the place.

        Raises:
            StoreError: there is no key, and none can be made.
        """
        return self._sign(encoded.digest, place)

    def fits(self, digest: str, signature: str, place: str = "") -> bool:
        """Return whether a signature fits a digest at a place; the value is not needed.

        True for signatures of versions that signed the bytes alone: `verify` checks those.
        """
        if not signature.startswith(_PLACED):
            return True
        return hmac.compare_digest(self._sign(digest, place).encode(), signature.encode())

    def moved(self, digest: str, signature: str, place: str, to: str) -> str | None:
        """Return the signature of a digest for another place; None if it doesn't fit its own."""
        if not signature.startswith(_PLACED) or not self.fits(digest, signature, place):
            return None
        return self._sign(digest, to)

    def verify(self, encoded: Encoded, signature: str | None, place: str = "") -> None:
        """Refuse what could run code unless it carries the right signature for its place.

        What runs no code needs none, and passes without a key.

        Raises:
            UndecodableError: the signature is missing or doesn't fit, or the bytes have changed.
            StoreError: there is no key, and none can be made.
        """
        if not needs_signature(encoded.codec):
            return
        if not signature:
            raise UndecodableError(
                f"A result stored as {encoded.codec} carries no signature, so it is not read: it "
                f"could run any code. To go on, {_WAY_OUT}."
            )
        if signature.startswith(_PLACED):
            is_right = encoded.fits() and self.fits(encoded.digest, signature, place)
        else:
            is_right = hmac.compare_digest(self._sign_bytes(encoded).encode(), signature.encode())
        if not is_right:
            raise UndecodableError(
                f"The signature of a result stored as {encoded.codec} doesn't fit: it was written "
                f"with another key or for another place, or changed since. To go on, {_WAY_OUT}."
            )

    def decode(
        self,
        encoded: Encoded,
        signature: str | None,
        place: str = "",
        home: Home | None = None,
    ) -> Any:
        """Return the value of stored bytes; what could run code must carry its signature.

        `home` finds what has moved since of the project's own classes and functions.

        Raises:
            UndecodableError: the signature is missing or doesn't fit, or the bytes don't decode.
            StoreError: there is no key, and none can be made.
        """
        self.verify(encoded, signature, place)
        return decode_trusted(encoded, home)

    def _sign(self, digest: str, place: str) -> str:
        message = f"{digest}\0{place}".encode("utf-8", "surrogatepass")
        return _PLACED + hmac.new(self._get_key(), message, "sha256").hexdigest()

    def _sign_bytes(self, encoded: Encoded) -> str:
        """Return the signature as versions made it that signed the bytes alone, without a place."""
        message = hmac.new(self._get_key(), encoded.codec.encode() + b"\0", "sha256")
        message.update(encoded.data)
        return message.hexdigest()

    def _get_key(self) -> bytes:
        with self._lock:
            if self._key is None:
                self._key = load_key()
            return self._key

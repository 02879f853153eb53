"""A value as it is stored: codec, bytes and the digest that names them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value in bytes; `digest` is its content address, its checksum and its identity."""

    codec: str
    data: bytes
    digest: str


def content_digest(codec: str, data: bytes) -> str:
    """Return the hex blake2b-160 of the codec's name, a NUL and the bytes."""
    hasher = blake2b(codec.encode() + b"\0", digest_size=20)
    hasher.update(data)
    return hasher.hexdigest()


def seal(codec: str, data: bytes) -> Encoded:
    """Return the bytes that `codec` wrote, with their digest."""
    return Encoded(codec, data, content_digest(codec, data))

"""A value as it is stored: codec, bytes and the digest that names them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b

Data = bytes | memoryview
"""Bytes of a value. A writable memoryview belongs to whoever was given it, alone."""

CHUNK = 16 * 1024 * 1024
"""The bytes of each piece that a value is hashed in, if it has more of them."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value in bytes; `digest` is its content address and its checksum.

    `likeness` is the digest that equal values share although their bytes differ, since pickle
    writes which parts are one object. `is_verified` says that the digest is known to fit the bytes.
    """

    codec: str
    data: Data
    digest: str
    likeness: str = field(default="", compare=False)
    is_verified: bool = field(default=False, init=False, compare=False, repr=False)

    @classmethod
    def verified(cls, codec: str, data: Data, digest: str, likeness: str = "") -> Encoded:
        """Return a value whose digest has just been made from its bytes, or found to fit them."""
        made = cls(codec, data, digest, likeness)
        object.__setattr__(made, "is_verified", True)
        return made

    @property
    def known_by(self) -> str:
        """The digest by which tasks that take the value know it; equal values share it."""
        return self.likeness or self.digest

    def fits(self) -> bool:
        """Return whether the bytes are those of the digest."""
        if self.is_verified or content_digest(self.codec, self.data) == self.digest:
            return True
        # Before version 1.0 was released, large values had digests as small ones have.
        return len(self.data) > CHUNK and _flat_digest(self.codec, self.data) == self.digest

    def __reduce__(self) -> tuple[object, ...]:
        return Encoded, (self.codec, bytes(self.data), self.digest, self.likeness)


def content_digest(codec: str, data: Data) -> str:
    """Return the hex blake2b-160 of the codec's name, a NUL and the bytes.

    For a large value it is the digest of the digests of its chunks, made on all processors at once.
    """
    if len(data) <= CHUNK:
        return _flat_digest(codec, data)
    view = memoryview(data)
    chunks = [view[start : start + CHUNK] for start in range(0, len(view), CHUNK)]
    try:
        with ThreadPoolExecutor(min(len(chunks), os.cpu_count() or 1)) as pool:
            return tree_digest(codec, pool.map(chunk_digest, chunks))
    except RuntimeError:  # there can be no more threads
        return tree_digest(codec, map(chunk_digest, chunks))


def tree_digest(codec: str, digests: Iterable[bytes]) -> str:
    """Return the content digest of a value of several chunks by their digests."""
    root = blake2b(codec.encode() + b"\0", digest_size=20, person=b"tree")
    root.update(b"".join(digests))
    return root.hexdigest()


def chunk_digest(chunk: memoryview) -> bytes:
    """Return the digest of one of the pieces of `CHUNK` bytes that a large value has."""
    return blake2b(chunk, digest_size=32, person=b"chunk").digest()


def _flat_digest(codec: str, data: Data) -> str:
    hasher = blake2b(codec.encode() + b"\0", digest_size=20)
    hasher.update(data)
    return hasher.hexdigest()


def seal(codec: str, data: Data, likeness: str = "") -> Encoded:
    """Return the bytes that `codec` wrote, with their digest."""
    return Encoded.verified(codec, data, content_digest(codec, data), likeness)

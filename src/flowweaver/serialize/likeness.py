"""The digest that equal values share, whichever of their parts are one object.

Pickle writes an object that occurs twice only once, so that it comes back as one: `[v, v]` and
`[v, copy]` become different bytes, and so does text that the compiler shares. To a task that takes
them they are equal, and it is not run again for such a difference.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable
from functools import partial
from hashlib import blake2b
from math import inf
from typing import Any

from flowweaver.serialize.describe import Raised, contained
from flowweaver.serialize.encoded import content_digest
from flowweaver.serialize.ordering import in_order
from flowweaver.serialize.pickle_names import Renamed, with_known_names
from flowweaver.serialize.pickles import PROTOCOL, SETS, reduced
from flowweaver.serialize.plain_json import PlainJson
from flowweaver.serialize.registry import code_free_codec_for, run_codec
from flowweaver.serialize.shape import BUILT_IN, CONTAINERS, PLAIN
from flowweaver.serialize.tagged_json import TaggedJson
from flowweaver.serialize.verdicts import Unfit

# A value whose parts are shared over and over can grow without bound when written out in full;
# beyond this it is known by its bytes.
_MOST_TIMES = 4
_SPARE_BYTES = 1_000_000
_SCALAR_BYTES = 8


def likeness_of(value: object, size: int, kept_in: Renamed = ()) -> str:
    """Return the digest that all values share which equal one of `size` pickled bytes.

    Modules count by the names that `kept_in` gives for them. It is "" for a value that contains
    itself, and for one that would be far larger if nothing were shared: those are known by their
    bytes.
    """
    most = _MOST_TIMES * size + _SPARE_BYTES
    for way in (_of_plain_parts, partial(_of_objects, kept_in)):
        found = contained(way, value, most)
        if not isinstance(found, Raised):
            return found
    return ""


def with_meanings(likeness: str, meanings: Iterable[str]) -> str:
    """Return the likeness of a value that has to do with code of the project.

    Args:
        likeness: That of what it holds; "" stays so.
        meanings: What its classes and functions mean: whoever takes the value calls their code.
    """
    known = sorted({*meanings})
    if not likeness or not known:
        return likeness
    return content_digest("meanings", " ".join([likeness, *known]).encode())


class _TooLargeError(Exception):
    """The value is too large when nothing of it is shared."""


def _of_plain_parts(value: object, most: int) -> str:
    """Return the digest of a value of builtin parts, written out with nothing shared.

    Raises:
        Unfit: It needs pickle for another reason than its shared parts.
    """
    scan = _Scan()
    if scan.size(value) > most:
        raise _TooLargeError
    if scan.is_plain:
        try:
            return content_digest("json", PlainJson().encode(value))
        except ValueError:
            pass  # as in `encode`: a NaN, a lone surrogate or a huge int
    return content_digest("tagged", TaggedJson().encode(value))


class _Scan:
    """Estimates the size of a value written out in full; looks at each object once."""

    def __init__(self) -> None:
        self.is_plain = True
        self._sizes: dict[int, float] = {}

    def size(self, item: Any) -> float:
        """Return about how many bytes an item takes, with its parts as often as they are met."""
        kind = type(item)
        if kind in PLAIN:
            return len(item) if kind is str else _SCALAR_BYTES
        known = self._sizes.get(id(item))
        if known is None:
            self._sizes[id(item)] = inf  # stands if the item contains itself
            known = self._sizes[id(item)] = self._measured(item, kind)
        return known

    def _measured(self, item: Any, kind: type) -> float:
        if kind is dict:
            self.is_plain &= {str}.issuperset(map(type, item))
            parts = [*item, *item.values()]
        elif kind in CONTAINERS:
            self.is_plain &= kind is list
            parts = item
        else:
            self.is_plain = False
            return self._of_leaf(item, kind)
        return _SCALAR_BYTES + sum(map(self.size, parts))

    def _of_leaf(self, item: Any, kind: type) -> float:
        if kind in BUILT_IN:
            return len(item) if kind in (bytes, bytearray) else _SCALAR_BYTES
        codec = code_free_codec_for(kind)
        if codec is None:
            raise Unfit("no codec that runs no code handles its type")
        return len(run_codec(codec, item))


def _of_objects(kept_in: Renamed, value: object, most: int) -> str:
    """Return the digest of a value's pickle with nothing shared, its tables written by codecs.

    Raises:
        ValueError: It contains itself.
    """
    sink = _Sink(most, kept_in)
    sink.take(value)
    return sink.hexdigest()


class _Sink:
    """Digests what a pickler writes, up to as many bytes as it is allowed."""

    def __init__(self, most: int, kept_in: Renamed) -> None:
        self._left = most
        self._kept_in = kept_in
        self._hasher = blake2b(digest_size=20, person=b"likeness")
        self._outer: list[list[bytes]] = []

    def hexdigest(self) -> str:
        """Return the digest of all that was taken."""
        return self._hasher.hexdigest()

    def take(self, value: object) -> None:
        """Take in a value.

        Raises:
            _TooLargeError: That would be too much.
        """
        _Unshared(self).dump(value)

    def write(self, data: bytes) -> int:
        """Take in what a pickler has written."""
        self._left -= len(data)
        if self._left < 0:
            raise _TooLargeError
        if self._outer:
            self._outer[-1].append(bytes(data))
        else:
            self._hasher.update(with_known_names(bytes(data), self._kept_in))
        return len(data)

    def aside(self, value: object) -> bytes:
        """Return what a pickler writes of a value, which counts but is not taken in."""
        self._outer.append([])
        try:
            self.take(value)
        finally:
            written = self._outer.pop()
        return b"".join(written)


class _Unshared(pickle.Pickler):
    """Writes each object as often as it is met, sets in an order and tables by their codec."""

    def __init__(self, sink: _Sink) -> None:
        super().__init__(sink, PROTOCOL)
        self.fast = True  # keeps no memo, so that an object is written each time it is met
        self._sink = sink

    def persistent_id(self, obj: Any) -> object:
        """Return what stands for a set: its elements, in the same order in each process."""
        if type(obj) in SETS:
            return type(obj).__name__, in_order(obj, self._sink.aside)
        return None

    def reducer_override(self, obj: Any) -> Any:
        """Return how an object is pickled by its value alone."""
        table = _as_table(obj)
        codec = None if isinstance(obj, type) else code_free_codec_for(type(table))
        if codec is not None:
            try:
                return _part, (type(obj), content_digest(codec.name, run_codec(codec, table)))
            except Unfit:
                pass  # as in `encode`: pickle keeps it
        return reduced(obj)


def _as_table(obj: Any) -> Any:
    """Return an Arrow column as a table, since its chunks are no part of its value; else `obj`."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(obj, arrow.Array | arrow.ChunkedArray):
        return arrow.table({"values": obj})
    return obj


def _part(kind: type, digest: str) -> tuple[type, str]:
    """Stand in the pickle for a part that a codec writes: its digest is all that is written."""
    return kind, digest

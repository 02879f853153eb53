"""Digest a value by what it is, the same in each process.

Sets are sorted, identities and hash seeds play no part. Each object in it counts in one of four
ways: functions, classes and modules of the project are handed back, to be reached like any other
code; installed code is noted by its package; all else is taken apart; what can't be is named.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

from flowweaver.fingerprint.apart import (
    Apart,
    base_of,
    callable_apart,
    foreign_apart,
    module_with,
    own_apart,
    pickled,
)
from flowweaver.fingerprint.finding import Ask, asked_with, finds_by_name
from flowweaver.fingerprint.kinds import (
    full_name,
    is_any_of,
    is_callable_object,
    told_apart_by,
)
from flowweaver.fingerprint.met import HeldCode, Met, Numbered
from flowweaver.fingerprint.owners import Owner, owner_of_module
from flowweaver.fingerprint.passing import Passing
from flowweaver.fingerprint.pickled import objects_named_in
from flowweaver.fingerprint.spelling import literal
from flowweaver.fingerprint.standing import How, Standing, standing_of, standing_of_class
from flowweaver.fingerprint.writers import STATELESS, write_base, writer_for

_DEEPEST = 50
_MOST_OBJECTS = 100_000
# How deep elements of a set are looked at to order them: the next only if some are alike so far.
_LEVELS = (2, 4, 8, 16, 40)
_MOST_UNFOLDED = 200_000
_SCALARS = frozenset({type(None), bool, int, float, complex, str, bytes, type(...)})
_TELLING_NOTHING = frozenset({None, True, False, ..., -1, "", b""})
_COLLECTIONS = (list, dict, set, bytearray, deque)


class ValueDigest(NamedTuple):
    """A value's digest, and what else it comes to.

    `code` is what it holds of the project's code, `packages` are the installed ones that it has
    to do with, `opaque` says what can't be seen in it. `is_private` says that it has content
    which is not in the source that made it. `attributes` are digests of those of an object, `asks`
    is what else counts because what it holds asks for it.
    """

    digest: str
    code: tuple[HeldCode, ...]
    packages: tuple[str, ...]
    opaque: tuple[str, ...]
    is_private: bool
    attributes: tuple[tuple[str, str], ...]
    asks: frozenset[Ask] = frozenset()


def digest_value(
    value: object,
    project: str = "",
    literals: frozenset[object] = frozenset(),
    addresses: frozenset[int] = frozenset(),
) -> ValueDigest:
    """Digest a value; never fails, but says what it could not see.

    Args:
        value: Any value.
        project: A folder; paths in it count by their places in it, wherever it may be.
        literals: The literals and names in the source that made the value.
        addresses: Those of objects around it, which are no content either.
    """
    walk = Walk(project, literals, addresses)
    walk.write_all(value)
    if more := walk.addresses_met() - addresses:
        walk = Walk(project, literals, addresses | more)
        walk.write_all(value)
    digest = blake2b(b"".join(walk.out), digest_size=16).hexdigest()
    met = walk.met
    return ValueDigest(
        digest,
        tuple(met.code.things),
        tuple(met.packages),
        tuple(met.opaque),
        met.is_private,
        tuple(met.attributes),
        frozenset(met.asks),
    )


def is_scalar(value: object) -> bool:
    """Whether the value is a literal without parts, which can't be changed in place."""
    return type(value) in _SCALARS


def are_scalars(values: Iterable[object]) -> bool:
    """Whether all the values are literals without parts."""
    return _SCALARS.issuperset(map(type, values))


def is_filled(value: object) -> bool:
    """Whether the value is there to be filled or used up: a collection or an iterator."""
    return is_any_of(value, _COLLECTIONS) or hasattr(type(value), "__next__")


class Walk:
    """Writes a value down; each object that has parts becomes one digest."""

    def __init__(
        self,
        project: str,
        literals: frozenset[object],
        addresses: AbstractSet[int] = frozenset(),
    ) -> None:
        self._project = project
        self._addresses = addresses
        self._literals = literals
        self.out: list[bytes] = []
        self.met = Met()
        self._open: dict[int, int] = {}
        self._done: dict[int, tuple[object, bytes, bool]] = {}
        self._far: Numbered[object] = Numbered()
        self._passing = Passing(addresses)
        self._has_own_code = False
        self._in_package = 0

    @property
    def is_in_package(self) -> bool:
        """Whether what is written now is held by something that was installed."""
        return self._in_package > 0

    def write(self, value: object, depth: int) -> None:
        """Write a value that is a part of what is being written."""
        if type(value) in _SCALARS:
            self._scalar(value)
        elif id(value) in self._open:
            self.text(f"^{depth - self._open[id(value)]}")
        elif id(value) in self._done:
            _, digest, has_own_code = self._done[id(value)]
            self._has_own_code |= has_own_code
            self.out.append(digest)
        elif depth > _DEEPEST:
            self._postpone(value)
        else:
            self._composite(value, depth)

    def write_all(self, value: object) -> None:
        """Write a value, and then what was too deep inside to be written where it stood."""
        self.write(value, 0)
        for far in self._far.things:  # which grows meanwhile
            self.write(far, 0)

    def addresses_met(self) -> frozenset[int]:
        """Return the addresses of objects that were written as if they were content."""
        return frozenset(self._passing.suspects & self._done.keys())

    def named(self, name: str, parts: Iterable[object], depth: int) -> None:
        """Write a kind of thing and its parts."""
        parts = tuple(parts)
        self.text(f"{name} {len(parts)}")
        for part in parts:
            self.write(part, depth)

    def text(self, text: str) -> None:
        """Write what is no content of the value, such as a type or the name of an attribute."""
        self._sized(text.encode("utf-8", "surrogatepass"))

    def known(self, kind: str, content: str, *leaves: tuple[object, ...]) -> None:
        """Write a value of a known kind by its text.

        Its content is in the source if all of one of the tuples of `leaves` is.
        """
        self.text(f"{kind} {content}")
        if not content.startswith("<project>"):
            self.met.is_private |= not any(all(map(self._is_told, each)) for each in leaves)

    def _is_told(self, leaf: object) -> bool:
        """Whether a leaf tells nothing, or stands in the source."""
        try:
            return leaf in _TELLING_NOTHING or leaf in self._literals
        except TypeError:  # a signaling NaN has no hash
            return False

    def in_package(self, top: str, name: str, parts: Iterable[object], depth: int) -> None:
        """Write what an installed package has made."""
        self.met.packages[top] = None
        self._in_package += 1
        try:
            self.named(name, parts, depth)
        finally:
            self._in_package -= 1

    def in_order(self, elements: Iterable[object], depth: int) -> list[object]:
        """Return the elements of a set in an order that is the same in each process.

        They are told apart by what is in them, looked at no deeper than that takes.
        """
        elements = list(elements)
        keys: Sequence[bytes] = ()
        for levels in _LEVELS if len(elements) > 1 else ():
            keys = [self._unfolded.down_to(levels, each, self._in_package) for each in elements]
            if len(set(keys)) == len(keys):
                break
        else:
            pairs = zip(keys, elements, strict=False)
            keys = [key + self._as_met(element, depth) for key, element in pairs]
        self._unfolded.rest()
        return [elements[at] for at in sorted(range(len(keys)), key=keys.__getitem__)] or elements

    def _as_met(self, value: object, depth: int) -> bytes:
        """Return what tells a value from one that is like it: where it was met before."""
        if id(value) in self._open:
            return b"^%d" % (depth - self._open[id(value)])
        return self._done[id(value)][1] if id(value) in self._done else b""

    @cached_property
    def _unfolded(self) -> _Unfolded:
        return _Unfolded(self._project, frozenset(), self._addresses)

    def portable(self, text: str) -> str:
        """Return a path as it counts: one in the project by its place in it."""
        if self._project and f"{text}{os.sep}".startswith(f"{self._project}{os.sep}"):
            return f"<project>{text.removeprefix(self._project)}"
        return text

    def hide(self, value: object, what: str) -> None:
        """Note something that can't be seen."""
        self.met.opaque[what] = None
        self.text(f"hidden {type_name(value)}")

    def _scalar(self, value: Any) -> None:
        if value not in _TELLING_NOTHING and value not in self._literals:
            self.met.is_private |= type(value) is not str or self.portable(value) == value
        if self._in_package:
            self._scalar_in_package(value)
        elif type(value) is str:
            if value[:2] == "__":
                self.met.asks |= asked_with(value)
            self._sized(b"s" + self.portable(value).encode("utf-8", "surrogatepass"))
        else:
            self._sized(b"b" + value if type(value) is bytes else literal(value).encode())

    def _scalar_in_package(self, value: Any) -> None:
        # What a package notes for itself asks for nothing.
        self._in_package, inside, asks = 0, self._in_package, {*self.met.asks}
        self._scalar(self._passing.without(value))
        self._in_package, self.met.asks = inside, asks
        if type(value) is bytes:
            for named in objects_named_in(value):
                self.write(named, 0)

    def _composite(self, value: object, depth: int) -> None:
        """Write a value of several parts as one digest, so that sharing it costs nothing."""
        outside, self.out = self.out, []
        outside_has, self._has_own_code = self._has_own_code, False
        self._open[id(value)] = depth
        try:
            self._parts(value, depth + 1)
        finally:
            del self._open[id(value)]
            inside, self.out = self.out, outside
        digest = b"#" + blake2b(b"".join(inside), digest_size=16).digest()
        # The value is kept so that its id is not given to another one meanwhile.
        self._done[id(value)] = value, digest, self._has_own_code
        self._has_own_code |= outside_has
        self.out.append(digest)

    def _postpone(self, value: object) -> None:
        self.text(f"far {self._far.number(id(value), value)}")

    def _parts(self, value: object, depth: int) -> None:
        if len(self._done) + len(self._open) > _MOST_OBJECTS:
            self.hide(value, f"what is beyond {_MOST_OBJECTS:,} objects")
            return
        writer = writer_for(value)
        if writer is not None:
            writer(self, value, depth)
            return
        standing = standing_of(value)
        if standing.how is How.MEANING:
            self._own_code(value)
        elif standing.how is How.VERSION:
            self._installed(standing, value)
        else:
            self._object(value, depth)

    def _own_code(self, value: object) -> None:
        self._has_own_code = True
        held = HeldCode(value, self._in_package > 0)
        number = self.met.code.number((id(value), held.by_package), held)
        self.text(f"code {number}")

    def _installed(self, standing: Standing, value: object) -> None:
        self.met.asks |= asked_with(value)
        if finds_by_name(value):
            self.met.opaque[full_name(value)] = None
        if standing.top:
            self.met.packages[standing.top] = None
        self.text(f"code {full_name(value)}")

    def _object(self, value: object, depth: int) -> None:
        name = type_name(value)
        if name in STATELESS:
            self.text(name)
            return
        cls = standing_of_class(type(value))
        if cls.how is How.MEANING:
            write_base(self, value, base_of(type(value)), depth)
            self._apart(value, own_apart(value), depth)
            return
        if cls.top:
            self.met.packages[cls.top] = None
        self._in_package += bool(cls.top)
        try:
            self._foreign(value, depth)
        finally:
            self._in_package -= bool(cls.top)

    def _foreign(self, value: object, depth: int) -> None:
        if not (is_callable_object(value) and self._in_package):
            self._apart(value, foreign_apart(value), depth)
            return
        write_base(self, value, base_of(type(value)), depth)
        apart = callable_apart(value)
        self._apart(value, apart, depth)
        # What is written in C and holds a function of the project is a wrapper around it.
        if not apart.held and not self._has_own_code:
            self._apart(value, pickled(value) or Apart(is_whole=False), depth)

    def _apart(self, value: object, apart: Apart, depth: int) -> None:
        if apart.name:
            module = module_with(apart.name, value)
            self.text(f"global {module} {apart.name}")
            apart = Apart(is_whole=bool(module) and owner_of_module(module) is not Owner.PROJECT)
        write_base(self, value, apart.base, depth)
        self.named("object", (type(value),), depth)
        for name, part in apart.held:
            self.text(name)
            if self._in_package and type(part) is int and "hash" in name:
                continue  # it follows from the rest
            start = len(self.out)
            self.write(part, depth)
            if depth == 1:
                content = blake2b(b"".join(self.out[start:]), digest_size=16).hexdigest()
                self.met.attributes.append((name, content))
        self.named("and", apart.parts, depth)
        if not apart.is_whole:
            self.hide(value, f"the state of {type_name(value)}")

    def _sized(self, data: bytes) -> None:
        self.out.append(b"%d:" % len(data))
        self.out.append(data)


class _Unfolded(Walk):
    """Writes values down to some depth, whatever is around them: the same in each process.

    What points back is written once more, and deeper is nothing but a type.
    """

    def __init__(
        self, project: str, literals: frozenset[object], addresses: AbstractSet[int]
    ) -> None:
        super().__init__(project, literals, addresses)
        self._lowest = 0
        # The values are kept so that their ids are not given to others meanwhile.
        self._known: dict[tuple[int, int, bool], tuple[object, bytes, bool]] = {}

    def down_to(self, levels: int, value: object, in_package: int) -> bytes:
        """Return a value as it is written down to so many levels of parts."""
        self._lowest, self._in_package = levels, in_package
        return self._written(lambda: self.write(value, 0))

    def rest(self) -> None:
        """Let go of what was met, and of what was written if it is much."""
        self.met = Met()
        if len(self._known) > _MOST_UNFOLDED:
            self._known.clear()

    def in_order(self, elements: Iterable[object], depth: int) -> list[object]:
        """Return the elements of a set by what they are written as."""
        return sorted(elements, key=lambda each: self._written(lambda: self.write(each, depth)))

    def write(self, value: object, depth: int) -> None:
        """Write a value, or its type if it is too deep inside."""
        if type(value) in _SCALARS:
            self._scalar(value)
            return
        if depth > self._lowest:
            self.text(type_name(value))
            return
        place = id(value), self._lowest - depth, self._in_package > 0
        if place not in self._known:
            outside_has, self._has_own_code = self._has_own_code, False
            content = self._written(lambda: self._parts(value, depth + 1))
            digest = b"#" + blake2b(content, digest_size=16).digest()
            self._known[place] = value, digest, self._has_own_code
            self._has_own_code = outside_has
        _, digest, has_own_code = self._known[place]
        self._has_own_code |= has_own_code
        self.out.append(digest)

    def _written(self, write: Callable[[], None]) -> bytes:
        outside, self.out = self.out, []
        try:
            write()
        finally:
            inside, self.out = self.out, outside
        return b"".join(inside)

    def _own_code(self, value: object) -> None:
        self._has_own_code = True
        self.text(f"code {full_name(value)}")
        # Of several with one name, by what they do and hold: one may hold itself, so no deeper.
        for part in told_apart_by(value):
            self.write(part, self._lowest + 1)


def type_name(value: object) -> str:
    """Return the full name of a value's type."""
    return full_name(type(value))

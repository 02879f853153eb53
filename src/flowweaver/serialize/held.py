"""Large stored values on their way to a body: they are decoded where it runs.

Decoded earlier, they would take memory in a process that has no use for them, and would be copied
on their way to the one that has.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from itertools import chain
from pickle import PickleBuffer
from typing import Any

from flowweaver.secret import Secret
from flowweaver.serialize.aside import encode_without_secrets
from flowweaver.serialize.encoded import Data, Encoded
from flowweaver.serialize.encoding import decode_trusted
from flowweaver.serialize.registry import is_passed_on
from flowweaver.serialize.shared_memory import MAPPED_FROM, file_memory, mapped_anew, untouched


class Held:
    """A stored value for any number of takers, each of which decodes its own.

    Unpickling a pickle of it gives the value itself.
    """

    __slots__ = ("__weakref__", "_encoded")

    def __init__(self, encoded: Encoded) -> None:
        data = untouched(encoded.data)
        self._encoded = Encoded.verified(encoded.codec, data, encoded.digest)

    @property
    def digest(self) -> str:
        """The content digest of its bytes."""
        return self._encoded.digest

    def value(self) -> Any:
        """Return the value, which shares nothing with that of another taker."""
        held = self._encoded
        data = mapped_anew(held.data)
        return decode_trusted(Encoded.verified(held.codec, data, held.digest))

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        held = self._encoded
        # The buffer is of the file's memory itself: a view that the garbage collector finds in a
        # circle is released under buffers still in use, which crashes the interpreter.
        data = file_memory(held.data) or held.data
        return _value_of, (held.codec, PickleBuffer(data), held.digest)


class Originals:
    """Values of which each taker gets copies of its own: what is one object in them stays one."""

    __slots__ = ("_apart", "_values")

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self._apart: tuple[Encoded, tuple[Secret[Any], ...]] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def copies(self) -> dict[str, Any]:
        """Return copies as stored results would be; where secrets are in them, deep ones."""
        if self._apart is None:
            self._apart = encode_without_secrets(self._values, root="arguments")
        encoded, secrets = self._apart
        made: dict[str, Any] = deepcopy(self._values) if secrets else decode_trusted(encoded)
        return made


class Original:
    """One of such values, which is copied where the body runs.

    Unpickling a pickle of it gives a copy as well.
    """

    __slots__ = ("__weakref__", "name", "values")

    def __init__(self, values: Originals, name: str) -> None:
        self.values = values
        self.name = name

    def value(self) -> Any:
        """Return a copy."""
        return self.values.copies()[self.name]

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return _itself, (self.values[self.name],)


class HeldList(list[Any]):
    """A list that contains held values."""

    def value(self) -> list[Any]:
        """Return the list with the values themselves."""
        return [value_of(item) for item in self]

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return list, (list(self),)


_HELD = frozenset({Held, HeldList, Original})


def is_to_be_held(encoded: Encoded) -> bool:
    """Return whether takers are given a value held, to decode for themselves."""
    return len(encoded.data) >= MAPPED_FROM and is_passed_on(encoded.codec)


def listed(items: list[Any]) -> list[Any]:
    """Return a list that was just made, as a `HeldList` if anything in it is held."""
    is_held = any(isinstance(item, Held | HeldList) for item in items)
    return HeldList(items) if is_held else items


def value_of(taken: Any) -> Any:
    """Return what is to be handed to a body: the value itself where one is held."""
    return taken.value() if type(taken) in _HELD else taken


def values_of(*mappings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return arguments as a body gets them; what is one object in several of them stays one."""
    turned: dict[int, Any] = {}
    copies: dict[int, dict[str, Any]] = {}
    for taken in chain.from_iterable(arguments.values() for arguments in mappings):
        if id(taken) in turned:
            continue
        if type(taken) is Original:
            if id(taken.values) not in copies:
                copies[id(taken.values)] = taken.values.copies()
            turned[id(taken)] = copies[id(taken.values)][taken.name]
        else:
            turned[id(taken)] = value_of(taken)
    return [
        {name: turned[id(taken)] for name, taken in arguments.items()} for arguments in mappings
    ]


def are_held(arguments: Mapping[str, Any]) -> bool:
    """Return whether any of the arguments is yet to be decoded."""
    return not _HELD.isdisjoint(map(type, arguments.values()))


def _itself(value: Any) -> Any:
    return value


def _value_of(codec: str, data: Data | bytearray, digest: str) -> Any:
    # Whoever sent it has verified it.
    view = data if isinstance(data, bytes) else memoryview(data)
    return decode_trusted(Encoded.verified(codec, view, digest))

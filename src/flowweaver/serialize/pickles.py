"""Pickle for what has no other exact form: checked to come back, and the same each time."""

from __future__ import annotations

import copyreg
import pickle
import sys
from io import BytesIO
from operator import methodcaller
from typing import Any

from flowweaver.errors import UnstorableError
from flowweaver.masking import masker
from flowweaver.secret import Secret, withheld
from flowweaver.serialize.compare import difference
from flowweaver.serialize.culprit import unstorable
from flowweaver.serialize.describe import Raised, contained
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.ordering import in_order
from flowweaver.serialize.pickle_names import (
    loaded,
    loaded_with_names,
    noted,
    with_known_names,
)
from flowweaver.serialize.verdicts import SecretMet

PROTOCOL = 5
"""Fixed: a newer default would change every digest."""

# The opcodes of sets; they may turn up in other data too, which costs time only.
_SET_OPCODES = (pickle.EMPTY_SET, pickle.FROZENSET)
SETS = (set, frozenset)
"""The types whose elements pickle writes in the order of their hashes."""
# How an object whose state is an empty dict ends, such as some exceptions: see `reduce_exception`.
_EMPTY_STATE = pickle.EMPTY_DICT + pickle.MEMOIZE + pickle.BUILD


class Pickle:
    """Form of everything else; it runs code, so what it wrote is read only when signed."""

    name = "pickle"
    runs_code = True

    def encode(self, value: Any) -> bytes:
        """Return a pickle that depends on the value alone, not on hashes or earlier accesses."""
        data = _dump(value)
        has_sets = any(opcode in data for opcode in _SET_OPCODES) and _has_sets(value)
        if has_sets or _EMPTY_STATE in data:
            ordered = contained(_dump_ordered, value)
            # A set that contains itself by way of an object has no such order.
            return data if isinstance(ordered, Raised) else ordered
        return data

    def decode(self, data: Data) -> Any:
        """Return the value. Runs code that the bytes chose."""
        return loaded(data)

    def preview(self, data: Data) -> str:
        """Return size and class, read from the opcodes."""
        from flowweaver.serialize.pickle_preview import preview_pickle

        return preview_pickle(data)


def reduce_exception(error: BaseException) -> str | tuple[Any, ...]:
    """Return what an exception's own `__reduce_ex__` gives, without an empty state.

    Importing Dask has tracebacks pickled with all exceptions, and the state is an empty dict or
    missing depending on whether anybody ever looked at `__dict__`. Neither is part of the value.
    """
    reduced = error.__reduce_ex__(PROTOCOL)
    if isinstance(reduced, tuple) and reduced[2:] == ({},):
        return reduced[:2]
    return reduced


def _reduce_masked(array: Any) -> tuple[Any, ...]:
    """Return how a masked array is pickled so that it depends on its value alone.

    The array notes its type's default fill value once somebody asks for it, and when unpickled.
    Whether its mask is hard is not in its own pickle.
    """
    if array.hardmask:
        soft = array.view()
        soft.soften_mask()
        return methodcaller("harden_mask"), (soft,)
    make, arguments, (*state, _) = array.__reduce__()
    given = array.fill_value
    default = sys.modules["numpy.ma"].default_fill_value(array.dtype)
    is_default = given.dtype == array.dtype and bool((given == default).all())
    return make, arguments, (*state, None if is_default else given)


def _reduce_secret(secret: Secret[Any]) -> tuple[Any, ...]:
    if secret.is_there:
        raise SecretMet
    return withheld, ()


def _reducers() -> dict[type, Any]:
    """Return the reducers of types whose own pickles depend on more than the value."""
    reducers: dict[type, Any] = {Secret: _reduce_secret} if masker.is_used else {}
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    return reducers if masked is None else {**reducers, masked: _reduce_masked}


def _dump(value: object) -> bytes:
    reducers = _reducers()
    if BaseException not in copyreg.dispatch_table and not reducers:
        return pickle.dumps(value, PROTOCOL)
    file = BytesIO()
    pickler = pickle.Pickler(file, PROTOCOL)
    pickler.dispatch_table = {
        kind: reduce
        for kind, reduce in copyreg.dispatch_table.items()
        if not issubclass(kind, BaseException)
    } | reducers
    pickler.dump(value)
    return file.getvalue()


class _SetFound(Exception):
    """Ends the search for sets."""


class _SetSearch(pickle.Pickler):
    def persistent_id(self, obj: Any) -> None:
        if type(obj) in SETS and len(obj) > 1:
            raise _SetFound


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)


def _has_sets(value: object) -> bool:
    found = contained(_SetSearch(_Nowhere(), PROTOCOL).dump, value)
    return isinstance(found, Raised) and isinstance(found.error, _SetFound)


def reduced(obj: Any) -> Any:
    """Return how an object is pickled by its value alone; NotImplemented if its own way does."""
    if isinstance(obj, BaseException):
        return reduce_exception(obj)
    reduce = _reducers().get(type(obj))
    return NotImplemented if reduce is None else reduce(obj)


class _OrderedPickler(pickle._Pickler):
    """The pickler in Python, since only it asks `reducer_override` about builtin types too."""

    def reducer_override(self, obj: Any) -> Any:
        return (type(obj), (in_order(obj, _dump_ordered),)) if type(obj) in SETS else reduced(obj)


def _dump_ordered(value: object) -> bytes:
    file = BytesIO()
    _OrderedPickler(file, PROTOCOL).dump(value)
    return file.getvalue()


_CODEC = Pickle()


def encode_checked(value: object, root: str) -> bytes:
    """Return the pickle of `value`, after making sure that it comes back equal in value and type.

    Raises:
        UnstorableError: it doesn't; its path leads to the innermost part that fails alone.
    """
    data = contained(_CODEC.encode, value)
    if isinstance(data, Raised):
        raise unstorable(value, root, data.error, _failure_of) from data.error
    read = contained(loaded_with_names, data)
    if isinstance(read, Raised):
        raise unstorable(value, root, read.error, _failure_of) from read.error
    back, met = read
    odd = difference(value, back, _copy, root)
    if odd is not None:
        raise UnstorableError(*odd)
    named = _named_for_all(data)
    return noted(named, met, renamed=named is not data)


def _named_for_all(data: bytes) -> bytes:
    """Return a pickle that names a script's definitions as others import them, if that loads."""
    named = with_known_names(data)
    if named is data:
        return data
    again = contained(_copy_of, named)
    return named if again == data else data


def _copy_of(data: bytes) -> bytes:
    return _CODEC.encode(_CODEC.decode(data))


def _copy(value: object) -> object:
    return _CODEC.decode(_CODEC.encode(value))


def _failure_of(value: object) -> BaseException | None:
    """Return what a value raises when it is stored alone, or None."""
    copy = contained(_copy, value)
    return copy.error if isinstance(copy, Raised) else None

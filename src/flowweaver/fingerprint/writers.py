"""How values of the kinds are written that Python itself brings along."""

from __future__ import annotations

import contextvars
import datetime
import functools
import gc
import re
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from flowweaver.fingerprint.bytecode import listing, suspension_of
from flowweaver.fingerprint.delayed import is_delayed, write_delayed
from flowweaver.fingerprint.kinds import (
    added_to,
    content_of,
    functions_in,
    is_a,
    is_any_of,
    is_built_in,
    module_of,
    vars_of,
)
from flowweaver.fingerprint.ours import writer_of_ours
from flowweaver.fingerprint.owners import Owner
from flowweaver.fingerprint.standing import How, owner_of_function, standing_of
from flowweaver.fingerprint.walk import Walk, Writer
from flowweaver.secret import Secret

if TYPE_CHECKING:
    from fractions import Fraction

# Without a state that could bear on a result.
STATELESS = frozenset(
    {
        "concurrent.futures.process.ProcessPoolExecutor",
        "concurrent.futures.thread.ThreadPoolExecutor",
        "contextvars.Token",
        "logging.Logger",
        "logging.LoggerAdapter",
        "logging.RootLogger",
        "loguru._logger.Logger",
        "multiprocessing.synchronize.Lock",
        "multiprocessing.synchronize.RLock",
        "os._Environ",
        "rich.console.Console",
        "ssl.SSLContext",
        "structlog._config.BoundLoggerLazyProxy",
        "thread.RLock",
        "thread._ThreadHandle",
        "thread.lock",
        "threading.Condition",
        "threading._RLock",
    }
)
_OF_TYPES = (
    "__args__",
    "__metadata__",
    "__supertype__",
    "__bound__",
    "__constraints__",
    "__forward_arg__",
    "__value__",
)
_OF_SCANNERS = (
    "strict",
    "object_hook",
    "object_pairs_hook",
    "parse_float",
    "parse_int",
    "parse_constant",
)
_STREAMS = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
_FIELDS_OF_MOMENTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
_NOT_IN_CLOSURE = "(empty)"


def _sequence(walk: Walk, value: Iterable[object], depth: int) -> None:
    walk.named(type(value).__name__, value, depth)


def _mapping(walk: Walk, value: Any, depth: int) -> None:
    if value is sys.modules:
        walk.hide(value, "sys.modules")
        return
    module = sys.modules.get(value.get("__name__")) if "__name__" in value else None
    if module is not None and is_a(module, types.ModuleType) and vars_of(module) is value:
        # What is installed keeps a module's names to look up in it what annotations say.
        walk.named("names", () if walk.is_in_package else (module,), depth)
        return
    walk.named("dict", (part for entry in value.items() for part in entry), depth)


def _unordered(walk: Walk, value: Iterable[object], depth: int) -> None:
    # Code is numbered as it is met, so that the order has to be the same in each process.
    elements = walk.in_order(value, depth)
    walk.text(f"{type(value).__name__} {len(elements)}")
    for element in elements:
        walk.write(element, depth)


def _trie(walk: Walk, value: Any, depth: int) -> None:
    """Write a map or set that says its elements in the order of their hashes."""
    _unordered(walk, list(value.items() if hasattr(value, "items") else value), depth)


def _secret(walk: Walk, value: Secret[Any], depth: int) -> None:
    counts = value.counts and value.is_there
    walk.named(repr(value), (value.reveal(),) if counts else (), depth)


def _buffer(walk: Walk, value: Any, depth: int) -> None:
    walk.named(type(value).__name__, (bytes(value),), depth)


def _slice(walk: Walk, value: Any, depth: int) -> None:
    walk.named("slice", (value.start, value.stop, value.step), depth)


def _range_iterator(walk: Walk, value: Any, depth: int) -> None:
    _, (of,), *passed = value.__reduce__()
    walk.named("range iterator", (of[passed[0] or 0 :] if passed else of,), depth)


def _method(walk: Walk, value: types.MethodType, depth: int) -> None:
    walk.named("method", (value.__func__, value.__self__), depth)


def _partial(walk: Walk, value: functools.partial[Any], depth: int) -> None:
    held = added_to(value.__dict__)
    walk.named("partial", (value.func, value.args, value.keywords, held), depth)


def _cached(walk: Walk, value: Any, depth: int) -> None:
    walk.named("cached", (value.__wrapped__, _more_of(value)), depth)


def _more_of(value: Any) -> dict[str, object]:
    """Return the attributes that somebody put on a function, in an order of their own."""
    added = added_to(value.__dict__)
    return {name: added[name] for name in sorted(added) if name != "__wrapped__"}


def _descriptor(walk: Walk, value: Any, depth: int) -> None:
    walk.named(type(value).__name__, functions_in(value), depth)


def _cached_property(walk: Walk, value: Any, depth: int) -> None:
    walk.named("cached_property", (value.func,), depth)


def _path(walk: Walk, value: PurePath, _depth: int) -> None:
    walk.known("path", walk.portable(str(value)), (str(value),), value.parts)


def _number(walk: Walk, value: Decimal, _depth: int) -> None:
    walk.known("decimal", str(value), (str(value),), (value,))


def _fraction(walk: Walk, value: Fraction, _depth: int) -> None:
    walk.known("fraction", str(value), (value.numerator, value.denominator))


def _moment(walk: Walk, value: Any, depth: int) -> None:
    leaves = tuple(getattr(value, name) for name in _FIELDS_OF_MOMENTS if hasattr(value, name))
    naive = value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value
    walk.known(type(value).__name__, f"{naive!r}", leaves)
    walk.write(getattr(value, "tzinfo", None), depth)


def _span(walk: Walk, value: datetime.timedelta, _depth: int) -> None:
    walk.known("timedelta", repr(value), (value.days, value.seconds, value.microseconds))


def _pattern(walk: Walk, value: re.Pattern[Any], _depth: int) -> None:
    walk.known("pattern", f"{value.flags} {value.pattern!r}", (value.pattern,))


def _layout(walk: Walk, value: Any, _depth: int) -> None:
    walk.known("struct", value.format, (value.format,))


def _code(walk: Walk, value: types.CodeType, _depth: int) -> None:
    walk.text(listing(value))


def _cell(walk: Walk, value: types.CellType, depth: int) -> None:
    walk.named("cell", _contents((value,)), depth)


def _contents(cells: Iterable[types.CellType]) -> list[object]:
    return [content_of(cell, _NOT_IN_CLOSURE) for cell in cells]


def _weak_reference(walk: Walk, value: weakref.ref[Any], depth: int) -> None:
    walk.named("weakref", (weakref.ref.__call__(value),), depth)


def _weak_mapping(walk: Walk, value: Any, depth: int) -> None:
    walk.named("weak dict", (part for entry in list(value.items()) for part in entry), depth)


def _weak_set(walk: Walk, value: Any, depth: int) -> None:
    walk.named("weak set", (frozenset(value),), depth)


def _context_variable(walk: Walk, value: contextvars.ContextVar[Any], depth: int) -> None:
    try:
        held = [value.get()]
    except LookupError:
        held = []
    walk.named(f"context variable {value.name}", held, depth)


def _of_thread(walk: Walk, value: threading.local, depth: int) -> None:
    held = threading.local.__getattribute__(value, "__dict__")
    walk.named("local", (type(value), held), depth)


def _suspended(walk: Walk, value: Any, depth: int) -> None:
    """Write a generator or coroutine: its function, and where it has come to."""
    kind = next(p for p in ("gi", "cr", "ag") if hasattr(value, f"{p}_frame"))
    frame, code = getattr(value, f"{kind}_frame"), getattr(value, f"{kind}_code")
    if frame is None:
        walk.text(f"finished {code.co_qualname}")
        return
    held = dict(frame.f_locals)
    cells = tuple(types.CellType(held.get(name)) for name in code.co_freevars)
    fn = types.FunctionType(code, frame.f_globals, code.co_name, None, cells)
    walk.named(f"suspended {suspension_of(code, frame.f_lasti)}", (fn, held), depth)


def _member(walk: Walk, value: Enum, depth: int) -> None:
    # The class says what its members are, but not what several flags come to.
    is_named = value.name in type(value).__members__
    held = (type(value),) if is_named else (type(value), value.value)
    walk.named(f"enum {value.name if is_named else ''}", held, depth)


def _type_expression(walk: Walk, value: Any, depth: int) -> None:
    held = [getattr(value, name, None) for name in _OF_TYPES]
    # Some versions of Python say that the bound of what has no bound is the type of None.
    parts = [each for each in held if each and each is not types.NoneType]
    origin = getattr(value, "__origin__", None)
    if is_a(origin, type) and standing_of(origin).how is How.MEANING:
        parts.append(origin)  # what calling `Mine[int]` makes is an instance of it
    walk.named(f"type {getattr(value, '__name__', '')}", parts, depth)


def _built_in(walk: Walk, value: Any, depth: int) -> None:
    walk.named(f"method {value.__name__}", (value.__self__,), depth)


def _dispatched_method(walk: Walk, value: Any, depth: int) -> None:
    walk.named("dispatched method", (value.func, value.dispatcher), depth)


def _scanner(walk: Walk, value: Any, depth: int) -> None:
    """Write what reads JSON for a decoder; what it remembers, it forgets after each text."""
    walk.named("scanner", [getattr(value, name) for name in _OF_SCANNERS], depth)


def _sort_key(walk: Walk, value: Any, depth: int) -> None:
    """Write what `cmp_to_key` has made: the comparison, which only the collector knows."""
    walk.named("sort key", gc.get_referents(value), depth)


def _stream(walk: Walk, _value: object, _depth: int) -> None:
    walk.text("standard stream")


def _field(walk: Walk, value: Any, depth: int) -> None:
    """Write a field of a dataclass or of attrs, without its type, which is in the annotations."""
    names = [name for name in type(value).__slots__ if name not in ("type", "inherited", "doc")]
    walk.named("field", [getattr(value, name, None) for name in names], depth)


def _wrapper(walk: Walk, value: types.FunctionType, depth: int) -> None:
    """Write a function that installed code has made: what it holds, wherever it keeps it."""
    owner, top = owner_of_function(value)
    parts = (
        *_contents(value.__closure__ or ()),
        value.__defaults__,
        *(value.__kwdefaults__ or {}).values(),
        _more_of(value),
        value.__dict__.get("__wrapped__"),
    )
    name = f"wrapper {value.__code__.co_name}"
    if owner is Owner.PACKAGE:
        walk.in_package(top, name, parts, depth)
    else:
        walk.named(name, parts, depth)


_EXACT: dict[type, Writer] = {
    list: _sequence,
    tuple: _sequence,
    dict: _mapping,
    types.MappingProxyType: _mapping,
    set: _unordered,
    frozenset: _unordered,
    bytearray: _buffer,
    memoryview: _buffer,
    slice: _slice,
    type(iter(range(0))): _range_iterator,
    type(iter(range(1 << 70))): _range_iterator,
    types.MethodType: _method,
    functools.partial: _partial,
    functools._lru_cache_wrapper: _cached,
    staticmethod: _descriptor,
    classmethod: _descriptor,
    property: _descriptor,
    functools.cached_property: _cached_property,
    Decimal: _number,
    datetime.date: _moment,
    datetime.datetime: _moment,
    datetime.time: _moment,
    datetime.timedelta: _span,
    re.Pattern: _pattern,
    Secret: _secret,
    types.CodeType: _code,
    types.CellType: _cell,
    weakref.WeakKeyDictionary: _weak_mapping,
    weakref.WeakValueDictionary: _weak_mapping,
    weakref.WeakSet: _weak_set,
    contextvars.ContextVar: _context_variable,
    types.GeneratorType: _suspended,
    types.CoroutineType: _suspended,
    types.AsyncGeneratorType: _suspended,
    types.GenericAlias: _type_expression,
    types.UnionType: _type_expression,
}
_DERIVED: tuple[tuple[type, Writer], ...] = (
    (Enum, _member),
    (PurePath, _path),
    (weakref.ref, _weak_reference),
    (threading.local, _of_thread),
)
_BY_NAME: dict[str, Writer] = {
    "fractions.Fraction": _fraction,
    "dataclasses.Field": _field,
    "attr._make.Attribute": _field,
    "_json.Scanner": _scanner,
    "_struct.Struct": _layout,
    "functools.KeyWrapper": _sort_key,
    "functools.singledispatchmethod": _dispatched_method,
    "immutables._map.Map": _trie,
    "rpds.HashTrieMap": _trie,
    "rpds.HashTrieSet": _trie,
}


def writer_for(value: object) -> Writer | None:
    """Return what writes a value, if it is of a kind that Python brings along."""
    cls = type(value)
    writer = _EXACT.get(cls)
    if writer is not None:
        return writer
    for kind, writer in _DERIVED:
        if issubclass(cls, kind):
            return writer
    return _by_name(value, cls)


def _by_name(value: object, cls: type) -> Writer | None:
    if (writer := writer_of_ours(value)) is not None:
        return writer
    module = module_of(cls)
    if module in ("annotationlib", "typing", "typing_extensions"):
        return None if is_any_of(value, (type, types.FunctionType)) else _type_expression
    if cls is types.FunctionType and standing_of(value).how is How.CONTENT:
        return _wrapper
    if is_built_in(value) and standing_of(value).how is How.CONTENT:
        return _built_in
    if any(value is getattr(sys, name, None) for name in _STREAMS):
        return _stream
    if is_delayed(module, cls.__qualname__):
        return write_delayed
    return _BY_NAME.get(f"{module}.{cls.__qualname__}")


_BASES: dict[type, Callable[[Any], Iterable[object]]] = {
    list: list.__iter__,
    tuple: tuple.__iter__,
    set: lambda value: [frozenset(set.__iter__(value))],
    frozenset: lambda value: [frozenset(frozenset.__iter__(value))],
    dict: lambda value: [part for entry in dict.items(value) for part in entry],
    str: lambda value: [str.__str__(value)],
    bytes: lambda value: [bytes.__getitem__(value, slice(None))],
    bytearray: lambda value: [bytes(memoryview(value))],
    int: lambda value: [int.__int__(value)],
    float: lambda value: [float.__float__(value)],
    complex: lambda value: [complex.__complex__(value)],
}


def write_base(walk: Walk, value: object, base: type, depth: int) -> None:
    """Write what an instance of a class derived from a built-in one has of that."""
    content = _BASES.get(base)
    if content is not None:
        walk.named(base.__name__, content(value), depth)

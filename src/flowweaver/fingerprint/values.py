"""Digest a value by what it is, the same in each process.

Sets are sorted, identities and hash seeds play no part. Objects are taken apart as pickling would
do it, but nothing is pickled: functions and classes inside are handed back, to be reached like
any other code.
"""

from __future__ import annotations

import copyreg
import functools
import os
import types
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from hashlib import blake2b
from pathlib import PurePath
from typing import Any

from flowweaver.fingerprint.kinds import (
    is_a,
    is_any_of,
    is_built_in,
    is_task,
    is_workflow,
    module_of,
)
from flowweaver.fingerprint.owners import OURSELVES, Owner, owner_of_module
from flowweaver.fingerprint.rendering import render
from flowweaver.fingerprint.spelling import literal
from flowweaver.serialize.pickles import reduce_exception

_DEEPEST = 60
_CODE = (
    types.FunctionType,
    types.ModuleType,
    functools._lru_cache_wrapper,
    type,
)
_TYPE_EXPRESSIONS = (types.GenericAlias, types.UnionType)
_SCALARS = frozenset({type(None), bool, int, float, complex, str, bytes, type(...)})
_COLLECTIONS = (list, dict, set, bytearray, deque)
# Without a state that could bear on a result.
_STATELESS = frozenset(
    {
        "_contextvars.ContextVar",
        "_thread.RLock",
        "_thread.lock",
        "_weakref.ReferenceType",
        "logging.Logger",
        "logging.LoggerAdapter",
        "os._Environ",
        "rich.console.Console",
        "threading.Condition",
        "threading.Event",
        "threading._RLock",
        "weakref.ReferenceType",
    }
)
# With a state that differs in each process and says nothing about the code.
_RANDOM = ("random.", "numpy.random", "secrets.", "_random.")


@dataclass(frozen=True, slots=True)
class ValueDigest:
    """A value's digest, the code it holds, and the types of what can't be seen in it.

    `plain` says that it is made of literals and containers alone.
    """

    digest: str
    code: tuple[object, ...]
    opaque: tuple[str, ...]
    plain: bool


def digest_value(value: object, project: str = "") -> ValueDigest:
    """Digest a value; never fails, but says what it could not see.

    Args:
        value: Any value.
        project: A folder; paths in it count by their places in it, wherever it may be.
    """
    walk = _Walk(project)
    walk.write(value, 0)
    digest = blake2b(b"".join(walk.out), digest_size=16).hexdigest()
    return ValueDigest(digest, tuple(walk.code), tuple(walk.opaque), walk.plain)


def _type_name(value: object) -> str:
    return f"{module_of(type(value))}.{type(value).__qualname__}"


class _Walk:
    def __init__(self, project: str) -> None:
        self._project = project
        self.out: list[bytes] = []
        self.code: list[object] = []
        self._numbers: dict[int, int] = {}
        self.opaque: dict[str, None] = {}
        self.plain = True
        self._open: dict[int, int] = {}
        self._done: dict[int, tuple[object, bytes]] = {}

    def write(self, value: object, depth: int) -> None:
        if type(value) in _SCALARS:
            self._sized(_scalar(self._portable(value) if type(value) is str else value))
        elif depth > _DEEPEST:
            self._hide(value, "deeply nested ")
        elif id(value) in self._open:
            self._text(f"^{depth - self._open[id(value)]}")
        elif id(value) in self._done:
            self.out.append(self._done[id(value)][1])
        else:
            self._composite(value, depth)

    def _portable(self, text: str) -> str:
        if self._project and f"{text}{os.sep}".startswith(f"{self._project}{os.sep}"):
            return f"<project>{text.removeprefix(self._project)}"
        return text

    def _composite(self, value: object, depth: int) -> None:
        """Write a value of several parts as one digest, so that sharing it costs nothing."""
        outside, self.out = self.out, []
        self._open[id(value)] = depth
        try:
            self._parts(value, depth + 1)
        finally:
            del self._open[id(value)]
            inside, self.out = self.out, outside
        digest = b"#" + blake2b(b"".join(inside), digest_size=16).digest()
        # The value is kept so that its id is not given to another one meanwhile.
        self._done[id(value)] = value, digest
        self.out.append(digest)

    def _parts(self, value: object, depth: int) -> None:
        writer = _WRITERS.get(type(value))
        if writer is not None:
            writer(self, value, depth)
            return
        self.plain = False
        if is_any_of(value, _CODE) or is_built_in(value):
            self._code(value)
        elif is_task(value):
            self._named("task", (value.fn,), depth)  # type: ignore[attr-defined]
        elif is_workflow(value):
            tasks = value.get_all_tasks()  # type: ignore[attr-defined]
            self._named("workflow", (tasks,), depth)
        elif is_a(value, Enum):
            self._named(f"enum {value.name}", (type(value), value.value), depth)
        elif is_a(value, PurePath):
            self._named("path", (str(value),), depth)
        elif is_any_of(value, _TYPE_EXPRESSIONS) or module_of(type(value)) == "typing":
            arguments = getattr(value, "__args__", ())
            self._named(f"type {getattr(value, '__name__', '')}", arguments, depth)
        else:
            self._object(value, depth)

    def _code(self, value: object) -> None:
        number = self._numbers.setdefault(id(value), len(self.code))
        if number == len(self.code):
            self.code.append(value)
        name = "" if _is_of_project(value) else f" {_full_name(value)}"
        self._text(f"code {number}{name}")

    def _object(self, value: object, depth: int) -> None:
        name = _type_name(value)
        if name in _STATELESS or name.startswith(f"{OURSELVES}."):
            self._text(name)
            return
        reduced = None if name.startswith(_RANDOM) else _reduced(value)
        if isinstance(reduced, str):
            self._named("global", (type(value), reduced), depth)
        elif reduced is not None:
            self._reduction(reduced, depth)
        elif _is_of_project(type(value)):
            self._named("object", (type(value), _state(value)), depth)
        else:
            self._hide(value)

    def _reduction(self, reduced: tuple[Any, ...], depth: int) -> None:
        make, arguments, state, elements, entries = (*reduced, None, None, None)[:5]
        parts = (
            make,
            arguments,
            state,
            None if elements is None else list(elements),
            None if entries is None else list(entries),
        )
        self._named("object", parts, depth)

    def _hide(self, value: object, what: str = "") -> None:
        self.plain = False
        self.opaque[what + _type_name(value)] = None
        self._text(f"hidden {_type_name(value)}")

    def _named(self, name: str, parts: Iterable[object], depth: int) -> None:
        parts = tuple(parts)
        self._text(f"{name} {len(parts)}")
        for part in parts:
            self.write(part, depth)

    def _text(self, text: str) -> None:
        self._sized(text.encode("utf-8", "surrogatepass"))

    def _sized(self, data: bytes) -> None:
        self.out.append(b"%d:" % len(data))
        self.out.append(data)

    # One writer for each type that is known to be no more than its parts.

    def sequence(self, value: Any, depth: int) -> None:
        self._named(type(value).__name__, value, depth)

    def mapping(self, value: Mapping[object, object], depth: int) -> None:
        self._named("dict", (part for entry in value.items() for part in entry), depth)

    def unordered(self, value: Iterable[object], depth: int) -> None:
        elements = []
        # Code is numbered as it is met, so that the order has to be the same in each process.
        for element in sorted(value, key=_order):
            outside, self.out = self.out, []
            self.write(element, depth)
            elements.append(b"".join(self.out))
            self.out = outside
        self._text(f"{type(value).__name__} {len(elements)}")
        self.out += sorted(elements)

    def buffer(self, value: Any, depth: int) -> None:
        self._named(type(value).__name__, (bytes(value),), depth)

    def slice(self, value: Any, depth: int) -> None:
        self._named("slice", (value.start, value.stop, value.step), depth)

    def method(self, value: Any, depth: int) -> None:
        self.plain = False
        self._named("method", (value.__func__, value.__self__), depth)

    def built_in(self, value: Any, depth: int) -> None:
        self.plain = False
        owner = value.__self__
        if owner is None or is_any_of(owner, (types.ModuleType, type)):
            self._code(value)
        else:
            self._named(f"method {value.__name__}", (owner,), depth)

    def partial(self, value: functools.partial[Any], depth: int) -> None:
        self.plain = False
        self._named("partial", (value.func, value.args, value.keywords), depth)

    def fraction(self, value: Fraction, depth: int) -> None:
        self._named("fraction", (value.numerator, value.denominator), depth)


_WRITERS: dict[type, Callable[[_Walk, Any, int], None]] = {
    list: _Walk.sequence,
    tuple: _Walk.sequence,
    dict: _Walk.mapping,
    types.MappingProxyType: _Walk.mapping,
    set: _Walk.unordered,
    frozenset: _Walk.unordered,
    bytearray: _Walk.buffer,
    memoryview: _Walk.buffer,
    slice: _Walk.slice,
    types.MethodType: _Walk.method,
    types.BuiltinFunctionType: _Walk.built_in,
    functools.partial: _Walk.partial,
    Fraction: _Walk.fraction,
}


def is_scalar(value: object) -> bool:
    """Whether the value is a literal without parts, which can't be changed in place."""
    return type(value) in _SCALARS


def is_filled(value: object) -> bool:
    """Whether the value is there to be filled or used up: a collection or an iterator."""
    return is_any_of(value, _COLLECTIONS) or hasattr(type(value), "__next__")


def _order(value: object) -> str:
    return "" if type(value) in _SCALARS else render(value)


def _scalar(value: object) -> bytes:
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return b"b" + value
    return literal(value).encode()


def _is_of_project(code: object) -> bool:
    if is_a(code, types.ModuleType):
        return owner_of_module(code.__name__) is Owner.PROJECT
    return owner_of_module(module_of(code)) is Owner.PROJECT


def _full_name(code: object) -> str:
    name = getattr(code, "__qualname__", None) or getattr(code, "__name__", "")
    return ".".join(part for part in (module_of(code), name) if part)


def _reduced(value: object) -> str | tuple[Any, ...] | None:
    """Return what `pickle` would be given to make the value again; None if it refuses."""
    special = copyreg.dispatch_table.get(type(value))
    if is_a(value, BaseException):
        special = reduce_exception
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reduced: Any = special(value) if special else value.__reduce_ex__(4)
        except Exception:
            return None
    return reduced if isinstance(reduced, str | tuple) else None


def _state(value: object) -> dict[str, object]:
    state = dict(getattr(value, "__dict__", {}))
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                state[name] = getattr(value, name)
    return state

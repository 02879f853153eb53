"""Look into classes that are loaded."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from enum import Enum
from types import CellType, FunctionType
from typing import Any

from flowweaver.fingerprint.describe import closure_of, defaults_of, describe_piece
from flowweaver.fingerprint.kinds import is_a, is_any_of, is_task
from flowweaver.fingerprint.live import Found, owner_of_function, uses_of
from flowweaver.fingerprint.owners import Owner
from flowweaver.fingerprint.sources import Piece, source_of
from flowweaver.fingerprint.things import (
    ClassThing,
    Description,
    LiveNames,
    Notes,
    PieceThing,
    Use,
    ValueThing,
)
from flowweaver.fingerprint.values import digest_value

_NO_DATA = (FunctionType, staticmethod, classmethod, property)
_FIELDS = (
    "__attrs_attrs__",
    "__dataclass_fields__",
    "__dataclass_params__",
    "__slots__",
)


def describe_class(thing: ClassThing, notes: Notes) -> Description:
    """Describe a class: its source, its bases and metaclass, and what is put in it at run time."""
    cls = thing.cls
    name = thing.name
    notes.rests_on_members(cls)
    own, foreign = _methods(cls)
    names = _names(cls, own)
    piece = _piece(cls, own)
    uses = [*_bases(cls, notes)]
    bound: frozenset[str] = frozenset()
    if piece is None:
        foreign |= own
        described = Description("", f"class {cls.__qualname__}, as it is loaded")
        uses += _fields(cls, name)
    else:
        described = describe_piece(PieceThing(name, piece, names, tuple(names.closure)), notes)
        described.uses = [_live_child(use, cls) for use in described.uses]
        bound = piece.outline(tuple(names.closure)).bound
        uses += _defaults(own, piece, names, notes)
    uses += _constants(cls, name, bound)
    for attribute, fn in sorted(foreign.items()):
        uses += uses_of(f"attribute {attribute}", Found(fn, f"{name}.{attribute}"), notes)
    # What is stored of a class's instances refers to the class by its place.
    described.content = f"{name} {described.content}"
    described.uses += uses
    return described


def _methods(cls: type) -> tuple[dict[str, FunctionType], dict[str, FunctionType]]:
    """Return the functions in a class: those its body defines, and those put in from elsewhere."""
    own: dict[str, FunctionType] = {}
    foreign: dict[str, FunctionType] = {}
    for name, value in vars(cls).items():
        for number, fn in enumerate(_functions(value)):
            is_own = fn.__code__.co_qualname.startswith(f"{cls.__qualname__}.")
            if not is_own and _is_generated(fn):
                continue
            (own if is_own else foreign)[f"{name} {number}"] = fn
    return own, foreign


def _is_generated(fn: FunctionType) -> bool:
    """Whether a decorator or metaclass from outside made the function; it follows from the body."""
    return fn.__code__.co_filename == "<string>" or owner_of_function(fn) is not Owner.PROJECT


def _functions(value: Any) -> Iterator[FunctionType]:
    if is_any_of(value, (staticmethod, classmethod)):
        yield from _functions(value.__func__)
    elif is_a(value, property):
        for each in (value.fget, value.fset, value.fdel):
            yield from _functions(each)
    elif is_any_of(value, (functools.cached_property, functools.partialmethod)):
        yield from _functions(value.func)
    elif is_task(value):
        yield from _functions(value.fn)
    elif is_a(value, FunctionType):
        yield _unwrapped(value)


def _unwrapped(fn: FunctionType) -> FunctionType:
    """Return what a method is wrapped around; the wrapper follows from the decorator above it."""
    for _ in range(100):
        inner = fn.__dict__.get("__wrapped__")
        if not is_a(inner, FunctionType):
            break
        fn = inner
    return fn


def _piece(cls: type, own: dict[str, FunctionType]) -> Piece | None:
    files = {fn.__code__.co_filename for fn in own.values()}
    module = sys.modules.get(cls.__module__)
    named = getattr(module, "__file__", None)
    filename = files.pop() if len(files) == 1 else named
    if filename is None or files:
        return None
    source = source_of(filename, getattr(module, "__dict__", None))
    codes = [fn.__code__ for fn in own.values()]
    return source.locate_class(cls.__qualname__, codes) if source else None


def _names(cls: type, own: dict[str, FunctionType]) -> LiveNames:
    closure: dict[str, CellType] = {}
    module_globals = getattr(sys.modules.get(cls.__module__), "__dict__", {})
    for fn in own.values():
        closure |= closure_of(fn)
        module_globals = fn.__globals__
    closure.pop("__class__", None)
    return LiveNames(module_globals, closure, f"{cls.__module__}.{cls.__qualname__}")


def _live_child(use: Use, cls: type) -> Use:
    """Return an inner class as it is loaded, if it is."""
    loaded = vars(cls).get(use.label.removeprefix("member "))
    if is_a(loaded, type) and loaded.__qualname__.startswith(f"{cls.__qualname__}."):
        return Use(use.label, ClassThing(loaded))
    return use


def _bases(cls: type, notes: Notes) -> Iterator[Use]:
    for number, base in enumerate((*cls.__bases__, type(cls))):
        yield from uses_of(f"base {number}", Found(base, base.__qualname__), notes)


def _fields(cls: type, name: str) -> Iterator[Use]:
    """Yield what tells a class without methods from another, such as a dataclass in a notebook."""
    is_plain = cls.__bases__ == (object,) and type(cls) is type
    for attribute in _FIELDS if is_plain else ("__annotations__", *_FIELDS):
        if attribute in vars(cls):
            thing = ValueThing(f"constant {name}.{attribute}", vars(cls)[attribute], excused=True)
            yield Use(attribute, thing)


def _constants(cls: type, name: str, bound: frozenset[str]) -> Iterator[Use]:
    """Yield the class's attributes that are plain data, and the members of an enumeration.

    Private ones that the body does not bind are a metaclass's own affair.
    """
    if issubclass(cls, Enum):
        members = {member.name: member.value for member in cls.__members__.values()}
        yield Use("members", ValueThing(f"constant {name} members", members, excused=True))
        return
    for attribute, value in sorted(vars(cls).items()):
        if attribute.startswith("__" if attribute in bound else "_"):
            continue
        if not is_any_of(value, _NO_DATA) and digest_value(value).plain:
            yield Use(f"constant {attribute}", ValueThing(f"constant {name}.{attribute}", value))


def _defaults(
    own: dict[str, FunctionType], piece: Piece, names: LiveNames, notes: Notes
) -> Iterator[Use]:
    for method, fn in sorted(own.items()):
        located = piece.source.locate(fn.__code__)
        if located is not None:
            computed = located.outline(tuple(names.closure)).computed
            owner = f"{names.owner}.{method.partition(' ')[0]}"
            for use in defaults_of(fn, computed, owner, notes):
                yield Use(f"{method} {use.label}", use.thing)

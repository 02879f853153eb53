"""Look into classes that are loaded: like modules, by all that they hold."""

from __future__ import annotations

import abc
import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from types import CellType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from flowweaver.fingerprint.acting import is_stored
from flowweaver.fingerprint.describe import closure_of, describe_piece
from flowweaver.fingerprint.generated import (
    FIELDS,
    GENERATED,
    OF_SOME_VERSIONS,
    TOLD_BY_SOURCE,
    generator_of,
)
from flowweaver.fingerprint.kinds import functions_in, is_a, is_any_of, module_of
from flowweaver.fingerprint.live import Found, uses_of
from flowweaver.fingerprint.passing import is_number_of_process
from flowweaver.fingerprint.sources import Piece, source_of
from flowweaver.fingerprint.standing import How, standing_of, standing_of_class
from flowweaver.fingerprint.things import (
    ClassThing,
    Description,
    LiveNames,
    Notes,
    PieceThing,
    Use,
    file_of,
)
from flowweaver.fingerprint.values import digest_value
from flowweaver.introspection import evaluated_annotations

_OF_MEMBERS = frozenset({"_name_", "_value_", "__objclass__", "_sort_order_"})


def describe_class(thing: ClassThing, notes: Notes) -> Description:
    """Describe a class: its source, bases and metaclass, and all attributes as they are now."""
    cls, name = thing.cls, thing.name
    notes.rests_on_members(cls)
    piece, names = source_of_class(cls)
    if piece is None:
        order = " ".join(each for each in vars(cls) if each not in GENERATED)
        described = Description("", f"class {cls.__qualname__}, as it is loaded", order=order)
    else:
        described = describe_piece(PieceThing(name, piece, names, tuple(names.closure)), notes)
    kept = [use for use in described.uses if not _is_loaded(use, cls)]
    described.uses = [*kept, *_bases(cls, notes), *_attributes(cls, name, piece, names, notes)]
    # Not by its module: what is kept of its instances is found wherever the class stands.
    described.content = f"{cls.__qualname__} {described.content}"
    return described


def source_of_class(cls: type) -> tuple[Piece | None, LiveNames]:
    """Return the source of a class, None if it can't be had, and what names mean there."""
    own = _own_functions(cls)
    return _piece(cls, own), _names(cls, own)


def _own_functions(cls: type) -> dict[str, FunctionType]:
    """Return the functions that a class's body defines, by name."""
    return {
        f"{name} {number}": fn
        for name, value in vars(cls).items()
        for number, fn in enumerate(_functions(value))
        if name != "__annotate_func__"
        and fn.__code__.co_qualname.startswith(f"{cls.__qualname__}.")
    }


def _functions(value: Any) -> Iterator[FunctionType]:
    for each in functions_in(value) or (value,):
        fn = each
        for _ in range(100):
            if is_a(fn, FunctionType) and is_a(fn.__dict__.get("__wrapped__"), FunctionType):
                fn = fn.__dict__["__wrapped__"]
        if is_a(fn, FunctionType):
            yield fn


def _piece(cls: type, own: Mapping[str, FunctionType]) -> Piece | None:
    files = {fn.__code__.co_filename for fn in own.values()}
    module = sys.modules.get(module_of(cls))
    named = getattr(module, "__file__", None)
    filename = files.pop() if len(files) == 1 else named
    if filename is None or files:
        return None
    source = source_of(filename, getattr(module, "__dict__", None))
    codes = [fn.__code__ for fn in own.values()]
    return source.locate_class(cls.__qualname__, codes) if source else None


def _names(cls: type, own: Mapping[str, FunctionType]) -> LiveNames:
    closure: dict[str, CellType] = {}
    module_globals = getattr(sys.modules.get(module_of(cls)), "__dict__", {})
    for fn in own.values():
        closure |= closure_of(fn)
        module_globals = fn.__globals__
    closure.pop("__class__", None)
    return LiveNames(module_globals, closure, ClassThing(cls).name)


def _is_loaded(use: Use, cls: type) -> bool:
    """Whether a member that the source defines is among the attributes, and so counts there."""
    name = use.label.removeprefix("member ")
    if name.startswith("__") and not name.endswith("__"):
        name = f"_{cls.__name__.lstrip('_')}{name}"
    value = vars(cls).get(name)
    qualname = f"{cls.__qualname__}.{use.label.removeprefix('member ')}"
    if is_a(value, type):
        return bool(value.__qualname__ == qualname)
    return any(fn.__code__.co_qualname == qualname for fn in _functions(value))


def _bases(cls: type, notes: Notes) -> Iterator[Use]:
    for number, base in enumerate((*cls.__bases__, type(cls))):
        yield from uses_of(f"base {number}", Found(base, base.__qualname__), notes)
    registered = [each() for each in _registered(cls)]
    if registered:
        name = f"{ClassThing(cls).name} registered"
        yield from uses_of("registered", Found(frozenset(registered), name), notes)


def _registered(cls: type) -> Iterable[Callable[[], type | None]]:
    """Return weak references to what was made a virtual subclass by `register`."""
    dump: Any = getattr(abc, "_get_dump", None)
    return dump(cls)[0] if dump and "_abc_impl" in vars(cls) else ()


def _attributes(
    cls: type, name: str, piece: Piece | None, names: LiveNames, notes: Notes
) -> Iterator[Use]:
    near = file_of(names.globals)
    members: Mapping[str, object] = {}
    if issubclass(cls, Enum):
        members = cls.__members__
        yield from uses_of("members", _members(cls, name, near, piece), notes)
    left_out = GENERATED | (TOLD_BY_SOURCE if piece else frozenset()) | members.keys()
    if _is_plain(cls):
        left_out |= {"__annotations__"}
    held = {**_of_metaclass(cls), **vars(cls)}
    if annotations := evaluated_annotations(cls):
        held["__annotations__"] = annotations
    for attribute, value in sorted(held.items()):
        if attribute in left_out or _is_derived(value):
            continue
        if attribute in OF_SOME_VERSIONS and not _is_own(value):
            continue
        if is_number_of_process(value) and _is_set_by_package(cls, attribute, piece):
            continue
        for number, part in enumerate(_parts(value)):
            found = Found(part, f"{name}.{attribute}", near=near, made_by=piece, owner=cls)
            yield from uses_of(f".{attribute} {number}", found, notes)


def _is_set_by_package(cls: type, attribute: str, piece: Piece | None) -> bool:
    """Whether an installed base or metaclass has set an attribute that the source does not."""
    kinds = (*type.mro(cls), *type.mro(type(cls)))
    stored = {each.id for each in ast.walk(piece.node) if is_stored(each)} if piece else {attribute}
    return attribute not in stored and any(standing_of_class(each).top for each in kinds)


def _of_metaclass(cls: type) -> dict[str, object]:
    """Return what a metaclass written in C keeps of a class outside of its namespace."""
    kinds: tuple[type, ...] = inspect.getmro(type(cls))
    return {
        name: member.__get__(cls)
        for kind in kinds
        if kind is not type and kind is not object
        for name, member in vars(kind).items()
        if is_a(member, MemberDescriptorType)
    }


def _is_plain(cls: type) -> bool:
    """Whether nothing reads the annotations of a class."""
    return cls.__bases__ == (object,) and type(cls) is type and FIELDS.isdisjoint(vars(cls))


def _members(cls: type[Enum], name: str, near: str, piece: Piece | None) -> Found:
    members = {
        key: (member.value, {k: v for k, v in vars(member).items() if k not in _OF_MEMBERS})
        for key, member in cls.__members__.items()
    }
    return Found(members, f"{name} members", near=near, made_by=piece)


def _is_derived(value: object) -> bool:
    """Whether an attribute follows from the rest of its class."""
    if value is None or is_any_of(value, (MemberDescriptorType, GetSetDescriptorType)):
        return True
    return is_a(value, FunctionType) and generator_of(value) is not None


def _is_own(value: object) -> bool:
    """Whether what stands in a class is more than functions that are not the project's."""
    inside = value if is_a(value, tuple) else functions_in(value) or (value,)
    return not all(
        is_a(fn, FunctionType) and standing_of(fn).how is not How.MEANING for fn in inside
    )


def _parts(value: object) -> Iterable[object]:
    """Return what counts of an attribute."""
    parts = [each for each in functions_in(value) if each is not None]
    if not parts and is_a(value, FunctionType) and standing_of(value) == (How.CONTENT, ""):
        # The standard library made it, as for a dataclass: what counts is what it is wrapped
        # around.
        return [code.value for code in digest_value(value).code]
    return parts or [value]

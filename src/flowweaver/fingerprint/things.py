"""The things a callable's meaning can depend on, before they are looked into."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType
from typing import Any, TypeAlias

from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.modules import FoundModule
from flowweaver.fingerprint.sources import Piece, Source, source_of

ABSENT = object()
"""Stands for no value at all."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveNames:
    """Where the names of loaded code are looked up: closure, then globals, then builtins."""

    globals: dict[str, Any]
    closure: Mapping[str, CellType] = field(default_factory=dict)
    owner: str = ""
    """The name of the function whose closure it is, if it is to be told."""

    def places(self, names: Iterable[str]) -> frozenset[Place]:
        """Return where these names are bound."""
        return frozenset(
            (id(self.closure[name]), "") if name in self.closure else (id(self.globals), name)
            for name in names
        )

    @property
    def module(self) -> str:
        """The name of the module that the globals belong to."""
        return str(self.globals.get("__name__", "?"))

    @property
    def key(self) -> Hashable:
        """What tells these names from others."""
        return id(self.globals), *(id(cell) for cell in self.closure.values())


@dataclass(frozen=True, slots=True, eq=False)
class StaticNames:
    """Where the names of source that need not be loaded are looked up: in its module's file."""

    found: FoundModule

    @property
    def module(self) -> str:
        """The name of the module."""
        return self.found.name

    @property
    def key(self) -> Hashable:
        """What tells these names from others."""
        return self.found.name


Place: TypeAlias = tuple[int, str]
"""Where something is bound: the identity of a namespace and a name in it, or that of a cell."""
Names: TypeAlias = LiveNames | StaticNames
Home: TypeAlias = tuple[dict[str, Any], str]
"""A module's globals, and the name in them that something is bound to."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FunctionThing:
    """A function that is loaded."""

    fn: FunctionType

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its identity."""
        return "function", id(self.fn)

    @property
    def name(self) -> str:
        """Its full name, as its own code has it and no wrapper can disguise it."""
        return f"{self.fn.__globals__.get('__name__', '?')}.{self.fn.__code__.co_qualname}"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ClassThing:
    """A class that is loaded."""

    cls: type

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its identity."""
        return "class", id(self.cls)

    @property
    def name(self) -> str:
        """Its full name."""
        return f"{self.cls.__module__}.{self.cls.__qualname__}"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ValueThing:
    """A value, and where it is bound: to a global name (`home`) or by a closure (`cell`).

    `near` is the file that it is met in; `excused` says that what can't be seen of it is seen
    elsewhere.
    """

    name: str
    value: object
    home: Home | None = None
    near: str = ""
    excused: bool = False
    cell: CellType | None = None

    @property
    def place(self) -> Place | None:
        """Where it is bound, if it is."""
        if self.cell is not None:
            return id(self.cell), ""
        return (id(self.home[0]), self.home[1]) if self.home else None

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its name and identity."""
        return "value", self.name, id(self.value)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PieceThing:
    """A function, class or statement as it stands in a source."""

    name: str
    piece: Piece
    names: Names
    free: tuple[str, ...] = ()

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its place, and where its names are looked up."""
        return "piece", self.piece.key, self.names.key


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PackageThing:
    """An installed package, by its top-level module."""

    top: str

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its name."""
        return "package", self.top

    @property
    def name(self) -> str:
        """What it is called among the parts of a fingerprint."""
        return f"package {self.top}"


Thing: TypeAlias = FunctionThing | ClassThing | ValueThing | PieceThing | PackageThing


@dataclass(frozen=True, slots=True)
class Use:
    """A thing made use of, and how the user's code spells it."""

    label: str
    thing: Thing


@dataclass(slots=True)
class Description:
    """A thing looked into: a digest of its own content, its text, what it uses and refers to.

    `written` are the places that it binds anew, `changed` the identities of the objects that it
    changes in place.
    """

    content: str
    text: str
    uses: list[Use] = field(default_factory=list)
    loads: tuple[tuple[Names, Load], ...] = ()
    written: frozenset[Place] = frozenset()
    changed: frozenset[int] = frozenset()


def file_of(module_globals: Mapping[str, Any]) -> str:
    """Return the file of the module that has these globals; "" if it has none."""
    filename = module_globals.get("__file__")
    return filename if isinstance(filename, str) else ""


_at_home: dict[tuple[int, str], Thing] = {}


def interned(thing: Thing, owner: object, name: str) -> Thing:
    """Return the one thing that stands for what a name means in a module.

    What many functions reach is so looked into but once.
    """
    known = _at_home.get((id(owner), name))
    if known is None or known.key != thing.key:
        known = _at_home[id(owner), name] = thing
    return known


Witness: TypeAlias = tuple[Any, ...]
"""A check and its arguments: whether something noted is still so. Not a closure, of which there
would be many."""


class Notes:
    """What is noted on the way: what can't be seen, and what the outcome rests on."""

    def __init__(self) -> None:
        self.unseen: dict[str, None] = {}
        self.witnesses: list[Witness] = []

    def say(self, message: str) -> None:
        """Note something that can't be seen."""
        self.unseen[message] = None

    def rests_on(self, mapping: Mapping[str, Any], key: str, value: object) -> None:
        """Note that the outcome holds while the key is bound to this very value."""
        self.witnesses.append((_is_bound, mapping, key, _reference(value)))

    def rests_on_code(self, fn: FunctionType, written: Iterable[str]) -> None:
        """Note that the outcome holds while the function has this code and these closure values.

        Notebooks' reloaders give old functions new code. What the code itself has `written`, such
        as a counter, counts as it was first seen.
        """
        self.witnesses.append((_has_code, weakref.ref(fn), fn.__code__))
        for number, cell in enumerate(fn.__closure__ or ()):
            if fn.__code__.co_freevars[number] in written:
                continue
            same = _reference(content_of(cell))
            self.witnesses.append((_closes_over, weakref.ref(fn), number, same))

    def rests_on_members(self, cls: type) -> None:
        """Note that the outcome holds while the class has these attributes."""
        same = {name: _reference(value) for name, value in vars(cls).items()}
        self.witnesses.append((_has_members, weakref.ref(cls), same))

    def rests_on_source(self, source: Source) -> None:
        """Note that the outcome holds while the file is as it is."""
        self.witnesses.append((_is_present, source))


def content_of(cell: CellType) -> object:
    """Return what a closure's cell holds; `ABSENT` if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def still_holds(witnesses: Iterable[Witness]) -> bool:
    """Whether all that was noted is still so."""
    return all(witness(*arguments) for witness, *arguments in witnesses)


def _reference(value: object) -> object:
    # A function that reaches itself must not be kept alive by what is kept about it.
    try:
        return weakref.ref(value)
    except TypeError:
        return value


def _is_same(value: object, reference: object) -> bool:
    if isinstance(reference, weakref.ref):
        alive = reference()
        return alive is not None and value is alive
    return value is reference


def _is_bound(mapping: Mapping[str, Any], key: str, reference: object) -> bool:
    return _is_same(mapping.get(key, ABSENT), reference)


def _has_code(function: weakref.ref[FunctionType], code: CodeType) -> bool:
    return getattr(function(), "__code__", None) is code


def _closes_over(function: weakref.ref[FunctionType], number: int, reference: object) -> bool:
    cells = getattr(function(), "__closure__", None)
    return cells is not None and _is_same(content_of(cells[number]), reference)


def _has_members(cls: weakref.ref[type], references: Mapping[str, object]) -> bool:
    members = getattr(cls(), "__dict__", {})
    return members.keys() == references.keys() and all(
        _is_same(members[name], reference) for name, reference in references.items()
    )


def _is_present(source: Source) -> bool:
    return source_of(source.filename) is source

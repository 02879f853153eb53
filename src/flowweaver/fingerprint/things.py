"""The things a callable's meaning can depend on, before they are looked into."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple, TypeAlias

from flowweaver.fingerprint import kinds
from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.finding import Ask
from flowweaver.fingerprint.modules import FoundModule
from flowweaver.fingerprint.parts import Unseen
from flowweaver.fingerprint.sources import Excerpt, Piece, Source, source_of
from flowweaver.main_module import known_as

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
        return known_as(str(self.globals.get("__name__", "?")))

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
    """A function that is loaded; `annotated` says that something reads its annotations."""

    fn: FunctionType
    annotated: bool = False

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its identity."""
        return "function", id(self.fn), self.annotated

    @property
    def name(self) -> str:
        """Its full name, as its own code has it and no wrapper can disguise it."""
        module = known_as(str(self.fn.__globals__.get("__name__", "?")))
        return f"{module}.{self.fn.__code__.co_qualname}"


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
        return f"{known_as(kinds.module_of(self.cls))}.{self.cls.__qualname__}"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ModuleThing:
    """A loaded module as a whole, which is handed around or asked for a name in a variable."""

    module: ModuleType

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its identity."""
        return "module", id(self.module)

    @property
    def name(self) -> str:
        """What it is called among the parts of a fingerprint."""
        return f"module {known_as(kinds.name_of_module(self.module))}"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FileThing:
    """A file of the project with compiled code in it, such as an extension written in C."""

    module: str
    filename: str

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its path."""
        return "file", self.filename

    @property
    def name(self) -> str:
        """What it is called among the parts of a fingerprint."""
        return f"compiled {self.module}"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ValueThing:
    """A value, and where it is bound: to a global name (`home`) or by a closure (`cell`).

    `near` is the file that it is met in, `made_by` the source that made it if that is not the
    statements that bind the global, `owner` the class that it is an attribute of.
    """

    name: str
    value: object
    home: Home | None = None
    near: str = ""
    cell: CellType | None = None
    made_by: Piece | None = None
    owner: type | None = None

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
    """An installed package, by its top-level module; "" stands for the standard library."""

    top: str

    @property
    def key(self) -> Hashable:
        """What tells it from other things: its name."""
        return "package", self.top

    @property
    def name(self) -> str:
        """What it is called among the parts of a fingerprint; "" if it is not among them."""
        return f"package {self.top}" if self.top else ""


Thing: TypeAlias = (
    FunctionThing | ClassThing | ModuleThing | FileThing | ValueThing | PieceThing | PackageThing
)


class Use(NamedTuple):
    """A thing made use of, and how the user's code spells it."""

    label: str
    thing: Thing


@dataclass(slots=True)
class Description:
    """A thing looked into: a digest of its own content, its text, what it uses and refers to.

    `written` are the places that it binds anew, `changed` the identities of the objects that it
    changes in place, `asks` what else counts because it asks for it, `excerpt` the source that it
    was taken from. `key` is the mark of the key that the content is digested with, `imports` are
    the modules that it loads itself, `order` is that of its members.
    """

    content: str
    text: str
    uses: list[Use] = field(default_factory=list)
    loads: tuple[tuple[Names, Load], ...] = ()
    written: frozenset[Place] = frozenset()
    changed: frozenset[int] = frozenset()
    asks: frozenset[Ask] = frozenset()
    excerpt: Excerpt | None = None
    key: str = ""
    imports: frozenset[str] = frozenset()
    order: str = ""


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
        self.unseen: dict[Unseen, None] = {}
        self.witnesses: list[Witness] = []
        self.names: set[tuple[str, str]] = set()
        """Names of modules that are followed by what the files of these say."""

    def say(self, what: str, where: str) -> None:
        """Note something that can't be seen."""
        self.unseen[Unseen(what, where)] = None

    def rests_on(self, mapping: Mapping[str, Any], key: str, value: object) -> None:
        """Note that the outcome holds while the key is bound to this very value."""
        self.witnesses.append((_is_bound, mapping, key, _reference(value)))

    def rests_on_code(self, fn: FunctionType, written: Iterable[str]) -> None:
        """Note that the outcome holds while the function has this code and holds these values.

        Notebooks' reloaders give old functions new code. What the code itself has `written`, such
        as a counter, counts as it was first seen.
        """
        held = tuple(map(_reference, _held_by(fn)))
        self.witnesses.append((_is_as_it_was, weakref.ref(fn), fn.__code__, held))
        for number, cell in enumerate(fn.__closure__ or ()):
            if fn.__code__.co_freevars[number] in written:
                continue
            same = _reference(content_of(cell))
            self.witnesses.append((_closes_over, weakref.ref(fn), number, same))

    def rests_on_members(self, cls: type) -> None:
        """Note that the outcome holds while the class has these attributes."""
        same = {name: _reference(value) for name, value in vars(cls).items()}
        self.witnesses.append((_has_members, weakref.ref(cls), same))

    def rests_on_names(self, members: Mapping[str, Any]) -> None:
        """Note that the outcome holds while a module has these very names bound so."""
        self.witnesses.append((_has_names, members, {n: _reference(v) for n, v in members.items()}))

    def rests_on_subclasses(self, cls: type) -> None:
        """Note that the outcome holds while a class has these subclasses."""
        subclasses: list[type] = cls.__subclasses__()
        same = tuple(weakref.ref(each) for each in subclasses)
        self.witnesses.append((_has_subclasses, weakref.ref(cls), same))

    def rests_on_source(self, source: Source) -> None:
        """Note that the outcome holds while the file is as it is."""
        self.witnesses.append((_is_present, source))


def content_of(cell: CellType) -> object:
    """Return what a closure's cell holds; `ABSENT` if it is empty."""
    return kinds.content_of(cell, ABSENT)


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


def _held_by(fn: FunctionType) -> tuple[object, ...]:
    """Return a function's defaults, and its attributes after their names."""
    if not fn.__kwdefaults__ and not fn.__dict__:
        return fn.__defaults__ or ()
    attributes = (each for entry in fn.__dict__.items() for each in entry)
    return (*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values(), *attributes)


def _is_as_it_was(
    function: weakref.ref[FunctionType], code: CodeType, references: tuple[object, ...]
) -> bool:
    fn = function()
    if fn is None or fn.__code__ is not code:
        return False
    held = _held_by(fn)
    return len(held) == len(references) and all(map(_is_same, held, references))


def _closes_over(function: weakref.ref[FunctionType], number: int, reference: object) -> bool:
    cells = getattr(function(), "__closure__", None)
    return cells is not None and _is_same(content_of(cells[number]), reference)


def _has_members(cls: weakref.ref[type], references: Mapping[str, object]) -> bool:
    return _has_names(getattr(cls(), "__dict__", {}), references)


def _has_subclasses(cls: weakref.ref[type], same: tuple[weakref.ref[type], ...]) -> bool:
    alive = cls()
    return alive is not None and [each() for each in same] == alive.__subclasses__()


def _has_names(members: Mapping[str, Any], references: Mapping[str, object]) -> bool:
    return members.keys() == references.keys() and all(
        _is_same(members[name], reference) for name, reference in references.items()
    )


def _is_present(source: Source) -> bool:
    return source_of(source.filename) is source

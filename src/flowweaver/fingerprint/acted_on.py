"""On what the statements of a module act: on packages, and on what modules of the project hold.

That is told by what their names mean now. What they call is looked into, with the objects that
methods are called on and the names that parameters are given.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, TypeAlias

from flowweaver.fingerprint.acting import DECORATOR, KEEPS, Target, target_of, targets_in
from flowweaver.fingerprint.bindings import TopLevel
from flowweaver.fingerprint.bytecode import written_by
from flowweaver.fingerprint.calling import (
    Bound,
    aliases_in,
    made_by,
    meanings_of,
    member_of,
    parameters_of,
    run_by_calling,
    run_by_setting,
)
from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.describe import closure_of, piece_of
from flowweaver.fingerprint.imported import (
    KEEPING_NOTHING,
    imports_in,
    is_of_module,
    owner_of,
    tops_of,
)
from flowweaver.fingerprint.kinds import (
    is_a,
    is_any_of,
    is_built_in,
    is_task,
    module_of,
    name_of_module,
)
from flowweaver.fingerprint.live import look_up, made_at
from flowweaver.fingerprint.modules import absolute, source_of_globals, top_level
from flowweaver.fingerprint.outlines import Definition
from flowweaver.fingerprint.owners import Owner, owner_of_module, top_of_module
from flowweaver.fingerprint.resolve import is_our_own, package_of
from flowweaver.fingerprint.scopes import Import
from flowweaver.fingerprint.sources import Piece
from flowweaver.fingerprint.standing import How, standing_of, standing_of_class
from flowweaver.fingerprint.things import ABSENT, LiveNames, Names, Notes
from flowweaver.fingerprint.values import is_scalar

ANY = "*"
"""In place of a name of a module: any of them."""

# Functions of these change what they are given, and nothing else.
_ACTING_ON_ARGUMENTS = frozenset({"_bisect", "_heapq", "_operator", "bisect", "heapq", "operator"})


class Handed(Enum):
    """What a function acts on that only those who call it can tell."""

    GIVEN = "what it is called with"
    OWNER = "the object that it is called on"


Name: TypeAlias = tuple[str, str]
"""A module of the project, and a name in it."""
Acted: TypeAlias = str | Name | Handed
"""What is acted on: the top-level module of a package, "" for the standard library, or a name."""
_Call: TypeAlias = tuple[FunctionType, int, int, bool]
"""A function, the identity of what it is called on, how often it and its outcome are called, and
whether the last outcome is kept."""
_GETTING = frozenset({"getattr", "vars"})
_CALLING = frozenset({"filter", "iter", "map", "max", "min", "sorted"})
"""Built-in functions that call what they are given."""
_MOST_ELEMENTS = 50


class _Meant(NamedTuple):
    """What a dotted name means; what has it as an attribute; what acting on it acts on."""

    value: Any
    owner: Any = ABSENT
    place: Acted | None = None


class _Method(NamedTuple):
    """A function that is looked into: its parameters, and what it is called on, under what name."""

    parameters: frozenset[str]
    local: frozenset[str]
    imports: Mapping[str, Import]
    own: str = ""
    owner: Any = ABSENT


_TOP = _Method(frozenset(), frozenset(), {})


class Look:
    """Finds out on what the statements of a module, or of a function of it, act."""

    def __init__(
        self,
        top: TopLevel,
        names: Names,
        inside: dict[_Call, set[Acted]] | None = None,
        method: _Method = _TOP,
    ) -> None:
        self._top = top
        self._names = names
        self._inside = {} if inside is None else inside
        self._method = method

    def acted_on(self, piece: Piece) -> set[Acted]:
        """Return what a statement acts on."""
        return self.all_acted_on([piece.node]) if isinstance(piece.node, ast.stmt) else set()

    def all_acted_on(
        self, body: list[ast.stmt], levels: int = 0, *, kept: bool = False
    ) -> set[Acted]:
        """Return what statements act on."""
        aliases = aliases_in(body)
        found: set[Acted] = set()
        for each in targets_in(body, levels):
            given = tuple(m for chain in each.given for m in meanings_of(chain, aliases))
            target = each._replace(is_kept=kept or each.is_kept, given=given)
            for chain in meanings_of(target.chain, aliases):
                found.update(self._on(target._replace(chain=chain)))
        return found

    def handed_to(self, piece: Piece) -> set[Acted]:
        """Return what definitions are handed to by their decorators.

        What a decorator returns in place of a definition leads back to it, and counts where it is
        used. Handed over is what it gives back as it was, or does not give back.
        """
        found: set[Acted] = set()
        for node in ast.walk(piece.node):
            if isinstance(node, Definition):
                for target in filter(None, map(target_of, node.decorator_list)):
                    called = target._replace(calls=target.calls + 1)
                    module = self._installed(called)
                    if module is None or (
                        top_of_module(module) not in KEEPING_NOTHING
                        and self._is_kept(node.name, called)
                    ):
                        found.update(self._on(called))
            if node is piece.node and isinstance(node, Definition):
                break
        return found

    def noted_by(self, name: str) -> set[Acted]:
        """Return what may have noted a class when it was derived from another.

        ``yaml.YAMLObject`` does so by its metaclass; ``__init_subclass__`` is the other way.
        """
        cls = self._names.globals.get(name) if isinstance(self._names, LiveNames) else None
        if not is_a(cls, type):
            return set()
        metaclasses = type.mro(type(cls))
        noting = [each for each in metaclasses if {"__new__", "__init__"} & vars(each).keys()]
        noting += [each for each in cls.__mro__ if "__init_subclass__" in vars(each)]
        found: set[Acted] = {standing_of_class(each).top for each in noting}
        found -= {"", *KEEPING_NOTHING}
        if issubclass(cls, Enum):
            for bound in run_by_calling(cls):
                found |= self._in(bound, Target(("", ()), 1)) - {*Handed}
        for each in noting:
            for hook in ("__init_subclass__", "__new__", "__init__"):
                if hook == "__init_subclass__" or issubclass(each, type):
                    for bound in run_by_calling(vars(each).get(hook), cls):
                        found |= self._in(bound, Target(("", ()), 1)) - {*Handed}
        return found

    def is_our_own(self, name: str) -> bool:
        """Whether a name means something of FlowWeaver's."""
        return is_our_own(Load(name, name), self._names, Notes())

    def _is_kept(self, name: str, decorator: Target) -> bool:
        """Whether an installed decorator may have kept what it decorates, and has wrapped nothing.

        Before the module is loaded that can only be told by what the decorator is called.
        """
        if not isinstance(self._names, LiveNames):
            return KEEPS.search(".".join(decorator.chain[1])) is not None
        value = self._names.globals.get(name)
        if is_any_of(value, (FunctionType, type)):
            is_wrapper = is_a(value, FunctionType) and "__wrapped__" in value.__dict__
            return not is_wrapper and standing_of(value).how is How.MEANING
        return is_scalar(value)

    def _on(self, target: Target) -> Iterator[Acted]:
        name, method = target.chain[0], self._method
        if name in method.imports:
            imported = method.imports[name]
            module = absolute(imported, package_of(self._names))
            if owner_of(module) is Owner.PROJECT:
                yield from self._on_what_is_meant(target)
            elif target.is_acting(on_module=is_of_module(imported, target.chain)):
                yield from tops_of(module)
        elif name in method.parameters and name != method.own:
            if (target.calls and not target.chain[1]) or target.is_acting(on_module=False):
                yield Handed.GIVEN
        elif name == "super" and method.owner is not ABSENT:
            yield from self._by_super(target)
        elif name == method.own or name not in method.local:
            yield from self._on_what_is_meant(target)

    def _on_what_is_meant(self, target: Target) -> Iterator[Acted]:
        meant = self._meaning(target)
        module = self._installed(target, meant)
        if module in _ACTING_ON_ARGUMENTS:
            yield from self._given(target)
            return
        if module is not None:
            keeps = target.called != DECORATOR or top_of_module(module) not in KEEPING_NOTHING
            if keeps and target.is_acting(on_module=self._is_on_module(target)):
                yield from tops_of(module)
            return
        if is_any_of(meant.value, (dict, list, tuple)) and target.called and not target.is_kept:
            yield from self._on_elements(meant.value, target)
        if meant.value is ABSENT and target.chain[0] in vars(builtins):
            yield from self._by_builtin(target)
        called = [*self._called(target, meant)]
        for bound in called:
            for acted in self._in(bound, target):
                if acted is not Handed.OWNER:
                    yield from self._given(target) if acted is Handed.GIVEN else (acted,)
                elif meant.place is not None and not is_a(meant.value, type):
                    yield meant.place
        if not called and meant.place is not None and target.is_acting(on_module=False):
            is_missing = meant.value is ABSENT and target.chain[0] == self._method.own
            yield from (meant.place, *((Handed.GIVEN,) if is_missing else ()))

    def _on_elements(self, value: Any, target: Target) -> Iterator[Acted]:
        """Yield what is acted on by a method of what a container holds."""
        elements = value.values() if is_a(value, dict) else value
        for each in [*elements][:_MOST_ELEMENTS]:
            if is_any_of(each, (ModuleType, type)) and standing_of(each).how is How.VERSION:
                yield from _tops_of_value(each)
            else:
                for bound in run_by_calling(member_of(each, target.called), each):
                    yield from self._in(bound, target) - {*Handed}

    def _by_builtin(self, target: Target) -> Iterator[Acted]:
        """Yield what is acted on by functions that are handed to `map` and the like."""
        is_getting = target.chain[0] in _GETTING and target.calls > 1
        if is_getting and target.is_acting(on_module=False):
            yield from self._given(target)
        for chain in target.given if target.chain[0] in _CALLING else ():
            meant = self._meaning(Target(chain, 1))
            if is_a(meant.value, FunctionType):
                for bound in run_by_calling(meant.value, meant.owner):
                    yield from self._in(bound, Target(chain, 1)) - {*Handed}

    def _by_super(self, target: Target) -> Iterator[Acted]:
        owner = self._method.owner
        for each in type.mro(owner if is_a(owner, type) else type(owner)):
            for bound in run_by_calling(vars(each).get(target.called), owner):
                for acted in self._in(bound, target):
                    yield from self._given(target) if acted is Handed.GIVEN else (acted,)

    def _given(self, target: Target) -> Iterator[Acted]:
        """Yield what a call acts on if it acts on all that it is given."""
        for chain in target.given:
            given = Target(chain, 1)
            if chain[0] in self._method.parameters and chain[0] != self._method.own:
                yield Handed.GIVEN
                continue
            meant = self._meaning(given)
            module = self._installed(given, meant)
            if module is not None:
                yield from tops_of(module)
                continue
            for bound in run_by_calling(meant.value, meant.owner):
                yield from (each for each in self._in(bound, given) if each not in (*Handed,))
            if meant.place is not None and not is_any_of(meant.value, (FunctionType, type)):
                yield meant.place

    def _is_on_module(self, target: Target) -> bool:
        """Whether a function of a module is called, and no method of a class or object."""
        name, attributes = target.chain
        imported = self._top.imports.get(name, ())
        is_module = is_a(self._meaning(Target((name, ()), 0)).value, ModuleType)
        is_module = is_module or any(each.attribute is None for each in imported)
        return len(attributes) == is_module

    def _installed(self, target: Target, meant: _Meant | None = None) -> str | None:
        """Return the installed module that a name is from; None if it is from none."""
        name, _ = target.chain
        is_local = name == self._method.own or name in self._method.imports
        for imported in self._top.imports.get(name, ()) if not is_local else ():
            module = absolute(imported, package_of(self._names))
            if owner_of(module) is not Owner.PROJECT:
                return module
        value = (meant or self._meaning(target)).value
        while is_a(value, partial):
            value = value.func
        if value is ABSENT or is_task(value) or standing_of(value).how is not How.VERSION:
            return None
        if meant and meant.place is not None and is_built_in(value):
            return None  # a method that the project's object has from `dict` acts on that object
        return name_of_module(value) if is_a(value, ModuleType) else module_of(value)

    def _meaning(self, target: Target) -> _Meant:
        name, attributes = target.chain
        owner: Any = ABSENT
        place: Acted | None
        if name == self._method.own:
            value, rest, place = self._method.owner, attributes, Handed.OWNER
        elif not isinstance(self._names, LiveNames):
            return _Meant(ABSENT)
        else:
            found = look_up(*self._outside(name, attributes, self._names), Notes())
            if found is None:
                return _Meant(ABSENT)
            value, rest = found.value, found.attributes
            place = None
            if is_a(value, ModuleType):
                if owner_of_module(name_of_module(value)) is Owner.PROJECT:
                    place = name_of_module(value), target.stored or ANY
            elif found.home is not None:
                place = made_at(found)
        for attribute in rest:
            if standing_of(value).how is How.VERSION:
                break
            owner, value = value, member_of(value, attribute)
        return _Meant(value, owner, place)

    def _outside(
        self, name: str, attributes: tuple[str, ...], names: LiveNames
    ) -> tuple[Load, LiveNames]:
        """Return a name, and where it is to be looked up: it may be imported in a body."""
        imported = self._method.imports.get(name)
        if imported is None:
            return Load("", name, attributes), names
        module = absolute(imported, package_of(names))
        taken = (imported.attribute, *attributes) if imported.attribute else attributes
        return Load("", module, taken), LiveNames({module: sys.modules.get(module, ABSENT)})

    def _called(self, target: Target, meant: _Meant) -> Iterator[Bound]:
        """Yield the project's functions that are called, those of classes among them."""
        if target.calls:
            yield from run_by_calling(meant.value, meant.owner)
            made: list[object] = [meant.value] if is_a(meant.value, type) else []
            if is_a(meant.value, FunctionType) and standing_of(meant.value).how is How.MEANING:
                made += made_by(meant.value)
            for each in made if target.calls > 1 else ():
                yield from run_by_calling(member_of(each, target.called), each)
        elif not target.called:
            yield from run_by_setting(meant.value)

    def _in(self, bound: Bound, target: Target) -> set[Acted]:
        """Return what a function acts on when it is called."""
        fn, owner = bound
        call = fn, id(owner), target.calls, target.is_kept
        found = self._inside.get(call)
        if found is None:
            found = self._inside[call] = set()
            found |= self._looked_into(fn, owner, target)
        return found

    def _looked_into(self, fn: FunctionType, owner: object, target: Target) -> set[Acted]:
        piece = piece_of(fn)
        source = source_of_globals(fn.__globals__)
        if piece is None or source is None:
            return set()
        parameters = parameters_of(fn)
        own = parameters[0] if parameters and owner is not ABSENT else ""
        names = LiveNames(fn.__globals__, closure_of(fn))
        local = frozenset({*fn.__code__.co_varnames, *fn.__code__.co_cellvars})
        imports = imports_in(piece.node)
        method = _Method(frozenset(parameters), local, imports, own, owner)
        look = Look(top_level(source), names, self._inside, method)
        levels, kept = target.calls - 1, target.is_kept
        found: set[Acted] = look.all_acted_on(_body_of(piece.node), levels, kept=kept)
        found |= {(names.module, name) for name in written_by(fn.__code__) if name not in local}
        if Handed.GIVEN in found:
            found |= {top for value in _defaults(fn) for top in _tops_of_value(value)}
        return found


def _body_of(node: ast.AST) -> list[ast.stmt]:
    if isinstance(node, ast.Lambda):
        return [ast.copy_location(ast.Expr(node.body), node)]
    return node.body if isinstance(node, Definition) else []


def _defaults(fn: FunctionType) -> Iterable[object]:
    return (*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values())


def _tops_of_value(value: Any) -> Iterator[str]:
    if not is_scalar(value) and standing_of(value).how is How.VERSION:
        yield from tops_of(name_of_module(value) if is_a(value, ModuleType) else module_of(value))

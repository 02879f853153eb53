"""From names in source files to the things they mean, without importing the files.

Used for what a function imports in its body: whether that module happens to be loaded already
must make no difference.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import FunctionType

from flowweaver.fingerprint.bindings import TopLevel
from flowweaver.fingerprint.fillers import fillers_of, is_noting_subclasses, noted_in, subclasses_in
from flowweaver.fingerprint.finding import finds_under
from flowweaver.fingerprint.holding import code_held_by
from flowweaver.fingerprint.kinds import is_a, module_of
from flowweaver.fingerprint.live import Found, uses_of
from flowweaver.fingerprint.loading import loaded_module
from flowweaver.fingerprint.modules import FoundModule, absolute, find_module, top_level
from flowweaver.fingerprint.owners import Owner, top_of_module
from flowweaver.fingerprint.sources import Piece, Source
from flowweaver.fingerprint.standing import How, standing_of
from flowweaver.fingerprint.things import (
    FunctionThing,
    Notes,
    PackageThing,
    PieceThing,
    StaticNames,
    Thing,
    Use,
    interned,
)
from flowweaver.fingerprint.values import is_scalar

_Trail = frozenset[tuple[str, str]]


def symbol(
    label: str, module: str, attributes: tuple[str, ...], notes: Notes, trail: _Trail = frozenset()
) -> Iterator[Use]:
    """Yield what ``module.a.b`` means; without attributes, all that the module defines."""
    found = find_module(module)
    if found is None:
        yield from _not_on_disk(label, module, attributes, notes)
        return
    if found.owner is Owner.PACKAGE:
        yield Use(label, PackageThing(top_of_module(module)))
    if found.owner is not Owner.PROJECT:
        return
    if found.source is not None:
        notes.rests_on_source(found.source)
    if attributes:
        yield from top_level_name(label, found, attributes[0], attributes[1:], notes, trail)
        if found.source is not None and _is_made_when_asked_for(attributes[0], found.source):
            yield from top_level_name(label, found, "__getattr__", (), notes, trail)
    elif found.source is not None:
        for name in top_level(found.source).names():
            yield from top_level_name(f"{label}.{name}", found, name, (), notes, trail)


def _is_made_when_asked_for(name: str, source: Source) -> bool:
    top = top_level(source)
    return top.binds("__getattr__") and not top.binds(name) and not name.startswith("__")


def top_level_name(
    label: str,
    found: FoundModule,
    name: str,
    rest: tuple[str, ...],
    notes: Notes,
    trail: _Trail = frozenset(),
) -> Iterator[Use]:
    """Yield what a top-level name of a module means; nothing for builtins."""
    if (found.name, name) in trail:
        return
    trail |= {(found.name, name)}
    uses = list(_bound(label, found, name, rest, notes, trail))
    submodule = f"{found.name}.{name}"
    if not uses and found.package == found.name and find_module(submodule) is not None:
        uses = list(symbol(label, submodule, rest, notes, trail))
    yield from uses


def _bound(
    label: str,
    found: FoundModule,
    name: str,
    rest: tuple[str, ...],
    notes: Notes,
    trail: _Trail,
) -> Iterator[Use]:
    if found.source is None:
        return
    notes.names.add((found.name, name))
    top = top_level(found.source)
    names = StaticNames(found)
    for piece in top.definitions(name):
        outdated = _outdated(found, name)
        yield Use(label, outdated or _interned(PieceThing(f"{found.name}.{name}", piece, names)))
    for piece in top.statements(name):
        thing = PieceThing(f"definition {found.name}.{name}", piece, names)
        yield Use(label, _interned(thing))
    for piece in _registered(top, name):
        yield Use(label, _interned(PieceThing(f"{found.name}.{name} has", piece, names)))
    yield from _from_elsewhere(label, found, name, notes)
    for target in top.imports.get(name, ()):
        taken = (target.attribute, *rest) if target.attribute else rest
        full_name = ".".join((target.module, *taken))
        if finds_under(full_name, rest[-1] if rest else name):
            notes.say(full_name, f"{found.name}.{name}")
        yield from symbol(label, absolute(target, found.package), taken, notes, trail)
    for star in top.stars if not top.binds(name) else ():
        yield from symbol(label, absolute(star, found.package), (name, *rest), notes, trail)


def _registered(top: TopLevel, name: str) -> Iterator[Piece]:
    """Yield what the same file puts into a registry of that name, or into a class of it."""
    if top.statements(name):
        yield from fillers_of(top, name)
    else:
        yield from noted_in(top, name)


def subclasses_of(thing: PieceThing, notes: Notes) -> Iterator[Use]:
    """Yield the classes that are derived from one, in its file or by what is loaded already."""
    names, node = thing.names, thing.piece.node
    if not isinstance(names, StaticNames) or not isinstance(node, ast.ClassDef):
        return
    if names.found.source is not None and thing.name == f"{names.module}.{node.name}":
        for piece in subclasses_in(top_level(names.found.source), node.name):
            name = piece.node.name if isinstance(piece.node, ast.ClassDef) else ""
            yield Use("subclass", _interned(PieceThing(f"{names.module}.{name}", piece, names)))
        cls = getattr(loaded_module(names.module), "__dict__", {}).get(node.name)
        if is_a(cls, type):
            notes.rests_on_subclasses(cls)
            for each in _below(cls):
                if module_of(each) != names.module:
                    yield from uses_of("subclass", Found(each, each.__qualname__), notes)


def _below(cls: type) -> Iterator[type]:
    below: list[type] = cls.__subclasses__()
    for each in below:
        yield each
        yield from _below(each)


def _from_elsewhere(label: str, found: FoundModule, name: str, notes: Notes) -> Iterator[Use]:
    """Yield what other modules have put into a registry, which they loaded for that."""
    held = _put_in(found.name, name)
    notes.witnesses.append((_still_has, found.name, name, tuple(map(id, held))))
    for each in held:
        yield from uses_of(label, Found(each, f"{found.name}.{name} has"), notes)


def _put_in(module: str, name: str) -> list[object]:
    value = getattr(loaded_module(module), "__dict__", {}).get(name)
    held: list[object]
    if is_a(value, type):
        held = [*value.__subclasses__()] if is_noting_subclasses(value) else []
    elif is_scalar(value) or standing_of(value).how is not How.CONTENT:
        held = []
    else:
        held = code_held_by(value)
    return [each for each in held if module_of(each) != module]


def _still_has(module: str, name: str, same: tuple[int, ...]) -> bool:
    return tuple(map(id, _put_in(module, name))) == same


def _interned(thing: PieceThing) -> Thing:
    return interned(thing, thing.piece.source, f"{thing.piece.key}")


def _outdated(found: FoundModule, name: str) -> FunctionThing | None:
    """Return the loaded function if its file has been edited since, and so is not what runs."""
    loaded = getattr(sys.modules.get(found.name), "__dict__", {}).get(name)
    if not isinstance(loaded, FunctionType) or found.source is None:
        return None
    code = loaded.__code__
    is_from_here = code.co_filename == found.source.filename
    return FunctionThing(loaded) if is_from_here and not found.source.locate(code) else None


def _not_on_disk(
    label: str, module: str, attributes: tuple[str, ...], notes: Notes
) -> Iterator[Use]:
    loaded = sys.modules.get(module)
    if loaded is None:
        yield Use(label, PackageThing(top_of_module(module)))
        return
    value: object = loaded
    name = module
    for attribute in attributes[:1]:
        value = getattr(loaded, "__dict__", {}).get(attribute)
        name = f"{module}.{attribute}"
    yield from uses_of(label, Found(value, name, None, attributes[1:]), notes)

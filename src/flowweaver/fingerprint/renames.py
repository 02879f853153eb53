"""Other names for what finds things by name: ``from importlib import import_module as load``.

Code that calls `load` is looked at as if it called `import_module`, whether the other name is one
of its own module, an attribute of another module of the project, or of a class.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.finding import CALLED
from flowweaver.fingerprint.kinds import (
    functions_in,
    is_a,
    is_any_of,
    module_of,
    name_of_module,
    vars_of,
)
from flowweaver.fingerprint.modules import FoundModule, absolute, find_module, top_level
from flowweaver.fingerprint.owners import Owner, owner_of_module
from flowweaver.fingerprint.resolve import package_of
from flowweaver.fingerprint.spelling import Chain, Renames, chain_of
from flowweaver.fingerprint.standing import How, standing_of
from flowweaver.fingerprint.things import ABSENT, LiveNames, Names, Notes, content_of

_MOST_STEPS = 20
# Of these it counts that a name is theirs.
_ROOTS = frozenset({"builtins", "inspect", "io", "sys"})
_MODULES: Chain = ("sys", ("modules",))


def renames_of(loads: Iterable[Load], names: Names, notes: Notes) -> Renames:
    """Return which names, with attributes, are others for something that finds things."""
    found: dict[Chain, Chain] = {}
    for load in loads:
        chain = spelled(load)
        if chain not in found:
            meant = _meant(load, names, notes)
            if meant is not None and meant != chain:
                found[chain] = meant
    return tuple(sorted(found.items()))


def spelled(load: Load) -> Chain:
    """Return how code spells a name, under its full one if it is imported there."""
    if load.source is None:
        return load.name, load.attributes
    name, *inner = load.source.module.split(".")
    taken = (load.source.attribute,) if load.source.attribute else ()
    return name, (*inner, *taken, *load.attributes)


def _meant(load: Load, names: Names, notes: Notes) -> Chain | None:
    if load.source is not None:
        module = absolute(load.source, package_of(names))
        taken = (load.source.attribute,) if load.source.attribute else ()
        return _of_module(module, (*taken, *load.attributes), notes, _MOST_STEPS)
    if isinstance(names, LiveNames):
        return _of_loaded(load, names, notes)
    return _of_file(names.found, load.name, load.attributes, notes, _MOST_STEPS)


def _of_loaded(load: Load, names: LiveNames, notes: Notes) -> Chain | None:
    if load.name in names.closure:
        value = content_of(names.closure[load.name])
    else:
        value = names.globals.get(load.name, ABSENT)
    steps: list[tuple[Any, str]] = []
    for number, attribute in enumerate(load.attributes):
        if is_a(value, ModuleType):
            if owner_of_module(name_of_module(value)) is not Owner.PROJECT:
                is_renamed = name_of_module(value) in _ROOTS
                return (name_of_module(value), load.attributes[number:]) if is_renamed else None
        elif not is_a(value, type) or standing_of(value).how is not How.MEANING:
            return None
        members = vars_of(value) if is_a(value, ModuleType) else vars(value)
        steps.append((members, attribute))
        value = members.get(attribute, ABSENT)
        value = next(iter(functions_in(value)), value)
    found = _canonical(value, (load.name, *load.attributes)[-1])
    if found is not None:
        if load.name not in names.closure:
            steps.append((names.globals, load.name))
        for members, name in steps:
            notes.rests_on(members, name, members.get(name, ABSENT))
    return found


def _canonical(value: Any, name: str) -> Chain | None:
    if value is sys.modules:
        return _MODULES
    if not is_any_of(value, (FunctionType, BuiltinFunctionType)) or value.__name__ == name:
        return None
    if value.__name__ not in CALLED or standing_of(value).how is not How.VERSION:
        return None
    return _dotted(f"{module_of(value)}.{value.__name__}")


def _dotted(name: str) -> Chain:
    start, *attributes = name.removeprefix("builtins.").split(".")
    return start, tuple(attributes)


def _of_module(module: str, attributes: tuple[str, ...], notes: Notes, steps: int) -> Chain | None:
    if not attributes:
        return None
    found = find_module(module)
    if found is not None and found.owner is Owner.PROJECT:
        inner = find_module(f"{module}.{attributes[0]}") if found.package == module else None
        if inner is not None and steps:
            return _of_module(inner.name, attributes[1:], notes, steps - 1)
        return _of_file(found, attributes[0], attributes[1:], notes, steps - 1)
    is_found = attributes[-1] in CALLED and (len(attributes) == 1 or module in _ROOTS)
    return _dotted(".".join((module, *attributes))) if is_found else None


def _of_file(
    found: FoundModule, name: str, attributes: tuple[str, ...], notes: Notes, steps: int
) -> Chain | None:
    if found.source is None or steps <= 0:
        return None
    notes.rests_on_source(found.source)
    top = top_level(found.source)
    for target in top.imports.get(name, ())[-1:]:
        taken = (target.attribute, *attributes) if target.attribute else attributes
        return _of_module(absolute(target, found.package), taken, notes, steps - 1)
    for start, more in _aliases(top.statements(name), name):
        if top.binds(start):
            return _of_file(found, start, (*more, *attributes), notes, steps - 1)
        if start in CALLED and not more:
            return start, attributes
    return None


def _aliases(statements: Iterable[Any], name: str) -> Iterator[Chain]:
    for piece in statements:
        node = piece.node
        if isinstance(node, ast.Assign) and chain_of(node.targets[0]) == (name, ()):
            chain = chain_of(node.value)
            if chain is not None:
                yield chain

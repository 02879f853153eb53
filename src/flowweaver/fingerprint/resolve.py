"""From the names that a piece of code uses to the things they mean."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType, ModuleType

from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.finding import finds_under
from flowweaver.fingerprint.kinds import is_a, is_any_of, module_of, name_of_module
from flowweaver.fingerprint.live import look_up, uses_of
from flowweaver.fingerprint.modules import absolute, find_module, top_level
from flowweaver.fingerprint.owners import OURSELVES, top_of_module
from flowweaver.fingerprint.static import symbol, top_level_name
from flowweaver.fingerprint.things import ABSENT, LiveNames, Names, Notes, Use


def resolve(load: Load, names: Names, notes: Notes) -> Iterator[Use]:
    """Yield what a name means; nothing for builtins and what counts for nothing."""
    if load.source is not None:
        module = absolute(load.source, package_of(names))
        taken = (load.source.attribute,) if load.source.attribute else ()
        attributes = (*taken, *load.attributes)
        full_name = ".".join((module, *attributes))
        if finds_under(full_name, attributes[-1] if attributes else ""):
            notes.say(full_name, _owner_of(names))
        yield from symbol(load.label, module, attributes, notes)
    elif isinstance(names, LiveNames):
        yield from _of_loaded(load, names, notes)
    else:
        yield from top_level_name(load.label, names.found, load.name, load.attributes, notes)


def _of_loaded(load: Load, names: LiveNames, notes: Notes) -> Iterator[Use]:
    found = look_up(load, names, notes)
    if found is None:
        return
    if found.value is not ABSENT:
        yield from uses_of(load.label, found, notes)
    if found.missing and find_module(found.missing):
        # A module that is not loaded yet, but will be when its name is asked for.
        yield from symbol(load.label, found.missing, found.attributes, notes)


def _owner_of(names: Names) -> str:
    return names.owner if isinstance(names, LiveNames) else names.found.name


def is_our_own(load: Load, names: Names, notes: Notes) -> bool:
    """Whether a name means something of FlowWeaver's, such as its decorator `task`."""
    if isinstance(names, LiveNames):
        found = look_up(load, names, notes)
        if found is None or found.value is ABSENT:
            return False
        value = found.value
        modules = [module_of(type(value))]
        if is_any_of(value, (FunctionType, type)):
            modules.append(module_of(value))
        elif is_a(value, ModuleType):
            modules.append(name_of_module(value))
    else:
        source = names.found.source
        imports = top_level(source).imports.get(load.name, ()) if source else ()
        modules = [absolute(target, names.found.package) for target in imports]
    return any(top_of_module(module) == OURSELVES for module in modules)


def package_of(names: Names) -> str:
    """Return the package that relative imports start from."""
    if isinstance(names, LiveNames):
        package = names.globals.get("__package__")
        return str(package) if package else names.module.rpartition(".")[0]
    return names.found.package

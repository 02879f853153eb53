"""From names in loaded code, and from objects, to the things they mean."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from types import (
    CellType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any

from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.kinds import (
    is_a,
    is_any_of,
    is_built_in,
    is_task,
    is_workflow,
    module_of,
)
from flowweaver.fingerprint.modules import absolute, source_of_globals, top_level
from flowweaver.fingerprint.owners import (
    OURSELVES,
    Owner,
    owner_of_file,
    owner_of_module,
    top_of_file,
    top_of_module,
)
from flowweaver.fingerprint.things import (
    ABSENT,
    ClassThing,
    FunctionThing,
    Home,
    LiveNames,
    Notes,
    PackageThing,
    PieceThing,
    Thing,
    Use,
    ValueThing,
    content_of,
    file_of,
    interned,
)

_CODE = (FunctionType, MethodType, _lru_cache_wrapper, type)


@dataclass(frozen=True, slots=True)
class Found:
    """An object, what to call it, where it is bound, and the attributes still to be taken."""

    value: object
    name: str
    home: Home | None = None
    attributes: tuple[str, ...] = ()
    near: str = ""
    """The file of the module that uses it."""
    cell: CellType | None = None
    """The closure's cell that holds it, if one does."""


def look_up(load: Load, names: LiveNames, notes: Notes) -> Found | None:
    """Follow a name through modules to an object; None for builtins and what is not there."""
    if load.name in names.closure:
        cell = names.closure[load.name]
        value = content_of(cell)
        name = f"closure {load.name} of {names.owner}"
        found = Found(value, name, None, load.attributes, file_of(names.globals), cell)
        return None if value is ABSENT else _through_modules(found, notes)
    value = names.globals.get(load.name, ABSENT)
    notes.rests_on(names.globals, load.name, value)
    if value is ABSENT:
        return None
    name = f"{names.module}.{load.name}"
    return _through_modules(Found(value, name, (names.globals, load.name), load.attributes), notes)


def _through_modules(found: Found, notes: Notes) -> Found:
    while found.attributes and is_a(found.value, ModuleType):
        module, (attribute, *rest) = found.value, found.attributes
        if owner_of_module(module.__name__) is not Owner.PROJECT:
            break
        name = f"{module.__name__}.{attribute}"
        members = vars(module)
        value = members.get(attribute, ABSENT)
        notes.rests_on(members, attribute, value)
        if value is ABSENT:
            value = sys.modules.get(name, members.get("__getattr__", ABSENT))
        found = Found(value, name, (members, attribute), tuple(rest))
    return found


def live_uses(load: Load, names: LiveNames, notes: Notes) -> Iterator[Use]:
    """Yield what a name in loaded code means."""
    found = look_up(load, names, notes)
    if found is not None and found.value is not ABSENT:
        yield from uses_of(load.label, found, notes)


def uses_of(label: str, found: Found, notes: Notes) -> Iterator[Use]:
    """Yield the things that an object stands for; none if it counts for nothing."""
    value: Any = found.value
    if is_a(value, FunctionType):
        yield from _function(label, value, found, notes)
    elif is_a(value, ModuleType):
        yield from _module(label, value, notes)
    elif is_a(value, type):
        yield from _class(label, value, found)
    elif is_built_in(value):
        yield from _built_in(label, value, found, notes)
    elif is_workflow(value):
        for name, task in value.get_all_tasks().items():
            yield from uses_of(f"{label}:{name}", Found(task, found.name), notes)
    elif (inner := _stands_for(value)) is not None:
        yield from uses_of(label, Found(inner, found.name, found.home), notes)
    elif top_of_module(module_of(type(value))) != OURSELVES:
        yield from _value(label, found)


def _stands_for(value: Any) -> object:
    if is_task(value):
        return value.fn
    if is_a(value, _lru_cache_wrapper):
        return value.__wrapped__
    if is_any_of(value, (staticmethod, classmethod)):
        return value.__func__
    return None


def _use(label: str, thing: Thing, home: Home | None) -> Use:
    return Use(label, thing if home is None else interned(thing, *home))


def _class(label: str, cls: type, found: Found) -> Iterator[Use]:
    owner = owner_of_module(module_of(cls))
    if owner is Owner.PROJECT:
        yield _use(label, ClassThing(cls), found.home)
    elif owner is Owner.PACKAGE:
        yield Use(label, PackageThing(top_of_module(module_of(cls))))


def _module(label: str, module: ModuleType, notes: Notes) -> Iterator[Use]:
    owner = owner_of_module(module.__name__)
    if owner is Owner.PACKAGE:
        yield Use(label, PackageThing(top_of_module(module.__name__)))
    if owner is not Owner.PROJECT:
        return
    # A module handed around as a value may be asked for anything in it.
    members = vars(module)
    for name in sorted(members):
        if not name.startswith("__") and not is_a(members[name], ModuleType):
            notes.rests_on(members, name, members[name])
            found = Found(members[name], f"{module.__name__}.{name}", (members, name))
            yield from uses_of(f"{label}.{name}", found, notes)


def _function(label: str, fn: FunctionType, found: Found, notes: Notes) -> Iterator[Use]:
    owner = owner_of_function(fn)
    if owner is Owner.PROJECT:
        yield _use(label, FunctionThing(fn), found.home)
        yield from _function_attribute(label, fn, found, notes)
        return
    if owner is Owner.PACKAGE:
        yield Use(label, PackageThing(top_of_file(fn.__code__.co_filename)))
    inner = list(_wrapped(label, fn, found, notes))
    yield from inner or _hidden(label, found)


def owner_of_function(fn: FunctionType) -> Owner:
    """Say whose a function is, by where its code is from, which no wrapper can disguise."""
    filename = fn.__code__.co_filename
    if filename.startswith("<") and not filename.startswith("<frozen "):
        return owner_of_module(fn.__globals__.get("__name__", "?"))
    return owner_of_file(filename)


def _function_attribute(label: str, fn: FunctionType, found: Found, notes: Notes) -> Iterator[Use]:
    for attribute in found.attributes[:1]:
        if attribute in fn.__dict__ and attribute != "__wrapped__":
            inner = Found(fn.__dict__[attribute], f"{found.name}.{attribute}")
            yield from uses_of(f"{label}.{attribute}", inner, notes)


def _wrapped(label: str, fn: FunctionType, found: Found, notes: Notes) -> Iterator[Use]:
    """Yield what a wrapper from outside of the project is wrapped around."""
    inner = [fn.__dict__.get("__wrapped__"), *map(content_of, fn.__closure__ or ())]
    registry: Any = fn.__dict__.get("registry")
    if is_any_of(registry, (dict, MappingProxyType)):
        # functools.singledispatch: one implementation per type.
        inner += [registry[key] for key in sorted(registry, key=lambda key: key.__qualname__)]
    seen: list[object] = []
    for each in inner:
        if (is_any_of(each, _CODE) or is_task(each)) and not any(each is other for other in seen):
            seen.append(each)
            yield from uses_of(f"{label}:{len(seen)}", Found(each, found.name), notes)


def _hidden(label: str, found: Found) -> Iterator[Use]:
    """Yield the definition of a name whose object does not let its function be seen."""
    if found.home is None:
        return
    module_globals, name = found.home
    source = source_of_globals(module_globals)
    if source is not None:
        names = LiveNames(module_globals)
        for piece in top_level(source).definitions(name):
            yield Use(label, PieceThing(f"{names.module}.{name}", piece, names))


def _built_in(label: str, value: Any, found: Found, notes: Notes) -> Iterator[Use]:
    bound_to = getattr(value, "__self__", None)
    if bound_to is not None and not is_any_of(bound_to, (ModuleType, type)):
        yield Use(label, ValueThing(found.name, value, found.home))
        return
    owner_class = bound_to if is_a(bound_to, type) else getattr(value, "__objclass__", None)
    module = module_of(value if owner_class is None else owner_class)
    owner = owner_of_module(module)
    if owner is Owner.PACKAGE:
        yield Use(label, PackageThing(top_of_module(module)))
    elif owner is Owner.PROJECT:
        notes.say(f"{module}.{value.__qualname__} has no source (built-in)")


def _value(label: str, found: Found) -> Iterator[Use]:
    owner = owner_of_module(module_of(type(found.value)))
    origin = _origin(found)
    if isinstance(origin, Found):
        found = origin
    elif owner is not Owner.PROJECT:
        yield from [Use(label, origin)] if origin else []
        return
    if owner is Owner.PACKAGE:
        yield Use(label, PackageThing(top_of_module(module_of(type(found.value)))))
        hidden = list(_hidden(label, found))
        if hidden:
            yield from hidden
            return
    prefix = "" if found.name.startswith("closure ") else "constant "
    near = file_of(found.home[0]) if found.home else found.near
    thing = ValueThing(prefix + found.name, found.value, found.home, near, cell=found.cell)
    yield _use(label, thing, found.home)


def _origin(found: Found) -> Found | PackageThing | None:
    """Follow a value through `from` imports to the module that made it; None if none counts."""
    for _ in range(20):
        source = source_of_globals(found.home[0]) if found.home else None
        if source is None or found.home is None:
            return found
        module_globals, name = found.home
        top = top_level(source)
        imports = top.imports.get(name)
        if not imports or top.statements(name):
            return found
        package = module_globals.get("__package__") or ""
        module = absolute(imports[-1], package)
        owner = owner_of_module(module)
        if owner is Owner.PACKAGE:
            return PackageThing(top_of_module(module))
        if owner is Owner.NOBODY:
            return None
        attribute = imports[-1].attribute
        members = getattr(sys.modules.get(module), "__dict__", {})
        if attribute is None or members.get(attribute, ABSENT) is not found.value:
            return found
        found = Found(found.value, f"{module}.{attribute}", (members, attribute))
    return found

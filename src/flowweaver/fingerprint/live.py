"""From names in loaded code, and from objects, to the things they mean."""

from __future__ import annotations

import builtins
import functools
import sys
from collections.abc import Iterator
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.finding import finds_by_name
from flowweaver.fingerprint.kinds import (
    added_to,
    full_name,
    functions_in,
    is_a,
    is_any_of,
    is_task,
    module_of,
    name_of_module,
    vars_of,
)
from flowweaver.fingerprint.modules import absolute, source_of_globals, top_level
from flowweaver.fingerprint.owners import Owner, is_workplace, owner_of_module, top_of_module
from flowweaver.fingerprint.sources import Piece
from flowweaver.fingerprint.standing import How, standing_of, standing_of_class
from flowweaver.fingerprint.things import (
    ABSENT,
    ClassThing,
    FileThing,
    FunctionThing,
    Home,
    LiveNames,
    ModuleThing,
    Notes,
    PackageThing,
    Thing,
    Use,
    ValueThing,
    content_of,
    file_of,
    interned,
)
from flowweaver.main_module import known_as

_MOST_LAYERS = 100
_MOST_IMPORTS = 20
# What Python itself has there; what was put in before this was imported is not among it.
_BUILT_IN = {
    name: value
    for name, value in vars_of(builtins).items()
    if module_of(value) in ("builtins", "io", "_io", "_sitebuiltins") or name.startswith("__")
} | {"Ellipsis": ..., "NotImplemented": NotImplemented}
_SAID_OF_TASKS = frozenset({"name", "options", "depends_on", "sources"})
_OF_ANY_MODULE = frozenset(dir(ModuleType))


class Found(NamedTuple):
    """An object, what to call it, where it is bound, and the attributes still to be taken.

    Attributes:
        near: The file of the module that uses it.
        cell: The closure's cell that holds it, if one does.
        made_by: The source that made it, if that is not what binds a global.
        owner: The class that it is an attribute of.
        by_package: Whether it is held by something that was installed.
        missing: The module attribute that is not there, if it came to that.
    """

    value: object
    name: str
    home: Home | None = None
    attributes: tuple[str, ...] = ()
    near: str = ""
    cell: CellType | None = None
    made_by: Piece | None = None
    owner: type | None = None
    by_package: bool = False
    missing: str = ""


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
        return _put_in_builtins(load, notes)
    name = f"{names.module}.{load.name}"
    return _through_modules(Found(value, name, (names.globals, load.name), load.attributes), notes)


def _put_in_builtins(load: Load, notes: Notes) -> Found | None:
    """Return what somebody has put among the builtins under a name; None if nobody has."""
    members = vars_of(builtins)
    value = members.get(load.name, ABSENT)
    notes.rests_on(members, load.name, value)
    if value is ABSENT or _BUILT_IN.get(load.name, ABSENT) is value:
        return None
    found = Found(value, f"builtins.{load.name}", None, load.attributes)
    return _through_modules(found, notes)


def _through_modules(found: Found, notes: Notes) -> Found:
    while found.attributes and is_a(found.value, ModuleType):
        module, (attribute, *rest) = found.value, found.attributes
        members = vars_of(module)
        owner = owner_of_module(name_of_module(module))
        name = f"{name_of_module(module)}.{attribute}"
        value = members.get(attribute, ABSENT)
        notes.rests_on(members, attribute, value)
        if owner is not Owner.PROJECT:
            if not (is_a(value, ModuleType) or is_put_in(value) or finds_by_name(value, name)):
                break
        elif value is ABSENT:
            if attribute in _OF_ANY_MODULE:  # such as `__dict__`: any name may be asked for
                return found._replace(attributes=())
            value = sys.modules.get(name, ABSENT)
            if value is ABSENT:
                value = members.get("__getattr__", ABSENT)
                return Found(value, name, (members, attribute), tuple(rest), missing=name)
        home = (members, attribute) if owner is Owner.PROJECT else None
        found = Found(value, name, home, tuple(rest))
    return found


def is_put_in(value: Any) -> bool:
    """Whether something that an installed module has is the project's, put there from outside."""
    for _ in range(_MOST_LAYERS):
        if is_a(value, MethodType):
            value = value.__func__
        elif is_a(value, functools.partial):
            value = value.func
        elif is_a(value, FunctionType) and "__wrapped__" in value.__dict__:
            if standing_of(value).how is How.VERSION:
                return False
            value = value.__dict__["__wrapped__"]
        else:
            break
    if is_any_of(value, (FunctionType, type)):
        return standing_of(value).how is How.MEANING
    return standing_of_class(type(value)).how is How.MEANING


def uses_of(label: str, found: Found, notes: Notes) -> Iterator[Use]:
    """Yield the things that an object stands for; none if it counts for nothing."""
    if is_task(found.value):
        yield from _beside_its_function(label, found, notes)
    value = _behind(found.value)
    if value is not found.value:
        found = found._replace(value=value)
    standing = standing_of(value)
    if standing.how is How.VERSION:
        if finds_by_name(value, found.name):
            notes.say(full_name(value), found.name)
        yield _installed(label, full_name(value), standing.top)
    elif standing.how is How.CONTENT:
        yield from _value(label, found, notes)
    else:
        thing = _own_code(value, found, notes)
        if thing is not None:
            yield Use(label, thing if found.home is None else interned(thing, *found.home))


def _beside_its_function(label: str, found: Found, notes: Notes) -> Iterator[Use]:
    """Yield what else than its function counts of a task: what is read of it, and its class."""
    task, cls = found.value, type(found.value)
    if standing_of_class(cls).how is How.MEANING:
        yield Use(label, ClassThing(cls))
    if found.attributes and found.attributes[0] in _SAID_OF_TASKS:
        attribute, *rest = found.attributes
        said, name = getattr(task, attribute), f"{found.name}.{attribute}"
        yield from uses_of(name, Found(said, name, None, tuple(rest), found.near), notes)


def installed(label: str, name: str) -> Use:
    """Return the use of installed code: which it is counts, and the version of its package."""
    is_of_package = owner_of_module(name.rpartition(".")[0]) is Owner.PACKAGE
    return _installed(label, name, top_of_module(name) if is_of_package else "")


def _installed(label: str, name: str, top: str) -> Use:
    return Use(f"{label} = {name}", PackageThing(top))


def _behind(value: Any) -> Any:
    """Return what a value stands for that is no more than a way to it."""
    for _ in range(_MOST_LAYERS):
        if is_task(value):
            value = value.fn
        elif is_any_of(value, (staticmethod, classmethod)):
            (value,) = functions_in(value)
        elif is_a(value, functools._lru_cache_wrapper) and {*added_to(value.__dict__)} == {
            "__wrapped__"
        }:
            value = value.__wrapped__
        else:
            break
    return value


def _own_code(value: Any, found: Found, notes: Notes) -> Thing | None:
    if is_a(value, FunctionType):
        return FunctionThing(value, found.by_package)
    if is_a(value, type):
        return ClassThing(value)
    if is_a(value, ModuleType):
        return ModuleThing(value)
    return _compiled(value, notes)


def _compiled(value: Any, notes: Notes) -> Thing | None:
    """Return the file of an extension that a built-in function of the project is in."""
    owner = getattr(value, "__objclass__", None) or getattr(value, "__self__", None)
    module = module_of(owner if is_a(owner, type) else value)
    filename = getattr(sys.modules.get(module), "__file__", None)
    if not isinstance(filename, str) or filename.endswith(".py"):
        notes.say("a function without source (built-in)", f"{module}.{value.__qualname__}")
        return None
    return FileThing(module, filename)


def _value(label: str, found: Found, notes: Notes) -> Iterator[Use]:
    if found.value is sys.modules:
        notes.say("sys.modules", found.name)
        return
    cls = type(found.value)
    if is_workplace(module_of(cls)):
        return
    origin = _origin(found)
    if not isinstance(origin, Found):
        yield installed(label, origin)
        return
    found = origin
    prefix = "" if found.name.startswith(("closure ", "default ")) else "constant "
    near = file_of(found.home[0]) if found.home else found.near
    thing = ValueThing(
        prefix + found.name, found.value, found.home, near, found.cell, found.made_by, found.owner
    )
    yield Use(label, thing if found.home is None else interned(thing, *found.home))


def made_at(found: Found) -> tuple[str, str] | None:
    """Return the module that a value comes from by way of `from` imports, and its name there.

    None if it comes from none of the project's modules: files of others are not read for it.
    """
    home = found.home
    for _ in range(_MOST_IMPORTS):
        imported = _imported(home, found.value) if home else None
        if imported is None or imported[1] is None:
            break
        if owner_of_module(imported[0]) is not Owner.PROJECT:
            return None
        members = getattr(sys.modules.get(imported[0]), "__dict__", {})
        if members.get(imported[1], ABSENT) is not found.value:
            break
        home = members, imported[1]
    return (known_as(str(home[0].get("__name__", "?"))), home[1]) if home else None


def _origin(found: Found) -> Found | str:
    """Follow a value through `from` imports to what made it, or to its name in installed code."""
    for _ in range(_MOST_IMPORTS):
        source = source_of_globals(found.home[0]) if found.home else None
        if source is None or found.home is None or top_level(source).statements(found.home[1]):
            return found
        imported = _imported(found.home, found.value)
        if imported is None:
            return found
        module, attribute = imported
        owner = owner_of_module(module)
        if owner is not Owner.PROJECT:
            return found if is_put_in(found.value) else f"{module}.{attribute}"
        members = getattr(sys.modules.get(module), "__dict__", {})
        if attribute is None or members.get(attribute, ABSENT) is not found.value:
            return found
        found = Found(found.value, f"{module}.{attribute}", (members, attribute))
    return found


def _imported(home: Home, value: object) -> tuple[str, str | None] | None:
    """Return the module and name that a global is imported from; None if it is imported from none.

    Of several that are tried one after the other it is the one that has the value: whether the
    others are loaded, by a body or otherwise, makes no difference.
    """
    module_globals, name = home
    source = source_of_globals(module_globals)
    imports = top_level(source).imports.get(name, []) if source else []
    package = module_globals.get("__package__") or ""
    found = [(absolute(each, package), each.attribute) for each in imports]
    if len(found) > 1:
        found = [each for each in found if _has(*each, value)]
    return found[-1] if found else None


def _has(module: str, attribute: str | None, value: object) -> bool:
    members = getattr(sys.modules.get(module), "__dict__", {})
    return attribute is not None and members.get(attribute, ABSENT) is value

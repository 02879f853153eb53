"""How an object counts: as the project's own code, as installed code, or as a value.

What can't be seen of a value is found out where it is taken apart.
"""

from __future__ import annotations

import sys
from enum import Enum
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from flowweaver.fingerprint.generated import generator_of
from flowweaver.fingerprint.kinds import (
    answers_by_itself,
    is_a,
    is_any_of,
    is_at,
    is_built_in,
    is_python_class,
    module_of,
    vars_of,
)
from flowweaver.fingerprint.owners import (
    Owner,
    owner_of_file,
    owner_of_module,
    top_of_file,
    top_of_module,
)


class How(Enum):
    """The ways in which an object can count."""

    MEANING = "as the project's own code"
    VERSION = "as installed code"
    CONTENT = "as a value"


class Standing(NamedTuple):
    """How an object counts; `top` is the package that it is of, "" if it is of none that counts."""

    how: How
    top: str = ""


_OWN = Standing(How.MEANING)
_VALUE = Standing(How.CONTENT)


def standing_of(value: object) -> Standing:
    """Say how an object counts, without running any code of its own."""
    if is_a(value, FunctionType):
        return _of_function(value)
    if is_a(value, type):
        return standing_of_class(value)
    if is_a(value, ModuleType):
        return _of_module(vars_of(value).get("__name__"))
    if is_built_in(value):
        return _of_built_in(value)
    return _of_instance(value)


def owner_of_function(fn: FunctionType) -> tuple[Owner, str]:
    """Say whose a function is, by where its code is from, which no wrapper can disguise.

    With it comes the top-level module that it is of.
    """
    generator = generator_of(fn)
    if generator is not None:
        return (Owner.PACKAGE if generator else Owner.NOBODY), generator
    filename = fn.__code__.co_filename
    if filename.startswith("<") and not filename.startswith("<frozen "):
        module = fn.__globals__.get("__name__")
        name = module if isinstance(module, str) else "?"
        return owner_of_module(name), top_of_module(name)
    return owner_of_file(filename), top_of_file(filename)


def _of_function(fn: FunctionType) -> Standing:
    owner, top = owner_of_function(fn)
    if owner is Owner.PROJECT:
        return _OWN
    is_in_place = _is_installed_at(fn, fn.__module__, fn.__qualname__) or _is_installed_at(
        fn, fn.__globals__.get("__name__"), fn.__code__.co_qualname
    )
    top = top if owner is Owner.PACKAGE else ""
    return Standing(How.VERSION if is_in_place else How.CONTENT, top)


def _is_installed_at(value: object, module: object, name: object) -> bool:
    return _of_module(module).how is How.VERSION and is_at(value, module, name)


def standing_of_class(cls: type) -> Standing:
    """Say how a class counts; one that is made while the program runs is the project's own."""
    module = module_of(cls)
    if is_python_class(cls):
        standing = _of_module(module)
        is_in_place = standing.how is How.MEANING or is_at(cls, module, cls.__qualname__)
        return standing if is_in_place else _OWN
    return _of_module(_module_that_has(cls))


@lru_cache(maxsize=4096)
def _module_that_has(cls: type) -> str:
    """Return the module that a class written in C can be taken from, which it may not name."""
    module = module_of(cls)
    if is_at(cls, module, cls.__qualname__):
        return module
    for name, loaded in list(sys.modules.items()):
        if is_a(loaded, ModuleType) and vars_of(loaded).get(cls.__name__) is cls:
            return name
    return module


def _of_built_in(value: Any) -> Standing:
    bound_to = getattr(value, "__self__", None)
    if bound_to is not None and not is_any_of(bound_to, (ModuleType, type)):
        return _VALUE
    owner = bound_to if is_a(bound_to, type) else getattr(value, "__objclass__", None)
    return _of_module(module_of(value)) if owner is None else standing_of_class(owner)


def _of_instance(value: Any) -> Standing:
    """Say how an instance counts: what an installed module has itself is a part of it."""
    standing = standing_of_class(type(value))
    if standing.how is How.MEANING:
        return _VALUE
    name = module_of(type(value))
    while name and name != "builtins":
        if _has(name, value):
            return _of_module(name)
        name = name.rpartition(".")[0]
    if not answers_by_itself(value):
        module, names = module_of(value), (getattr(value, n, None) for n in _NAMES)
        if module != "builtins" and any(_is_installed_at(value, module, n) for n in names):
            return _of_module(module)
    return Standing(How.CONTENT, standing.top)


_NAMES = ("__qualname__", "__name__")
_held: dict[str, tuple[int, frozenset[int]]] = {}


def _has(name: str, value: object) -> bool:
    """Whether a loaded module has this very object among its names."""
    module = sys.modules.get(name)
    if not is_a(module, ModuleType) or owner_of_module(name) is Owner.PROJECT:
        return False
    members = vars_of(module)
    known = _held.get(name)
    if known is None or known[0] != len(members):
        known = _held[name] = len(members), frozenset(map(id, members.values()))
    # An identity may have been given anew to something else.
    return id(value) in known[1] and any(each is value for each in members.values())


def _of_module(name: object) -> Standing:
    if not isinstance(name, str):
        return _OWN
    owner = owner_of_module(name)
    if owner is Owner.PROJECT:
        return _OWN
    return Standing(How.VERSION, top_of_module(name) if owner is Owner.PACKAGE else "")

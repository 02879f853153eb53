"""Ask what a value is without running any code of its own.

`isinstance` also asks the value's `__class__`, which a lazy proxy answers by doing its work.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, TypeGuard, TypeVar

from flowweaver.main_module import known_as

_BUILT_IN = (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodWrapperType,
    WrapperDescriptorType,
)
_ONLY_IN_C = (ClassMethodDescriptorType, MethodDescriptorType, WrapperDescriptorType)
_MADE_FOR_EACH_CLASS = frozenset({"__dict__", "__weakref__"})
_COPIED = frozenset(
    {"__annotate__", "__annotations__", "__doc__", "__module__", "__name__", "__qualname__"}
    | {"__type_params__"}
)
_HEAP_TYPE = 1 << 9
"""Flag of classes that are made while a program runs."""

T = TypeVar("T")


def is_a(value: object, kind: type[T]) -> TypeGuard[T]:
    """Whether the value's type is `kind` or derived from it."""
    return issubclass(type(value), kind)


def is_any_of(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether the value's type is one of `kinds` or derived from one."""
    return issubclass(type(value), kinds)


def is_built_in(value: object) -> bool:
    """Whether the value is a function or descriptor that was not written in Python."""
    return is_any_of(value, _BUILT_IN) or "cython_function" in type(value).__name__


@lru_cache(maxsize=4096)
def is_python_class(cls: type) -> bool:
    """Whether a class was made by Python code, and not by a library written in C."""
    return bool(cls.__flags__ & _HEAP_TYPE) and not any(
        is_any_of(value, _ONLY_IN_C)
        or (is_a(value, GetSetDescriptorType) and name not in _MADE_FOR_EACH_CLASS)
        or (is_a(value, BuiltinFunctionType) and value.__self__ is cls)
        for name, value in vars(cls).items()
    )


def vars_of(module: ModuleType) -> dict[str, Any]:
    """Return what a module holds, without making a lazy one load."""
    members: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return members


def name_of_module(module: ModuleType) -> str:
    """Return what a module is called; "" if it does not say."""
    name = vars_of(module).get("__name__")
    return name if isinstance(name, str) else ""


def module_of(value: object) -> str:
    """Return the module that a function or class says it is from; "" if it does not say."""
    name = getattr(value, "__module__", None)
    if isinstance(name, str):
        return name
    return _module_of_methods(value) if is_a(value, type) else ""


def _module_of_methods(cls: type) -> str:
    """Return the module that a class's functions are from.

    The class of a proxy answers for what that stands for, and does not say where it is from itself.
    """
    inside = (fn for each in vars(cls).values() for fn in functions_in(each) or (each,))
    names = (fn.__globals__.get("__name__") for fn in inside if is_a(fn, FunctionType))
    return next((name for name in names if isinstance(name, str)), "")


def full_name(code: object) -> str:
    """Return the full name of a function, class or module, the same under each Python version."""
    name = getattr(code, "__qualname__", None) or getattr(code, "__name__", "")
    return ".".join(part for part in (_public(known_as(module_of(code))), name) if part)


@lru_cache(maxsize=4096)
def _public(module: str) -> str:
    """Return a module's name without what is private of it, if it is of the standard library.

    Python's versions name `collections` or `_collections`, `pathlib` or `pathlib._local`.
    """
    top, *inner = module.split(".")
    if top not in sys.stdlib_module_names or top.startswith("__"):
        return module
    return ".".join([top.lstrip("_"), *(name for name in inner if not name.startswith("_"))])


def is_at(value: object, module: object, qualname: object) -> bool:
    """Whether a loaded module has this very object under a dotted name, also as a method."""
    if not isinstance(module, str) or not isinstance(qualname, str):
        return False
    place: object = sys.modules.get(module)
    for name in qualname.split("."):
        if not is_any_of(place, (ModuleType, type)):
            return False
        members = vars_of(place) if is_a(place, ModuleType) else vars(place)
        place = members.get(name)
    return place is value or any(value is inner for inner in functions_in(place))


def functions_in(descriptor: Any) -> tuple[object, ...]:
    """Return the functions that one of Python's own descriptors is made of."""
    if is_any_of(descriptor, (staticmethod, classmethod)):
        return (descriptor.__func__,)
    if is_a(descriptor, property):
        return (descriptor.fget, descriptor.fset, descriptor.fdel)
    return ()


def added_to(attributes: Mapping[str, object]) -> dict[str, object]:
    """Return, of an object's attributes, those that `functools.wraps` has not copied there.

    What it copies depends on the Python version, and what is wrapped around counts by itself.
    """
    around = attributes.get("__wrapped__")
    if around is None or answers_by_itself(around):
        return dict(attributes)
    return {
        name: value
        for name, value in attributes.items()
        if name not in _COPIED or getattr(around, name, None) is not value
    }


def content_of(cell: CellType, otherwise: object) -> object:
    """Return what a closure's cell holds, or something else if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return otherwise


def is_task(value: object) -> bool:
    """Whether the value is one of FlowWeaver's tasks, which stand for their functions."""
    cls: type = type(value)
    return _is_ours(cls, "flowweaver.definitions.task", "Task")


def is_workflow(value: object) -> bool:
    """Whether the value is one of FlowWeaver's workflows, which stand for their tasks."""
    cls: type = type(value)
    return _is_ours(cls, "flowweaver.definitions.workflow", "Workflow")


@lru_cache(maxsize=4096)
def _is_ours(cls: type, module: str, name: str) -> bool:
    return any(each.__name__ == name and each.__module__ == module for each in cls.__mro__)


def is_callable_object(value: object) -> bool:
    """Whether a value that is no function can be called."""
    return any("__call__" in vars(cls) for cls in type(value).__mro__)


def answers_by_itself(value: object) -> bool:
    """Whether asking the value for an attribute may run code of its own."""
    return any(
        is_a(vars(cls).get(name), FunctionType)
        for cls in type(value).__mro__
        for name in ("__getattr__", "__getattribute__")
    )


def told_apart_by(code: object) -> tuple[object, ...]:
    """Return what tells a function from others of its name; the same in each process."""
    if not isinstance(code, FunctionType):
        return ()
    inner = code.__code__
    texts = [each for each in inner.co_consts if type(each) in (int, float, str, bytes)]
    cells = [content_of(cell, None) for cell in code.__closure__ or ()]
    return (inner.co_code, *inner.co_names, *texts, *cells, *(code.__defaults__ or ()))

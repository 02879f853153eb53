"""Ask what a value is without running any code of its own.

`isinstance` also asks the value's `__class__`, which a lazy proxy answers by doing its work.
"""

from __future__ import annotations

from types import BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType
from typing import TypeGuard, TypeVar

_BUILT_IN = (BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType)

T = TypeVar("T")


def is_a(value: object, kind: type[T]) -> TypeGuard[T]:
    """Whether the value's type is `kind` or derived from it."""
    return issubclass(type(value), kind)


def is_any_of(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether the value's type is one of `kinds` or derived from one."""
    return issubclass(type(value), kinds)


def is_built_in(value: object) -> bool:
    """Whether the value is a function that was not written in Python."""
    return is_any_of(value, _BUILT_IN) or "cython_function" in type(value).__name__


def module_of(value: object) -> str:
    """Return the module that a function or class says it is from; "" if it does not say."""
    name = getattr(value, "__module__", None)
    return name if isinstance(name, str) else ""


def is_task(value: object) -> bool:
    """Whether the value is one of FlowWeaver's tasks, which stand for their functions."""
    return _is_ours(value, "flowweaver.definitions.task", "Task")


def is_workflow(value: object) -> bool:
    """Whether the value is one of FlowWeaver's workflows, which stand for their tasks."""
    return _is_ours(value, "flowweaver.definitions.workflow", "Workflow")


def _is_ours(value: object, module: str, name: str) -> bool:
    return any(cls.__name__ == name and cls.__module__ == module for cls in type(value).__mro__)

"""Which functions of the project a call runs, and what their own names stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from flowweaver.fingerprint.kinds import is_a, is_any_of
from flowweaver.fingerprint.spelling import Chain, chain_of
from flowweaver.fingerprint.standing import How, standing_of, standing_of_class
from flowweaver.fingerprint.things import ABSENT

_MAKING = ("__new__", "__init__", "__post_init__")


def member_of(value: Any, name: str) -> Any:
    """Return what a class or object of the project has under a name, without running anything.

    A function stands for all that is set on it.
    """
    if is_a(value, FunctionType):
        return value
    cls = value if is_a(value, type) else type(value)
    if value is ABSENT or standing_of_class(cls).how is not How.MEANING:
        return ABSENT
    for each in type.mro(cls):
        if name in vars(each):
            return vars(each)[name]
    return ABSENT


def run_by_calling(value: Any) -> Iterator[FunctionType]:
    """Yield the project's functions that run when something is called."""
    while is_any_of(value, (partial, staticmethod, classmethod, MethodType)):
        value = value.func if is_a(value, partial) else value.__func__
    if is_a(value, FunctionType):
        if standing_of(value).how is How.MEANING:
            yield value
    elif value is not ABSENT:
        for name in _MAKING if is_a(value, type) else ("__call__",):
            found = member_of(value, name)
            if found is not ABSENT and not is_a(found, type):
                yield from run_by_calling(found) if is_a(found, FunctionType) else ()


def parameters_of(fn: FunctionType) -> frozenset[str]:
    """Return the names of a function's parameters, other than the object that a method is of."""
    code = fn.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    return frozenset(code.co_varnames[:count]) - {"self", "cls"}


def aliases_in(body: Iterable[ast.stmt]) -> dict[str, Chain]:
    """Return what local names stand for: ``a = b.c``."""
    found: dict[str, Chain] = {}
    for node in (each for statement in body for each in ast.walk(statement)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            chain = chain_of(node.value)
            if chain is not None:
                start, attributes = chain
                known = found.get(start)
                if known is not None:
                    chain = known[0], (*known[1], *attributes)
                found[node.targets[0].id] = chain
    return found

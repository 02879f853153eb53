"""Which functions of the project a call runs, and what their own names stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

from flowweaver.fingerprint.acting import chains_in
from flowweaver.fingerprint.kinds import answers_by_itself, is_a, is_any_of
from flowweaver.fingerprint.spelling import Chain
from flowweaver.fingerprint.standing import How, Standing, standing_of, standing_of_class
from flowweaver.fingerprint.things import ABSENT

_OWN = Standing(How.MEANING)
_MOST_MEANINGS = 8
_MAKING = ("__new__", "__init__", "__post_init__", "__set_name__")
_OF_FUNCTIONS = {*vars(FunctionType)} - {"__call__"}
_SETTING = ("__setattr__", "__setitem__", "__delattr__", "__delitem__")

Bound: TypeAlias = tuple[FunctionType, object]
"""A function, and the object or class that it is called on; `ABSENT` if on none."""


def member_of(value: Any, name: str) -> Any:
    """Return what a class or object of the project has under a name, without running anything.

    A function stands for all that is set on it, but not for what Python says of it: its name.
    """
    if is_a(value, FunctionType):
        return ABSENT if name in _OF_FUNCTIONS else value
    cls = value if is_a(value, type) else type(value)
    if value is ABSENT or standing_of_class(cls).how is not How.MEANING:
        return ABSENT
    places: list[Mapping[str, Any]] = [vars(each) for each in type.mro(cls)]
    if cls is not value and not answers_by_itself(value):
        places.insert(0, getattr(value, "__dict__", {}))
    return next((each[name] for each in places if name in each), ABSENT)


def run_by_calling(value: Any, owner: object = ABSENT) -> Iterator[Bound]:
    """Yield the project's functions that run when something is called."""
    while is_any_of(value, (partial, staticmethod, classmethod, MethodType)):
        if is_a(value, MethodType):
            value, owner = value.__func__, value.__self__
        elif is_a(value, partial):
            value = value.func
        else:
            value, owner = value.__func__, owner if is_a(value, classmethod) else ABSENT
    around = _wrapped_by(value)
    if around is not None:
        yield from run_by_calling(around, owner)
    if is_a(value, FunctionType):
        if standing_of(value).how is How.MEANING:
            yield value, owner
    elif around is None and value is not ABSENT:
        for name in _MAKING if is_a(value, type) else ("__call__",):
            found = member_of(value, name)
            if is_any_of(found, (FunctionType, staticmethod)):
                yield from run_by_calling(_function_in(found), value)


def _function_in(value: Any) -> Any:
    return value.__func__ if is_a(value, staticmethod) else value


def _wrapped_by(value: Any) -> Any:
    """Return the function that a wrapper says it is around; None if it is around none."""
    if value is ABSENT or is_a(value, type) or answers_by_itself(value):
        return None
    around = getattr(value, "__dict__", {}).get("__wrapped__")
    return around if is_any_of(around, (FunctionType, MethodType)) else None


def run_by_setting(value: Any) -> Iterator[Bound]:
    """Yield the project's functions that may run when something is set on an object."""
    if value is ABSENT or is_any_of(value, (FunctionType, type, ModuleType)):
        return
    for each in type.mro(type(value)):
        for name, member in vars(each).items() if standing_of_class(each) == _OWN else ():
            if name in _SETTING:
                yield from run_by_calling(member, value)
            elif is_a(member, property):
                yield from run_by_calling(member.fset, value)


def parameters_of(fn: FunctionType) -> tuple[str, ...]:
    """Return the names of a function's parameters, those of any number last."""
    code = fn.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & CO_VARARGS) + bool(code.co_flags & CO_VARKEYWORDS)
    return code.co_varnames[:count]


def made_by(fn: FunctionType) -> Iterator[object]:
    """Yield the classes and objects of the project of which a function may return one."""
    for name in fn.__code__.co_names:
        value = fn.__globals__.get(name, ABSENT)
        cls = value if is_a(value, type) else type(value)
        if value is not ABSENT and standing_of_class(cls).how is How.MEANING:
            yield value


def aliases_in(body: Iterable[ast.AST]) -> dict[str, list[Chain]]:
    """Return what names may stand for: ``a = b.c``, ``for a in (b, c)``."""
    found: dict[str, list[Chain]] = {}
    for node in (each for part in body for each in ast.walk(part)):
        for target, value in _bindings(node):
            for start, attributes in chains_in(value) if value is not None else ():
                for name in _names_in(target):
                    meant = found.get(start) or [(start, ())]
                    more = [(each[0], (*each[1], *attributes)) for each in meant]
                    found[name] = [*found.get(name, ()), *more][-_MOST_MEANINGS:]
    return found


def meanings_of(chain: Chain, aliases: Mapping[str, list[Chain]]) -> Iterator[Chain]:
    """Yield a dotted name, and what else it may stand for."""
    yield chain
    for start, taken in aliases.get(chain[0], ()):
        yield start, (*taken, *chain[1])


def _names_in(target: ast.expr) -> list[str]:
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    return [each.id for each in parts if isinstance(each, ast.Name)]


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from zip(target.elts, node.value.elts, strict=False)
            else:
                yield target, node.value
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.comprehension):
        yield node.target, node.iter
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield node.optional_vars, node.context_expr

"""No single change of a function's syntax is overlooked."""

from __future__ import annotations

import argparse
import ast
import asyncio.tasks
import collections
import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from flowweaver.fingerprint.outlines import outline
from flowweaver.parsing import parsed

Mutation = Callable[[], None]


def digest(node: ast.AST) -> str:
    whole = outline(node)
    inner = [digest(child) for child in whole.children]
    return "".join([whole.form.digest, *(each.form.digest for each in whole.decorators), *inner])


def setting(node: ast.AST, name: str, value: object) -> Mutation:
    return lambda: setattr(node, name, value)


def swapping(values: list[ast.AST]) -> Mutation:
    return lambda: values.insert(0, values.pop())


def mutations(node: ast.AST) -> Iterator[tuple[str, Mutation]]:
    """Yield changes of one node that can't but mean something."""
    for name in ("op", "ops"):
        operator = getattr(node, name, None)
        if isinstance(operator, ast.operator):
            other = ast.Sub() if isinstance(operator, ast.Add) else ast.Add()
            yield "operator", setting(node, name, other)
        elif isinstance(operator, ast.boolop):
            other_bool = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield "boolean operator", setting(node, name, other_bool)
        elif isinstance(operator, list):
            changed = ast.NotEq() if isinstance(operator[0], ast.Eq) else ast.Eq()
            yield "comparison", setting(node, name, [changed, *operator[1:]])
    match node:
        case ast.Constant(value=str() as text):
            yield "text", setting(node, "value", f"{text}!")
        case ast.Constant(value=bool() | None as value):
            yield "constant", setting(node, "value", 0 if value is None else not value)
        case ast.Constant(value=int() | float() as number):
            yield "number", setting(node, "value", number + 1)
        case ast.Attribute(attr=name) | ast.keyword(arg=str() as name):
            field = "attr" if isinstance(node, ast.Attribute) else "arg"
            yield "attribute", setting(node, field, f"{name}_")
        case ast.Name(id=name, ctx=ast.Load()):
            yield "name", setting(node, "id", f"{name}_")
        case ast.arg(arg=name):
            yield "parameter", setting(node, "arg", f"{name}_")
        case ast.Call(args=[_, _, *_] as values) | ast.Tuple(elts=[_, _, *_] as values):
            if len({ast.dump(each) for each in values}) > 1:
                yield "order", swapping(values)  # type: ignore[arg-type]
        case ast.UnaryOp(op=ast.Not()):
            yield "negation", setting(node, "op", ast.USub())
        case ast.Return(value=ast.expr()):
            yield "return", setting(node, "value", None)
        case ast.If(orelse=[_, *_]):
            yield "branch", setting(node, "orelse", [])
        case ast.For() | ast.AsyncFor():
            yield "loop", setting(node, "orelse", [ast.Break()])
        case ast.FunctionDef(decorator_list=[_, *_]):
            yield "decorator", setting(node, "decorator_list", [])
        case ast.comprehension(ifs=ifs):
            yield "condition", setting(node, "ifs", [*ifs, ast.Constant(value=1)])


def meaningless(function: ast.AST) -> set[int]:
    """Return the identities of nodes that play no part: docstrings, annotations, bare literals."""
    found: set[int] = set()
    for node in ast.walk(function):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts.append(node.value)
        found.update(id(each) for part in parts if part for each in ast.walk(part))
    return found


@pytest.mark.parametrize("module", [argparse, asyncio.tasks, collections, dataclasses, inspect])
def test_each_mutation_is_seen(module: ModuleType) -> None:
    tree = parsed(inspect.getsource(module))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    for number, original in enumerate(each for each in ast.walk(tree) if isinstance(each, kinds)):
        if number % 12:
            continue
        before = digest(original)
        skipped = meaningless(original)
        for place, node in enumerate(ast.walk(original)):
            for kind, _ in mutations(node) if id(node) not in skipped else ():
                changed = copy.deepcopy(original)
                twin = next(each for i, each in enumerate(ast.walk(changed)) if i == place)
                next(mutate for other, mutate in mutations(twin) if other == kind)()
                assert digest(changed) != before, (kind, ast.unparse(original), ast.dump(node))

"""Which statements act on something, instead of binding a name, and what they act on."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flowweaver.fingerprint.outlines import Definition
from flowweaver.fingerprint.spelling import Chain

_CHANGE_FIRST = frozenset({"setattr", "delattr"})


class Target(NamedTuple):
    """What a statement acts on, as a name with attributes, and how often the outcome is called."""

    chain: Chain
    calls: int


def targets_in(body: Iterable[ast.stmt], levels: int = 0) -> Iterator[Target]:
    """Yield what the statements act on: whose methods they call, whose attributes they set.

    What a script does only when it is started as such is left out.

    Args:
        body: Statements.
        levels: How many functions deep definitions in them are looked into.
    """
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from targets_in(statement.body if levels else (), levels - 1)
        elif not isinstance(statement, Definition) and not _is_of_script(statement):
            yield from _targets(statement)
            for inner in bodies(statement):
                yield from targets_in(inner, levels)


def target_of(node: ast.expr) -> Target | None:
    """Return the name that an expression starts with, and what is taken of it before any call."""
    attributes: list[str] = []
    calls = 0
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            attributes = []
            node = node.value
        elif isinstance(node, ast.Call):
            attributes = []
            calls += 1
            node = node.func
        else:
            return None
    return Target((node.id, tuple(reversed(attributes))), calls)


def bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of a statement that is no definition."""
    if isinstance(statement, Definition):
        return
    for part in ("body", "orelse", "finalbody"):
        yield getattr(statement, part, [])
    for part in ("handlers", "cases"):
        for each in getattr(statement, part, ()):
            yield each.body


def _targets(statement: ast.stmt) -> Iterator[Target]:
    for node in _acted_on(statement):
        found = target_of(node)
        if found is not None:
            yield found


def _acted_on(statement: ast.stmt) -> Iterator[ast.expr]:
    if isinstance(statement, ast.Expr):
        value = statement.value
        called = value.value if isinstance(value, ast.Await) else value
        if isinstance(called, ast.Call):
            is_change = isinstance(called.func, ast.Name) and called.func.id in _CHANGE_FIRST
            yield called.args[0] if is_change and called.args else called
        return
    if isinstance(statement, ast.Assign | ast.Delete):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
        targets = [statement.target]
    else:
        return
    for target in targets:
        for each in target.elts if isinstance(target, ast.Tuple | ast.List) else (target,):
            if isinstance(each, ast.Attribute | ast.Subscript):
                yield each


def _is_of_script(statement: ast.stmt) -> bool:
    """Whether it is ``if __name__ == "__main__":``."""
    test = statement.test if isinstance(statement, ast.If) else None
    left = test.left if isinstance(test, ast.Compare) else None
    return isinstance(left, ast.Name) and left.id == "__name__"

"""Leave out of a body what has no meaning at run time."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_Import = ast.Import | ast.ImportFrom
_CANDIDATES = (ast.Pass, ast.Expr, ast.If, ast.Import, ast.ImportFrom, ast.AnnAssign)


def statements(body: list[ast.stmt], annotated: bool = False) -> list[ast.stmt]:
    """Return the body without docstrings, `pass`, bare annotations and `TYPE_CHECKING` blocks.

    Neighbouring imports come one by one and sorted. With `annotated`, as in the body of a
    dataclass, bare annotations stay.
    """
    if not any(isinstance(statement, _CANDIDATES) for statement in body):
        return body
    kept: list[ast.stmt] = []
    imports: list[_Import] = []
    for statement in _meaningful(body, annotated):
        if isinstance(statement, _Import):
            imports += _one_by_one(statement)
            continue
        kept += [*sorted(imports, key=_order_of_import), statement]
        imports.clear()
    return [*kept, *sorted(imports, key=_order_of_import)]


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is `typing.TYPE_CHECKING`, which is false at run time."""
    if isinstance(test, ast.Attribute):
        return test.attr == "TYPE_CHECKING"
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def docstring_lines(body: list[ast.stmt]) -> range:
    """Return the line numbers that a body's docstring takes up; none if it has no docstring."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return range(first.lineno, (first.end_lineno or first.lineno) + 1)
    return range(0)


def _meaningful(body: list[ast.stmt], annotated: bool) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.Pass):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if isinstance(statement, ast.AnnAssign) and statement.value is None and not annotated:
            continue
        if isinstance(statement, ast.If):
            yield from _decided(statement, annotated)
        else:
            yield statement


def _decided(statement: ast.If, annotated: bool) -> Iterator[ast.stmt]:
    if is_type_checking(statement.test):
        yield from _meaningful(statement.orelse, annotated)
    elif (
        isinstance(statement.test, ast.UnaryOp)
        and isinstance(statement.test.op, ast.Not)
        and is_type_checking(statement.test.operand)
    ):
        yield from _meaningful(statement.body, annotated)
    else:
        yield statement


def _one_by_one(statement: _Import) -> Iterator[_Import]:
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            yield ast.Import([alias])
        else:
            yield ast.ImportFrom(statement.module, [alias], statement.level)


def _order_of_import(statement: _Import) -> tuple[int, str, str]:
    name = statement.names[0].name
    if isinstance(statement, ast.Import):
        return -1, name, ""
    return statement.level, statement.module or "", name

"""What stands in the user's source, and so may be shown: values made elsewhere may be secret."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from textwrap import dedent
from typing import Any

from flowweaver.parsing import parsed


def stands_in_source(fn: Callable[..., Any], parameter: str) -> bool:
    """Whether the default of a parameter is written out where the function is defined."""
    try:
        tree = parsed(dedent(inspect.getsource(fn)))
    except (OSError, TypeError, SyntaxError):
        return False
    found = next(
        (
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        None,
    )
    return found is not None and _is_literal(_defaults(found.args).get(parameter))


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr | None]:
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    pairs = [*zip(with_default, arguments.defaults, strict=True)]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)  # type: ignore[arg-type]
    return {argument.arg: default for argument, default in pairs}


def _is_literal(node: ast.expr | None) -> bool:
    operand = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(operand, ast.Constant)

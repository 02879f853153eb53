"""Python's source, parsed, whatever else this process does meanwhile."""

from __future__ import annotations

import ast

_MOST_TRIES = 10


def parsed(text: str | bytes) -> ast.Module:
    """Return the tree of a source.

    Raises:
        SyntaxError: It is no Python.
        ValueError: It holds a NUL, or is not in the encoding that it names.
    """
    # CPython 3.11 loses count of its depth when garbage is collected meanwhile whose finalizer
    # parses too, as printing a traceback does (python/cpython#106905). Parsing anew does it.
    for _ in range(_MOST_TRIES - 1):
        try:
            return ast.parse(text)
        except SystemError:
            continue
    return ast.parse(text)

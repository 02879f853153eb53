"""What stands in texts that libraries look up names from, in the code that calls them.

Pandas and numexpr evaluate expressions, DuckDB and Polars take frames for tables, formulas of
statistics call functions: all by names that the caller's frame has, globals included.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flowweaver.fingerprint.spelling import Chain

_OF_SQL = frozenset({"execute", "from_query", "query", "sql"})
READERS = frozenset({"eval", "evaluate", *_OF_SQL})
"""The last names of what is handed such a text."""

_NAMES = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MARKED = re.compile(r"(?<!\w)@([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
# `y ~ f(x)`, but not `~/data`.
_FORMULA = re.compile(r"(?:^|[\w)\]])\s*~\s*[\w(]")


def names_in(text: str) -> Iterator[Chain]:
    """Yield all that may be a name in a text, with the attributes taken of it."""
    yield from map(_chain, _NAMES.findall(text))


def marked_in(text: str) -> Iterator[Chain]:
    """Yield what can only be meant as a name: ``@limit``, or any in a formula."""
    if "~" in text and _FORMULA.search(text):
        yield from names_in(text)
    elif "@" in text:
        yield from map(_chain, _MARKED.findall(text))


def takes_tables(reader: str) -> bool:
    """Whether a text that is handed to this is a statement in SQL, the names in it those of tables.

    A text of another kind has numbers too. Functions and classes are neither.
    """
    return reader in _OF_SQL


def text_handed_to(call: ast.Call) -> list[ast.expr]:
    """Return the arguments that may be the text: the first, or those given by name."""
    return call.args[:1] or [each.value for each in call.keywords]


def strings_in(node: ast.AST) -> Iterator[str]:
    """Yield the constant texts in an expression, also those between what is filled in."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _chain(dotted: str) -> Chain:
    name, *attributes = dotted.split(".")
    return name, tuple(attributes)

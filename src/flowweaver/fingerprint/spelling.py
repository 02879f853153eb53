"""Spell the small things of the canonical form: literals, dotted names, lists of nodes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeAlias

from flowweaver.fingerprint.scopes import Scope

Item: TypeAlias = "str | tuple[ast.AST, Scope]"
"""Literal text, or a node to be written in a scope."""


Chain: TypeAlias = tuple[str, tuple[str, ...]]
"""A name with the attributes taken of it: ``a.b.c`` is ``("a", ("b", "c"))``."""
Renames: TypeAlias = tuple[tuple[Chain, Chain], ...]
"""Names, with attributes, that are others for something, and what it is called where it is from."""


def chain_of(node: ast.AST) -> Chain | None:
    """Return ``a.b.c`` as ``("a", ("b", "c"))``; None for any other expression."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, tuple(reversed(attributes))) if isinstance(node, ast.Name) else None


def last_name(node: ast.AST) -> str:
    """Return ``c`` of ``a.b.c`` or ``a().c``; "" for what ends in no name."""
    return node.id if isinstance(node, ast.Name) else str(getattr(node, "attr", ""))


def literal(value: object) -> str:
    """Spell a literal so that equal text means equal value and type."""
    # repr would depend on the Unicode tables of this Python and on its limit for long integers.
    if isinstance(value, str | bytes):
        return ascii(value)
    if isinstance(value, float):
        return f"f{value.hex()}"
    if isinstance(value, complex):
        return f"c{value.real.hex()},{value.imag.hex()}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"i{value:x}"
    return repr(value)


def item(value: object, scope: Scope) -> Item:
    """Return a field's value as an item: nodes as they are, text quoted, nothing as a dash."""
    if isinstance(value, ast.AST):
        return value, scope
    return "-" if value is None else ascii(value)


def items(values: Sequence[object], scope: Scope) -> list[Item]:
    """Return the values of a list after their number."""
    return [f"[{len(values)}", *[item(value, scope) for value in values]]


def literals_of(node: ast.AST) -> frozenset[object]:
    """Return all that stands in a piece of source: literals, also as text, and names."""
    found: set[object] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Constant):
            found.add(each.value)
            if isinstance(each.value, int | float) and not isinstance(each.value, bool):
                found.add(-each.value)
        else:
            for field in ("id", "attr", "arg", "name"):
                value = getattr(each, field, None)
                if isinstance(value, str):
                    found.add(value)
    return frozenset(found)

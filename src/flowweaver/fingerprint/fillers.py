"""What else of a file fills the registries that its names are bound to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flowweaver.fingerprint.acting import targets_in
from flowweaver.fingerprint.bindings import TopLevel
from flowweaver.fingerprint.sources import Piece
from flowweaver.fingerprint.spelling import chain_of


def fillers_of(top: TopLevel, name: str) -> Iterator[Piece]:
    """Yield what is handed to a name's value, or to functions of the file that mention the name.

    ``@register`` above a definition does so where `register` puts it into ``HANDLERS``.
    """
    for decorator in top.decorators():
        if decorator == name or _mentions(top, decorator, name, set()):
            yield from top.decorated(decorator)
    for piece in top.acting:
        if isinstance(piece.node, ast.stmt):
            # What is set on a function fills nothing that it mentions: only a call does that.
            targets = targets_in([piece.node])
            calls = [each for each in targets if each.calls and each.is_acting(on_module=True)]
            called = {each.chain[0] for each in calls}
            if any(_mentions(top, root, name, set()) for root in called - {name}):
                yield piece


def noted_in(top: TopLevel, name: str) -> Iterator[Piece]:
    """Yield the classes of the file that are derived from a class which notes them."""
    if any(notes_subclasses(piece.node) for piece in top.definitions(name)):
        yield from subclasses_in(top, name)


def subclasses_in(top: TopLevel, name: str) -> Iterator[Piece]:
    """Yield the classes of the file that are derived from a class."""
    derived = {name}
    for other in top.classes():
        for piece in top.definitions(other):
            if isinstance(piece.node, ast.ClassDef) and other not in derived:
                bases = filter(None, map(chain_of, piece.node.bases))
                if any(base[0] in derived for base in bases):
                    derived.add(other)
                    yield piece


def is_noting_subclasses(cls: type) -> bool:
    """Whether a class or its metaclass can note what is derived from it."""
    own = (each for each in cls.__mro__ if each is not object)
    return type(cls) is not type or any("__init_subclass__" in vars(each) for each in own)


def notes_subclasses(node: ast.AST) -> bool:
    """Whether a class notes what is derived from it, by what its own source says."""
    if not isinstance(node, ast.ClassDef):
        return False
    return bool(node.keywords) or any(
        isinstance(each, ast.FunctionDef) and each.name == "__init_subclass__" for each in node.body
    )


def _mentions(top: TopLevel, function: str, name: str, seen: set[str]) -> bool:
    """Whether a function or class of the file mentions a name, or calls one that does."""
    if function in seen:
        return False
    seen.add(function)
    used = {
        node.id
        for piece in top.definitions(function)
        for node in ast.walk(piece.node)
        if isinstance(node, ast.Name)
    }
    return name in used or any(_mentions(top, each, name, seen) for each in sorted(used))

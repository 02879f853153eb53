"""Look into values: by what they hold, and where that can't be seen, by what made them too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from types import FunctionType

from flowweaver.fingerprint.keyed import key_mark, keyed_digest
from flowweaver.fingerprint.kinds import is_a, is_callable_object
from flowweaver.fingerprint.live import Found, uses_of
from flowweaver.fingerprint.modules import source_of_globals, top_level
from flowweaver.fingerprint.owners import project_of
from flowweaver.fingerprint.sources import Piece
from flowweaver.fingerprint.spelling import literals_of
from flowweaver.fingerprint.standing import How, standing_of_class
from flowweaver.fingerprint.things import (
    Description,
    LiveNames,
    Notes,
    PackageThing,
    PieceThing,
    Use,
    ValueThing,
)
from flowweaver.fingerprint.values import ValueDigest, digest_value, is_scalar, type_name

_SECRET = re.compile(r"passw|secret|token|credential|api_?key|private_?key", re.IGNORECASE)
_HIDDEN = "(not shown: it may be secret)"
_RANDOM = ("random.", "numpy.random.")
_MOST_ATTRIBUTES = 40
_SHOWN = 12


def describe_value(thing: ValueThing, notes: Notes, is_state: bool) -> Description:
    """Describe a value.

    What the code itself writes while it runs counts by its definition alone, in a closure not at
    all.

    Args:
        thing: The value.
        notes: Where to say what can't be seen.
        is_state: Whether code that is reached writes the value.
    """
    definitions, statements = _made_by(thing)
    if is_state and (definitions or statements or thing.cell):
        return _by_definition("state", "(written by the code itself)", definitions + statements)
    if _is_unseeded(thing.value, statements):
        return _by_definition("random", "(random, and without a seed)", statements)
    shown = [each.piece for each in statements]
    seen = _seen(thing, [thing.made_by] if thing.made_by else [*shown, *_pieces(definitions)])
    where = thing.name.removeprefix("constant ")
    for opaque in seen.opaque:
        notes.say(opaque, where)
    hidden = [each for each in definitions if not _is_among(each, seen)]
    if seen.opaque or _is_installed_callable(thing.value):
        hidden += statements
    uses = [*_uses(thing, seen, notes), *(Use("definition", each) for each in hidden)]
    digest, key = seen.digest, ""
    if seen.is_private:
        digest, key = keyed_digest(digest), key_mark()
        if not key:
            notes.say("what can't be compared without a key", where)
    text = _text(thing, seen, shown, digest)
    return Description(digest, text, uses, asks=seen.asks, key=key)


def _by_definition(content: str, text: str, pieces: Iterable[PieceThing]) -> Description:
    return Description(content, text, [Use("definition", piece) for piece in pieces])


def _pieces(things: Iterable[PieceThing]) -> list[Piece]:
    return [each.piece for each in things]


def _seen(thing: ValueThing, made_by: Iterable[Piece]) -> ValueDigest:
    literals: frozenset[object] = frozenset().union(*(literals_of(p.node) for p in made_by))
    # A library may note the address of a class beside its name.
    addresses = frozenset(map(id, thing.owner.__mro__)) if thing.owner else frozenset()
    project = project_of(thing.near) if thing.near else ""
    return digest_value(thing.value, project, literals, addresses)


def _made_by(thing: ValueThing) -> tuple[list[PieceThing], list[PieceThing]]:
    """Return the definitions and the other statements that bind a global."""
    module_globals, name = thing.home or ({}, "")
    source = source_of_globals(module_globals)
    if source is None:
        return [], []
    names = LiveNames(module_globals)
    full_name = f"{names.module}.{name}"
    top = top_level(source)
    return (
        [PieceThing(full_name, piece, names) for piece in top.definitions(name)],
        [PieceThing(f"definition {full_name}", piece, names) for piece in top.statements(name)],
    )


def _is_unseeded(value: object, statements: Iterable[PieceThing]) -> bool:
    """Whether a global is a source of random numbers that starts otherwise in each process."""
    calls = [getattr(piece.piece.node, "value", None) for piece in statements]
    return type_name(value).startswith(_RANDOM) and any(
        isinstance(call, ast.Call) and not call.args and not call.keywords for call in calls
    )


def _uses(thing: ValueThing, seen: ValueDigest, notes: Notes) -> Iterator[Use]:
    for number, code in enumerate(seen.code):
        found = Found(code.value, thing.name, by_package=code.by_package)
        yield from uses_of(f"@{number}", found, notes)
    for package in seen.packages:
        yield Use("package", PackageThing(package))


def _is_among(definition: PieceThing, seen: ValueDigest) -> bool:
    """Whether a function or class that the value holds is the one that is defined here."""
    name = getattr(definition.piece.node, "name", "")
    for code in seen.code:
        value = code.value
        if is_a(value, FunctionType) and value.__code__.co_qualname == name:
            return True
        if is_a(value, type) and value.__qualname__ == name:
            return True
    return False


def _is_installed_callable(value: object) -> bool:
    standing = standing_of_class(type(value))
    is_installed = standing.how is How.VERSION and standing.top and is_callable_object(value)
    return is_a(value, FunctionType) or bool(is_installed)


def _text(thing: ValueThing, seen: ValueDigest, statements: Iterable[Piece], digest: str) -> str:
    """Return what people are shown of a value: what stands in the source, its type, a digest."""
    lines = [piece.shown([], piece.outline().form.long) for piece in statements]
    if any(_SECRET.search(line) for line in (thing.name, *lines)):
        lines = [_HIDDEN]
    is_told = bool(lines) and is_scalar(thing.value) and not seen.is_private
    lines.append(f"# {type_name(thing.value)}{'' if is_told else f' {digest[:_SHOWN]}'}")
    for name, content in seen.attributes[:_MOST_ATTRIBUTES]:
        lines.append(f"#   {name}: {keyed_digest(content)[:_SHOWN]}")
    return "\n".join(lines)

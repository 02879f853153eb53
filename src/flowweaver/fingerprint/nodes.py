"""What each thing comes to by itself, worked out once and kept while it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from flowweaver.fingerprint.classes import describe_class
from flowweaver.fingerprint.describe import (
    describe_function,
    describe_package,
    describe_piece,
    describe_value,
)
from flowweaver.fingerprint.parts import CodePart, bounded, hex_digest
from flowweaver.fingerprint.resolve import resolve
from flowweaver.fingerprint.things import (
    ClassThing,
    Description,
    FunctionThing,
    Notes,
    PieceThing,
    Thing,
    Use,
    ValueThing,
    Witness,
    still_holds,
)

_NOT_IN_A_MODULE = ("package ", "closure ")


@dataclass(frozen=True, slots=True)
class Node:
    """A thing looked into: its part of the fingerprint, and the things that it uses.

    `content` is its digest without those things, `written` the globals that it binds, by the
    identity of their module's namespace, and `witnesses` say whether all this still holds.
    """

    part: CodePart
    content: str
    uses: tuple[Use, ...]
    written: frozenset[tuple[int, str]]
    unseen: tuple[str, ...]
    witnesses: tuple[Witness, ...]


_nodes: WeakKeyDictionary[Thing, Node] = WeakKeyDictionary()


def node_of(thing: Thing) -> Node:
    """Return what a thing comes to."""
    node = _nodes.get(thing)
    if node is None or not still_holds(node.witnesses):
        node = _nodes[thing] = _looked_into(thing, is_state=False)
    return node


def node_of_state(thing: ValueThing) -> Node:
    """Return what a value comes to that the code itself writes while it runs."""
    return _looked_into(thing, is_state=True)


def _looked_into(thing: Thing, is_state: bool) -> Node:
    notes = Notes()
    described = _described(thing, notes, is_state)
    uses = (*described.uses, *_resolved(described, notes))
    edges = "".join([f"\n{use.label} {use.thing.name}" for use in uses])
    digest = hex_digest(f"{described.content}{edges}".encode())
    text = "\n".join([described.text, *_meanings(described, uses)])
    return Node(
        CodePart(thing.name, digest, bounded(text)),
        described.content,
        uses,
        described.written,
        tuple(notes.unseen),
        tuple(notes.witnesses),
    )


def _described(thing: Thing, notes: Notes, is_state: bool) -> Description:
    if isinstance(thing, FunctionThing):
        return describe_function(thing, notes)
    if isinstance(thing, PieceThing):
        return describe_piece(thing, notes)
    if isinstance(thing, ClassThing):
        return describe_class(thing, notes)
    if isinstance(thing, ValueThing):
        return describe_value(thing, notes, is_state)
    return describe_package(thing, notes)


def _resolved(described: Description, notes: Notes) -> Iterator[Use]:
    for names, load in described.loads:
        yield from resolve(load, names, notes)


def _meanings(described: Description, uses: tuple[Use, ...]) -> list[str]:
    """Say of the names that the text uses what they mean, where that is not obvious."""
    if not described.loads:
        return []
    spelled = {load.label for _, load in described.loads}
    module = described.loads[0][0].module
    lines: dict[str, None] = {}
    for use in uses:
        meant = use.thing.name.removeprefix("constant ").removeprefix("definition ")
        obvious = meant in (use.label, f"{module}.{use.label}")
        if use.label in spelled and not obvious and not _is_numbered(use.label):
            lines[f"# {use.label}: {meant}"] = None
    return [line for line in lines if not line.partition(": ")[2].startswith(_NOT_IN_A_MODULE)]


def _is_numbered(label: str) -> bool:
    first = label.partition(".")[0]
    return first[0] == "L" and first[1:].isdigit()

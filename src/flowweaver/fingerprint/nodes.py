"""What each thing comes to by itself, worked out once and kept while it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

from flowweaver.fingerprint.classes import describe_class
from flowweaver.fingerprint.contents import describe_value
from flowweaver.fingerprint.describe import (
    describe_file,
    describe_function,
    describe_module,
    describe_package,
    describe_piece,
)
from flowweaver.fingerprint.finding import Ask
from flowweaver.fingerprint.parts import CodePart, Unseen, bounded, hex_digest
from flowweaver.fingerprint.resolve import resolve
from flowweaver.fingerprint.sources import Excerpt
from flowweaver.fingerprint.things import (
    ClassThing,
    Description,
    FileThing,
    FunctionThing,
    ModuleThing,
    Notes,
    PieceThing,
    Place,
    Thing,
    Use,
    ValueThing,
    Witness,
    still_holds,
)
from flowweaver.masking import mask

_NOT_IN_A_MODULE = ("package ", "closure ")
_NUMBERED = re.compile(r"L\d+\b")


class Node(NamedTuple):
    """A thing looked into: its part of the fingerprint, and the things that it uses.

    `content` is its digest without those things, `written` are the places that it binds anew and
    `changed` the identities of the objects that it changes in place. `asks` is what else counts
    because it asks for it, `imports` the modules that it loads itself,
    `names` those of modules that it follows without them being loaded,
    `excerpt` the source that it is from, `order` that of its members. `witnesses`
    say whether all this still holds; if it is a value's, for how long only `generation` does.
    """

    part: CodePart
    content: str
    uses: tuple[Use, ...]
    written: frozenset[Place]
    changed: frozenset[int]
    asks: frozenset[Ask]
    imports: frozenset[str]
    names: frozenset[tuple[str, str]]
    excerpt: Excerpt | None
    order: str
    unseen: tuple[Unseen, ...]
    witnesses: tuple[Witness, ...]
    generation: int


_nodes: WeakKeyDictionary[Thing, Node] = WeakKeyDictionary()


_generation = 0


def generation() -> int:
    """Return a number that is another one once `forget_values` was called."""
    return _generation


def forget_values() -> None:
    """Let each value be looked into again, since it may have been changed in place."""
    global _generation  # noqa: PLW0603 - one counter for the process
    _generation += 1


def witness_of_values() -> Witness:
    """Return what says whether values were forgotten since."""
    return lambda generation: generation == _generation, _generation


def node_of(thing: Thing, *, settled: bool = True) -> Node:
    """Return what a thing comes to; unless it is `settled`, look again if values were forgotten."""
    node = _nodes.get(thing)
    if (
        node is None
        or not (settled or node.generation == _generation)
        or not still_holds(node.witnesses)
    ):
        node = _nodes[thing] = _looked_into(thing, is_state=False)
    return node


def node_of_state(thing: ValueThing) -> Node:
    """Return what a value comes to that the code itself writes while it runs."""
    return _looked_into(thing, is_state=True)


def content_of(thing: ValueThing) -> str:
    """Return the content of a value as it is now."""
    return _described(thing, Notes(), is_state=False).content


def _looked_into(thing: Thing, is_state: bool) -> Node:
    notes = Notes()
    described = _described(thing, notes, is_state)
    uses = (*described.uses, *_resolved(described, notes))
    edges = "".join([f"\n{use.label} {use.thing.name}" for use in uses])
    digest = hex_digest(f"{described.content}{edges}")
    text = "\n".join([described.text, *_meanings(described, uses)])
    return Node(
        CodePart(thing.name, digest, bounded(mask(text)), described.key),
        described.content,
        uses,
        described.written,
        described.changed,
        described.asks,
        described.imports,
        frozenset(notes.names),
        described.excerpt,
        described.order,
        tuple(notes.unseen),
        tuple(notes.witnesses),
        _generation,
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
    if isinstance(thing, ModuleThing):
        return describe_module(thing, notes)
    if isinstance(thing, FileThing):
        return describe_file(thing, notes)
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
        if use.label in spelled and not _is_obvious(use.label, module, meant):
            lines[f"# {use.label}: {meant}"] = None
    return list(lines)


def _is_obvious(label: str, module: str, meant: str) -> bool:
    if meant.startswith(_NOT_IN_A_MODULE) or _NUMBERED.match(label):
        return True
    return f"{label}.".startswith(f"{meant}.") or f"{module}.{label}.".startswith(f"{meant}.")

"""What annotations name, which counts where code asks for annotations."""

from __future__ import annotations

from collections.abc import Iterator

from flowweaver.fingerprint.classes import source_of_class
from flowweaver.fingerprint.describe import closure_of, piece_of
from flowweaver.fingerprint.outlines import annotations_of
from flowweaver.fingerprint.resolve import resolve
from flowweaver.fingerprint.sources import Piece
from flowweaver.fingerprint.things import (
    ClassThing,
    FunctionThing,
    LiveNames,
    Names,
    Notes,
    PieceThing,
    Use,
    ValueThing,
)
from flowweaver.introspection import evaluated_annotations

Annotated = FunctionThing | ClassThing | PieceThing


def uses_of_annotations(thing: Annotated, notes: Notes) -> Iterator[Use]:
    """Yield what the annotations of a function or class mean, without those of its members."""
    piece: Piece | None
    names: Names
    if isinstance(thing, PieceThing):
        piece, names, free = thing.piece, thing.names, thing.free
    elif isinstance(thing, ClassThing):
        piece, names = source_of_class(thing.cls)
        free = tuple(names.closure)
    else:
        piece, free = piece_of(thing.fn), thing.fn.__code__.co_freevars
        names = LiveNames(thing.fn.__globals__, closure_of(thing.fn), thing.name)
    if piece is not None:
        for load in annotations_of(piece.node, free).loads:
            yield from resolve(load, names, notes)
    elif not isinstance(thing, PieceThing):
        annotations = evaluated_annotations(
            thing.cls if isinstance(thing, ClassThing) else thing.fn
        )
        if annotations:
            yield Use("annotations", ValueThing(f"annotations of {thing.name}", annotations))

"""Look into functions, pieces of source, values and packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import CellType, FunctionType

from flowweaver.fingerprint.bytecode import changed_by, listing, loads_of, written_by
from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.live import Found, look_up, uses_of
from flowweaver.fingerprint.modules import source_of_globals, top_level
from flowweaver.fingerprint.outlines import Decorator, Outline, lines_of
from flowweaver.fingerprint.owners import package_version, project_of
from flowweaver.fingerprint.parts import hex_digest
from flowweaver.fingerprint.rendering import render
from flowweaver.fingerprint.resolve import is_our_own
from flowweaver.fingerprint.sources import Piece, source_of
from flowweaver.fingerprint.spelling import Chain
from flowweaver.fingerprint.things import (
    ABSENT,
    Description,
    FunctionThing,
    LiveNames,
    Names,
    Notes,
    PackageThing,
    PieceThing,
    Use,
    ValueThing,
    content_of,
    file_of,
)
from flowweaver.fingerprint.values import digest_value


def closure_of(fn: FunctionType) -> Mapping[str, CellType]:
    """Return a function's closure by name."""
    return dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))


def piece_of(fn: FunctionType) -> Piece | None:
    """Return the source that a function was compiled from; None if it can't be had."""
    code = fn.__code__
    source = source_of(code.co_filename, fn.__globals__)
    return source.locate(code) if source else None


def describe_function(thing: FunctionThing, notes: Notes) -> Description:
    """Describe a loaded function: its source, and its closure and defaults by value."""
    fn = thing.fn
    names = LiveNames(fn.__globals__, closure_of(fn), thing.name)
    piece = piece_of(fn)
    if piece is None:
        return _without_source(thing, names, notes)
    free = fn.__code__.co_freevars
    outline = piece.outline(free)
    notes.rests_on_code(fn, outline.form.written)
    described = _by_outline(PieceThing(thing.name, piece, names, free), outline, notes)
    described.uses += defaults_of(fn, outline.computed, thing.name, notes)
    return described


def _without_source(thing: FunctionThing, names: LiveNames, notes: Notes) -> Description:
    fn, code = thing.fn, thing.fn.__code__
    edited = source_of(code.co_filename, fn.__globals__) is not None
    why = "was edited after it was loaded" if edited else "has no source"
    notes.say(
        f"{thing.name} {why}: its bytecode counts, which other Python versions compile otherwise"
    )
    text = listing(code)
    written = frozenset(written_by(code))
    notes.rests_on_code(fn, written)
    return Description(
        hex_digest(text),
        text,
        list(defaults_of(fn, frozenset(code.co_varnames), thing.name, notes)),
        tuple((names, load) for load in loads_of(code)),
        names.places(written),
        frozenset(_identities(names, changed_by(code), notes)),
    )


def defaults_of(
    fn: FunctionType, parameters: frozenset[str], owner: str, notes: Notes
) -> Iterable[Use]:
    """Yield the default values of these parameters, and the class that `super()` needs."""
    if not parameters and "__class__" not in fn.__code__.co_freevars:
        return
    code = fn.__code__
    defaults = dict(fn.__kwdefaults__ or {})
    if fn.__defaults__:
        first = code.co_argcount - len(fn.__defaults__)
        defaults |= dict(
            zip(code.co_varnames[first : code.co_argcount], fn.__defaults__, strict=True)
        )
    for parameter in sorted(parameters & defaults.keys()):
        name, near = f"default {parameter} of {owner}", file_of(fn.__globals__)
        thing = ValueThing(name, defaults[parameter], near=near)
        yield Use(f"default {parameter}", thing)
    cell = closure_of(fn).get("__class__")
    if cell is not None and content_of(cell) is not ABSENT:
        yield from uses_of("__class__", Found(content_of(cell), "__class__"), notes)


def describe_piece(thing: PieceThing, notes: Notes) -> Description:
    """Describe a function, class or statement as it stands in its source."""
    return _by_outline(thing, thing.piece.outline(thing.free), notes)


def _by_outline(thing: PieceThing, outline: Outline, notes: Notes) -> Description:
    piece, names = thing.piece, thing.names
    kept = [
        each
        for each in outline.decorators
        if each.head is None or not is_our_own(each.head, names, notes)
    ]
    for what in outline.form.dynamic:
        notes.say(f"{what} in {thing.name}")
    forms = [outline.form, *(each.form for each in kept)]
    children = [
        Use(
            f"member {child.name}",
            PieceThing(f"{thing.name}.{child.name}", piece.child(child), names, thing.free),
        )
        for child in outline.children
    ]
    return Description(
        " ".join(form.digest for form in forms),
        shown_piece(piece, outline, kept),
        children,
        tuple((names, load) for form in forms for load in form.loads),
        names.places(outline.form.written) if isinstance(names, LiveNames) else frozenset(),
        frozenset(_identities(names, outline.form.changed, notes)),
    )


def _identities(names: Names, changed: Iterable[Chain], notes: Notes) -> Iterator[int]:
    """Yield the identities of the objects that stand behind these names."""
    if isinstance(names, LiveNames):
        for name, attributes in changed:
            found = look_up(Load(name, name, attributes), names, notes)
            if found is not None:
                yield id(found.value)


def shown_piece(piece: Piece, outline: Outline, kept: Iterable[Decorator]) -> str:
    """Return a piece's source as people read it, without what does not count."""
    hidden = [outline.docstring, *(each.lines for each in outline.decorators if each not in kept)]
    hidden += [lines_of(child) for child in outline.children]
    return piece.shown(hidden, outline.form.long)


def describe_value(thing: ValueThing, notes: Notes, is_state: bool) -> Description:
    """Describe a value, and where it can't be seen, its definition.

    What the code itself writes while it runs counts by its definition alone, in a closure not at
    all.

    Args:
        thing: The value.
        notes: Where to say what can't be seen.
        is_state: Whether code that is reached writes the value.
    """
    defined = _definitions(thing) if is_state else []
    if defined or (is_state and thing.cell):
        return Description("state", "(written by the code itself)", defined)
    seen = digest_value(thing.value, project_of(thing.near) if thing.near else "")
    if seen.opaque and not thing.excused:
        defined = _definitions(thing)
        for opaque in seen.opaque if not defined else ():
            notes.say(f"the state of {opaque} in {thing.name}")
    uses = [
        use
        for number, code in enumerate(seen.code)
        for use in uses_of(f"@{number}", Found(code, thing.name), notes)
    ]
    return Description(seen.digest, render(thing.value, thing.name), [*defined, *uses])


def _definitions(thing: ValueThing) -> list[Use]:
    module_globals, name = thing.home or ({}, "")
    source = source_of_globals(module_globals)
    if source is None:
        return []
    names = LiveNames(module_globals)
    label = f"definition {names.module}.{name}"
    top = top_level(source)
    return [
        Use("definition", PieceThing(label, piece, names))
        for piece in (*top.definitions(name), *top.statements(name))
    ]


def describe_package(thing: PackageThing, notes: Notes) -> Description:
    """Describe an installed package by the version of its distribution."""
    version = package_version(thing.top)
    if version is None:
        notes.say(f"the version of package {thing.top}")
    text = f"{thing.top} {version or '(version unknown)'}"
    return Description(text, text)

"""Look into functions, pieces of source, modules, files and packages."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType

from flowweaver.fingerprint.bytecode import changed_by, listing, loads_of, written_by
from flowweaver.fingerprint.canonical import Form, Load
from flowweaver.fingerprint.finding import Ask
from flowweaver.fingerprint.kinds import is_a, is_any_of, is_task, name_of_module, vars_of
from flowweaver.fingerprint.live import Found, installed, look_up, uses_of
from flowweaver.fingerprint.modules import absolute, source_of_globals, top_level
from flowweaver.fingerprint.outlines import Decorator, Outline, annotations_of, lines_of
from flowweaver.fingerprint.parts import hex_digest
from flowweaver.fingerprint.renames import renames_of, spelled
from flowweaver.fingerprint.resolve import is_our_own, package_of
from flowweaver.fingerprint.sources import Piece, source_of
from flowweaver.fingerprint.spelling import Chain
from flowweaver.fingerprint.static import symbol
from flowweaver.fingerprint.texts import marked_in, names_in, strings_in
from flowweaver.fingerprint.things import (
    ABSENT,
    Description,
    FileThing,
    FunctionThing,
    LiveNames,
    ModuleThing,
    Names,
    Notes,
    PackageThing,
    PieceThing,
    Use,
    ValueThing,
    content_of,
    file_of,
)
from flowweaver.fingerprint.values import is_scalar
from flowweaver.introspection import evaluated_annotations

_OF_THE_LOADER = frozenset(
    {"__builtins__", "__cached__", "__doc__", "__file__", "__loader__", "__name__", "__package__"}
    | {"__path__", "__spec__", "__annotations__"}
)


_NO_DATA = (FunctionType, BuiltinFunctionType, type, ModuleType)


def closure_of(fn: FunctionType) -> Mapping[str, CellType]:
    """Return a function's closure by name."""
    return dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))


def piece_of(fn: FunctionType) -> Piece | None:
    """Return the source that a function was compiled from; None if it can't be had."""
    code = fn.__code__
    source = source_of(code.co_filename, fn.__globals__)
    return source.locate(code) if source else None


def describe_function(thing: FunctionThing, notes: Notes) -> Description:
    """Describe a loaded function: its source, and what it holds by value."""
    fn = thing.fn
    names = LiveNames(fn.__globals__, closure_of(fn), thing.name)
    piece = piece_of(fn)
    plain: Mapping[str, object] = {}
    if piece is None:
        described = _without_source(thing, names, notes)
    else:
        free = fn.__code__.co_freevars
        described, outline = _by_outline(PieceThing(thing.name, piece, names, free), notes)
        notes.rests_on_code(fn, outline.form.written)
        plain = outline.plain
        if thing.annotated:
            form = annotations_of(piece.node, free)
            described.content += f" {form.digest}"
            described.loads += tuple((names, load) for load in form.loads)
    described.uses += _held_by(fn, plain, thing.name, piece, notes)
    return described


def _without_source(thing: FunctionThing, names: LiveNames, notes: Notes) -> Description:
    """Describe a function by its bytecode, which other Python versions compile otherwise."""
    fn, code = thing.fn, thing.fn.__code__
    text = listing(code)
    written = frozenset(written_by(code))
    notes.rests_on_code(fn, written)
    described = Description(
        hex_digest(text),
        text,
        loads=tuple((names, load) for load in loads_of(code)),
        written=names.places(written),
        changed=frozenset(_identities(names, changed_by(code), notes)),
    )
    if thing.annotated and (annotations := evaluated_annotations(fn)):
        name = f"annotations of {thing.name}"
        described.uses.append(Use("annotations", ValueThing(name, annotations)))
    return described


def _held_by(
    fn: FunctionType,
    plain: Mapping[str, object],
    owner: str,
    piece: Piece | None,
    notes: Notes,
) -> Iterator[Use]:
    """Yield the defaults that are not the `plain` ones of the source, and the attributes."""
    near = file_of(fn.__globals__)
    for parameter, default in _defaults(fn):
        if parameter not in plain or not _is_same(plain[parameter], default):
            name = f"default {parameter} of {owner}"
            found = Found(default, name, near=near, made_by=piece)
            yield from uses_of(f"default {parameter}", found, notes)
    for attribute in sorted(fn.__dict__):
        if attribute != "__wrapped__":
            found = Found(fn.__dict__[attribute], f"{owner}.{attribute}", near=near)
            yield from uses_of(f".{attribute}", found, notes)
    cell = closure_of(fn).get("__class__")
    if cell is not None and content_of(cell) is not ABSENT:
        yield from uses_of("__class__", Found(content_of(cell), "__class__"), notes)


def _defaults(fn: FunctionType) -> list[tuple[str, object]]:
    code = fn.__code__
    defaults = list((fn.__kwdefaults__ or {}).items())
    if fn.__defaults__:
        first = code.co_argcount - len(fn.__defaults__)
        names = code.co_varnames[first : code.co_argcount]
        defaults += zip(names, fn.__defaults__, strict=False)
    return sorted(defaults) if len(defaults) > 1 else defaults


def _is_same(one: object, other: object) -> bool:
    return type(one) is type(other) and (one is other or repr(one) == repr(other))


def describe_piece(thing: PieceThing, notes: Notes) -> Description:
    """Describe a function, class or statement as it stands in its source."""
    described, _ = _by_outline(thing, notes)
    is_unloaded = thing.name.startswith("definition ") and not isinstance(thing.names, LiveNames)
    if is_unloaded and Ask.OUTSIDE in described.asks:
        notes.say("what is read from outside", thing.name.removeprefix("definition "))
    return described


def _by_outline(thing: PieceThing, notes: Notes) -> tuple[Description, Outline]:
    piece, names = thing.piece, thing.names
    outline = piece.outline(thing.free)
    renames = dict(renames_of(outline.form.loads, names, notes))
    if renames:
        outline = piece.outline(thing.free, tuple(renames.items()))
    kept = [
        each
        for each in outline.decorators
        if each.head is None or not is_our_own(each.head, names, notes)
    ]
    forms = [outline.form, *(each.form for each in kept)]
    asks = frozenset(ask for form in forms for ask in form.asks)
    for form in forms:
        for what in form.dynamic:
            notes.say(what, thing.name.removeprefix("definition "))
    uses = [
        Use(
            f"member {child.name}",
            PieceThing(f"{thing.name}.{child.name}", piece.child(child), names, thing.free),
        )
        for child in outline.children
    ]
    all_loads = [load for form in forms for load in form.loads]
    loads = [load for load in all_loads if spelled(load) not in renames]
    for load in all_loads[: len(all_loads) if renames else 0]:
        if spelled(load) in renames:
            start, attributes = renames[spelled(load)]
            uses.append(installed(load.label, ".".join((start, *attributes))))
    loads += _loads_of_texts(forms, names, notes)
    annotated = sorted({chain for form in forms for chain in form.annotated})
    if isinstance(names, LiveNames):
        for chain in annotated:
            uses += _with_annotations(chain, names, notes)
    elif annotated:
        asks |= {Ask.ANNOTATIONS}
    if any(_is_namespace(*each, names, notes) for form in forms for each in form.looked_through):
        asks |= {Ask.ORDER}
    if Ask.MODULE in asks:
        uses += _whole_module(names, notes)
    described = Description(
        " ".join(form.digest for form in forms),
        shown_piece(piece, outline, kept),
        uses,
        tuple((names, load) for load in loads),
        names.places(outline.form.written) if isinstance(names, LiveNames) else frozenset(),
        frozenset(_identities(names, outline.form.changed, notes)),
        asks,
        piece.excerpt,
        imports=frozenset(_imported(forms, names)),
        order=outline.order,
    )
    return described, outline


def _is_namespace(chain: Chain, is_called: bool, names: Names, notes: Notes) -> bool:
    """Whether a name may mean a class or module, or what calling it gives may be one."""
    name, attributes = chain
    if not isinstance(names, LiveNames):
        definitions = top_level(names.found.source).definitions(name) if names.found.source else ()
        return not (is_called and any(isinstance(x.node, ast.ClassDef) for x in definitions))
    found = look_up(Load(name, name, attributes), names, notes)
    if found is None or found.value is ABSENT or found.attributes:
        return True
    is_class = is_a(found.value, type)
    return not is_class if is_called else is_class or is_a(found.value, ModuleType)


def _may_be_data(chain: Chain, is_table: bool, names: Names, notes: Notes) -> bool:
    """Whether a name that a library looks up may mean a table, or another operand.

    Libraries take no functions and classes for such.
    """
    name, attributes = chain
    if not isinstance(names, LiveNames):
        top = top_level(names.found.source) if names.found.source else None
        return top is None or not top.definitions(name) or bool(top.statements(name))
    found = look_up(Load(name, name, attributes), names, notes)
    if found is None or found.value is ABSENT:
        return False
    value = found.value
    return not (is_any_of(value, _NO_DATA) or is_task(value) or (is_table and is_scalar(value)))


def _loads_of_texts(forms: Iterable[Form], names: Names, notes: Notes) -> Iterator[Load]:
    """Yield the names in texts that are handed on to have them looked up."""
    named = {each for form in forms for each in form.named}
    marked: set[Chain] = set()
    for constant, are_tables in {each for form in forms for each in form.texts}:
        for text in _texts_of(constant, names, notes):
            named |= {(each, are_tables) for each in names_in(text)}
            marked |= {*marked_in(text)}
    marked |= {chain for chain, is_table in named if _may_be_data(chain, is_table, names, notes)}
    yield from (Load(chain[0], *chain) for chain in sorted(marked))


def _texts_of(constant: Chain, names: Names, notes: Notes) -> Iterator[str]:
    """Yield what a constant holds that is a text."""
    name, attributes = constant
    texts: list[object] = []
    if isinstance(names, LiveNames):
        found = look_up(Load(name, name, attributes), names, notes)
        texts += [found.value] if found else []
    elif names.found.source is not None:
        for piece in top_level(names.found.source).statements(name):
            texts += strings_in(piece.node)
    yield from (each for each in texts if type(each) is str)


def _with_annotations(chain: Chain, names: LiveNames, notes: Notes) -> Iterator[Use]:
    """Yield a function as one whose annotations are read."""
    name, attributes = chain
    found = look_up(Load(name, name, attributes), names, notes)
    if found is not None and found.value is not ABSENT:
        yield from uses_of(f"annotated {name}", found._replace(by_package=True), notes)


def _imported(forms: Iterable[Form], names: Names) -> Iterator[str]:
    """Yield the modules that code itself loads, by import statements or by their names."""
    for form in forms:
        for target in (*form.imports, *(load.source for load in form.loads if load.source)):
            yield absolute(target, package_of(names))


def _whole_module(names: Names, notes: Notes) -> Iterator[Use]:
    if not isinstance(names, LiveNames):
        yield from symbol("module", names.found.name, (), notes)
        return
    module = sys.modules.get(str(names.globals.get("__name__", "?")))
    if module is not None and vars_of(module) is names.globals:
        yield Use("module", ModuleThing(module))
    else:
        yield Use("module", ValueThing(f"names of {names.module}", names.globals))


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


def describe_module(thing: ModuleThing, notes: Notes) -> Description:
    """Describe a module as a whole: all that it holds."""
    members, name = vars_of(thing.module), name_of_module(thing.module)
    notes.rests_on_names(members)
    source = source_of_globals(members)
    own = [each for each in members if source is None or top_level(source).binds(each)]
    described = Description("module", f"all that {name} holds", order=" ".join(own))
    for attribute in sorted(members.keys() - _OF_THE_LOADER):
        found = Found(members[attribute], f"{name}.{attribute}", (members, attribute))
        described.uses += uses_of(f".{attribute}", found, notes)
    return described


def describe_file(thing: FileThing, notes: Notes) -> Description:
    """Describe a compiled file by its content."""
    try:
        digest = blake2b(Path(thing.filename).read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        notes.say(f"a compiled file ({error})", thing.module)
        digest = ""
    return Description(digest, f"{Path(thing.filename).name} {digest}")


def describe_package(thing: PackageThing, notes: Notes) -> Description:
    """Describe an installed package by the version of its distribution."""
    if not thing.top:
        return Description("", "")
    from flowweaver.fingerprint.versions import package_content, package_version

    version = package_version(thing.top) or package_content(thing.top)
    if version is None:
        notes.say("the version", thing.name)
    text = f"{thing.top} {version or '(version unknown)'}"
    return Description(text, text)

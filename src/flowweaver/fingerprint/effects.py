"""What the project's modules do to installed code when they are loaded.

``yaml.add_constructor("!point", point)`` hands a function over that no code mentions again, and
``pandas.set_option(...)`` makes pandas another one. Such a statement counts, by its meaning, for
what reaches the package.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from types import ModuleType
from typing import NamedTuple
from weakref import WeakKeyDictionary

from flowweaver.fingerprint.acted_on import ANY, Acted, Look, Name
from flowweaver.fingerprint.bindings import TopLevel
from flowweaver.fingerprint.imported import acting_on_others, imported_with
from flowweaver.fingerprint.kinds import is_a, vars_of
from flowweaver.fingerprint.loading import add_changed_modules, loaded_module
from flowweaver.fingerprint.modules import FoundModule, top_level
from flowweaver.fingerprint.outlines import Definition
from flowweaver.fingerprint.owners import Owner, owner_of_module, project_of
from flowweaver.fingerprint.sources import Piece, Source, source_of
from flowweaver.fingerprint.things import LiveNames, Names, PieceThing, StaticNames, Witness


class Effect(NamedTuple):
    """A statement that acts on installed packages, or on what other modules of the project hold.

    `tops` are the packages; "" stands for the standard library.
    """

    thing: PieceThing
    tops: frozenset[str]
    names: frozenset[Name] = frozenset()

    def is_on(self, names: Collection[Name]) -> bool:
        """Whether it acts on one of these names of modules."""
        if not self.names:
            return False
        modules = {module for module, _ in names}
        return not self.names.isdisjoint(names) or any(
            name == ANY and module in modules for module, name in self.names
        )


class _Loaded(NamedTuple):
    """A module as it was when it was loaded, or loaded again, and what that did."""

    spec: object
    project: str
    effects: tuple[Effect, ...]


_loaded: dict[str, tuple[ModuleType, _Loaded]] = {}
_open: set[str] = set()
"""The names of modules that are to be looked at."""

_present: tuple[Effect, ...] | None = None


def forget_effects() -> None:
    """Look again what was done, as before each plan or run."""
    global _present  # noqa: PLW0603 - one process has one set of modules
    _present = None


def effects_on(
    tops: Iterable[str],
    names: Collection[Name],
    files: Iterable[str],
    imported: Iterable[str],
    *,
    subclasses: bool,
) -> Iterator[PieceThing]:
    """Yield what acts on these packages, on what they need, or on the standard library.

    So does what acts on these names, and what modules do that the code loads in its bodies, to
    whatever it is.

    Args:
        tops: Top-level modules of installed packages.
        names: Those of the project's modules that are followed by what the files say.
        files: Those of the project that the code is in.
        imported: Modules that the code imports in its bodies.
        subclasses: Whether the code asks for the subclasses of classes.
    """
    projects = {project_of(each) for each in files}
    loaded = (found for _, found in [*_loaded.values()] if found.project in projects)
    effects = [each for found in loaded for each in found.effects]
    for module in imported_with(imported):
        if loaded_module(module.name) is None:
            effects += _of_source(module)
            for piece in acting_on_others(module, subclasses=subclasses):
                yield _thing_of(piece, StaticNames(module))
    own = frozenset(tops)
    reached = own | {""}
    # What packages need takes long to find out, and mostly nobody has to know.
    if not all(effect.tops & reached for effect in effects if effect.tops):
        from flowweaver.fingerprint.versions import needed_by

        reached |= needed_by(own)
    for effect in effects:
        if effect.tops & reached or effect.is_on(names):
            yield effect.thing


def effects_present() -> tuple[Effect, ...]:
    """Return what all loaded modules have done."""
    global _present  # noqa: PLW0603 - worked out once for each plan or run
    if _present is None:
        _look_at_modules()
        _present = tuple(each for _, found in _loaded.values() for each in found.effects)
    return _present


def witness_of_effects() -> Witness:
    """Return what says whether anything else was done since."""
    return _is_as_done, tuple(each.thing for each in effects_present())


def _is_as_done(things: tuple[PieceThing, ...]) -> bool:
    present = effects_present()
    return len(present) == len(things) and all(
        each.thing is thing for each, thing in zip(present, things, strict=True)
    )


def _look_at_modules() -> None:
    add_changed_modules(_open)
    _open.update(name for name, (module, x) in _loaded.items() if _spec_of(module) is not x.spec)
    for name in sorted(_open):
        module = loaded_module(name)
        if module is not None and _is_own(name, module):
            spec = _spec_of(module)
            known = _loaded.get(name)
            if known is None or known[0] is not module or known[1].spec is not spec:
                _loaded[name] = module, _looked_at(module, spec)
        else:
            _loaded.pop(name, None)
        if module is None or _has_file(module):  # or else it may be given one, as a notebook's is
            _open.discard(name)


def _spec_of(module: ModuleType) -> object:
    return vars_of(module).get("__spec__")


def _is_own(name: str, module: ModuleType) -> bool:
    if not _has_file(module):
        return False
    known = _loaded.get(name)
    return (known is not None and known[0] is module) or owner_of_module(name) is Owner.PROJECT


def _has_file(module: ModuleType) -> bool:
    return is_a(vars_of(module).get("__file__"), str)


def _looked_at(module: ModuleType, spec: object) -> _Loaded:
    members = vars_of(module)
    filename = members["__file__"]
    source = source_of(filename, members)
    effects = tuple(_effects(top_level(source), LiveNames(members))) if source else ()
    return _Loaded(spec, project_of(filename), effects)


_of_sources: WeakKeyDictionary[Source, tuple[Effect, ...]] = WeakKeyDictionary()


def _of_source(module: FoundModule) -> tuple[Effect, ...]:
    """Return what a module will do when a body loads it."""
    source = module.source
    if source is None:
        return ()
    if source not in _of_sources:
        _of_sources[source] = tuple(_effects(top_level(source), StaticNames(module)))
    return _of_sources[source]


def _effects(top: TopLevel, names: Names) -> Iterator[Effect]:
    look = Look(top, names)
    # What a module that is not loaded would act on counts wherever it is loaded.
    acting = top.acting if isinstance(names, LiveNames) else ()
    found: dict[tuple[str, int, int], tuple[Piece, set[Acted]]] = {}
    for piece in acting:
        found.setdefault(piece.key, (piece, set()))[1].update(look.acted_on(piece))
    for name in top.decorators():
        if not look.is_our_own(name):
            for piece in top.decorated(name):
                found.setdefault(piece.key, (piece, set()))[1].update(look.handed_to(piece))
    for name in top.classes():
        if keepers := look.noted_by(name):
            for piece in top.definitions(name):
                found.setdefault(piece.key, (piece, set()))[1].update(keepers)
    for key in sorted(found):
        piece, acted = found[key]
        tops = frozenset(each for each in acted if isinstance(each, str))
        # What a module does to what it has itself is among what its own file says of that.
        elsewhere = frozenset(
            each for each in acted if isinstance(each, tuple) and each[0] != names.module
        )
        if tops or elsewhere:
            yield Effect(_thing_of(piece, names), tops, elsewhere)


def _thing_of(piece: Piece, names: Names) -> PieceThing:
    name = piece.node.name if isinstance(piece.node, Definition) else ""
    what = f"{names.module}.{name}" if name else f"done in {names.module}"
    return PieceThing(what, piece, names)

"""What the project's modules do to installed code when they are loaded.

``yaml.add_constructor("!point", point)`` hands a function over that no code mentions again, and
``pandas.set_option(...)`` makes pandas another one. Such a statement counts, by its meaning, for
what reaches the package.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import partial
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from flowweaver.fingerprint.acting import Target, target_of, targets_in
from flowweaver.fingerprint.bindings import TopLevel
from flowweaver.fingerprint.calling import (
    aliases_in,
    member_of,
    parameters_of,
    run_by_calling,
)
from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.describe import closure_of, piece_of
from flowweaver.fingerprint.imported import (
    KEEPING_NOTHING,
    acting_on_others,
    imported_with,
    imports_in,
    is_of_module,
    owner_of,
    tops_of,
)
from flowweaver.fingerprint.kinds import is_a, is_any_of, is_task, module_of, vars_of
from flowweaver.fingerprint.live import look_up
from flowweaver.fingerprint.loading import loaded_module, loaded_modules
from flowweaver.fingerprint.modules import (
    FoundModule,
    absolute,
    source_of_globals,
    top_level,
)
from flowweaver.fingerprint.outlines import Definition
from flowweaver.fingerprint.owners import (
    Owner,
    owner_of_module,
    project_of,
    top_of_module,
)
from flowweaver.fingerprint.resolve import is_our_own, package_of
from flowweaver.fingerprint.sources import Piece, Source, source_of
from flowweaver.fingerprint.standing import How, standing_of, standing_of_class
from flowweaver.fingerprint.things import (
    ABSENT,
    LiveNames,
    Names,
    Notes,
    PieceThing,
    StaticNames,
    Witness,
)
from flowweaver.fingerprint.values import is_scalar
from flowweaver.fingerprint.versions import needed_by

_GIVEN = "?"  # in place of a package: the one that what a function is called with is of
_Call: TypeAlias = tuple[FunctionType, int, bool]
"""A function, how often it and its outcome are called, and whether the last outcome is kept."""
_KEEPS = re.compile("accessor|add|compiles|dispatch|extension|handle|hook|listen|overload|regist")


class Effect(NamedTuple):
    """A statement that acts on installed packages; "" stands for the standard library."""

    thing: PieceThing
    tops: frozenset[str]


class _Loaded(NamedTuple):
    """A module as it was when it was loaded, or loaded again, and what that did."""

    spec: object
    project: str
    effects: tuple[Effect, ...]


_loaded: dict[str, tuple[ModuleType, _Loaded]] = {}
_among: dict[str, ModuleType] = {}
_present: tuple[Effect, ...] | None = None


def forget_effects() -> None:
    """Look again what was done, as before each plan or run."""
    global _present  # noqa: PLW0603 - one process has one set of modules
    _present = None


def effects_on(
    tops: Iterable[str], files: Iterable[str], imported: Iterable[str], *, subclasses: bool
) -> Iterator[PieceThing]:
    """Yield what acts on these packages, on what they need, or on the standard library.

    So does what modules do that the code loads in its bodies, to whatever it is.

    Args:
        tops: Top-level modules of installed packages.
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
    if not all(effect.tops & reached for effect in effects):
        reached |= needed_by(own)
    for effect in effects:
        if effect.tops & reached:
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
    global _among  # noqa: PLW0603 - one process has one set of modules
    modules = loaded_modules()
    if modules is _among and all(_spec_of(module) is x.spec for module, x in _loaded.values()):
        return
    _among = modules
    own = {name: module for name, module in modules.items() if _is_own(name, module)}
    for name in _loaded.keys() - own.keys():
        del _loaded[name]
    for name, module in sorted(own.items()):
        spec = _spec_of(module)
        known = _loaded.get(name)
        if known is None or known[0] is not module or known[1].spec is not spec:
            _loaded[name] = module, _looked_at(module, spec)


def _spec_of(module: ModuleType) -> object:
    return vars_of(module).get("__spec__")


def _is_own(name: str, module: ModuleType) -> bool:
    if not is_a(vars_of(module).get("__file__"), str):
        return False
    known = _loaded.get(name)
    return (known is not None and known[0] is module) or owner_of_module(name) is Owner.PROJECT


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
    look = _Look(top, names)
    # What a module that is not loaded would act on counts wherever it is loaded.
    acting = top.acting if isinstance(names, LiveNames) else ()
    found = {piece.key: (piece, look.acted_on(piece)) for piece in acting}
    for name in top.decorators():
        if not look.is_our_own(name):
            for piece in top.decorated(name):
                _, tops = found.setdefault(piece.key, (piece, set()))
                tops |= look.handed_to(piece)
    for name in top.classes():
        if keepers := look.noted_by(name):
            for piece in top.definitions(name):
                _, tops = found.setdefault(piece.key, (piece, set()))
                tops |= keepers
    for key in sorted(found):
        piece, tops = found[key]
        if tops:
            yield Effect(_thing_of(piece, names), frozenset(tops))


def _thing_of(piece: Piece, names: Names) -> PieceThing:
    name = piece.node.name if isinstance(piece.node, Definition) else ""
    what = f"{names.module}.{name}" if name else f"done in {names.module}"
    return PieceThing(what, piece, names)


class _Look:
    """Finds out on which installed packages the statements of a module act."""

    def __init__(self, top: TopLevel, names: Names) -> None:
        self._top = top
        self.names = names
        self._inside: dict[_Call, frozenset[str]] = {}

    def acted_on(self, piece: Piece) -> set[str]:
        """Return the packages that a statement acts on, "" for the standard library."""
        targets = targets_in([piece.node]) if isinstance(piece.node, ast.stmt) else ()
        return {top for each in targets for top in self.tops(each)}

    def handed_to(self, piece: Piece) -> set[str]:
        """Return the packages that definitions are handed to by their decorators.

        What a decorator returns in place of a definition leads back to it, and counts where it is
        used. Handed over is what it gives back as it was, or does not give back.
        """
        tops: set[str] = set()
        for node in ast.walk(piece.node):
            if isinstance(node, Definition):
                for target in filter(None, map(target_of, node.decorator_list)):
                    called = target._replace(calls=target.calls + 1)
                    module = self._installed(called)
                    if module is None or (
                        top_of_module(module) not in KEEPING_NOTHING
                        and self._is_kept(node.name, called)
                    ):
                        tops.update(self.tops(called))
            if node is piece.node and isinstance(node, Definition):
                break
        return tops

    def noted_by(self, name: str) -> set[str]:
        """Return the packages that may have noted a class when it was derived from theirs.

        ``yaml.YAMLObject`` does so by its metaclass; ``__init_subclass__`` is the other way.
        """
        cls = self.names.globals.get(name) if isinstance(self.names, LiveNames) else None
        if not is_a(cls, type):
            return set()
        metaclasses = type.mro(type(cls))
        noting = [each for each in metaclasses if {"__new__", "__init__"} & vars(each).keys()]
        noting += [each for each in cls.__mro__ if "__init_subclass__" in vars(each)]
        packages = {standing_of_class(each).top for each in noting} - {"", *KEEPING_NOTHING}
        for each in noting:
            for hook in ("__init_subclass__", "__new__", "__init__"):
                if hook == "__init_subclass__" or issubclass(each, type):
                    for fn in run_by_calling(vars(each).get(hook)):
                        packages |= {*_inside((fn, 1, False), set())} - {_GIVEN}
        return packages

    def is_our_own(self, name: str) -> bool:
        """Whether a name means something of FlowWeaver's."""
        return is_our_own(Load(name, name), self.names, Notes())

    def _is_kept(self, name: str, decorator: Target) -> bool:
        """Whether an installed decorator may have kept what it decorates, and has wrapped nothing.

        Before the module is loaded that can only be told by what the decorator is called.
        """
        if not isinstance(self.names, LiveNames):
            return _KEEPS.search(".".join(decorator.chain[1])) is not None
        value = self.names.globals.get(name)
        if is_any_of(value, (FunctionType, type)):
            is_wrapper = is_a(value, FunctionType) and "__wrapped__" in value.__dict__
            return not is_wrapper and standing_of(value).how is How.MEANING
        return is_scalar(value)

    def tops(self, target: Target, seen: set[_Call] | None = None) -> Iterator[str]:
        """Yield the packages that something is acted on with, also by the project's functions.

        Functions that were `seen` are looked into already.
        """
        module = self._installed(target)
        if module is not None:
            if target.is_acting(on_module=self._is_on_module(target)):
                yield from tops_of(module)
            return
        for fn in self._called(target):
            call = fn, target.calls, target.is_kept
            if seen is None:
                if call not in self._inside:
                    self._inside[call] = frozenset(_inside(call, {call}))
                yield from self._with_given(self._inside[call], target)
            elif call not in seen:
                seen.add(call)
                yield from self._with_given(_inside(call, seen), target)

    def _with_given(self, tops: Iterable[str], target: Target) -> Iterator[str]:
        for top in tops:
            if top != _GIVEN:
                yield top
                continue
            for chain in target.given:
                module = self._installed(Target(chain, 0))
                yield from tops_of(module) if module is not None else ()

    def _is_on_module(self, target: Target) -> bool:
        """Whether a function of a module is called, and no method of a class or object."""
        name, attributes = target.chain
        imported = self._top.imports.get(name, ())
        is_module = is_a(self._value(Target((name, ()), 0)), ModuleType)
        is_module = is_module or any(each.attribute is None for each in imported)
        return len(attributes) == is_module

    def _installed(self, target: Target) -> str | None:
        """Return the installed module that a name is from; None if it is from none."""
        name, _ = target.chain
        for imported in self._top.imports.get(name, ()):
            module = absolute(imported, package_of(self.names))
            if owner_of(module) is not Owner.PROJECT:
                return module
        value = self._value(target)
        while is_a(value, partial):
            value = value.func
        if value is ABSENT or is_task(value) or standing_of(value).how is not How.VERSION:
            return None
        return value.__name__ if is_a(value, ModuleType) else module_of(value)

    def _value(self, target: Target) -> Any:
        if not isinstance(self.names, LiveNames):
            return ABSENT
        found = look_up(Load("", *target.chain), self.names, Notes())
        if found is None:
            return ABSENT
        value = found.value
        for attribute in found.attributes:
            value = member_of(value, attribute)
        return value

    def _called(self, target: Target) -> Iterator[FunctionType]:
        """Yield the project's functions that are called, those of classes among them."""
        if target.calls:
            value = self._value(target)
            yield from run_by_calling(value)
            if target.calls > 1 and is_a(value, type):
                yield from run_by_calling(member_of(value, target.called))


def _inside(call: _Call, seen: set[_Call]) -> Iterator[str]:
    """Yield the packages that a function acts on when it is called."""
    fn, calls, is_kept = call
    piece = piece_of(fn)
    source = source_of_globals(fn.__globals__)
    if piece is None or source is None or not isinstance(piece.node, Definition):
        return
    look = _Look(top_level(source), LiveNames(fn.__globals__, closure_of(fn)))
    given = parameters_of(fn)
    local = {*fn.__code__.co_varnames, *fn.__code__.co_cellvars}
    aliases = aliases_in(piece.node.body)
    imports = imports_in(piece.node)
    for each in targets_in(piece.node.body, calls - 1):
        name, attributes = each.chain
        if name in aliases:
            name, attributes = aliases[name][0], (*aliases[name][1], *attributes)
        chain = name, attributes
        target = each._replace(chain=chain, is_kept=is_kept or each.is_kept)
        if name in imports:
            if target.is_acting(on_module=is_of_module(imports[name], target.chain)):
                yield from tops_of(absolute(imports[name], package_of(look.names)))
        elif name in given:
            yield from (_GIVEN,) if target.is_acting(on_module=False) else ()
        elif name not in local:
            yield from look.tops(target, seen)

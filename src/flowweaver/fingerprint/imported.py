"""What the project's modules do to others when a body loads them, also to one another.

Such a module need not be loaded yet, and whether it is makes no difference: all is told by what
the files say.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

from flowweaver.fingerprint.acting import DECORATOR, Target, is_stored, target_of, targets_in
from flowweaver.fingerprint.bindings import TopLevel
from flowweaver.fingerprint.calling import aliases_in, meanings_of
from flowweaver.fingerprint.fillers import notes_subclasses
from flowweaver.fingerprint.modules import FoundModule, absolute, find_module, top_level
from flowweaver.fingerprint.owners import OURSELVES, Owner, owner_of_module, top_of_module
from flowweaver.fingerprint.scopes import Import
from flowweaver.fingerprint.sources import Piece, Source
from flowweaver.fingerprint.spelling import Chain, chain_of

# What is done to these is nothing to what a function returns, or is the world outside.
_ASIDE = frozenset(
    {"argparse", "asyncio", "atexit", "builtins", "cProfile", "concurrent", "contextlib", "doctest"}
    | {"faulthandler", "gc", "getpass", "logging", "multiprocessing", "os", "pathlib", "pdb"}
    | {"pprint", "shutil", "signal", "site", "socketserver", "subprocess", "sys", "threading"}
    | {"time", "timeit", "traceback", "tracemalloc", "typing", "unittest", "warnings", "webbrowser"}
)
# Decorators and base classes of these leave a function or class as it is, or make another of it,
# but keep none.
KEEPING_NOTHING = frozenset(
    {"abc", "attr", "attrs", "beartype", "contextlib", "dataclasses", "enum", "equinox", "flax"}
    | {"functools", "msgspec", "pydantic", "pytest", "returns", "sklearn", "torch", "typeguard"}
    | {"types", "typing", "typing_extensions"}
)


_acting: WeakKeyDictionary[Source, tuple[Piece, ...]] = WeakKeyDictionary()


class _Place(NamedTuple):
    """A top-level name of one of the project's modules; `rest` is taken of what it means."""

    found: FoundModule
    name: str
    rest: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.found.name, self.name


def imported_with(names: Iterable[str]) -> list[FoundModule]:
    """Return the project's modules that are loaded together with these."""
    found: dict[str, FoundModule | None] = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        module = found[name] = find_module(name)
        if module is None or module.source is None:
            continue
        waiting += filter(None, [name.rpartition(".")[0]])
        top = top_level(module.source)
        for target in (*top.stars, *(each for many in top.imports.values() for each in many)):
            imported = absolute(target, module.package)
            waiting += [imported, f"{imported}.{target.attribute}"][: 1 + bool(target.attribute)]
    return [each for each in found.values() if each is not None and each.source is not None]


def owner_of(module: str) -> Owner:
    """Say whose a module is, also before it is loaded."""
    found = find_module(module)
    return found.owner if found is not None else owner_of_module(module)


def tops_of(module: str) -> Iterator[str]:
    """Yield the package that a module is of, "" for the standard library, if it counts."""
    owner, top = owner_of(module), top_of_module(module)
    if owner is Owner.PACKAGE:
        yield top
    elif owner is Owner.NOBODY and top not in {*_ASIDE, OURSELVES}:
        yield ""


def acting_on_others(module: FoundModule, *, subclasses: bool) -> Iterator[Piece]:
    """Yield what a module does when it is loaded: all that acts on what it has from elsewhere.

    Args:
        module: The module that is loaded.
        subclasses: Whether somebody asks for the subclasses of classes.
    """
    if module.source is None:
        return
    top = top_level(module.source)
    if module.source not in _acting:
        _acting[module.source] = tuple(_statements(top, module))
    yield from _acting[module.source]
    for name in top.decorators():
        if any(_keeps(place, set()) for place in _decorators(top, name, module)):
            yield from top.decorated(name)
    for name in top.classes():
        for piece in top.definitions(name):
            bases = [*_bases(piece, module)]
            may_note = any(_notes(base, set()) for base in bases)
            if may_note or (subclasses and any(base.name for base in bases)):
                yield piece


def _statements(top: TopLevel, module: FoundModule) -> Iterator[Piece]:
    for piece in top.acting:
        if isinstance(piece.node, ast.stmt) and _Acting(top, module).is_acting([piece.node]):
            yield piece


class _Acting:
    """Tells whether statements act on what their module has from elsewhere."""

    def __init__(self, top: TopLevel, module: FoundModule) -> None:
        self._top = top
        self._module = module
        self._seen: dict[tuple[str, int], tuple[bool, bool]] = {}

    def is_acting(self, body: list[ast.stmt]) -> bool:
        """Whether statements at the top of the module do so."""
        return any(self._acts(each) for each in self._targets(body, 0, kept=False))

    def _targets(self, body: list[ast.stmt], levels: int, *, kept: bool) -> Iterator[Target]:
        aliases = aliases_in(body)
        for target in targets_in(body, levels):
            given = [each for chain in target.given for each in meanings_of(chain, aliases)]
            for chain in meanings_of(target.chain, aliases):
                is_kept = kept or target.is_kept
                yield target._replace(chain=chain, is_kept=is_kept, given=tuple(given))

    def _acts(self, target: Target) -> bool:
        acts, on_given = self._by_calling(target) if target.calls else (False, False)
        if acts or (on_given and any(self._is_from_elsewhere(each) for each in target.given)):
            return True
        for chain in _meant(self._top, target.chain):
            for imported in self._top.imports.get(chain[0], ()):
                if _acts_on(target._replace(chain=chain), imported, self._module):
                    return True
        from_stars = _from_stars(self._top, target.chain, self._module)
        return any(target.is_acting(on_module=True) for _ in from_stars)

    def _by_calling(self, target: Target) -> tuple[bool, bool]:
        """Say whether what is called acts on something else, and on what it is given.

        Of a class, and what its methods do, all may be called.
        """
        acts = on_given = False
        for name, _ in _meant(self._top, target.chain):
            for piece in self._top.definitions(name):
                call = name, target.calls
                if call not in self._seen:
                    self._seen[call] = False, False
                    self._seen[call] = self._inside(piece.node, target)
                acts, on_given = acts or self._seen[call][0], on_given or self._seen[call][1]
        return acts, on_given

    def _inside(self, node: ast.AST, target: Target) -> tuple[bool, bool]:
        if isinstance(node, ast.ClassDef):
            methods = [self._inside(each, target) for each in node.body]
            bases = [Target(chain, 1, "?") for chain in filter(None, map(chain_of, node.bases))]
            acts = any(self._acts(base) for base in bases)
            return acts or any(each for each, _ in methods), any(each for _, each in methods)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False, False
        given = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
        own = given | {each.id for each in ast.walk(node) if is_stored(each)}
        imports = imports_in(node)
        acts = on_given = False
        for each in self._targets(node.body, target.calls - 1, kept=target.is_kept):
            name = each.chain[0]
            if name in imports:
                acts = acts or _acts_on(each, imports[name], self._module)
            elif name in given:
                on_given = on_given or self._acts_on_given(each)
            elif name not in own:
                acts = acts or self._acts(each)
                _, inner = self._by_calling(each) if each.calls else (False, False)
                on_given = on_given or (inner and any(x[0] in given for x in each.given))
        defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        chains = filter(None, map(chain_of, defaults))
        return acts or (on_given and any(map(self._is_from_elsewhere, chains))), on_given

    def _acts_on_given(self, target: Target) -> bool:
        """Whether it acts on a parameter; what is set on `self` is what that is made with."""
        called_itself = bool(target.calls) and not target.chain[1]
        is_binding = bool(target.stored) and not target.chain[1]
        return called_itself or (not is_binding and target.is_acting(on_module=False))

    def _is_from_elsewhere(self, chain: Chain) -> bool:
        for name, _ in _meant(self._top, chain):
            for imported in self._top.imports.get(name, ()):
                module = absolute(imported, self._module.package)
                if owner_of(module) is Owner.PROJECT or any(True for _ in tops_of(module)):
                    return True
        return False


def _acts_on(target: Target, imported: Import, module: FoundModule) -> bool:
    """Whether it acts on something from the project, or from what counts beside it."""
    name = absolute(imported, module.package)
    if target.called == DECORATOR and top_of_module(name) in KEEPING_NOTHING:
        return False
    counts = owner_of(name) is Owner.PROJECT or any(True for _ in tops_of(name))
    return counts and target.is_acting(on_module=is_of_module(imported, target.chain))


def is_of_module(imported: Import, chain: Chain) -> bool:
    """Whether a name is one of an imported module itself, and not of a class or object in it."""
    return len(chain[1]) == (imported.attribute is None)


def imports_in(node: ast.AST) -> dict[str, Import]:
    """Return what names are imported from in a body."""
    found = {}
    for each in ast.walk(node):
        for alias in each.names if isinstance(each, ast.Import | ast.ImportFrom) else ():
            if isinstance(each, ast.ImportFrom):
                target = Import(each.module or "", each.level, alias.name)
            else:
                target = Import(alias.name if alias.asname else alias.name.partition(".")[0])
            found[alias.asname or alias.name.partition(".")[0]] = target
    return found


def _meant(top: TopLevel, chain: Chain) -> Iterator[Chain]:
    """Yield what a name means in its module, also by ``name = a.b``."""
    seen = set()
    waiting = [chain]
    while waiting:
        name, attributes = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name, attributes
            aliases = filter(None, (_alias(piece, name) for piece in top.statements(name)))
            waiting += [(start, (*taken, *attributes)) for start, taken in aliases]


def _places(top: TopLevel, chain: Chain, module: FoundModule) -> Iterator[_Place]:
    """Yield what of other modules of the project a name may mean."""
    for name, attributes in _meant(top, chain):
        for target in top.imports.get(name, ()):
            yield from _place(target, attributes, module)
        yield from _from_stars(top, (name, attributes), module)


def _from_stars(top: TopLevel, chain: Chain, module: FoundModule) -> Iterator[_Place]:
    name, attributes = chain
    for star in top.stars if not top.binds(name) else ():
        for place in _place(star, (name, *attributes), module):
            if place.found.source and top_level(place.found.source).binds(name):
                yield place


def _alias(piece: Piece, name: str) -> Chain | None:
    """Return what ``name = a.b`` makes a name mean, or ``name = partial(a.b, 1)``."""
    node = piece.node
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return None
    value = node.value
    if isinstance(value, ast.Call) and value.args:
        called = chain_of(value.func)
        value = value.args[0] if called and "partial" in (called[0], *called[1]) else value
    return chain_of(value) if node.targets[0].id == name else None


def _place(target: Import, attributes: tuple[str, ...], module: FoundModule) -> Iterator[_Place]:
    name = absolute(target, module.package)
    is_one = target.attribute not in (None, "*")
    taken = (str(target.attribute), *attributes) if is_one else attributes
    found = find_module(name)
    while found is not None and found.owner is Owner.PROJECT and taken:
        inner = find_module(f"{found.name}.{taken[0]}") if found.package == found.name else None
        if inner is None:
            yield _Place(found, taken[0], taken[1:])
            return
        found, taken = inner, taken[1:]
    if found is not None and found.owner is not Owner.NOBODY:
        yield _Place(found, "")


def _decorators(top: TopLevel, name: str, module: FoundModule) -> Iterator[_Place]:
    for piece in top.decorated(name):
        for node in ast.walk(piece.node):
            for decorator in getattr(node, "decorator_list", ()):
                target = target_of(decorator)
                if target is None and any(_mentioned(decorator, name)):
                    yield from _places(top, (name, ("?", "?")), module)
                elif target is not None and target.chain[0] == name:
                    yield from _places(top, target.chain, module)


def _mentioned(node: ast.AST, name: str) -> Iterator[bool]:
    return (each.id == name for each in ast.walk(node) if isinstance(each, ast.Name))


def _keeps(place: _Place, seen: set[tuple[str, str]]) -> bool:
    """Whether a decorator may keep what it decorates: it uses more than functions and imports."""
    if place.key in seen:
        return False
    seen.add(place.key)
    found, name, rest = place
    if found.owner is Owner.PACKAGE:
        return False
    top = top_level(found.source) if found.source else None
    if top is None or top.statements(name) or (rest and top.definitions(name)):
        return True
    for piece in top.definitions(name):
        used = {each.id for each in ast.walk(piece.node) if isinstance(each, ast.Name)}
        if isinstance(piece.node, ast.ClassDef) or name in used:
            return True
        if any(top.binds(each) and _keeps(_Place(found, each), seen) for each in sorted(used)):
            return True
    imported = _places(top, (name, rest), found) if not top.definitions(name) else ()
    return any(_keeps(each, seen) for each in imported)


def _bases(piece: Piece, module: FoundModule) -> Iterator[_Place]:
    """Yield the classes of other modules that a class is derived from."""
    top = top_level(piece.source)
    seen = {piece.key}
    waiting = [piece]
    while waiting:
        node = waiting.pop().node
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            target = target_of(base)
            if target is not None:
                yield from _places(top, target.chain, module)
                own = [each for each in top.definitions(target.chain[0]) if each.key not in seen]
                seen |= {each.key for each in own}
                waiting += own


def _notes(place: _Place, seen: set[tuple[str, str]]) -> bool:
    """Whether a class notes what is derived from it, by itself or by one of its bases.

    Of installed ones that can't be told before they are loaded.
    """
    if place.found.owner is Owner.PACKAGE:
        return top_of_module(place.found.name) not in KEEPING_NOTHING
    if place.key in seen or place.found.source is None:
        return False
    seen.add(place.key)
    top = top_level(place.found.source)
    for piece in top.definitions(place.name):
        if notes_subclasses(piece.node):
            return True
        bases = piece.node.bases if isinstance(piece.node, ast.ClassDef) else ()
        for chain in filter(None, map(chain_of, bases)):
            if _notes(_Place(place.found, chain[0]), seen):
                return True
    imported = _places(top, (place.name, place.rest), place.found)
    return any(_notes(each, seen) for each in imported)

"""Find modules and read their top levels without importing them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.machinery import ModuleSpec
from typing import Any, NamedTuple

from flowweaver.fingerprint.bindings import TopLevel
from flowweaver.fingerprint.owners import Owner, owner_of_file, owner_of_module, top_of_module
from flowweaver.fingerprint.scopes import Import
from flowweaver.fingerprint.sources import Source, source_of


class FoundModule(NamedTuple):
    """A module as it stands on disk; `source` is None if it has none or does not count."""

    name: str
    owner: Owner
    package: str
    source: Source | None


def find_module(name: str) -> FoundModule | None:
    """Find a module by its full name; None if there is none.

    Nothing is imported, not even the packages that it is in.
    """
    if owner_of_module(name) is Owner.NOBODY and name in sys.modules:
        return FoundModule(name, Owner.NOBODY, name, None)
    spec = _spec(name)
    if spec is None:
        return None
    owner = _owner(spec)
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    source = None
    if owner is Owner.PROJECT and spec.origin and spec.has_location:
        names = {"__name__": name, "__loader__": spec.loader, "__spec__": spec}
        source = source_of(spec.origin, names)
    return FoundModule(name, owner, package, source)


@lru_cache(maxsize=512)
def top_level(source: Source) -> TopLevel:
    """Return the top-level names of a source, looked for once."""
    return TopLevel(source)


def source_of_globals(module_globals: dict[str, Any]) -> Source | None:
    """Return the source file of the module that has these globals, if it has one."""
    filename = module_globals.get("__file__")
    return source_of(filename, module_globals) if isinstance(filename, str) else None


def absolute(target: Import, package: str) -> str:
    """Return the full name of the module that an import statement in a package names."""
    if target.level == 0:
        return target.module
    parents = package.split(".")
    base = parents[: len(parents) - target.level + 1]
    return ".".join([*base, target.module] if target.module else base)


def _owner(spec: ModuleSpec) -> Owner:
    if spec.origin and spec.has_location:
        return owner_of_file(spec.origin)
    if spec.submodule_search_locations:
        return owner_of_file(next(iter(spec.submodule_search_locations)))
    known = top_of_module(spec.name) in sys.stdlib_module_names
    return Owner.NOBODY if known else Owner.PROJECT


def _spec(name: str) -> ModuleSpec | None:
    loaded = getattr(sys.modules.get(name), "__spec__", None)
    if isinstance(loaded, ModuleSpec):
        return loaded
    spec: ModuleSpec | None = None
    path: Sequence[str] | None = None
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        spec = _search(".".join(parts[:length]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
        if path is None and length < len(parts):
            return None
    return spec


def _search(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path)
        except (AttributeError, ImportError, ValueError):
            continue
        if spec is not None:
            return spec
    return None

"""Which modules the program has loaded, and which only the bodies of tasks while they ran."""

from __future__ import annotations

import sys
from types import ModuleType

_by_runs: dict[str, int] = {}
_before: dict[str, object] | None = None
_seen: dict[str, object] = {}
_loaded: dict[str, ModuleType] = {}


def note_modules() -> None:
    """Note what is loaded before a plan or run."""
    global _before  # noqa: PLW0603 - one process has one set of modules
    _before = dict(sys.modules)


def settle_modules() -> None:
    """Note what the bodies of a run have loaded, which is no reason to see anything otherwise."""
    if _before is not None and sys.modules.keys() != _before.keys():
        modules = dict(sys.modules)
        _by_runs.update({name: id(modules[name]) for name in modules.keys() - _before.keys()})
        _seen.clear()


def loaded_modules() -> dict[str, ModuleType]:
    """Return the modules that the program itself has loaded, by name.

    It is the same dict as before if they are the same modules.
    """
    global _loaded  # noqa: PLW0603 - one process has one set of modules
    modules = dict(sys.modules)
    if modules != _seen:
        _seen.clear()
        _seen.update(modules)
        _loaded = {name: module for name in modules if (module := loaded_module(name)) is not None}
    return _loaded


def loaded_module(name: str) -> ModuleType | None:
    """Return a module if the program itself has loaded it."""
    module = sys.modules.get(name)
    is_loaded = issubclass(type(module), ModuleType) and _by_runs.get(name) != id(module)
    return module if is_loaded else None

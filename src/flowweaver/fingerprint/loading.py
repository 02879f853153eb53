"""Which modules the program has loaded, and which only the bodies of tasks while they ran."""

from __future__ import annotations

import sys
from types import ModuleType

_by_runs: dict[str, int] = {}
_before: set[str] | None = None


def note_modules() -> None:
    """Note what is loaded before a plan or run."""
    global _before  # noqa: PLW0603 - one process has one set of modules
    _before = {*sys.modules}


def settle_modules() -> None:
    """Note what the bodies of a run have loaded, which is no reason to see anything otherwise."""
    if _before is not None:
        _by_runs.update((n, id(module)) for n, module in [*sys.modules.items()] if n not in _before)


def loaded_modules() -> dict[str, ModuleType]:
    """Return the modules that the program itself has loaded, by name."""
    return {
        name: module
        for name, module in [*sys.modules.items()]
        if issubclass(type(module), ModuleType) and _by_runs.get(name) != id(module)
    }


def loaded_module(name: str) -> ModuleType | None:
    """Return a module if the program itself has loaded it."""
    module = sys.modules.get(name)
    is_loaded = issubclass(type(module), ModuleType) and _by_runs.get(name) != id(module)
    return module if is_loaded else None

"""Which modules the program has loaded, and which only the bodies of tasks while they ran."""

from __future__ import annotations

import sys
from types import ModuleType

_by_runs: dict[str, int] = {}
_before: dict[str, ModuleType] | None = None
_seen: dict[str, ModuleType] = {}
_settled: set[str] = set()
_now: dict[str, ModuleType] = {}


def note_modules() -> None:
    """Note what is loaded before a plan or run."""
    global _before  # noqa: PLW0603 - one process has one set of modules
    _before = _all_modules()


def settle_modules() -> None:
    """Note what the bodies of a run have loaded, which is no reason to see anything otherwise."""
    modules = _all_modules()
    if _before is not None and modules is not _before:
        by_run = modules.keys() - _before.keys()
        _by_runs.update({name: id(modules[name]) for name in by_run})
        _settled.update(by_run)


def add_changed_modules(names: set[str]) -> None:
    """Add the names under which there may be another module, or none, since this was asked."""
    global _seen  # noqa: PLW0603 - one process has one set of modules
    modules = _all_modules()
    # Whatever interrupts this, no name is lost: it is let go of once it has been added.
    names |= _settled
    _settled.clear()
    if modules is not _seen:
        names |= _seen.keys() - modules.keys()
        names.update(name for name, each in modules.items() if _seen.get(name, _seen) is not each)
        _seen = modules


def _all_modules() -> dict[str, ModuleType]:
    # There are thousands: to copy them takes longer than to see that they are the same.
    global _now  # noqa: PLW0603 - one process has one set of modules
    if sys.modules != _now:
        _now = dict(sys.modules)
    return _now


def loaded_module(name: str) -> ModuleType | None:
    """Return a module if the program itself has loaded it."""
    module = sys.modules.get(name)
    is_loaded = issubclass(type(module), ModuleType) and _by_runs.get(name) != id(module)
    return module if is_loaded else None

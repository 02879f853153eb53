"""Where runs are kept: in memory, in an append-only JSON journal, or in a SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowweaver.stores.opening import open_store

if TYPE_CHECKING:
    from flowweaver.stores.json import JSONStateStore
    from flowweaver.stores.memory import MemoryStateStore
    from flowweaver.stores.sqlite import SQLiteStateStore

__all__ = ["JSONStateStore", "MemoryStateStore", "SQLiteStateStore", "open_store"]

_HOMES = {"JSONStateStore": "json", "MemoryStateStore": "memory", "SQLiteStateStore": "sqlite"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

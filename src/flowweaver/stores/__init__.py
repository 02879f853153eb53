"""Where runs are kept: in memory, a JSON journal, a SQLite file, or a Postgres database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowweaver.stores.opening import open_store

if TYPE_CHECKING:
    from flowweaver.stores.jsonl.store import JSONStateStore
    from flowweaver.stores.memory import MemoryStateStore
    from flowweaver.stores.postgres.store import PostgresStateStore
    from flowweaver.stores.sqlite.store import SQLiteStateStore

__all__ = [
    "JSONStateStore",
    "MemoryStateStore",
    "PostgresStateStore",
    "SQLiteStateStore",
    "open_store",
]

_HOMES = {
    "JSONStateStore": "jsonl.store",
    "MemoryStateStore": "memory",
    "PostgresStateStore": "postgres.store",
    "SQLiteStateStore": "sqlite.store",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

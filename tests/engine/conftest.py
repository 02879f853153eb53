"""A store of each kind, and an executor that keeps its runs there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowweaver import (
    Executor,
    JSONStateStore,
    MemoryStateStore,
    SequentialExecutor,
    SQLiteStateStore,
)
from flowweaver.state_store import StateStore
from flowweaver.stores.opening import open_store


@pytest.fixture(params=["memory", "sqlite", "json", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    made = _store(request.param, tmp_path, request)
    yield made
    made.close()


def _store(kind: str, path: Path, request: pytest.FixtureRequest) -> StateStore:
    if kind == "postgres":
        return open_store(request.getfixturevalue("postgres"))
    if kind == "sqlite":
        return SQLiteStateStore(path / "state.db", "process")
    return JSONStateStore(path / "state.json", "process") if kind == "json" else MemoryStateStore()


@pytest.fixture
def executor(store: StateStore) -> Executor:
    return SequentialExecutor(state_store=store)

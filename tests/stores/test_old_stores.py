"""Stores written by earlier versions, kept in `old/`, open, go on and are swept."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from flowweaver.records import ClaimRequest, RunRecord
from flowweaver.state_store import StateStore
from flowweaver.stores import (
    JSONStateStore,
    MemoryStateStore,
    PostgresStateStore,
    SQLiteStateStore,
)
from tests.services.postgres import PostgresServer
from tests.stores.filling import commit_task, fill, picture

OLD = Path(__file__).with_name("old")


@pytest.fixture(params=["sqlite", "json", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    """Give a store that version 1 has filled with `fill(store, tasks=3, large=False)`."""
    opened: Callable[[], StateStore] = {
        "sqlite": lambda: _sqlite(tmp_path / "state.db"),
        "json": lambda: _json(tmp_path / "state.json"),
        "postgres": lambda: _postgres(request),
    }[request.param]
    store = opened()
    yield store
    store.close()


def _sqlite(path: Path) -> StateStore:
    path.write_bytes(gzip.decompress((OLD / "version1.db.gz").read_bytes()))
    return SQLiteStateStore(path)


def _json(path: Path) -> StateStore:
    shutil.copy(OLD / "version1.json", path)
    return JSONStateStore(path)


def _postgres(request: pytest.FixtureRequest) -> StateStore:
    url: str = request.getfixturevalue("postgres")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    (schema,) = parse_qs(urlsplit(url).query)["schema"]
    server.execute((OLD / "version1.sql").read_text().replace("$", schema))
    return PostgresStateStore.from_url(url)


def undated(seen: object) -> object:
    """Return what was read without what differs from one filling to the next."""
    if isinstance(seen, list):
        return [undated(item) for item in seen]
    if isinstance(seen, RunRecord):
        finished_at = None if seen.finished_at is None else 0.0
        return replace(seen, created_at=0.0, claimed_at=0.0, finished_at=finished_at, runner="")
    return seen


def test_all_of_it_can_be_read(old: StateStore) -> None:
    fresh = MemoryStateStore()
    fill(fresh, tasks=3, large=False)
    assert undated(picture(old)) == undated(picture(fresh))
    assert old.check(deep=True) == []


def test_unfinished_run_goes_on(old: StateStore) -> None:
    lease = old.claim(ClaimRequest("sales", "k1"))
    assert lease.continued
    assert [task.task for task in lease.tasks] == ["t0", "t1", "t2"]
    commit_task(old, lease, 3)
    old.release(lease)
    assert [task.task for task in old.tasks("sales-k1")] == ["t0", "t1", "t2", "t3"]
    old.delete(["sales-k0", "stock-k0"])
    old.sweep()
    assert old.check(deep=True) == []
    assert len(old.runs()) == 2

"""The SQLite store: the kit, and what is its own."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver.errors import (
    StoreCorruptError,
)
from flowweaver.records import Changes, ClaimRequest
from flowweaver.stores import SQLiteStateStore
from flowweaver.stores.sqlite import journal, schema
from flowweaver.testing.stores import PersistentStoreContract, completed, result_of
from tests.stores.filling import fill
from tests.stores.sqlite.foreign import raw

MakeStore = Callable[..., SQLiteStateStore]


class TestSQLiteStore(PersistentStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStateStore(tmp_path / "state.db")


class TestSQLiteStoreWithRollbackJournal(PersistentStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeStore:
        monkeypatch.setattr(journal, "wanted_mode", lambda path: "persist")
        return lambda: SQLiteStateStore(tmp_path / "state.db", durability="process")


# What is on disk.


def test_nothing_is_touched_before_the_first_use_and_reading_makes_no_file(path: Path) -> None:
    store = SQLiteStateStore(path.parent / "new" / "state.db")
    assert store.runs() == []
    assert store.sweep() == (0, 0)
    assert store.check(deep=True) == []
    assert store.describe()["runs"] == 0
    store.delete(["x"])
    store.close()
    assert list(path.parent.iterdir()) == []


def test_relative_path_is_that_of_the_time_of_making(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLiteStateStore("state.db")
    monkeypatch.chdir("/")
    fill(store)
    store.close()
    assert path.exists()


def test_files_are_readable_by_their_owner_alone(path: Path) -> None:
    old = os.umask(0)
    try:
        store = SQLiteStateStore(path.parent / "new" / "state.db")
        lease = store.claim(ClaimRequest("a", "k"))
        store.commit(lease, Changes(results=[result_of(b"x" * 2**20, "raw")]))
        for file in (path.parent / "new").rglob("*"):
            expected = 0o700 if file.is_dir() else 0o600
            assert stat.S_IMODE(file.stat().st_mode) == expected, file
        assert stat.S_IMODE((path.parent / "new").stat().st_mode) == 0o700
        store.release(lease)
        store.close()
    finally:
        os.umask(old)


def test_closing_leaves_one_file(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store, large=False)
    store.close()
    assert list(path.parent.iterdir()) == [path]


def test_result_that_is_there_already_is_not_written_again(path: Path) -> None:
    store = SQLiteStateStore(path)
    lease = store.claim(ClaimRequest("a", "k"))
    value = result_of(b"x" * 200_000, "raw")
    for number in range(5):
        record = completed(lease.run.id, f"t{number}", value)
        store.commit(lease, Changes(tasks=[record], results=[value]))
    size = path.stat().st_size
    assert size < 2 * 200_000
    store.release(lease)
    store.close()


def test_damaged_result_is_healed_by_writing_it_again(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store)
    (run, *_) = store.runs()
    digest = store.tasks(run.id)[0].digest
    assert digest is not None
    with raw(path) as other:
        other.execute("UPDATE result SET data = 'x' WHERE digest = ?", (bytes.fromhex(digest),))
    with pytest.raises(StoreCorruptError):
        store.result(digest)
    fill(store)
    assert store.result(digest).encoded.digest == digest
    store.close()


def test_swept_space_is_given_back(path: Path) -> None:
    store = SQLiteStateStore(path)
    lease = store.claim(ClaimRequest("a", "k"))
    for number in range(20):
        store.commit(lease, Changes(results=[result_of(b"%d" % number * 100_000, "raw")]))
    store.release(lease)
    before = store.describe()["log_bytes"]
    assert isinstance(before, int)
    assert store.sweep()[0] == 20
    store.close()
    assert path.stat().st_size < before / 2


def test_describe_tells_versions_journal_and_sizes(path: Path) -> None:
    store = SQLiteStateStore(path, durability="process")
    fill(store)
    told = store.describe()
    assert told["url"] == f"sqlite:///{path}?durability=process"
    assert told["sqlite"] == sqlite3.sqlite_version
    assert told["schema"] == len(schema.MIGRATIONS)
    assert told["journal_mode"] in ("wal", "persist")
    assert told["runs"] == 4
    assert told["bytes"] == path.stat().st_size
    assert told["large_results"] == 1
    store.close()


def test_deep_check_names_lost_results_and_rows_of_no_run(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store, tasks=2)
    digest = store.tasks("sales-k0")[0].digest
    assert digest is not None
    store.close()
    with raw(path) as other:
        other.execute("DELETE FROM result WHERE digest = ?", (bytes.fromhex(digest),))
    assert store.check() == []
    assert store.check(deep=True) == [f"result {digest} is missing"]
    store.close()
    with raw(path) as other:
        other.execute("DELETE FROM run WHERE id = 'stock-k1'")
    assert any("missing" in wrong for wrong in store.check())
    with pytest.raises(StoreCorruptError, match="missing"):
        store.runs()

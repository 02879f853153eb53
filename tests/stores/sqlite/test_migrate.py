"""The schema of a SQLite store, brought up to date in place."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from flowweaver.errors import (
    StoreCorruptError,
    StoreError,
    StoreVersionError,
)
from flowweaver.records import ClaimRequest
from flowweaver.stores import SQLiteStateStore
from flowweaver.stores.common.urls import Durability
from flowweaver.stores.sqlite import journal, migrate, schema
from tests.stores.filling import fill, picture
from tests.stores.forks import in_child
from tests.stores.sqlite.foreign import raw


def test_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with raw(path) as other:
        other.execute("CREATE TABLE run (a)")
    before = path.read_bytes()
    store = SQLiteStateStore(path)
    with pytest.raises(StoreVersionError, match=path.name):
        store.runs()
    with pytest.raises(StoreVersionError, match=path.name):
        store.claim(ClaimRequest("a", "k"))
    assert path.read_bytes() == before


def test_database_without_tables_is_a_new_store(path: Path) -> None:
    with raw(path) as other:
        other.execute("VACUUM")
    store = SQLiteStateStore(path)
    assert store.runs() == []
    fill(store)
    store.close()


def test_newer_store_is_refused_and_left_alone(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store)
    store.close()
    with raw(path) as other:
        other.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match="upgrade"):
        store.runs()
    with pytest.raises(StoreVersionError, match="upgrade"):
        store.claim(ClaimRequest("a", "k"))
    assert path.read_bytes() == before


def test_table_with_another_column_is_refused(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store)
    store.close()
    with raw(path) as other:
        other.execute("ALTER TABLE task RENAME COLUMN digest TO digets")
    with pytest.raises(StoreCorruptError, match="task"):
        store.runs()


def test_tables_of_others_in_the_file_are_left_alone(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store)
    store.close()
    with raw(path) as other:
        other.execute("CREATE TABLE notes (text)")
    assert len(store.runs()) == 4
    store.close()


def test_trigger_of_another_program_on_our_tables_is_refused(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store)
    store.close()
    with raw(path) as other:
        other.execute("CREATE TABLE notes (text)")
        other.execute("CREATE TRIGGER fine AFTER INSERT ON notes BEGIN SELECT 1; END")
    assert len(store.runs()) == 4
    store.close()
    with raw(path) as other:
        other.execute("CREATE TRIGGER mine AFTER INSERT ON task BEGIN DELETE FROM result; END")
    with pytest.raises(StoreCorruptError, match="mine"):
        store.runs()
    with pytest.raises(StoreCorruptError, match="mine"):
        store.claim(ClaimRequest("a", "k"))


@pytest.fixture
def old_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Make a store of the present version, then have there be a newer one."""
    store = SQLiteStateStore(path)
    fill(store)
    seen = picture(store)
    store.close()
    newer = ("CREATE TABLE note (text TEXT)", "INSERT INTO note VALUES ('migrated')")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, newer))
    return seen


def test_older_store_is_migrated_after_a_backup(path: Path, old_store: list[object]) -> None:
    with raw(path) as other:
        before = list(other.iterdump())
    store = SQLiteStateStore(path)
    assert picture(store) == old_store
    store.close()
    with raw(path) as other:
        assert other.execute("SELECT text FROM note").fetchall() == [("migrated",)]
        assert other.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    backup = migrate.backup_path(path, len(schema.MIGRATIONS) - 1)
    with raw(backup) as other:
        assert list(other.iterdump()) == before
        assert other.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS) - 1,)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_failed_migration_changes_nothing(
    path: Path, old_store: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    broken = (*schema.MIGRATIONS[:-1], (*schema.MIGRATIONS[-1], "INSERT INTO nowhere VALUES (1)"))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(StoreError):
            SQLiteStateStore(path).runs()
    assert path.read_bytes() == before
    assert picture(SQLiteStateStore(path)) == old_store


def test_migration_killed_at_any_statement_is_done_anew(
    path: Path, old_store: list[object]
) -> None:
    before = path.read_bytes()
    for moment in range(1, 200):

        def body(moment: int = moment) -> None:
            from tests.stores.forks import kill_myself

            count = 0

            def step(statement: str) -> None:
                nonlocal count
                count += 1
                if count == moment:
                    kill_myself()

            configure = journal.configure

            def traced(connection: sqlite3.Connection, durability: Durability) -> None:
                configure(connection, durability)
                connection.set_trace_callback(step)

            journal.configure = traced
            SQLiteStateStore(path).runs()

        if in_child(body) == 0:
            assert moment > 8
            return
        store = SQLiteStateStore(path)
        assert picture(store) == old_store
        store.close()
        path.write_bytes(before)
    pytest.fail("never done")

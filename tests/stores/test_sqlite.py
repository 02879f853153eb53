from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from flowweaver.errors import (
    StoreCorruptError,
    StoreError,
    StoreVersionError,
    StoreWriteError,
)
from flowweaver.records import Changes, ClaimRequest
from flowweaver.stores import SQLiteStateStore
from flowweaver.stores.sqlite import database, migrate, schema
from flowweaver.stores.sqlite.database import wal_is_sound
from flowweaver.testing.stores import PersistentStoreContract, completed, result_of
from tests.stores.filling import commit_task, fill, picture
from tests.stores.forks import in_child

MakeStore = Callable[..., SQLiteStateStore]


class TestSQLiteStore(PersistentStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStateStore(tmp_path / "state.db")


class TestSQLiteStoreWithWriteAheadLog(PersistentStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeStore:
        monkeypatch.setattr(database, "wal_is_sound", lambda version: True)
        return lambda: SQLiteStateStore(tmp_path / "state.db", durability="process")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as another program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


# Files of other programs and of other versions.


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

            configure = database.Database._configure

            def traced(self: database.Database, connection: sqlite3.Connection) -> None:
                configure(self, connection)
                connection.set_trace_callback(step)

            database.Database._configure = traced  # type: ignore[method-assign]
            SQLiteStateStore(path).runs()

        if in_child(body) == 0:
            assert moment > 8
            return
        store = SQLiteStateStore(path)
        assert picture(store) == old_store
        store.close()
        path.write_bytes(before)
    pytest.fail("never done")


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
    before = path.stat().st_size
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


# The journal.


@pytest.mark.parametrize(
    ("version", "sound"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_write_ahead_log_is_used_only_where_it_is_sound(
    path: Path, version: tuple[int, int, int], sound: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wal_is_sound(version) is sound
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    store = SQLiteStateStore(path)
    fill(store, tasks=1)
    assert store.describe()["journal_mode"] == ("wal" if sound else "persist")
    store.close()


def test_shared_disk_gets_a_rollback_journal_and_a_warning(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "wal_is_sound", lambda version: True)
    monkeypatch.setattr(database, "is_local", lambda path: False)
    store = SQLiteStateStore(path)
    fill(store, tasks=1)
    assert store.describe()["journal_mode"] == "persist"
    assert caplog.text.count("other machines may share") == 1
    store.close()


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("process", 1)])
@pytest.mark.parametrize("wal", [False, True])
def test_durability_is_the_level_of_syncing(
    path: Path, durability: str, level: int, wal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "wal_is_sound", lambda version: wal)
    store = SQLiteStateStore(path, durability)  # type: ignore[arg-type]
    fill(store, tasks=1)
    read = store._database.read(lambda db: db.execute("PRAGMA synchronous").fetchone(), None)
    assert read == (level,)
    store.close()


def test_other_durabilities_are_refused(path: Path) -> None:
    with pytest.raises(StoreError, match="off"):
        SQLiteStateStore(path, "off")  # type: ignore[arg-type]


def test_file_with_a_write_ahead_log_is_taken_over_by_one_without(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw(path) as other:
        other.execute("PRAGMA journal_mode = WAL")
    monkeypatch.setattr(database, "wal_is_sound", lambda version: False)
    store = SQLiteStateStore(path)
    fill(store)
    assert store.describe()["journal_mode"] == "persist"
    store.close()


# Others at the same file.


def test_writer_waits_for_another_program(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store, tasks=1)
    lease = store.claim(ClaimRequest("sales", "k1"))
    with raw(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        waiting = threading.Thread(target=commit_task, args=(store, lease, 5))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        other.execute("ROLLBACK")
        waiting.join(30)
        assert not waiting.is_alive()
    assert "t5" in [task.task for task in store.tasks(lease.run.id)]
    store.release(lease)
    store.close()


def test_writer_gives_up_with_one_clear_error_and_can_go_on(path: Path) -> None:
    store = SQLiteStateStore(path, timeout=0.1)
    fill(store, tasks=1)
    lease = store.claim(ClaimRequest("sales", "k1"))
    with raw(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreWriteError, match=r"locked.*0\.1 s"):
            commit_task(store, lease, 5)
        with pytest.raises(StoreError, match="locked"):
            store.runs()
        other.execute("ROLLBACK")
    commit_task(store, lease, 5)
    assert [task.task for task in store.tasks(lease.run.id)] == ["t0", "large", "t5"]
    store.release(lease)
    store.close()


def test_reading_while_others_read_and_write(path: Path) -> None:
    store = SQLiteStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))
    over = threading.Event()
    troubles: list[BaseException] = []

    def read() -> None:
        reader = SQLiteStateStore(path)
        try:
            while not over.is_set():
                names = [task.task for task in reader.tasks(lease.run.id)]
                assert names == [f"t{number}" for number in range(len(names))]
        except BaseException as trouble:
            troubles.append(trouble)
        reader.close()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(60):
        commit_task(store, lease, number)
    over.set()
    for reader in readers:
        reader.join(30)
    assert troubles == []
    store.release(lease)
    store.close()


def test_ten_stores_made_at_once_are_one(path: Path) -> None:
    barrier = threading.Barrier(10)

    def work(number: int) -> None:
        store = SQLiteStateStore(path, "process")
        barrier.wait(30)
        lease = store.claim(ClaimRequest("a", f"k{number}"))
        commit_task(store, lease, number)
        store.release(lease)
        store.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    store = SQLiteStateStore(path)
    assert len(store.runs()) == 10
    assert store.check(deep=True) == []
    store.close()


def test_forked_child_opens_its_own_connection(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store)
    seen = picture(store)
    lease = store.claim(ClaimRequest("a", "k"))
    inherited = store._database._connection

    def body() -> None:
        assert store._database._connection is None
        assert picture(store)[1:] != []
        assert store._database._connection is not inherited
        store.close()

    assert in_child(body) == 0
    commit_task(store, lease, 1)
    store.release(lease)
    store.delete([lease.run.id])
    assert picture(store) == seen
    assert store.check(deep=True) == []
    store.close()


def test_fork_in_the_middle_of_a_transaction_undoes_nothing(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store, tasks=1)

    def fork(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE forked (a)")
        db.executemany("INSERT INTO forked VALUES (?)", [("x" * 1000,)] * 100)
        assert in_child(lambda: None) == 0
        assert in_child(lambda: store.close()) == 0

    store._database.write(fork)
    count = store._database.read(
        lambda db: db.execute("SELECT count(*) FROM forked").fetchone(), None
    )
    assert count == (100,)
    assert store.check() == []
    store.close()


# Disks that fail.


def test_full_disk_is_an_error_and_after_relief_the_store_works(path: Path) -> None:
    store = SQLiteStateStore(path)
    lease = store.claim(ClaimRequest("a", "k"))
    commit_task(store, lease, 0)

    def limit(pages: int) -> None:
        store._database.read(lambda db: db.execute(f"PRAGMA max_page_count = {pages}"), None)

    limit(1)
    big = Changes(
        tasks=[completed(lease.run.id, "big")], results=[result_of(b"x" * 200_000, "raw")]
    )
    for _ in range(2):
        with pytest.raises(StoreWriteError, match=r"space.*state\.db|state\.db.*space"):
            store.commit(lease, big)
        assert [task.task for task in store.tasks(lease.run.id)] == ["t0"]
    limit(1_000_000)
    store.commit(lease, big)
    commit_task(store, lease, 2)
    assert [task.task for task in store.tasks(lease.run.id)] == ["t0", "big", "t2"]
    assert store.check(deep=True) == []
    store.release(lease)
    store.close()


def test_interrupt_in_a_commit_leaves_all_or_nothing(path: Path) -> None:
    store = SQLiteStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))

    class Interrupted(list):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[object]:
            yield from list.__iter__(self)
            raise KeyboardInterrupt

    records = Interrupted([completed(lease.run.id, "a")])
    with pytest.raises(KeyboardInterrupt):
        store.commit(lease, Changes(tasks=records))
    assert store.tasks(lease.run.id) == []
    commit_task(store, lease, 0)
    assert [task.task for task in store.tasks(lease.run.id)] == ["t0"]
    store.release(lease)
    store.close()


def test_interrupt_right_after_a_commit_does_not_displace_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SQLiteStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))
    transaction = database.Database._transaction

    def interrupted(self, connection, work):  # type: ignore[no-untyped-def]
        transaction(self, connection, work)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(database.Database, "_transaction", interrupted)
        with pytest.raises(KeyboardInterrupt):
            commit_task(store, lease, 0)
    commit_task(store, lease, 1)
    assert [task.task for task in store.tasks(lease.run.id)] == ["t0", "t1"]
    store.release(lease)
    store.close()


def test_older_copy_put_back_in_the_middle_of_a_run_is_added_to(path: Path) -> None:
    store = SQLiteStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))
    commit_task(store, lease, 0)
    store.close()
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    commit_task(store, lease, 1)
    store.close()
    copy.replace(path)
    commit_task(store, lease, 2)
    assert [task.task for task in store.tasks(lease.run.id)] == ["t0", "t2"]
    assert store.check(deep=True) == []
    store.release(lease)
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

"""The connections to a SQLite file: threads, forks, other programs, full disks."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowweaver.errors import (
    StoreError,
    StoreWriteError,
)
from flowweaver.records import Changes, ClaimRequest
from flowweaver.stores import SQLiteStateStore
from flowweaver.stores.sqlite import database, journal
from flowweaver.testing.stores import completed, result_of
from tests.stores.filling import commit_task, fill, picture
from tests.stores.forks import in_child
from tests.stores.sqlite.foreign import raw

# The journal.


def test_local_disk_gets_a_write_ahead_log(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store, tasks=1)
    assert store.describe()["journal_mode"] == "wal"
    assert store.describe()["log_bytes"] == journal.log_size(path) > 0
    store.close()
    assert store.describe()["log_bytes"] == 0


def test_shared_disk_gets_a_rollback_journal_and_a_warning(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal, "is_local", lambda path: False)
    store = SQLiteStateStore(path)
    fill(store, tasks=1)
    assert store.describe()["journal_mode"] == "persist"
    assert caplog.text.count("other machines may share") == 1
    store.close()


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("process", 1)])
@pytest.mark.parametrize("mode", ["wal", "persist"])
def test_durability_is_the_level_of_syncing(
    path: Path, durability: str, level: int, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "wanted_mode", lambda path: mode)
    store = SQLiteStateStore(path, durability)  # type: ignore[arg-type]
    fill(store, tasks=1)
    read = store._database.read(lambda db: db.execute("PRAGMA synchronous").fetchone(), None)
    assert read == (level,)
    store.close()


def test_other_durabilities_are_refused(path: Path) -> None:
    with pytest.raises(StoreError, match="off"):
        SQLiteStateStore(path, "off")  # type: ignore[arg-type]


@pytest.mark.parametrize(("before", "after"), [("persist", "wal"), ("wal", "persist")])
def test_file_with_the_other_journal_is_taken_over(
    path: Path, before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "wanted_mode", lambda path: before)
    store = SQLiteStateStore(path)
    fill(store)
    seen = picture(store)
    store.close()
    monkeypatch.setattr(journal, "wanted_mode", lambda path: after)
    assert picture(store) == seen
    lease = store.claim(ClaimRequest("sales", "k1"))
    assert store.describe()["journal_mode"] == after
    commit_task(store, lease, 99)
    store.release(lease)
    store.close()


def test_log_is_moved_into_the_file_now_and_then(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_DUE_ROWS", 20)
    store = SQLiteStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))
    for number in range(400):
        commit_task(store, lease, number)
    assert path.stat().st_size > 100_000
    assert journal.log_size(path) < 2**20
    store.release(lease)
    store.close()


def test_log_of_large_commits_is_moved_by_its_size(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_DUE_BYTES", 2**20)
    monkeypatch.setattr(journal, "_KEPT_BYTES", 2**20)
    store = SQLiteStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))
    for number in range(200):
        store.commit(lease, Changes(results=[result_of(b"%d" % number * 50_000, "raw")]))
    assert journal.log_size(path) < path.stat().st_size / 3
    store.release(lease)
    store.close()


def test_log_that_a_reader_keeps_from_shrinking_is_told_once_and_shrinks_later(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal, "_DUE_ROWS", 20)
    monkeypatch.setattr(journal, "_LARGE_BYTES", 2**20)
    monkeypatch.setattr(journal, "_KEPT_BYTES", 2**20)
    store = SQLiteStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))
    with raw(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM run").fetchone()
        for number in range(300):
            commit_task(store, lease, number)
        assert caplog.text.count("keeps reading an old state") == 1
        grown = store.describe()["log_bytes"]
        assert grown == journal.log_size(path) > 2**20
        reader.execute("COMMIT")
    for number in range(300, 350):
        commit_task(store, lease, number)
    assert journal.log_size(path) <= 2**20 + 2**18
    store.release(lease)
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
        waiting.join(120)
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
        assert len(store.runs()) == 4
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
        reader.join(120)
    assert troubles == []
    store.release(lease)
    store.close()


def test_ten_stores_made_at_once_are_one(path: Path) -> None:
    barrier = threading.Barrier(10)

    def work(number: int) -> None:
        store = SQLiteStateStore(path, "process")
        barrier.wait(120)
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
    inherited = store._database._opened

    def body() -> None:
        assert store._database._opened is None
        assert picture(store)[1:] != []
        assert store._database._opened is not inherited
        store.close()

    assert in_child(body) == 0
    commit_task(store, lease, 1)
    store.release(lease)
    store.delete([lease.run.id])
    assert picture(store) == seen
    assert store.check(deep=True) == []
    store.close()


def test_child_forked_while_other_threads_write_sees_a_whole_store(path: Path) -> None:
    store = SQLiteStateStore(path)
    fill(store)
    lease = store.claim(ClaimRequest("busy", "k"))
    stop = threading.Event()

    def write() -> None:
        for number in itertools.count():
            if stop.is_set():
                break
            commit_task(store, lease, number)
        store.release(lease)

    def look() -> None:
        assert store.runs("busy")
        assert store.check() == []

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert [in_child(look) for _ in range(20)] == [0] * 20
    finally:
        stop.set()
        thread.join()
    store.close()


def test_child_forked_in_the_middle_of_a_transaction_is_refused_the_store(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_FORKING_SECONDS", 0.05)
    store = SQLiteStateStore(path)
    fill(store)
    begun, go_on = threading.Event(), threading.Event()

    def dawdle(_: sqlite3.Connection) -> None:
        begun.set()
        go_on.wait(60)

    def refused() -> None:
        for each in (store, SQLiteStateStore(path)):
            with pytest.raises(StoreError, match="was forked while its parent was at work on"):
                each.runs()

    thread = threading.Thread(target=store._database.write, args=(dawdle,))
    thread.start()
    begun.wait(60)
    assert in_child(refused) == 0
    go_on.set()
    thread.join()
    assert store._database.write(lambda _: in_child(refused)) == 0
    assert in_child(lambda: store.close()) == 0
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


def test_check_beside_deleting_and_working_gives_no_false_alarm(path: Path) -> None:
    over = threading.Event()
    troubles: list[BaseException] = []

    def work(number: int) -> None:
        try:
            store = SQLiteStateStore(path, "process")
            while not over.is_set():
                lease = store.claim(ClaimRequest("a", f"k{number}", new_run=True))
                value = result_of(f"{lease.run.id}{number}".encode() * 20_000, "raw")
                record = completed(lease.run.id, "t", value)
                store.commit(lease, Changes(tasks=[record], results=[value]))
                store.release(lease)
                store.delete([lease.run.id])
                store.sweep()
            store.close()
        except BaseException as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    store = SQLiteStateStore(path)
    for _ in range(15):
        assert store.check(deep=True) == []
        for run in store.runs():
            store.tasks(run.id)
    over.set()
    for thread in threads:
        thread.join(60)
    assert troubles == []
    store.close()

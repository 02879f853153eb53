"""The Postgres store: the kit, with and without PgBouncer, and what is its own."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from flowweaver.errors import (
    StoreCorruptError,
    StoreError,
    StoreVersionError,
    StoreWriteError,
    SupersededError,
)
from flowweaver.records import AttemptRecord, Changes, ClaimRequest
from flowweaver.stores import open_store
from flowweaver.stores.postgres import schema as postgres_schema
from flowweaver.stores.postgres import writes as postgres_writes
from flowweaver.stores.postgres.store import PostgresStateStore
from flowweaver.testing.stores import PersistentStoreContract, completed, result_of
from tests.services.postgres import PostgresServer
from tests.stores.filling import commit_task, fill, picture
from tests.stores.forks import in_child

MakeStore = Callable[..., PostgresStateStore]


class TestPostgresStore(PersistentStoreContract):
    @pytest.fixture
    def make_store(self, postgres: str) -> MakeStore:
        return lambda: PostgresStateStore.from_url(postgres)


class TestPostgresStoreBehindPgBouncer(PersistentStoreContract):
    """Each transaction may get another connection, in which nothing is left of those before."""

    @pytest.fixture
    def make_store(self, postgres: str, pgbouncer: int) -> MakeStore:
        parts = urlsplit(postgres)
        url = parts._replace(netloc=f"postgres@127.0.0.1:{pgbouncer}").geturl()
        return lambda: PostgresStateStore.from_url(url)


# Opening.


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_url_opens_the_store(postgres: str, scheme: str) -> None:
    store = open_store(postgres.replace("postgresql", scheme, 1))
    assert isinstance(store, PostgresStateStore)
    assert store.url == postgres
    assert store.runs() == []
    store.close()


def test_nothing_is_made_before_the_first_claim(
    store: PostgresStateStore, raw: psycopg.Connection[object], schema: str
) -> None:
    assert store.runs() == []
    assert store.sweep() == (0, 0)
    assert store.check(deep=True) == []
    assert store.describe()["runs"] == 0
    store.delete(["x"])
    assert raw.execute("SELECT to_regnamespace(%s)", [schema]).fetchone() == (None,)


def test_server_that_is_not_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from flowweaver.stores.postgres import server as module

    monkeypatch.setattr(module, "_FIRST_TIMEOUT", 0.1)
    store = PostgresStateStore("postgresql://anna:secret@127.0.0.1:1/nothing")
    with pytest.raises(StoreError, match=r"anna@127\.0\.0\.1:1/nothing.*server runs") as caught:
        store.runs()
    assert "secret" not in str(caught.value)
    with pytest.raises(StoreWriteError, match="server runs"):
        store.claim(ClaimRequest("a", "k"))


def test_tables_of_another_program_are_refused_and_left_alone(
    store: PostgresStateStore, raw: psycopg.Connection[object], schema: str
) -> None:
    raw.execute(f'CREATE SCHEMA "{schema}"')
    raw.execute("CREATE TABLE run (a integer)")
    for use in (store.runs, lambda: store.claim(ClaimRequest("a", "k"))):
        with pytest.raises(StoreVersionError, match=schema):
            use()
    assert raw.execute("SELECT count(*) FROM run").fetchone() == (0,)


def test_empty_schema_made_by_an_administrator_is_used(
    store: PostgresStateStore, raw: psycopg.Connection[object], schema: str
) -> None:
    raw.execute(f'CREATE SCHEMA "{schema}"')
    fill(store)
    assert len(store.runs()) == 4


def test_newer_store_is_refused_and_left_alone(
    store: PostgresStateStore, raw: psycopg.Connection[object]
) -> None:
    fill(store)
    store.close()
    raw.execute("UPDATE version SET version = version + 1")
    for use in (store.runs, lambda: store.claim(ClaimRequest("a", "k"))):
        with pytest.raises(StoreVersionError, match="upgrade"):
            use()
    assert raw.execute("SELECT count(*) FROM run").fetchone() == (4,)


def test_older_store_is_migrated(
    store: PostgresStateStore, raw: psycopg.Connection[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    before = picture(store)
    store.close()
    newer = ("CREATE TABLE $.note (text text)", "INSERT INTO $.note VALUES ('migrated')")
    monkeypatch.setattr(postgres_schema, "MIGRATIONS", (*postgres_schema.MIGRATIONS, newer))
    assert picture(store) == before
    assert raw.execute("SELECT * FROM note").fetchall() == [("migrated",)]
    assert raw.execute("SELECT * FROM version").fetchall() == [(len(postgres_schema.MIGRATIONS),)]


def test_failed_migration_changes_nothing(
    store: PostgresStateStore, raw: psycopg.Connection[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    before = picture(store)
    store.close()
    broken = ("CREATE TABLE $.note (text text)", "INSERT INTO $.nowhere VALUES (1)")
    with monkeypatch.context() as patch:
        patch.setattr(postgres_schema, "MIGRATIONS", (*postgres_schema.MIGRATIONS, broken))
        with pytest.raises(StoreError):
            store.runs()
    assert raw.execute("SELECT to_regclass('note')").fetchone() == (None,)
    assert picture(store) == before


def test_ten_stores_made_at_once_are_one(postgres: str) -> None:
    barrier = threading.Barrier(10)

    def work(number: int) -> None:
        store = PostgresStateStore.from_url(postgres)
        barrier.wait(120)
        lease = store.claim(ClaimRequest("a", f"k{number}"))
        commit_task(store, lease, number)
        store.release(lease)
        store.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
    store = PostgresStateStore.from_url(postgres)
    assert len(store.runs()) == 10
    assert store.check(deep=True) == []
    store.close()


def test_database_that_can_t_hold_every_text_is_refused(postgres_server: PostgresServer) -> None:
    postgres_server.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    store = PostgresStateStore(postgres_server.dsn.removesuffix("postgres") + "latin")
    try:
        with pytest.raises(StoreError, match="LATIN1"):
            store.claim(ClaimRequest("a", "k"))
    finally:
        store.close()
        postgres_server.execute("DROP DATABASE latin")


def test_user_without_rights_is_told_what_is_missing(
    postgres_server: PostgresServer, schema: str
) -> None:
    postgres_server.execute("CREATE ROLE visitor LOGIN")
    dsn = postgres_server.dsn.replace("//postgres@", "//visitor@")
    try:
        store = PostgresStateStore(dsn, schema=schema)
        with pytest.raises(StoreWriteError, match=r"permission denied.*right"):
            store.claim(ClaimRequest("a", "k"))
        store.close()
    finally:
        postgres_server.execute("DROP ROLE visitor")


# Integrity.


def test_damaged_result_is_refused_and_healed_by_writing_it_again(
    store: PostgresStateStore, raw: psycopg.Connection[object]
) -> None:
    fill(store)
    digest = store.tasks("sales-k1")[0].digest
    assert digest is not None
    raw.execute("UPDATE result SET data = 'x' WHERE digest = %s", [digest])
    with pytest.raises(StoreCorruptError, match=digest):
        store.result(digest)
    assert any(digest in fault for fault in store.check(deep=True))
    fill(store)
    assert store.result(digest).encoded.digest == digest


@pytest.mark.parametrize(
    ("table", "change", "question"),
    [
        ("run", "status = 'completed'", lambda store: store.runs()),
        ("run", "params = '{}'", lambda store: store.run("sales-k1")),
        ("task", "status = 'failed'", lambda store: store.tasks("sales-k1")),
        ("task", "digest = 'ab'", lambda store: store.find("sales", "t3", f"{3:032x}")),
        ("attempt", "log = ''", lambda store: store.attempts("sales-k1")),
        ("state", "data = 'x'", lambda store: store.state("sales-k1", "t1")),
        ("state", "data = 'x'", lambda store: store.states("sales-k1")),
        ("code", "source = 'x'", lambda store: store.code("c1")),
    ],
)
def test_changed_row_is_never_believed(
    store: PostgresStateStore,
    raw: psycopg.Connection[object],
    table: str,
    change: str,
    question: Callable[[PostgresStateStore], object],
) -> None:
    fill(store)
    raw.execute(f"UPDATE {table} SET {change}")
    with pytest.raises(StoreCorruptError):
        question(store)
    assert store.check(deep=True) != []


def test_dropped_tables_are_not_an_empty_store(
    store: PostgresStateStore, raw: psycopg.Connection[object], schema: str
) -> None:
    lease = store.claim(ClaimRequest("a", "k"))
    raw.execute(f'DROP SCHEMA "{schema}" CASCADE')
    with pytest.raises(StoreCorruptError, match="damaged"):
        commit_task(store, lease, 0)
    with pytest.raises(StoreWriteError, match="removed"):
        commit_task(store, lease, 0)
    store.release(lease)


def test_result_that_is_too_large_is_refused_with_a_way_out(
    store: PostgresStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writes, "LARGEST", 1000)
    lease = store.claim(ClaimRequest("a", "k"))
    large = result_of(b"x" * 1001)
    with pytest.raises(StoreWriteError, match=r"1,001 bytes.*1,000.*file"):
        store.commit(lease, Changes(results=[large]))
    store.commit(lease, Changes(results=[result_of(b"x" * 1000)]))
    store.release(lease)


def test_many_large_results_go_in_one_commit(
    store: PostgresStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writes, "_BATCH_BYTES", 1000)
    lease = store.claim(ClaimRequest("a", "k"))
    results = [result_of(b"%d" % number * 300, "raw") for number in range(20)]
    store.commit(lease, Changes(results=results))
    assert [store.result(result.encoded.digest) for result in results] == results
    store.release(lease)


def test_tables_can_be_read_by_people(
    store: PostgresStateStore, raw: psycopg.Connection[object]
) -> None:
    fill(store, tasks=1, large=False)
    found = raw.execute(
        "SELECT workflow, task, task.status FROM task JOIN run ON run.seq = task.run "
        "WHERE run.id = 'sales-k0'"
    )
    assert found.fetchall() == [("sales", "t0", "completed")]


@pytest.mark.parametrize("setting", ["off", "local"])
def test_full_durability_does_not_hang_on_the_server_s_settings(
    postgres_server: PostgresServer, postgres: str, setting: str
) -> None:
    for durability, expected in (("full", {"off": "on"}.get(setting, setting)), ("process", "off")):
        url = f"{postgres}&durability={durability}&options=-c%20synchronous_commit%3D{setting}"
        store = PostgresStateStore.from_url(url)
        store.release(store.claim(ClaimRequest("a", "k")))
        shown = store._server.write(lambda db: db.column("SHOW synchronous_commit"))
        assert shown == [expected]
        store.close()


# Threads and processes.


def test_forked_child_opens_its_own_connection(store: PostgresStateStore) -> None:
    fill(store)
    seen = picture(store)
    lease = store.claim(ClaimRequest("a", "k"))

    def body() -> None:
        assert picture(store)[1:] != []
        with pytest.raises(SupersededError):
            commit_task(store, lease, 1)
        store.release(lease)
        store.close()

    assert in_child(body) == 0
    commit_task(store, lease, 1)
    store.release(lease)
    store.delete([lease.run.id])
    assert picture(store) == seen


def test_fork_in_the_middle_of_a_transaction_undoes_nothing(store: PostgresStateStore) -> None:
    lease = store.claim(ClaimRequest("a", "k"))

    def use_and_close() -> None:
        assert len(store.runs()) == 1
        store.close()
        gc.collect()

    class Forking(list):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[object]:
            assert in_child(lambda: None) == 0
            assert in_child(use_and_close) == 0
            return list.__iter__(self)

    store.commit(lease, Changes(tasks=Forking([completed(lease.run.id, "a")])))
    assert [task.task for task in store.tasks(lease.run.id)] == ["a"]
    store.release(lease)


def test_store_that_is_dropped_leaves_no_connection_and_no_thread(
    postgres: str, raw: psycopg.Connection[object]
) -> None:
    def connections() -> set[int]:
        rows = raw.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'postgres'")
        return {int(row[0]) for row in rows}  # type: ignore[index]

    before = connections()
    store = PostgresStateStore.from_url(postgres)
    store.claim(ClaimRequest("a", "k"))
    beating = [thread for thread in threading.enumerate() if thread.name == "flowweaver-leases"]
    assert beating
    opened = connections() - before
    assert opened
    del store
    gc.collect()
    for thread in beating:
        thread.join(120)
        assert not thread.is_alive()
    deadline = threading.Event()
    for _ in range(300):
        if opened.isdisjoint(connections()):
            return
        deadline.wait(0.1)
    pytest.fail("connections were left")


def test_interrupt_in_a_commit_leaves_all_or_nothing(store: PostgresStateStore) -> None:
    lease = store.claim(ClaimRequest("a", "k"))

    class Interrupted(list):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[object]:
            yield from list.__iter__(self)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.commit(lease, Changes(tasks=Interrupted([completed(lease.run.id, "a")])))
    assert store.tasks(lease.run.id) == []
    commit_task(store, lease, 0)
    assert [task.task for task in store.tasks(lease.run.id)] == ["t0"]
    store.release(lease)


def test_many_rows_of_everything_in_one_commit(
    store: PostgresStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writes, "_BATCH_ROWS", 7)
    lease = store.claim(ClaimRequest("a", "k"))
    run_id = lease.run.id
    tasks = [completed(run_id, f"t{number}", element=str(number % 3)) for number in range(50)]
    attempts = [AttemptRecord(run_id, "a", "", number, 1.0, 1.0) for number in range(50)]
    changes = Changes(tasks=[*tasks, tasks[3]], attempts=attempts)
    changes.code = {f"{number:03}": f"x = {number}" for number in range(50)}
    store.commit(lease, changes)
    assert store.tasks(run_id) == tasks
    assert store.attempts(run_id) == attempts
    again = [replace(task, reason="again") for task in reversed(tasks)]
    store.commit(lease, Changes(tasks=again))
    assert store.tasks(run_id) == again[::-1]
    store.release(lease)


def test_describe_tells_versions_and_sizes(postgres: str) -> None:
    store = PostgresStateStore.from_url(f"{postgres}&durability=process&lease_seconds=7")
    fill(store)
    told = store.describe()
    assert told["url"] == store.url
    assert told["durability"] == "process"
    assert told["lease_seconds"] == 7
    assert told["version"] == len(postgres_schema.MIGRATIONS)
    assert told["runs"] == 4
    assert isinstance(told["bytes"], int)
    assert told["bytes"] > 0
    store.close()


def test_statements_leave_nothing_in_a_session() -> None:
    statements = [
        value for name, value in vars(postgres_schema).items() if name.isupper() and value
    ]
    text = " ".join(map(str, statements)).upper()
    for word in ("PREPARE", "LISTEN", "TEMP ", "DECLARE", "SET SESSION", "ADVISORY_LOCK("):
        assert word not in text
    assert text.count("SET_CONFIG(") == text.count(", TRUE)")
    source = Path(postgres_schema.__file__).with_name("connections.py").read_text()
    assert "prepare_threshold=None" in source

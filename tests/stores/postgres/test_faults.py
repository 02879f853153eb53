"""Connections cut before, in and after COMMIT, restarts, deadlocks, conflicts."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from flowweaver import RunStatus
from flowweaver.errors import StoreError, StoreWriteError, SupersededError
from flowweaver.records import AttemptRecord, Changes, ClaimRequest, Lease
from flowweaver.stores.postgres.store import PostgresStateStore
from flowweaver.testing.stores import completed, result_of
from tests.services.postgres import PostgresServer
from tests.services.proxy import COMMITS, Cut, CuttingProxy
from tests.stores.filling import commit_task
from tests.stores.postgres.disturbing import terminate_all, through

LIMIT_SECONDS = 120.0


def commit_witnessed(store: PostgresStateStore, lease: Lease, number: int) -> None:
    """Commit a TaskRun, its result, and an attempt, of which a second commit leaves another."""
    value = result_of(f"value {number}".encode(), "raw")
    run_id = lease.run.id
    attempt = AttemptRecord(run_id, f"t{number}", "", 1, 1.0, 1.0)
    record = completed(run_id, f"t{number}", value)
    store.commit(lease, Changes(tasks=[record], results=[value], attempts=[attempt]))


def check_witnessed(store: PostgresStateStore, run_id: str, count: int) -> None:
    names = [f"t{number}" for number in range(count)]
    tasks = store.tasks(run_id)
    assert [task.task for task in tasks] == names
    assert [attempt.task for attempt in store.attempts(run_id)] == names
    for number, task in enumerate(tasks):
        assert task.digest is not None
        assert store.result(task.digest).encoded.data == f"value {number}".encode()
    assert store.check(deep=True) == []


# Connections cut at COMMIT.


@pytest.mark.parametrize("cut", COMMITS)
def test_commit_whose_connection_is_cut_is_done_once(
    postgres_server: PostgresServer, postgres: str, cut: Cut
) -> None:
    turns = itertools.count()
    with CuttingProxy(postgres_server.port, lambda: cut if next(turns) % 3 == 2 else None) as proxy:
        store = through(proxy, postgres)
        lease = store.claim(ClaimRequest("a", "k"))
        for number in range(30):
            commit_witnessed(store, lease, number)
        store.release(lease)
        check_witnessed(store, lease.run.id, 30)
        store.close()
    assert len(proxy.cuts) > 5


@pytest.mark.parametrize("cut", COMMITS)
def test_claim_whose_connection_is_cut_makes_one_run(
    postgres_server: PostgresServer, postgres: str, store: PostgresStateStore, cut: Cut
) -> None:
    store.release(store.claim(ClaimRequest("a", "k")))  # the tables are there
    turns = itertools.count()
    with CuttingProxy(postgres_server.port, lambda: cut if next(turns) == 0 else None) as proxy:
        other = through(proxy, postgres)
        lease = other.claim(ClaimRequest("a", "k", new_run=True))
        assert not lease.continued
        assert [run.status for run in store.runs()] == [RunStatus.RUNNING, RunStatus.ABANDONED]
        commit_witnessed(other, lease, 0)
        other.release(lease)
        other.close()
    assert proxy.cuts == [cut]
    store.release(store.claim(ClaimRequest("a", "k")))


@pytest.mark.parametrize("cut", COMMITS)
def test_tables_whose_making_is_cut_are_made(
    postgres_server: PostgresServer, postgres: str, cut: Cut
) -> None:
    turns = itertools.count()
    with CuttingProxy(postgres_server.port, lambda: cut if next(turns) == 0 else None) as proxy:
        store = through(proxy, postgres)
        lease = store.claim(ClaimRequest("a", "k"))
        commit_witnessed(store, lease, 0)
        store.release(lease)
        check_witnessed(store, lease.run.id, 1)
        store.close()
    assert proxy.cuts == [cut]


def test_commit_that_is_still_under_way_is_waited_for(
    postgres_server: PostgresServer,
    postgres: str,
    store: PostgresStateStore,
    raw: psycopg.Connection[object],
) -> None:
    lease = store.claim(ClaimRequest("a", "k"))
    store.release(lease)
    # The server takes its time over a COMMIT, and does not look whether anybody still listens.
    raw.execute("CREATE TABLE slow (number serial)")
    raw.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO slow DEFAULT VALUES; PERFORM pg_sleep(1); RETURN NULL; END $$ "
        f"SET search_path = {raw.execute('SHOW search_path').fetchone()[0]}"  # type: ignore[index]
    )
    cutting = threading.Event()
    with CuttingProxy(
        postgres_server.port, lambda: "in" if cutting.is_set() and not proxy.cuts else None
    ) as proxy:
        other = through(proxy, postgres)
        lease = other.claim(ClaimRequest("a", "k"))
        raw.execute(
            "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON attempt DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION slow()"
        )
        cutting.set()
        commit_witnessed(other, lease, 0)
        assert raw.execute("SELECT count(*) FROM slow").fetchone() == (1,)
        other.release(lease)
        check_witnessed(other, lease.run.id, 1)
        other.close()
    assert proxy.cuts == ["in"]


def test_outcome_that_can_t_be_found_out_is_said_to_be_unknown(
    postgres_server: PostgresServer, postgres: str, store: PostgresStateStore
) -> None:
    cutting = threading.Event()
    with CuttingProxy(postgres_server.port, lambda: "in" if cutting.is_set() else None) as proxy:
        other = through(proxy, postgres, timeout=0.2)
        lease = other.claim(ClaimRequest("a", "k"))
        commit_witnessed(other, lease, 0)
        cutting.set()
        with pytest.raises(StoreWriteError, match="whether it came through"):
            commit_witnessed(other, lease, 1)
        cutting.clear()
        commit_witnessed(other, lease, 2)
        other.release(lease)
        other.close()
    names = [task.task for task in store.tasks(lease.run.id)]
    assert names in (["t0", "t2"], ["t0", "t1", "t2"])


@pytest.mark.parametrize("cut", ["before", "in"])
def test_who_was_superseded_before_it_could_ask_is_told_so(
    postgres_server: PostgresServer, postgres: str, store: PostgresStateStore, cut: Cut
) -> None:
    armed, happened = threading.Event(), threading.Event()

    def rule() -> Cut | None:
        if not armed.is_set() or happened.is_set():
            return None
        proxy.gate.clear()
        happened.set()
        return cut

    with CuttingProxy(postgres_server.port, rule) as proxy, ThreadPoolExecutor(1) as pool:
        other = through(proxy, postgres)
        lease = other.claim(ClaimRequest("a", "k"))
        armed.set()
        done = pool.submit(commit_witnessed, other, lease, 0)
        assert happened.wait(LIMIT_SECONDS)
        newer = store.claim(ClaimRequest("a", "k", take_over=True))
        proxy.gate.set()
        with pytest.raises(SupersededError):
            done.result(LIMIT_SECONDS)
        assert [task.task for task in newer.tasks] == ([] if cut == "before" else ["t0"])
        store.release(newer)
        other.close()


# Sessions ended by an administrator, servers restarted.


def test_session_ended_between_commits_is_opened_anew(
    store: PostgresStateStore, raw: psycopg.Connection[object]
) -> None:
    lease = store.claim(ClaimRequest("a", "k"))
    for number in range(5):
        commit_witnessed(store, lease, number)
        assert terminate_all(raw) > 0
    assert len(store.runs()) == 1
    terminate_all(raw)
    store.release(lease)
    check_witnessed(store, lease.run.id, 5)
    store.release(store.claim(ClaimRequest("a", "k")))


@contextmanager
def held_up(raw: psycopg.Connection[object], statement: str) -> Iterator[None]:
    """Keep a lock, so that whoever needs it waits."""
    raw.execute("BEGIN")
    raw.execute(statement)
    try:
        yield
    finally:
        raw.execute("ROLLBACK")


def await_waiter(raw: psycopg.Connection[object], pool_of: PostgresServer) -> int:
    """Wait until a session of the store waits for a lock; return its process."""
    ask = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'flowweaver' "
        "AND wait_event_type = 'Lock'"
    )
    pause = threading.Event()
    for _ in range(600):
        if found := pool_of.execute(ask):
            return int(found[0][0])
        pause.wait(0.05)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize(
    "lock",
    ["UPDATE lease SET pid = pid", "INSERT INTO result VALUES (%s, 'raw', '', NULL)"],
    ids=["before-its-first-row", "in-the-middle"],
)
def test_session_ended_in_a_transaction_is_no_loss(
    store: PostgresStateStore,
    raw: psycopg.Connection[object],
    postgres_server: PostgresServer,
    lock: str,
) -> None:
    lease = store.claim(ClaimRequest("a", "k"))
    digest = result_of(b"value 0", "raw").encoded.digest
    with ThreadPoolExecutor(1) as pool:
        with held_up(raw, lock.replace("%s", f"'{digest}'")):
            done = pool.submit(commit_witnessed, store, lease, 0)
            for _ in range(3):
                pid = await_waiter(raw, postgres_server)
                postgres_server.execute("SELECT pg_terminate_backend(%s, 10000)", pid)
        done.result(LIMIT_SECONDS)
    store.release(lease)
    check_witnessed(store, lease.run.id, 1)


def test_deadlock_is_done_anew(
    store: PostgresStateStore, raw: psycopg.Connection[object], postgres_server: PostgresServer
) -> None:
    lease = store.claim(ClaimRequest("a", "k"))
    digest = result_of(b"value 0", "raw").encoded.digest
    with ThreadPoolExecutor(1) as pool:
        raw.execute("SET deadlock_timeout = '1h'")  # the other one is to find out
        with held_up(raw, f"INSERT INTO result VALUES ('{digest}', 'raw', '', NULL)"):
            done = pool.submit(commit_witnessed, store, lease, 0)
            await_waiter(raw, postgres_server)
            raw.execute("UPDATE lease SET pid = pid")
        done.result(LIMIT_SECONDS)
    store.release(lease)
    check_witnessed(store, lease.run.id, 1)


def test_conflict_with_others_is_done_anew(
    store: PostgresStateStore, raw: psycopg.Connection[object]
) -> None:
    lease = store.claim(ClaimRequest("a", "k"))
    # A sequence counts on when all else is rolled back.
    (path,) = raw.execute("SHOW search_path").fetchone()  # type: ignore[misc]
    raw.execute("CREATE SEQUENCE tries")
    raw.execute(
        "CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('tries') < 4 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; "
        f"RETURN NEW; END $$ SET search_path = {path}"
    )
    raw.execute(
        "CREATE TRIGGER conflict BEFORE INSERT ON task FOR EACH ROW EXECUTE FUNCTION conflict()"
    )
    commit_witnessed(store, lease, 0)
    assert raw.execute("SELECT last_value FROM tries").fetchone() == (4,)
    store.release(lease)
    check_witnessed(store, lease.run.id, 1)


def test_locks_held_for_too_long_are_one_clear_error(
    postgres: str, raw: psycopg.Connection[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowweaver.stores.postgres import schema as postgres_schema

    short = postgres_schema.SETTINGS.replace("'lock_timeout', '10s'", "'lock_timeout', '100ms'")
    monkeypatch.setattr(postgres_schema, "SETTINGS", short)
    store = PostgresStateStore.from_url(f"{postgres}&timeout=0.3")
    lease = store.claim(ClaimRequest("a", "k"))
    with held_up(raw, "UPDATE lease SET pid = pid"), pytest.raises(StoreWriteError, match="lock"):
        commit_witnessed(store, lease, 0)
    commit_witnessed(store, lease, 0)
    store.release(lease)
    check_witnessed(store, lease.run.id, 1)
    store.close()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_restart_between_commits_is_not_noticed(
    store: PostgresStateStore, postgres_server: PostgresServer, signum: int
) -> None:
    lease = store.claim(ClaimRequest("a", "k"))
    commit_witnessed(store, lease, 0)
    postgres_server.restart(signum)
    commit_witnessed(store, lease, 1)
    postgres_server.restart(signum)
    assert len(store.tasks(lease.run.id)) == 2
    postgres_server.restart(signum)
    store.release(lease)
    check_witnessed(store, lease.run.id, 2)


def test_server_that_is_away_for_a_while_is_waited_for(
    store: PostgresStateStore, postgres_server: PostgresServer
) -> None:
    lease = store.claim(ClaimRequest("a", "k"))
    postgres_server.stop()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(commit_witnessed, store, lease, 0)
        with pytest.raises(TimeoutError):
            done.result(0.3)
        postgres_server.start()
        done.result(LIMIT_SECONDS)
    store.release(lease)
    check_witnessed(store, lease.run.id, 1)


def test_server_that_stays_away_is_one_clear_error(
    postgres: str, postgres_server: PostgresServer
) -> None:
    store = PostgresStateStore.from_url(f"{postgres}&timeout=0.3")
    lease = store.claim(ClaimRequest("a", "k"))
    commit_witnessed(store, lease, 0)
    postgres_server.stop()
    try:
        with pytest.raises(StoreWriteError, match=r"Writing.*server runs|lost in a commit"):
            commit_task(store, lease, 1)
        with pytest.raises(StoreWriteError, match=r"Nothing of this commit was kept.*server runs"):
            commit_task(store, lease, 1)
        with pytest.raises(StoreError, match=r"Reading.*server runs"):
            store.runs()
    finally:
        postgres_server.start()
    commit_witnessed(store, lease, 1)
    store.release(lease)
    check_witnessed(store, lease.run.id, 2)
    store.close()

"""Several runner processes on one store: paused, killed, and eight at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest

from flowweaver.errors import RunLockedError
from flowweaver.records import ClaimRequest
from flowweaver.status import RunStatus
from flowweaver.stores.postgres.store import PostgresStateStore
from tests.observers.terminal import wait_until
from tests.services.postgres import PostgresServer
from tests.stores.filling import commit_task, value_of

ROOT = Path(__file__).parents[3]
LIMIT_SECONDS = 120.0
RUNNERS = 8


@pytest.fixture
def url(postgres: str) -> str:
    """Give the URL of a store whose leases are short."""
    return f"{postgres}&lease_seconds=2"


@pytest.fixture
def store(url: str) -> Iterator[PostgresStateStore]:
    store = PostgresStateStore.from_url(url)
    yield store
    store.close()


@contextmanager
def child(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process of the tests; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_of(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


# One holder.


def test_holder_is_named_and_waited_for_until_its_lease_runs_out(
    store: PostgresStateStore, url: str
) -> None:
    with child("tests.stores.children", url, "on demand") as holder:
        assert line_of(holder)[0] == "claimed"
        with pytest.raises(RunLockedError, match=rf"{holder.pid} on .* since .* runs out in \d s"):
            store.claim(ClaimRequest("killed", "k"))
        holder.kill()
        holder.wait()
        lease = store.claim(ClaimRequest("killed", "k", wait=LIMIT_SECONDS))
    assert lease.continued
    store.release(lease)


def test_lease_of_a_holder_that_does_nothing_does_not_run_out(
    store: PostgresStateStore, url: str
) -> None:
    with child("tests.stores.children", url, "on demand") as holder:
        line_of(holder)
        # Twice as long as a lease: only the thread that renews it keeps it.
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("killed", "k", wait=4.0))


def test_paused_holder_that_was_superseded_commits_nothing(
    store: PostgresStateStore, url: str
) -> None:
    with child("tests.stores.children", url, "on demand") as holder:
        line_of(holder)
        os.kill(holder.pid, signal.SIGSTOP)
        lease = store.claim(ClaimRequest("killed", "k", wait=LIMIT_SECONDS))
        commit_task(store, lease, 7)
        os.kill(holder.pid, signal.SIGCONT)
        _, complaint = holder.communicate("go on\n", timeout=LIMIT_SECONDS)
        assert holder.returncode == 1
        assert "SupersededError" in complaint
        assert [task.task for task in store.tasks(lease.run.id)] == ["t7"]
        commit_task(store, lease, 8)
        store.release(lease)


def test_paused_holder_whom_nobody_missed_goes_on(store: PostgresStateStore, url: str) -> None:
    with child("tests.stores.children", url, "on demand") as holder:
        _, run_id, _ = line_of(holder)
        os.kill(holder.pid, signal.SIGSTOP)
        expired = "SELECT expires < clock_timestamp() FROM $.lease"
        wait_until(lambda: store._server.read(lambda db: db.column(expired)[0], False), "its end")
        os.kill(holder.pid, signal.SIGCONT)
        assert holder.stdin is not None
        holder.stdin.write("go on\n")
        holder.stdin.flush()
        assert line_of(holder) == ["0"]
        assert [task.task for task in store.tasks(run_id)] == ["t0"]
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("killed", "k"))


def test_sweep_beside_a_paused_holder_fences_it_off(store: PostgresStateStore, url: str) -> None:
    with child("tests.stores.children", url, "on demand") as holder:
        _, run_id, _ = line_of(holder)
        os.kill(holder.pid, signal.SIGSTOP)
        earlier = store.claim(ClaimRequest("earlier", "k"))
        commit_task(store, earlier, 0)
        store.release(earlier)
        store.delete([earlier.run.id])
        wait_until(lambda: store.sweep()[0] > 0, "the end of the lease")
        os.kill(holder.pid, signal.SIGCONT)
        holder.communicate("go on\n", timeout=LIMIT_SECONDS)
        assert holder.returncode == 1
        assert store.tasks(run_id) == []


def test_sweep_leaves_all_to_whom_it_has_not_fenced_off(
    store: PostgresStateStore, url: str, postgres_server: PostgresServer
) -> None:
    earlier, lease = (store.claim(ClaimRequest(name, "k")) for name in ("earlier", "later"))
    commit_task(store, earlier, 0)
    store.release(earlier)
    store.delete([earlier.run.id])
    # The lease runs out between what takes away such leases and what asks for others.
    _linger_when_leases_are_dropped(postgres_server, url, seconds=3)
    assert store.sweep() == (0, 0)
    commit_task(store, lease, 0)
    store.release(lease)


def _linger_when_leases_are_dropped(server: PostgresServer, url: str, *, seconds: int) -> None:
    (schema,) = parse_qs(urlsplit(url).query)["schema"]
    server.execute(
        f"CREATE FUNCTION {schema}.linger() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$"
    )
    server.execute(
        f"CREATE TRIGGER linger AFTER DELETE ON {schema}.lease EXECUTE FUNCTION {schema}.linger()"
    )


def test_killed_at_random_again_and_again(store: PostgresStateStore, postgres: str) -> None:
    random, told = Random(7), 0
    for _ in range(8):
        with child("tests.stores.children", f"{postgres}&lease_seconds=0.5") as holder:
            assert line_of(holder)[2] == str(told)
            for _ in range(random.randrange(25)):
                told = int(line_of(holder)[0]) + 1
            holder.kill()
            assert holder.stdout is not None
            for line in holder.stdout:
                told = int(line) + 1
            holder.wait()
            lease = store.claim(ClaimRequest("killed", "k", wait=LIMIT_SECONDS))
            tasks = store.tasks(lease.run.id)
            assert told <= len(tasks) <= told + 1
            told = len(tasks)
            for number, task in enumerate(tasks):
                assert task.task == f"t{number}"
                assert task.digest is not None
                assert store.result(task.digest) == value_of(lease.run.id, number)
            store.release(lease)
    assert store.check(deep=True) == []


# Eight runners.


def run_all(url: str, journal: Path, tasks: int, orders: list[list[str]]) -> Counter[str]:
    """Have a process for each order execute all keys in it; return what bodies were run."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.stores.runners", url, journal, str(tasks), *order],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for order in orders
    ]
    try:
        for process in processes:
            _, complaint = process.communicate(timeout=LIMIT_SECONDS)
            assert process.returncode == 0, complaint
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return Counter(journal.read_text().splitlines())


def test_eight_runners_on_eight_runs_run_400_tasks_once(postgres: str, tmp_path: Path) -> None:
    keys = [f"k{number}" for number in range(RUNNERS)]
    orders = [keys[start:] + keys[:start] for start in range(RUNNERS)]
    ran = run_all(postgres, tmp_path / "journal", 50, orders)
    assert len(ran) == 400
    assert set(ran.values()) == {1}
    store = PostgresStateStore.from_url(postgres)
    assert {run.status for run in store.runs()} == {RunStatus.COMPLETED}
    assert store.check(deep=True) == []
    store.close()


def test_eight_runners_on_one_run_run_400_tasks_once(postgres: str, tmp_path: Path) -> None:
    ran = run_all(postgres, tmp_path / "journal", 400, [["k"]] * RUNNERS)
    assert len(ran) == 400
    assert set(ran.values()) == {1}
    store = PostgresStateStore.from_url(postgres)
    tokens = {run.token for run in store.runs()}
    assert tokens == {1}
    assert store.check(deep=True) == []
    store.close()


def test_run_of_a_killed_runner_is_carried_on_by_another(url: str, tmp_path: Path) -> None:
    journal, tasks = tmp_path / "journal", 60
    store = PostgresStateStore.from_url(url)
    with child("tests.stores.runners", url, str(journal), str(tasks), "k") as runner:
        wait_until(lambda: any(len(store.tasks(run.id)) > 10 for run in store.runs()), "some tasks")
        runner.kill()
        runner.wait()
    (run,) = store.runs()
    before = Counter(journal.read_text().splitlines())
    done = {f"k {task.task}" for task in store.tasks(run.id) if task.digest is not None}
    ran = run_all(url, journal, tasks, [["k"], ["k"]])
    assert len(ran) == tasks
    assert all(ran[name] == 1 for name in done)
    assert sum(ran.values()) <= tasks + len(before) - len(done)
    assert RunStatus.COMPLETED in {other.status for other in store.runs()}
    store.close()

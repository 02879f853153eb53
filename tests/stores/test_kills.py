"""Kills and pauses at any moment lose nothing that was committed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from flowweaver.errors import RunLockedError
from flowweaver.records import ClaimRequest
from flowweaver.status import RunStatus
from flowweaver.stores.common import disk, results
from flowweaver.stores.common.urls import Durability
from flowweaver.stores.jsonl import journal
from flowweaver.stores.sqlite import journal as sqlite_journal
from flowweaver.testing.stores import finish
from tests.stores.conftest import FileStore, MakeStore
from tests.stores.filling import commit_task, fill, picture, value_of
from tests.stores.forks import in_child, kill_myself

ROOT = Path(__file__).parents[2]


@contextmanager
def worker(store: FileStore, *pace: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that commits task after task; it is killed at the end."""
    command = [sys.executable, "-m", "tests.stores.children", store.url, *pace]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.close()
        process.stdin.close()


def line_of(process: subprocess.Popen[str]) -> str:
    """Return the next line a worker prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def check_committed(store: FileStore, told: int) -> int:
    """Check that tasks up to `told`, at least, are there with their results; return how many."""
    (run,) = store.runs()
    tasks = store.tasks(run.id)
    assert [task.task for task in tasks] == [f"t{number}" for number in range(len(tasks))]
    assert told <= len(tasks) <= told + 1
    for number, task in enumerate(tasks):
        assert task.digest is not None
        assert store.result(task.digest) == value_of(run.id, number)
    return len(tasks)


def test_killed_at_random_again_and_again(make_store: MakeStore) -> None:
    random = Random(7)
    told = 0
    for _ in range(8):
        with worker(make_store()) as process:
            said = line_of(process).split()
            assert said[0] == "claimed"
            assert int(said[2]) == told
            for _ in range(random.randrange(25)):
                told = int(line_of(process)) + 1
            process.kill()
            # What was printed between the last line read and the kill counts as well.
            assert process.stdout is not None
            for line in process.stdout:
                told = int(line) + 1
        store = make_store()
        told = check_committed(store, told)
        assert store.check(deep=True) == []
        store.close()


def test_run_of_a_killed_process_is_free_at_once(make_store: MakeStore) -> None:
    store = make_store()
    with worker(store) as process:
        line_of(process)
        with pytest.raises(RunLockedError, match=str(process.pid)):
            store.claim(ClaimRequest("killed", "k"))
        process.kill()
        process.wait()
        lease = store.claim(ClaimRequest("killed", "k"))
        assert lease.continued
        store.release(lease)
    store.close()
    assert not list(Path(store._path).parent.glob("*.locks"))
    store.close()


def test_paused_holder_that_was_superseded_commits_nothing(make_store: MakeStore) -> None:
    store = make_store()
    with worker(store, "on demand") as process:
        line_of(process)
        os.kill(process.pid, signal.SIGSTOP)
        lease = store.claim(ClaimRequest("killed", "k", take_over=True))
        commit_task(store, lease, 7)
        os.kill(process.pid, signal.SIGCONT)
        process.communicate("go on\n", timeout=120)
        assert process.returncode == 1
        assert [task.task for task in store.tasks(lease.run.id)] == ["t7"]
        store.release(lease)
    store.close()


def _life(store: FileStore) -> None:
    """Create a store, commit small and large results, end the run, close."""
    lease = store.claim(ClaimRequest("life", "k", run_id="life"))
    for number in range(len(lease.tasks), 3):
        commit_task(store, lease, number)
    finish(store, lease, RunStatus.COMPLETED)
    store.close()


def _outcome(store: FileStore) -> list[object]:
    return [[task.task for task in store.tasks("life")], store.run("life").status]


def _assert_survives(
    make_store: MakeStore, path: Path, arm: Callable[[int], None], *, least: int, durability: str
) -> None:
    """Kill a child at its first, second, ... moment of a kind until it is done before the next."""
    for moment in range(1, 500):

        def body(moment: int = moment) -> None:
            arm(moment)
            _life(make_store(durability))

        status = in_child(body)
        assert status in (0, -signal.SIGKILL)
        _life(make_store(durability))
        store = make_store()
        assert _outcome(store) == [["t0", "t1", "t2"], RunStatus.COMPLETED]
        assert store.check(deep=True) == []
        assert store.sweep() == (0, 0)
        store.close()
        assert [left.name for left in path.parent.iterdir()] == [path.name]
        path.unlink()
        if status == 0:
            assert moment > least
            return
    pytest.fail("never done")


@pytest.mark.parametrize("kind", ["sqlite"])
def test_killed_at_every_statement(make_store: MakeStore, path: Path) -> None:
    def arm(moment: int) -> None:
        count = 0

        def step(statement: str) -> None:
            nonlocal count
            count += 1
            if count == moment:
                kill_myself()

        configure = sqlite_journal.configure

        def traced(connection: sqlite3.Connection, durability: Durability) -> None:
            connection.set_trace_callback(step)
            configure(connection, durability)

        sqlite_journal.configure = traced

    _assert_survives(make_store, path, arm, least=50, durability="process")


@pytest.mark.parametrize("kind", ["json"])
def test_killed_before_and_after_every_write_sync_and_rename(
    make_store: MakeStore, path: Path
) -> None:
    def arm(moment: int) -> None:
        count = 0

        def step() -> None:
            nonlocal count
            count += 1
            if count == moment:
                kill_myself()

        def torn_write(fd: int, data: bytes) -> None:
            for part in (data[: len(data) // 2], data[len(data) // 2 :]):
                step()
                disk.write_all(fd, part)
            step()

        journal.write_all = torn_write
        sync = journal.sync_file
        journal.sync_file = lambda fd: (step(), sync(fd), step())[0]  # type: ignore[assignment]
        replace = Path.replace
        Path.replace = lambda self, to: (step(), replace(self, to), step())[1]  # type: ignore[assignment, method-assign]

    _assert_survives(make_store, path, arm, least=30, durability="full")


def test_killed_between_the_file_of_a_large_result_and_its_commit(
    make_store: MakeStore, path: Path
) -> None:
    def body() -> None:
        settle = results.Staged.settle

        def killed(self: results.Staged) -> None:
            settle(self)
            kill_myself()

        results.Staged.settle = killed  # type: ignore[method-assign]
        fill(make_store(), tasks=1)

    assert in_child(body) == -signal.SIGKILL
    store = make_store()
    assert store.sweep()[0] == 1
    assert not list(path.parent.glob("*.results"))
    fill(store, tasks=1)
    assert store.check(deep=True) == []
    store.close()


def test_killed_while_writing_a_large_result(make_store: MakeStore, path: Path) -> None:
    def body() -> None:
        results.sync_file = lambda fd: kill_myself()
        fill(make_store(), tasks=1)

    assert in_child(body) == -signal.SIGKILL
    assert list(path.parent.glob("*.results/*.tmp"))
    store = make_store()
    store.sweep()
    assert not list(path.parent.glob("*.results"))
    store.close()


def test_killed_while_compacting(path: Path) -> None:
    from flowweaver.stores import JSONStateStore

    store = JSONStateStore(path)
    fill(store, tasks=2)
    before = picture(store)
    store.close()

    def body() -> None:
        Path.replace = lambda self, to: kill_myself()  # type: ignore[assignment, method-assign]
        JSONStateStore(path).delete(["sales-k0"])

    assert in_child(body) == -signal.SIGKILL
    assert picture(store) == before
    assert list(path.parent.glob("*.tmp"))
    store.sweep()
    assert not list(path.parent.glob("*.tmp"))
    store.close()

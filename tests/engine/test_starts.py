"""An attempt that lasts is on disk before it ends, whatever its body does to the runner."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from flowweaver import (
    MemoryStateStore,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    each,
)
from flowweaver.engine.starts import Starts, StartWatch
from flowweaver.errors import StoreWriteError, SupersededError
from flowweaver.records import Changes, Lease, TaskRecord
from flowweaver.stores import open_store
from flowweaver.testing.bodies import LIMIT_SECONDS, one
from tests.observers.terminal import wait_until

ROOT = Path(__file__).parents[2]
STORES = ("sqlite", "sqlite process", "json", "postgres")
WAYS = [
    ("sequential", "sleeps"),
    ("sequential", "computes"),
    ("sequential", "blocks"),
    ("sequential", "isolated"),
    ("threads", "sleeps"),
    ("threads", "computes"),
    ("async", "sleeps"),
    ("async", "blocks"),
    ("processes", "sleeps"),
]
PAIRS = [(*WAYS[0], store) for store in STORES] + [(*way, "sqlite") for way in WAYS[1:]]


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres")
        return found
    kind, _, durability = request.param.partition(" ")
    return f"{kind}:///{tmp_path}/state.store?durability={durability or 'full'}"


class Child:
    """A process that executes the workflow of `tests.engine.lasting`."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.lasting", *arguments], cwd=ROOT
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def record_in(store: StateStore) -> TaskRecord | None:
    """Return the only record of a store that is made while it is looked at."""
    records = [record for run in store.runs() for record in store.tasks(run.id)]
    return records[0] if records else None


@pytest.mark.parametrize(("executor", "body", "url"), PAIRS, indirect=["url"])
def test_each_of_three_killed_starts_counts(
    executor: str, body: str, url: str, tmp_path: Path
) -> None:
    store = open_store(url)
    for attempt in (1, 2, 3):
        with Child(executor, body, url, str(tmp_path)) as child:

            def is_noted(number: int = attempt, child: Child = child) -> bool:
                assert child.process.poll() is None
                record = record_in(store)
                has_begun = (tmp_path / f"began-{number}").exists()
                return has_begun and record is not None and record.attempts == number

            wait_until(is_noted, f"attempt {attempt} to be in the store")
    record = record_in(store)
    assert record is not None
    assert (record.status, record.failures) == (TaskStatus.RUNNING, 0)
    assert record.started_at is not None
    (tmp_path / "enough").touch()
    with Child(executor, body, url, str(tmp_path)) as child:
        assert child.process.wait(LIMIT_SECONDS) == 0
    record = record_in(store)
    assert record is not None
    assert (record.status, record.attempts) == (TaskStatus.COMPLETED, 4)
    store.close()


def test_it_is_shown_as_cut_short(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    store = open_store(url)
    with Child("sequential", "sleeps", url, str(tmp_path)):
        wait_until(lambda: record_in(store), "the start to be in the store")
    store.close()
    shown = [
        subprocess.run(
            [sys.executable, "-m", "flowweaver", "show", "last", *task, "--store", url],
            capture_output=True, text=True, check=True,
        ).stdout
        for task in ([], ["lasts"])
    ]  # fmt: skip
    assert "interrupted" in shown[0]
    assert "pending" not in shown[0]
    assert "running" in shown[1]


class Watched(MemoryStateStore):
    """A store that notes each commit, and can fail at those that only tell of starts."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[TaskRecord] = []
        self.commits = 0
        self.threads: set[threading.Thread] = set()
        self.error: Exception | None = None

    def commit(self, lease: Lease, changes: Changes) -> None:
        if changes.tasks and all(task.status is TaskStatus.RUNNING for task in changes.tasks):
            self.threads.add(threading.current_thread())
            if self.error is not None:
                raise self.error
            self.starts += changes.tasks
        super().commit(lease, changes)
        self.commits += 1


def test_body_that_runs_in_the_runners_thread_finds_itself_in_the_store() -> None:
    store = Watched()

    def looks() -> bool:
        wait_until(lambda: store.starts, "its own start")
        return True

    run = SequentialExecutor(state_store=store).execute(Workflow("w", [Task("looks", looks)]))
    assert run["looks"]
    assert [(record.task, record.attempts) for record in store.starts] == [("looks", 1)]
    (thread,) = store.threads
    assert not thread.is_alive()


def test_thread_ends_that_is_told_so_in_the_middle_of_a_commit() -> None:
    looked, threads = threading.Event(), []

    class Resting:
        """Has nothing to be committed, as after a short body."""

        wake: Callable[[], None]

        def rest(self) -> bool:
            return True

    def commit() -> None:
        threads.append(threading.current_thread())
        looked.set()
        wait_until(lambda: ending.is_alive() and watch._over.is_set(), "the end")
        wait_until(watch._woken.is_set, "the call")

    watch = StartWatch(cast("Starts", Resting()), commit, lambda _: None)
    ending = threading.Thread(target=watch.__exit__)
    watch.__enter__()
    watch._starts.wake()
    assert looked.wait(LIMIT_SECONDS)
    ending.start()
    ending.join()
    threads[0].join(10.0)  # it would wait for ever
    assert not threads[0].is_alive()


def test_what_is_short_is_committed_once_and_the_thread_ends_with_the_run() -> None:
    store = Watched()
    before = set(threading.enumerate())
    SequentialExecutor(state_store=store).execute(Workflow("v", [Task("one", one)]))
    assert set(threading.enumerate()) <= before
    assert store.starts == []


@pytest.mark.parametrize("kind", [SequentialExecutor, ThreadedExecutor])
def test_start_is_never_written_after_its_end(kind: Callable[..., Any]) -> None:
    """Many that last about as long as it takes for their start to be committed."""
    store = Watched()

    def lasts(number: int) -> int:
        deadline = time.monotonic() + 0.04 + number % 7 * 0.003
        while time.monotonic() < deadline:
            time.sleep(0.001)
        return number

    workflow = Workflow("w", [Task("lasts", lasts, inputs={"number": each("numbers")})])
    run = kind(state_store=store).execute(workflow, {"numbers": list(range(30))})
    assert run["lasts"] == list(range(30))
    statuses = {record.status for record in store.tasks(run.id) if record.element}
    assert statuses == {TaskStatus.COMPLETED}


@pytest.mark.parametrize("error", [SupersededError("taken over"), StoreWriteError("disk full")])
@pytest.mark.parametrize("kind", [SequentialExecutor, ThreadedExecutor])
def test_start_that_can_not_be_committed_ends_the_run(
    kind: Callable[..., Any], error: Exception
) -> None:
    store = Watched()
    store.error = error
    began: list[str] = []

    def lasts() -> None:
        began.append("lasts")
        wait_until(lambda: store.threads, "the start to be refused")

    def after(lasts: None) -> None:
        began.append("after")

    workflow = Workflow("w", [Task("lasts", lasts, retries=2), Task("after", after)])
    with pytest.raises(type(error)):
        kind(state_store=store).execute(workflow)
    assert began[0] == "lasts"
    assert "after" not in began


def test_second_attempt_is_noted_as_such(tmp_path: Path) -> None:
    store = Watched()

    def lasts() -> int:
        known = len(store.starts)
        wait_until(lambda: len(store.starts) > known, "its own start")
        if known < 2:
            raise OSError("away")
        return known

    workflow = Workflow("w", [Task("lasts", lasts, retries=2)])
    run = SequentialExecutor(state_store=store).execute(workflow)
    assert run["lasts"] == 2
    noted = [(record.attempts, record.failures, record.duration) for record in store.starts]
    assert noted == [(1, 0, None), (2, 1, None), (3, 2, None)]


@pytest.fixture
def forking(tmp_path: Path) -> Iterator[SQLiteStateStore]:
    store = SQLiteStateStore(tmp_path / "state.db")
    yield store
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_body_may_fork_while_its_start_is_committed(forking: SQLiteStateStore) -> None:
    def forks() -> list[int]:
        codes = []
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            pid = os.fork()
            if not pid:
                os._exit(7)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        return codes

    run = SequentialExecutor(state_store=forking).execute(Workflow("w", [Task("forks", forks)]))
    assert set(run["forks"]) == {7}
    assert forking.check(deep=True) == []

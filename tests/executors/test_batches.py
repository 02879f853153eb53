"""Short calls that go to a worker together: what becomes of each is its own."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flowweaver import (
    Failure,
    ProcessExecutor,
    Run,
    SQLiteStateStore,
    Task,
    ThreadedExecutor,
    Workflow,
    each,
)
from flowweaver.executors._workers.pool import WorkerPool
from flowweaver.executors._workers.sidelines import Permits, Tray, TrayReader
from flowweaver.testing.bodies import await_flag, note, notes, raise_flag

COUNT = 400
# Far enough in for calls to go together, and for others to be behind it.
SPECIAL = 300
NUMBERS = list(range(COUNT))
# Where workers take long to start, hardly any would come to a body between kills without end.
MOST_DEATHS = 25
ROUNDS = 5


def noted(folder: str) -> list[int]:
    return [int(line) for line in notes(folder)]


def mapped(fn: Any, **options: Any) -> Workflow:
    return Workflow("w", [Task("item", fn, inputs={"number": each("numbers")}, **options)])


def double(number: int) -> int:
    return 2 * number


def double_noting(number: int, folder: str) -> int:
    note(folder, str(number))
    return 2 * number


def die_at(number: int, folder: str, special: int) -> int:
    note(folder, str(number))
    if number == special:
        os._exit(7)
    return 2 * number


def hang_at(number: int, folder: str, special: int) -> int:
    note(folder, str(number))
    if number == special:
        await_flag(folder, "never")
    return 2 * number


def wait_for_all_others(number: int, folder: str, special: int) -> int:
    """Wait, at one number, until all other bodies have run."""
    note(folder, str(number))
    if number == special:
        await_flag(folder, "rest")
    elif len(set(noted(folder))) == COUNT:
        raise_flag(folder, "rest")
    return 2 * number


def say(number: int) -> int:
    print(f"this is {number}")
    return number


def fail_at(number: int, special: int) -> int:
    if number == special:
        raise ValueError(f"not {number}")
    return 2 * number


class Explosive:
    """A number that ends the process it is unpickled in."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return (os._exit, (9,)) if self.number == SPECIAL else (Explosive, (self.number,))


def number_of(number: Explosive) -> int:
    return number.number


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool()
    yield made
    made.close()


@pytest.fixture
def executor(pool: WorkerPool) -> ProcessExecutor:
    made = ProcessExecutor(2)
    made._pool = pool
    return made


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def run_all(executor: ProcessExecutor, workflow: Workflow, **params: Any) -> Run:
    return executor.execute(workflow, {"numbers": NUMBERS, **params}, raise_on_failure=False)


def failed_elements(run: Run) -> list[str]:
    return [item.element for item in run.tasks["item"].elements if item.error is not None]


def test_short_calls_go_together_and_long_ones_alone(
    executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    begin = WorkerPool.begin

    def watch(pool: WorkerPool, *arguments: Any) -> int:
        sizes.append(begin(pool, *arguments))
        return sizes[-1]

    monkeypatch.setattr(WorkerPool, "begin", watch)
    run = run_all(executor, mapped(double))
    assert run["item"] == [2 * number for number in NUMBERS]
    assert sizes[0] == 1
    assert max(sizes) > 10
    assert sum(sizes) >= COUNT  # some may have been taken back


class TestDeath:
    def test_only_the_call_under_way_has_an_attempt(
        self, executor: ProcessExecutor, folder: str
    ) -> None:
        run = run_all(executor, mapped(die_at, retries=2), folder=folder, special=SPECIAL)
        assert failed_elements(run) == [str(SPECIAL)]
        assert {item.attempts for item in run.tasks["item"].elements} == {1, 3}
        times = Counter(noted(folder))
        assert {number for number in NUMBERS if times[number] != 1} == {SPECIAL}
        assert times[SPECIAL] == 3

    def test_what_was_done_before_it_is_committed(
        self, executor: ProcessExecutor, folder: str, tmp_path: Path
    ) -> None:
        executor.state_store = SQLiteStateStore(tmp_path / "state.db", "process")
        workflow = mapped(die_at)
        run = run_all(executor, workflow, folder=folder, special=SPECIAL)
        assert failed_elements(run) == [str(SPECIAL)]
        run_all(executor, workflow, folder=folder, special=SPECIAL)
        times = Counter(noted(folder))
        assert {number for number in NUMBERS if times[number] != 1} == {SPECIAL}

    def test_argument_that_kills_is_blamed_alone(self, executor: ProcessExecutor) -> None:
        numbers = [Explosive(number) for number in NUMBERS]
        run = executor.execute(
            mapped(number_of, allow_failures=True), {"numbers": numbers}, raise_on_failure=False
        )
        assert failed_elements(run) == [str(SPECIAL)]

    def test_kills_at_any_moment_cost_an_attempt_each_at_most(self, folder: str) -> None:
        attempts = done = 0
        with ProcessExecutor(2) as executor, killing(executor, Random(1)) as deaths:
            for _ in range(ROUNDS):
                run = run_all(executor, mapped(double_noting, allow_failures=True), folder=folder)
                for item, value in zip(run.tasks["item"].elements, run["item"], strict=True):
                    attempts += item.attempts
                    has_died = isinstance(value, Failure) and value.kind == "WorkerDied"
                    assert item.attempts == 3 if has_died else value == 2 * int(item.element)
                    done += not has_died
        assert done <= len(noted(folder)) <= attempts <= ROUNDS * COUNT + len(deaths)


@contextmanager
def killing(executor: ProcessExecutor, random: Random) -> Iterator[list[int]]:
    """Kill workers now and then, and tell which."""
    ended = threading.Event()
    deaths: list[int] = []

    def kill() -> None:
        while len(deaths) < MOST_DEATHS and not ended.wait(random.uniform(0.01, 0.3)):
            for slot in list(executor._pool._slots):
                worker = slot._worker
                if worker is not None and random.random() < 0.5:
                    with suppress(ProcessLookupError):
                        os.kill(worker.pid, signal.SIGKILL)
                        deaths.append(worker.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield deaths
    finally:
        ended.set()
        thread.join()


class TestLongBodyAmongShortOnes:
    def test_those_behind_it_are_given_to_others(
        self, executor: ProcessExecutor, folder: str
    ) -> None:
        run = run_all(executor, mapped(wait_for_all_others), folder=folder, special=SPECIAL)
        assert run["item"] == [2 * number for number in NUMBERS]
        assert Counter(noted(folder)) == Counter(NUMBERS)

    def test_limit_ends_it_alone(self, executor: ProcessExecutor, folder: str) -> None:
        workflow = mapped(hang_at, timeout=2.0)
        run = run_all(executor, workflow, folder=folder, special=SPECIAL)
        assert failed_elements(run) == [str(SPECIAL)]
        assert Counter(noted(folder)) | Counter([SPECIAL]) == Counter(NUMBERS)

    def test_limit_without_a_sign_of_life_ends_it_alone(
        self, executor: ProcessExecutor, folder: str
    ) -> None:
        workflow = mapped(hang_at, idle_timeout=2.0)
        run = run_all(executor, workflow, folder=folder, special=SPECIAL)
        assert failed_elements(run) == [str(SPECIAL)]
        assert Counter(noted(folder)) | Counter([SPECIAL]) == Counter(NUMBERS)


def test_each_has_its_own_log_and_failure(executor: ProcessExecutor, tmp_path: Path) -> None:
    executor.state_store = store = SQLiteStateStore(tmp_path / "state.db", "process")
    run = run_all(executor, mapped(say))
    logs = {attempt.element: attempt.log for attempt in store.attempts(run.id, "item")}
    assert logs == {str(number): f"this is {number}\n" for number in NUMBERS}
    run = run_all(executor, mapped(fail_at, allow_failures=True), special=SPECIAL)
    assert failed_elements(run) == [str(SPECIAL)]


def large_at_even(number: int) -> tuple[int, bytes]:
    return number, bytes(0 if number % 2 else 50_000)


def test_large_and_small_results_stay_with_their_calls(executor: ProcessExecutor) -> None:
    """They come by two ways, of which one may be ahead of the other."""
    for _ in range(5):
        run = run_all(executor, mapped(large_at_even))
        assert [number for number, _ in run["item"]] == NUMBERS


def test_isolated_tasks_of_threads_go_together_too(folder: str) -> None:
    workflow = mapped(die_at, isolate=True)
    run = ThreadedExecutor(2).execute(
        workflow,
        {"numbers": NUMBERS, "folder": folder, "special": SPECIAL},
        raise_on_failure=False,
    )
    assert failed_elements(run) == [str(SPECIAL)]
    times = Counter(noted(folder))
    assert {number for number in NUMBERS if times[number] != 1} == {SPECIAL}


class TestSidelines:
    def test_permit_is_taken_once_by_whoever(self) -> None:
        source, sink = os.pipe()
        permits = Permits(source, sink)
        permits.give(3)
        theirs = Permits(os.dup(source))
        assert (theirs.take(), permits.take(9), theirs.take()) == (1, 2, 0)
        permits.close()
        theirs.close()

    def test_tray_keeps_messages_whole_and_in_order(self) -> None:
        source, sink = os.pipe()
        tray, reader = Tray(sink), TrayReader(source)
        assert reader.collect() == []
        messages = [(number, "x" * number) for number in range(100)]
        assert all(tray.lay(message) for message in messages)
        os.close(sink)
        assert reader.collect() == messages
        reader.close()

    def test_what_is_large_is_not_laid_in_a_tray(self) -> None:
        source, sink = os.pipe()
        tray, reader = Tray(sink), TrayReader(source)
        assert not tray.lay(("x" * 100_000,))
        assert reader.collect() == []
        os.close(sink)
        reader.close()

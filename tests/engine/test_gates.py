"""Gates: one executor's limits hold for all its runs together, and none keeps the others out."""

import asyncio
import pickle
import threading
import time
from collections.abc import Callable

import pytest

from flowweaver import (
    AsyncExecutor,
    DefinitionError,
    MemoryStateStore,
    SequentialExecutor,
    Task,
    ThreadedExecutor,
    Workflow,
    task,
)
from flowweaver.engine.gates import Entrance, Gates


class Runs:
    """The entrances of some runs, and how often each was woken."""

    def __init__(self, gates: Gates, count: int) -> None:
        self.woken = [0] * count
        self.entrances = [gates.open(self._waker(number)) for number in range(count)]

    def _waker(self, number: int) -> Callable[[], None]:
        def wake() -> None:
            self.woken[number] += 1

        return wake


def take(entrance: Entrance, node: int, tag: str = "db") -> bool:
    return entrance.enter(node, [tag], 0.0) is None


@pytest.fixture
def runs() -> Runs:
    return Runs(Gates({"db": 1}, {}), 3)


def test_slot_is_one_for_all_runs(runs: Runs) -> None:
    first, second, _ = runs.entrances
    assert take(first, 0)
    assert not take(second, 0)
    assert take(second, 1, "other")


def test_run_that_waits_is_woken_by_the_end_of_another_runs_task(runs: Runs) -> None:
    first, second, _ = runs.entrances
    take(first, 0)
    take(second, 7)
    assert first.leave(["db"]) == []
    assert runs.woken == [0, 1, 0]
    assert second.vacant() == [7]
    assert take(second, 7)


def test_run_with_much_to_do_does_not_keep_the_others_out(runs: Runs) -> None:
    first, second, third = runs.entrances
    take(first, 0)
    order = []
    for node in range(1, 4):
        for entrance in (first, second, third):
            take(entrance, node)
    holder = first
    for _ in range(9):
        holder.leave(["db"])
        (holder, node) = next(
            (entrance, nodes[0]) for entrance in runs.entrances if (nodes := entrance.vacant())
        )
        assert take(holder, node)
        order.append(runs.entrances.index(holder))
    assert order == [1, 2, 0, 1, 2, 0, 1, 2, 0]


def test_slot_that_a_run_has_no_use_for_goes_to_the_next(runs: Runs) -> None:
    first, second, third = runs.entrances
    take(first, 0)
    take(second, 0)
    take(third, 0)
    first.leave(["db"])
    assert third.vacant() == []
    second.rest()
    assert runs.woken == [0, 1, 1]
    assert third.vacant() == [0]
    third.rest()
    assert runs.woken == [0, 1, 1]  # both have declined, so nobody is asked again
    assert second.vacant() == [0]  # but whoever can use it now may have it
    assert take(second, 0)


def test_run_that_ends_gives_back_what_it_has_and_what_it_was_offered(runs: Runs) -> None:
    first, second, third = runs.entrances
    take(first, 0)
    take(second, 0)
    take(third, 0)
    first.close()
    assert runs.woken == [0, 1, 0]
    second.close()
    assert third.vacant() == [0]
    first.close()  # once is enough


def test_stopped_run_waits_for_nothing(runs: Runs) -> None:
    first, second, third = runs.entrances
    take(first, 0)
    take(second, 5)
    take(third, 6)
    assert second.clear() == [5]
    first.leave(["db"])
    assert runs.woken == [0, 0, 1]


def test_rate_is_one_for_all_runs() -> None:
    first, second, _ = Runs(Gates({}, {"api": "2/s"}), 3).entrances
    assert first.enter(0, ["api"], 10.0) is None
    assert second.enter(0, ["api"], 10.0) == 10.5
    assert second.enter(0, ["api"], 10.5) is None


def test_run_within_a_task_has_the_tasks_slot() -> None:
    gates = Gates({"db": 1}, {})
    outer = gates.open(lambda: None)
    outer.run_id = "outer"
    take(outer, 0)
    inner = gates.open(lambda: None, ("outer", ["db"]))
    assert take(inner, 0)
    assert not take(inner, 1)
    assert inner.leave(["db"]) == [1]
    assert not take(gates.open(lambda: None, ("another", ["db"])), 0)


def test_gates_of_a_pickled_executor_are_its_own() -> None:
    gates = pickle.loads(pickle.dumps(Gates({"db": 1}, {"api": "1/s"})))
    assert take(gates.open(lambda: None), 0)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "2", True])
def test_limit_that_is_no_number_is_refused(limit: object) -> None:
    with pytest.raises(DefinitionError, match=r"^limits\['db'\] must be a whole number from 1, "):
        Gates({"db": limit}, {})  # type: ignore[dict-item]


@pytest.mark.parametrize("rate", ["fast", "0/s", "1/y", 3])
def test_rate_that_is_no_text_of_its_kind_is_refused(rate: object) -> None:
    with pytest.raises(DefinitionError, match=r"^rate\['api'\] must be like "):
        Gates({}, {"api": rate})  # type: ignore[dict-item]


class Counter:
    """How many bodies run at once, at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.now -= 1


def test_runs_in_several_threads_share_an_executors_limits() -> None:
    counter = Counter()

    @task(tags=["db"])
    def query(n: int) -> int:
        with counter:
            time.sleep(0.01)
        return n

    executor = ThreadedExecutor(8, limits={"db": 1})
    workflow = Workflow("w", [query.with_options(f"q{n}") for n in range(4)])
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(executor.execute(workflow, {"n": n})))
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 3
    assert counter.most == 1


def test_runs_in_one_loop_share_an_executors_limits() -> None:
    counter = Counter()

    @task(tags=["db"])
    async def query(n: int) -> int:
        with counter:
            await asyncio.sleep(0.01)
        return n

    executor = AsyncExecutor(limits={"db": 1})
    workflow = Workflow("w", [query])

    async def main() -> None:
        runs = [executor.execute_async(workflow, {"n": n}) for n in range(3)]
        await asyncio.wait_for(asyncio.gather(*runs), 60)

    asyncio.run(main())
    assert counter.most == 1


def test_workflow_within_a_limited_task_ends() -> None:
    executor = ThreadedExecutor(2, limits={"db": 1})
    inner = Workflow("inner", [task("leaf", tags=["db"])(lambda: 1)])

    @task(tags=["db"])
    def outer() -> int:
        leaf: int = executor.execute(inner)["leaf"]
        return leaf

    assert executor.execute(Workflow("outer", [outer]))["outer"] == 1


def test_what_is_restored_takes_neither_slot_nor_start() -> None:
    store = MemoryStateStore()

    def workflow(version: str) -> Workflow:
        made = Workflow("w", [Task(f"old{n}", lambda: 1, tags=["api"]) for n in range(3)])
        made.add_task(lambda: 2, name="new", tags=["api"], version=version)
        return made

    SequentialExecutor(state_store=store).execute(workflow("1"))
    # An hour between two starts: those that are restored must not have had theirs.
    executor = SequentialExecutor(state_store=store, rate={"api": "1/h"}, limits={"api": 1})
    entrance = executor._gates.open(lambda: None)  # type: ignore[union-attr]
    run = executor.execute(workflow("2"))
    assert run.outcomes() == {"restored": 3, "executed": 1}
    assert entrance.enter(0, ["api"], time.monotonic()) not in (None, float("inf"))


def test_what_is_restored_waits_for_no_slot() -> None:
    store = MemoryStateStore()
    query, other = Task("query", lambda: 1, tags=["db"]), Task("other", lambda: 2)
    SequentialExecutor(state_store=store).execute(Workflow("w", [query, other]))
    executor = SequentialExecutor(state_store=store, limits={"db": 1})
    holder = executor._gates.open(lambda: None)  # type: ignore[union-attr]
    assert take(holder, 0)
    edited = Workflow("w", [query, other.with_options(version="2")])
    assert executor.execute(edited).outcomes() == {"executed": 1, "restored": 1}

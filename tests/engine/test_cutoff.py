"""Runs in which a change comes to nothing after a while: what is behind it is taken over."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    Event,
    EventKind,
    Executor,
    NoResultError,
    Origin,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.definitions.options import Trigger
from flowweaver.engine.history.stored import StoredRun
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus, TaskStatus
from tests.engine.test_carried import fails, few_are_enough, looked_at, one

__all__ = ["few_are_enough"]

SIZE = 150
MIDDLE = 70


def step(x: int) -> int:
    return x


def parity(x: int) -> int:
    return x % 2


def two() -> int:
    return 2


def three() -> int:
    return 3


def total(a: int, b: int) -> int:
    return a + b


def chain(version: str = "1", middle: Callable[..., Any] = step, at: int = MIDDLE) -> Workflow:
    """Return a chain; one of its tasks has a version, and maybe another body."""
    made = Workflow("chain")
    made.add_task(one, name="t0")
    for number in range(1, SIZE):
        taken = {"x": f"t{number - 1}"}
        if number == at:
            made.add_task(middle, name=f"t{number}", inputs=taken, version=version)
        else:
            made.add_task(step, name=f"t{number}", inputs=taken)
    return made


def fan(source: Callable[[], int], version: str = "1") -> Workflow:
    """Return many tasks of one, whose result matters to them by its parity, and a sum of two."""
    made = Workflow("fan")
    made.add_task(source, name="source")
    made.add_task(parity, inputs={"x": "source"})
    made.add_task(one, name="aside", version=version)
    for number in range(SIZE):
        made.add_task(step, name=f"t{number}", inputs={"x": "parity"})
    made.add_task(total, inputs={"a": "t3", "b": "aside"})
    return made


def test_what_is_behind_a_result_that_is_the_same_is_taken_over(
    store: StateStore, executor: Executor
) -> None:
    first = executor.execute(chain())
    with looked_at() as nodes:
        run = executor.execute(chain("2"))
    assert nodes == [MIDDLE]
    assert Counter(task.origin for task in run.tasks.values()) == {
        Origin.EXECUTED: 1,
        Origin.RESTORED: SIZE - 1,
    }
    behind = run.tasks[f"t{SIZE - 1}"]
    assert behind.reason == f"unchanged since run {first.id}"
    assert behind.record.source_run == first.id
    assert run[behind.name] == 1
    assert store.run(run.id).base == first.id
    assert store.tasks(run.id) == [task.record for task in run.tasks.values()]
    assert store.check(deep=True) == []
    with looked_at() as nodes:
        executor.execute(chain("2", at=MIDDLE))
    assert nodes == []


def test_change_goes_on_until_it_comes_to_nothing(store: StateStore, executor: Executor) -> None:
    executor.execute(fan(one))
    with looked_at() as nodes:
        run = executor.execute(fan(three))
    assert nodes == [0, 1]
    assert (run["source"], run["parity"], run["t9"]) == (3, 1, 1)
    assert store.check(deep=True) == []


def test_what_takes_a_changed_result_is_executed(store: StateStore, executor: Executor) -> None:
    executor.execute(fan(one))
    run = executor.execute(fan(two))
    assert {run[f"t{number}"] for number in range(SIZE)} == {0}
    assert {task.name for task in run.tasks.values() if task.origin is Origin.RESTORED} == {"aside"}
    assert run["total"] == 1
    assert {record.task: record for record in store.tasks(run.id)} == {
        name: task.record for name, task in run.tasks.items()
    }
    assert store.check(deep=True) == []


def test_what_is_executed_takes_what_was_taken_over(executor: Executor) -> None:
    executor.execute(fan(one))
    with looked_at() as nodes:
        run = executor.execute(fan(three, "2"), force=["total"])
    assert sorted(nodes) == [0, 1, 2, SIZE + 3]
    assert run.tasks["total"].origin is Origin.EXECUTED
    assert run["total"] == 2


def test_two_changes_that_meet_count_both(executor: Executor) -> None:
    def other() -> int:
        return 5

    def made(aside: Callable[[], int], source: Callable[[], int]) -> Workflow:
        found = Workflow("meeting")
        found.add_task(source, name="source")
        found.add_task(aside, name="aside")
        for number in range(SIZE):
            found.add_task(one, name=f"t{number}")
        found.add_task(total, inputs={"a": "source", "b": "aside"})
        found.add_task(step, name="last", inputs={"x": "total"})
        return found

    executor.execute(made(one, one))
    run = executor.execute(made(other, lambda: 1))
    assert (run["total"], run["last"]) == (6, 6)
    assert run.tasks["source"].origin is Origin.EXECUTED


def test_task_that_only_waits_is_executed_where_what_it_waits_for_differs(
    executor: Executor,
) -> None:
    def made(source: Callable[[], int]) -> Workflow:
        found = Workflow("waiting")
        found.add_task(source, name="source")
        for number in range(SIZE):
            found.add_task(one, name=f"t{number}", depends_on=["source"])
        return found

    executor.execute(made(one))
    with looked_at() as nodes:
        run = executor.execute(made(two))
    assert len(nodes) == SIZE + 1
    assert run.tasks["t7"].origin is Origin.EXECUTED


def test_result_that_is_as_it_once_was_is_restored_from_then(executor: Executor) -> None:
    first = executor.execute(fan(one))
    executor.execute(fan(two))
    run = executor.execute(fan(one))
    assert {task.origin for task in run.tasks.values()} == {Origin.RESTORED}
    assert run["t9"] == 1
    assert run.tasks["t9"].record.source_run == first.id


def test_nothing_is_taken_over_behind_a_failure(store: StateStore, executor: Executor) -> None:
    def counted(**inputs: int) -> int:
        return len(inputs)

    def made(middle: Callable[..., Any]) -> Workflow:
        found = chain("1" if middle is step else "2", middle)
        found.add_task(counted, depends_on=[f"t{MIDDLE}"], trigger="all_done")
        return found

    executor.execute(made(step))
    run = executor.execute(made(lambda x: fails(x)), raise_on_failure=False)
    assert run.tasks[f"t{MIDDLE}"].status is TaskStatus.FAILED
    assert run.tasks[f"t{SIZE - 1}"].status is TaskStatus.UPSTREAM_FAILED
    assert run.tasks["counted"].origin is Origin.EXECUTED
    assert (store.run(run.id).base, len(store.tasks(run.id))) == (None, SIZE + 1)
    gone_on = executor.execute(made(step))
    assert gone_on.id == run.id
    assert gone_on.tasks[f"t{SIZE - 1}"].origin is Origin.RESTORED
    assert gone_on.status is RunStatus.COMPLETED
    assert store.check(deep=True) == []


def test_run_that_differs_in_much_has_all_records_of_its_own(
    store: StateStore, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowweaver.engine.carried.WORTH", 1)
    monkeypatch.setattr("flowweaver.engine.carried._MOST_OWN", 20)
    executor.execute(chain())
    run = executor.execute(chain("2", lambda x: x + 1))
    assert run[f"t{SIZE - 1}"] == 2
    assert store.run(run.id).base is None
    records = {record.task: record for record in store.tasks(run.id)}
    assert records == {name: task.record for name, task in run.tasks.items()}
    assert store.check(deep=True) == []
    with looked_at() as nodes:
        again = executor.execute(chain("3", lambda x: x + 1))
    assert nodes == [MIDDLE]
    assert store.run(again.id).base == run.id
    assert {r.task: r for r in store.tasks(again.id)} == {
        name: task.record for name, task in again.tasks.items()
    }


def test_observers_hear_of_each_task_once(store: StateStore, executor: Executor) -> None:
    executor.execute(chain())
    heard: list[Event] = []
    run = executor.execute(chain("2"), observers=(heard.append,))
    finished = [event for event in heard if event.kind is EventKind.TASK_FINISHED]
    assert sorted(event.task for event in finished) == sorted(run.tasks)
    places = {event.task: place for place, event in enumerate(finished)}
    assert places[f"t{MIDDLE}"] < places[f"t{MIDDLE + 1}"]
    last = finished[places[f"t{SIZE - 1}"]]
    task = run.tasks[last.task]
    assert (last.origin, last.reason, last.duration) == (
        Origin.RESTORED,
        task.reason,
        task.duration,
    )
    assert heard[-1].kind is EventKind.RUN_FINISHED


def test_what_is_not_decided_yet_is_pending(executor: Executor) -> None:
    executor.execute(chain())
    seen: list[tuple[TaskStatus, Origin | None]] = []

    def looks(x: int) -> int:
        run = made.last_run
        assert run is not None
        tasks = [run.tasks[f"t{number}"] for number in (MIDDLE - 1, MIDDLE + 1)]
        seen.extend((task.status, task.origin) for task in tasks)
        return x

    made = chain("2", looks)
    executor.execute(made)
    assert seen == [(TaskStatus.COMPLETED, Origin.RESTORED), (TaskStatus.PENDING, None)]


def test_changed_trigger_is_asked_of_what_was_taken_over(
    store: StateStore, executor: Executor
) -> None:
    def made(trigger: Trigger) -> Workflow:
        found = chain()
        for name, taken in (("behind", [f"t{MIDDLE}"]), ("alone", [])):
            found.add_task(one, name=name, depends_on=taken, trigger=trigger)
        return found

    executor.execute(made("all_success"))
    run = executor.execute(made("any_failed"))
    assert {run.tasks[name].status for name in ("behind", "alone")} == {TaskStatus.SKIPPED}
    assert run.status is RunStatus.COMPLETED
    assert store.check(deep=True) == []


@pytest.mark.parametrize("workers", [1, 4])
def test_on_threads_comes_the_same(store: StateStore, workers: int) -> None:
    executor = ThreadedExecutor(workers, state_store=store)
    executor.execute(fan(one))
    with looked_at() as nodes:
        run = executor.execute(fan(three, "2"))
    assert sorted(nodes) == [0, 1, 2]
    assert {run[f"t{number}"] for number in range(SIZE)} == {1}
    changed = executor.execute(fan(two, "3"))
    assert {changed[f"t{number}"] for number in range(SIZE)} == {0}
    assert store.check(deep=True) == []


def test_base_that_goes_while_the_run_goes_on_leaves_all_to_it(
    store: StateStore, executor: Executor
) -> None:
    first = executor.execute(chain())
    second = executor.execute(chain("2"))

    def deletes(x: int) -> int:
        store.delete([first.id])
        return x

    run = executor.execute(chain("3", deletes))
    assert run.tasks[f"t{SIZE - 1}"].record.source_run == first.id
    assert store.run(run.id).base == second.id
    assert len(store.tasks(run.id)) == SIZE
    assert store.check(deep=True) == []


def test_run_before_that_goes_while_the_run_goes_on_is_missed_and_made_up_for(
    store: StateStore, executor: Executor
) -> None:
    first = executor.execute(chain())

    def deletes(x: int) -> int:
        store.delete([first.id])
        return x + 1

    with pytest.raises(NoResultError, match=f"run {first.id} has no record"):
        executor.execute(chain("2", deletes))
    (left,) = store.runs()
    run = executor.execute(chain("3", lambda x: x + 1))
    assert (run.id, run[f"t{SIZE - 1}"]) == (left.id, 2)
    assert store.check(deep=True) == []


def leaves(x: int) -> int:
    os._exit(7)


def ending(last: Callable[[int], int], version: str, middle: str) -> Workflow:
    """Return a chain with another behind it that begins with a task of its own."""
    made = chain(middle)
    made.add_task(last, name="last", inputs={"x": f"t{SIZE - 1}"}, version=version)
    return made


def test_killed_run_goes_on_with_what_it_has(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db", "process")
    executor = SequentialExecutor(state_store=store)
    first = executor.execute(ending(step, "1", "1"))
    store.close()
    script = (
        "from flowweaver import SequentialExecutor, SQLiteStateStore\n"
        "from flowweaver.engine import carried\n"
        "from flowweaver.engine.reuse import seal\n"
        "from tests.engine.test_cutoff import ending, leaves\n"
        "carried.WORTH = seal.WORTH = 100\n"
        f"store = SQLiteStateStore({str(tmp_path / 'state.db')!r}, 'process')\n"
        "SequentialExecutor(state_store=store).execute(ending(leaves, '2', '2'))\n"
    )
    died = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    assert died.returncode == 7
    killed = store.runs()[0]
    assert [record.task for record in store.tasks(killed.id)] == [f"t{MIDDLE}"]
    run = executor.execute(ending(step, "2", "2"))
    assert run.id == killed.id
    assert run.tasks[f"t{MIDDLE}"].attempts == 1
    assert run.tasks[f"t{SIZE - 1}"].record.source_run == first.id
    assert run.tasks["last"].origin is Origin.EXECUTED
    assert run.counts() == {TaskStatus.COMPLETED: SIZE + 1}
    assert store.check(deep=True) == []
    store.close()


def test_such_a_run_is_read_from_elsewhere_as_it_was(store: StateStore, executor: Executor) -> None:
    executor.execute(chain())
    run = executor.execute(chain("2"))
    stored = Run(StoredRun(store, store.run(run.id)))
    assert [task.record for task in stored.tasks.values()] == [
        task.record for task in run.tasks.values()
    ]
    assert stored[f"t{SIZE - 1}"] == 1

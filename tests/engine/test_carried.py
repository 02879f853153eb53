"""Runs in which little has changed: the rest is taken over without looking at it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from flowweaver import (
    Event,
    EventKind,
    Executor,
    Origin,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.stores.copying import copy_runs

SIZE = 150


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have workflows taken for large that are not."""
    monkeypatch.setattr("flowweaver.engine.reuse.seal.WORTH", 100)
    monkeypatch.setattr("flowweaver.engine.carried.WORTH", 100)


def one() -> int:
    return 1


def add(a: int, b: int) -> int:
    return a + b


def twice(a: int) -> int:
    return 2 * a


def fails(a: int) -> int:
    raise ValueError(a)


def wide(**versions: str) -> Workflow:
    """Return many tasks, and a sum of two of them; versions by name."""
    made = Workflow("wide")
    for number in range(SIZE):
        name = f"t{number}"
        options = {"version": versions[name]} if name in versions else {}
        made.add_task(one, name=name, **options)
    made.add_task(add, inputs={"a": "t3", "b": "t4"})
    return made


@contextmanager
def looked_at() -> Iterator[list[int]]:
    """Give the nodes that are decided about."""
    nodes: list[int] = []
    decide = Reuse.decide

    def noting(self: Reuse, node: int) -> Any:
        nodes.append(node)
        return decide(self, node)

    with patch.object(Reuse, "decide", noting):
        yield nodes


def test_only_what_changed_is_looked_at(store: StateStore, executor: Executor) -> None:
    first = executor.execute(wide())
    with looked_at() as nodes:
        run = executor.execute(wide(t3="2"))
    assert nodes == [3]
    assert run.tasks["t3"].origin is Origin.EXECUTED
    assert run.tasks["add"].origin is Origin.RESTORED  # what it takes has come out the same
    assert run.tasks["t5"].reason == f"unchanged since run {first.id}"
    assert run.tasks["t5"].duration == first.tasks["t5"].duration
    assert (run["t5"], run["add"]) == (1, 2)
    record = store.run(run.id)
    assert (record.base, record.status) == (first.id, RunStatus.COMPLETED)
    assert [(r.task, r.origin) for r in store.tasks(run.id)] == [
        (task.name, task.origin) for task in run.tasks.values()
    ]
    assert store.check(deep=True) == []


def test_each_run_takes_over_from_the_one_before(store: StateStore, executor: Executor) -> None:
    first = executor.execute(wide())
    second = executor.execute(wide(t3="2"))
    with looked_at() as nodes:
        third = executor.execute(wide(t3="2", t7="2"))
        again = executor.execute(wide(t3="2", t7="2"))
    assert nodes == [7]
    assert {store.run(run.id).base for run in (second, third, again)} == {first.id}
    sources = {task: again.tasks[task].record.source_run for task in ("t3", "t7", "t9")}
    assert sources == {"t3": second.id, "t7": third.id, "t9": first.id}
    assert store.tasks(again.id) == [task.record for task in again.tasks.values()]
    assert store.check(deep=True) == []


def test_forced_task_is_executed_and_the_rest_taken_over(
    store: StateStore, executor: Executor
) -> None:
    executor.execute(wide())
    with looked_at() as nodes:
        run = executor.execute(wide(), force=["t4"])
    assert nodes == [4]
    assert run.tasks["t4"].reason == "forced"
    assert executor.execute(wide()).tasks["t4"].record.source_run == run.id


def test_parameter_counts_for_those_that_take_it(executor: Executor) -> None:
    def scaled(scale: int) -> int:
        return 10 * scale

    made = wide()
    made.add_task(scaled)
    executor.execute(made, {"scale": 1})
    with looked_at() as nodes:
        run = executor.execute(made, {"scale": 2})
    assert (nodes, run["scaled"]) == ([SIZE + 1], 20)


def test_failed_run_has_all_records_of_its_own(store: StateStore, executor: Executor) -> None:
    def ended(body: Callable[[int], int]) -> Workflow:
        made = wide()
        made.add_task(body, name="last", inputs={"a": "t0"})
        return made

    executor.execute(ended(twice))
    run = executor.execute(ended(fails), raise_on_failure=False)
    assert run.status is RunStatus.FAILED
    assert store.run(run.id).base is None
    assert len(store.tasks(run.id)) == SIZE + 2
    assert run.counts()[TaskStatus.COMPLETED] == SIZE + 1
    gone_on = executor.execute(ended(twice))
    assert (gone_on.id, gone_on["last"]) == (run.id, 2)
    assert {record.status for record in store.tasks(run.id)} == {TaskStatus.COMPLETED}
    assert store.check(deep=True) == []


def ending(version: str) -> Workflow:
    """Return many tasks, of which the last ends its process in its second version."""
    made = wide(t3=version)
    made.add_task(one if version == "1" else leave, name="last", depends_on=["t3"], version=version)
    return made


def leave() -> None:
    os._exit(7)


def test_killed_run_goes_on_with_what_it_has(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db", "process")
    executor = SequentialExecutor(state_store=store)
    executor.execute(ending("1"))
    store.close()
    script = (
        "from flowweaver import SequentialExecutor, SQLiteStateStore\n"
        "from flowweaver.engine import carried\n"
        "from flowweaver.engine.reuse import seal\n"
        "from tests.engine.test_carried import ending\n"
        "carried.WORTH = seal.WORTH = 100\n"
        f"store = SQLiteStateStore({str(tmp_path / 'state.db')!r}, 'process')\n"
        "SequentialExecutor(state_store=store).execute(ending('2'))\n"
    )
    died = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    assert died.returncode == 7
    (killed, first) = store.runs()
    assert [record.task for record in store.tasks(killed.id)] == ["t3"]
    made = wide(t3="2")
    made.add_task(one, name="last", depends_on=["t3"], version="2")
    run = executor.execute(made)
    assert run.id == killed.id
    assert run.tasks["t3"].attempts == 1
    assert run.tasks["t9"].record.source_run == first.id
    assert run.counts() == {TaskStatus.COMPLETED: SIZE + 2}
    assert store.check(deep=True) == []
    store.close()


def test_deleted_runs_take_nothing_from_those_after_them(
    store: StateStore, executor: Executor
) -> None:
    first = executor.execute(wide())
    runs = [executor.execute(wide(t3=version)) for version in "234"]
    kept = [store.tasks(run.id) for run in runs]
    store.delete([first.id])
    assert [store.tasks(run.id) for run in runs] == kept
    store.delete([runs[0].id, runs[1].id])
    store.sweep()
    with looked_at() as nodes:
        last = executor.execute(wide(t3="4", t8="2"))
    assert nodes == [8]
    assert last.tasks["t3"].record.source_run == runs[2].id
    assert [record.task for record in store.tasks(last.id)] == list(last.tasks)
    assert store.check(deep=True) == []


def test_run_before_that_is_deleted_leaves_the_view_as_it_was(
    store: StateStore, executor: Executor
) -> None:
    first = executor.execute(wide())
    run = executor.execute(wide(t3="2"))
    store.delete([first.id])
    assert run.tasks["t120"].record.source_run == first.id
    assert run["t120"] == 1


def test_a_slice_of_such_a_run_is_a_slice_of_all_of_it(
    store: StateStore, executor: Executor
) -> None:
    executor.execute(wide())
    run = executor.execute(wide(t3="2"))
    whole = store.tasks(run.id)
    for start, stop in ((0, 5), (3, 4), (140, 160), (149, None), (151, 160), (7, 7)):
        assert store.tasks(run.id, start, stop) == whole[start:stop]


def test_observers_hear_of_each_task_once(executor: Executor) -> None:
    executor.execute(wide())
    heard: list[Event] = []
    run = executor.execute(wide(t3="2"), observers=(heard.append,))
    finished = [event for event in heard if event.kind is EventKind.TASK_FINISHED]
    assert sorted(event.task for event in finished) == sorted(run.tasks)
    told = {event.task: (event.origin, event.reason, event.duration) for event in finished}
    assert told["t9"] == (Origin.RESTORED, run.tasks["t9"].reason, run.tasks["t9"].duration)


def test_such_a_run_is_copied_and_pickled_as_any_other(
    store: StateStore, executor: Executor, tmp_path: Path
) -> None:
    executor.execute(wide())
    run = executor.execute(wide(t3="2"))
    target = SQLiteStateStore(tmp_path / "copy.db", "process")
    copy_runs(store, target)
    assert target.tasks(run.id) == store.tasks(run.id)
    with looked_at() as nodes:
        SequentialExecutor(state_store=target).execute(wide(t3="2", t5="2"))
    assert nodes == [5]
    target.close()
    copy: Run = pickle.loads(pickle.dumps(run))
    assert (copy["t9"], copy.tasks["t9"].record) == (1, run.tasks["t9"].record)


def test_what_is_put_together_from_threads_is_found(store: StateStore) -> None:
    executor = ThreadedExecutor(4, state_store=store)
    executor.execute(wide())
    with looked_at() as nodes:
        run = executor.execute(wide(t3="2", t123="2"))
    assert sorted(nodes) == [3, 123]
    assert run["t122"] == 1


def test_what_another_graph_has_is_looked_at(executor: Executor) -> None:
    executor.execute(wide())
    more = wide()
    more.add_task(one, name="more")
    with looked_at() as nodes:
        executor.execute(more)
    assert len(nodes) == SIZE + 2


def test_results_that_are_let_go_are_looked_at(executor: Executor) -> None:
    executor.execute(wide())
    with looked_at() as nodes:
        executor.execute(wide(t3="2"), drop_results=True)
    assert len(nodes) == SIZE + 1


def test_store_grows_by_what_changed(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db", "process")
    executor = SequentialExecutor(state_store=store)
    executor.execute(wide())
    executor.execute(wide(t3="2"))
    store.close()
    before = (tmp_path / "state.db").stat().st_size
    for version in "345":
        executor.execute(wide(t3=version))
    store.close()
    assert (tmp_path / "state.db").stat().st_size - before <= 16 * 1024

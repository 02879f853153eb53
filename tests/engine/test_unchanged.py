"""Runs of which nothing has changed: one comparison, and no records of their own."""

from __future__ import annotations

import pickle
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    Event,
    EventKind,
    Executor,
    Origin,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    Stop,
    Task,
    ThreadedExecutor,
    Workflow,
    each,
)
from flowweaver.engine.unchanged import Unchanged
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus, TaskStatus


def one() -> int:
    return 1


def numbers(start: int = 1) -> list[int]:
    return [start, start + 1, start + 2]


def double(number: int) -> int:
    return 2 * number


def total(double: list[int]) -> int:
    return sum(double)


def workflow(**options: Any) -> Workflow:
    made = Workflow("sealed", [Task("numbers", numbers, **options)])
    made.add_task(double, inputs={"number": each("numbers")})
    made.add_task(total)
    return made


def test_unchanged_run_points_to_the_one_it_restores(store: StateStore, executor: Executor) -> None:
    first = executor.execute(workflow())
    again = executor.execute(workflow())
    third = executor.execute(workflow())
    assert (store.run(again.id).base, store.run(third.id).base) == (first.id, first.id)
    assert again.status is RunStatus.COMPLETED
    assert again["total"] == 12
    assert again["double"] == [2, 4, 6]
    assert again["double[1]"] == 4
    assert {task.origin for task in again.tasks.values()} == {Origin.RESTORED}
    assert again.tasks["total"].reason == f"unchanged since run {first.id}"
    assert again.counts() == first.counts()
    assert store.check(deep=True) == []


def test_each_change_is_looked_at_task_by_task(store: StateStore, executor: Executor) -> None:
    executor.execute(workflow())
    changed = executor.execute(workflow(), {"start": 5})
    assert store.run(changed.id).base is None
    assert changed["total"] == 36
    forced = executor.execute(workflow(), force=["total"])
    assert forced.tasks["total"].origin is Origin.EXECUTED
    never = executor.execute(workflow(), reuse="never")
    assert never.tasks["numbers"].origin is Origin.EXECUTED
    more = workflow()
    more.add_task(one, name="more")
    assert executor.execute(more).tasks["more"].origin is Origin.EXECUTED
    edited = workflow(version="2")
    assert executor.execute(edited).tasks["numbers"].origin is Origin.EXECUTED
    back = executor.execute(workflow())
    assert {task.origin for task in back.tasks.values()} == {Origin.RESTORED}


@pytest.mark.parametrize(
    "options", [{"cache": False}, {"effect": "idempotent"}, {"fresh_for": "1h"}, {"files": ["in"]}]
)
def test_what_has_to_be_looked_at_anew_is(
    store: StateStore, executor: Executor, options: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "in").write_text("x")
    if "files" in options:
        options = {"files": [str(tmp_path / "in")]}
    executor.execute(workflow(**options))
    again = executor.execute(workflow(**options))
    assert store.run(again.id).base is None
    assert again["total"] == 12


def test_a_global_that_a_body_reads_is_looked_at_each_time(executor: Executor) -> None:
    weights = [1, 2]
    weigh = Workflow("weigh", [Task("weigh", lambda: sum(weights))])
    assert executor.execute(weigh)["weigh"] == 3
    assert executor.execute(weigh)["weigh"] == 3
    weights.append(3)
    assert executor.execute(weigh)["weigh"] == 6


def test_failed_run_is_no_base(store: StateStore, executor: Executor) -> None:
    def fails() -> int:
        raise ValueError

    failing = Workflow("sealed", [Task("a", one), Task("b", fails)])
    for _ in range(2):
        executor.execute(failing, raise_on_failure=False)
    assert {run.base for run in store.runs()} == {None}
    assert {run.seal for run in store.runs()} == {None}


def test_base_that_is_deleted_leaves_the_rest(store: StateStore, executor: Executor) -> None:
    first, second = (executor.execute(workflow()) for _ in range(2))
    store.delete([first.id])
    store.sweep()
    again = executor.execute(workflow())
    assert store.run(again.id).base == second.id
    assert again["total"] == 12
    assert again.tasks["total"].origin is Origin.RESTORED


def test_observers_hear_of_each_task(executor: Executor) -> None:
    executor.execute(workflow())
    heard: list[Event] = []
    run = executor.execute(workflow(), observers=(heard.append,))
    kinds = [event.kind for event in heard]
    assert (kinds[0], kinds[-1]) == (EventKind.RUN_STARTED, EventKind.RUN_FINISHED)
    finished = {event.task for event in heard if event.kind is EventKind.TASK_FINISHED}
    assert finished == set(run.tasks)


def test_observers_hear_the_same_of_a_whole_run_as_of_its_tasks_one_by_one(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Workflow("named", [Task("numbers", numbers), Task("total", total)])
    made.add_task(double, inputs={"number": each("numbers")}, element_name="number {number}")

    def told() -> set[tuple[object, ...]]:
        heard: list[Event] = []
        executor.execute(made, observers=(heard.append,))
        return {
            (event.kind, event.shown_name, event.origin, event.elements, event.tasks)
            for event in heard
        }

    executor.execute(made)
    whole = told()
    monkeypatch.setattr(Unchanged, "since", lambda _: None)
    assert whole == told()


def test_workflow_speaks_of_the_restored_run(executor: Executor) -> None:
    made = workflow()
    executor.execute(made)
    run = executor.execute(made)
    del run
    assert made.get_task("total").status is TaskStatus.COMPLETED
    assert made.get_task_result("double") == [2, 4, 6]


def test_threads_restore_what_came_in_sequence(store: StateStore, executor: Executor) -> None:
    first = executor.execute(workflow())
    again = ThreadedExecutor(2, state_store=store).execute(workflow())
    assert store.run(again.id).base == first.id


def test_store_grows_by_next_to_nothing(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db", "process")
    made = Workflow("wide", [Task(f"t{number}", one) for number in range(2000)])
    executor = SequentialExecutor(state_store=store)
    executor.execute(made)
    store.close()
    before = (tmp_path / "state.db").stat().st_size
    executor.execute(made)
    store.close()
    assert (tmp_path / "state.db").stat().st_size - before <= 16 * 1024


def test_a_run_that_skipped_something_asks_its_condition_anew(
    store: StateStore, executor: Executor, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    made = workflow()
    made.add_task(one, name="maybe", when=flag.exists, trust="pathlib")
    assert executor.execute(made).tasks["maybe"].status is TaskStatus.SKIPPED
    assert executor.execute(made).tasks["maybe"].status is TaskStatus.SKIPPED
    assert {run.base for run in store.runs()} == {None}
    flag.touch()
    assert executor.execute(made).tasks["maybe"].origin is Origin.EXECUTED


def written() -> Path:
    path = Path("made.txt")
    path.write_text("made")
    return path


def test_a_file_that_an_earlier_execution_of_the_run_made_is_looked_at(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def unless(written: Path) -> str:
        if not Path("ready").exists():
            raise ValueError
        return written.read_text()

    made = Workflow("sealed", [Task("written", written), Task("unless", unless, trust="pathlib")])
    executor.execute(made, raise_on_failure=False)
    Path("ready").touch()
    assert executor.execute(made).tasks["written"].origin is Origin.RESTORED
    Path("made.txt").unlink()
    assert executor.execute(made).tasks["written"].origin is Origin.EXECUTED


def test_a_stop_that_was_asked_for_before_stops_it(executor: Executor) -> None:
    executor.execute(workflow())
    stop = Stop()
    stop.set()
    assert executor.execute(workflow(), stop=stop).status is RunStatus.CANCELLED


def test_what_ran_since_counts_for_more(store: StateStore, executor: Executor) -> None:
    ticks = count()
    made = Workflow("ticking", [Task("tick", lambda: next(ticks), trust="ticks")])
    assert executor.execute(made)["tick"] == 0
    assert executor.execute(made, reuse="never")["tick"] == 1
    assert executor.execute(made)["tick"] == 1


def test_a_restored_run_can_be_pickled(executor: Executor) -> None:
    executor.execute(workflow())
    copy: Run = pickle.loads(pickle.dumps(executor.execute(workflow())))
    assert (copy["total"], copy["double"]) == (12, [2, 4, 6])
    assert copy.tasks["total"].origin is Origin.RESTORED


def test_an_edited_docstring_leaves_a_graph_that_can_be_drawn(
    store: StateStore, executor: Executor
) -> None:
    def body() -> int:
        return 1

    body.__doc__ = "Say one."
    first = executor.execute(Workflow("told", [Task("body", body)]))
    body.__doc__ = "Tell one."
    again = executor.execute(Workflow("told", [Task("body", body)]))
    assert store.run(again.id).base == first.id
    assert again.blueprint.purposes == {0: "Tell one."}


def test_elements_that_took_the_result_of_one_like_them_are_there_too(store: StateStore) -> None:
    doubles = Task("double", double, inputs={"number": each("numbers")}, tags=["alone"])
    made = Workflow("alike", [doubles, Task("total", total)])
    executor = SequentialExecutor(state_store=store, limits={"alone": 1})
    executor.execute(made, {"numbers": [1]})
    for _ in range(3):  # as it comes to be, and restored whole
        run = executor.execute(made, {"numbers": [7, 7, 7]})
        records = [record for record in store.tasks(run.id) if record.element]
        assert [record.element for record in records] == ["0", "1", "2"]
        assert run["double"] == [14, 14, 14]
    assert {task.origin for task in run.tasks["double"].elements} == {Origin.RESTORED}

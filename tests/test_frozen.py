"""Runs that went through a pickle: as they were, with the results that could be taken along."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    NoResultError,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    TaskStatus,
    Workflow,
    WorkflowFailed,
    each,
    frozen,
    load_run,
    task,
)


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


@task(inputs={"number": each("numbers")}, allow_failures=True)
def tens(number: int) -> int:
    if number == 1:
        raise ValueError("one is too few")
    return 10 * number


@task
def bad(tens: list[int]) -> None:
    raise LookupError("the real reason")


def workflow() -> Workflow:
    return Workflow("counted", [numbers, tens, bad])


def executed(store: StateStore | None = None) -> Run:
    executor = SequentialExecutor(state_store=store)
    return executor.execute(workflow(), {"count": 3}, raise_on_failure=False)


def through_a_pickle(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


def picture(run: Run) -> list[Any]:
    """Return all that can be seen of a run but its results."""
    tasks = [each_one for whole in run.tasks.values() for each_one in (whole, *whole.elements)]
    return [
        (run.id, run.workflow, run.status, run.started_at, run.finished_at, run.duration),
        (run.params, run.counts(), list(run.tasks), run.record, run.blueprint),
        [(one.name, one.record) for one in tasks],
    ]


def fail_in_a_worker(_: int) -> Any:
    return SequentialExecutor().execute(workflow(), {"count": 3})["bad"]


def test_a_failed_workflow_comes_through_a_process_pool_with_its_run() -> None:
    with ProcessPoolExecutor(1) as pool, pytest.raises(WorkflowFailed) as caught:
        pool.submit(fail_in_a_worker, 1).result()
    assert "failed at task 'bad'" in str(caught.value)
    assert "the real reason" in str(caught.value.run.tasks["bad"].error)
    assert caught.value.run["tens[2]"] == 20


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_run_is_the_same_after_a_pickle(is_stored: bool, tmp_path: Path) -> None:
    run = executed(SQLiteStateStore(tmp_path / "s.db") if is_stored else None)
    again = through_a_pickle(run)
    assert picture(again) == picture(run)
    assert again["numbers"] == [0, 1, 2]
    assert again["tens"] == run["tens"]
    assert again.tasks["tens"].elements[2].result == again["tens[2]"] == 20
    assert picture(through_a_pickle(again)) == picture(run)


def test_a_run_that_was_loaded_is_the_same_after_a_pickle(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "s.db")
    run = load_run(workflow(), store, executed(store).id)
    again = through_a_pickle(run)
    assert picture(again) == picture(run)
    assert again["tens"] == run["tens"]


def test_one_task_of_a_run_can_be_pickled() -> None:
    whole, part = map(through_a_pickle, (executed().tasks["tens"], executed().tasks["tens[2]"]))
    assert (whole.name, len(whole.elements), whole.status) == ("tens", 3, TaskStatus.COMPLETED)
    assert (part.name, part.element, part.result) == ("tens[2]", "2", 20)


def test_a_deep_copy_stays_as_it_was() -> None:
    seen = []

    @task
    def look() -> None:
        seen.append(copy.deepcopy(looking.last_run))

    looking = Workflow("looking", [look])
    run = SequentialExecutor().execute(looking)
    assert seen[0].tasks["look"].status is TaskStatus.RUNNING
    assert run.tasks["look"].status is TaskStatus.COMPLETED


def test_what_has_no_result_says_why() -> None:
    again = through_a_pickle(executed())
    with pytest.raises(NoResultError, match=r"Task 'bad' .* here: failed: .*the real reason"):
        again["bad"]


class OnlyHere:
    """Can be pickled, but not unpickled."""

    def __reduce__(self) -> Any:
        return _fail, ()


def _fail() -> None:
    raise ImportError("not here")


def test_one_result_that_can_not_travel_costs_no_other() -> None:
    items = Workflow("items")
    items.add_task(threading.Lock, name="lock")
    items.add_task(OnlyHere, name="only here")
    items.add_task(lambda: 1, name="one")
    again = through_a_pickle(SequentialExecutor().execute(items))
    assert again["one"] == 1
    with pytest.raises(NoResultError, match=r"'lock' .* it can't be pickled"):
        again["lock"]
    with pytest.raises(NoResultError, match=r"'only here' .* unpickled here \(not here\)"):
        again["only here"]


def test_a_parameter_that_can_not_travel_is_left_out() -> None:
    taking = Workflow("taking")
    taking.add_task(lambda lock, one: one, name="one of them")
    run = SequentialExecutor().execute(taking, {"lock": threading.Lock(), "one": 1})
    assert through_a_pickle(run).params == {"one": 1}


def test_of_what_a_store_has_only_so_much_is_taken_along(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frozen, "_MOST_BYTES", 1)
    again = through_a_pickle(executed(SQLiteStateStore(tmp_path / "s.db")))
    assert again["numbers"] == [0, 1, 2]
    with pytest.raises(NoResultError, match=r"load_run\(\) reads it from sqlite:///.*s\.db"):
        again["tens[2]"]
    assert through_a_pickle(executed())["tens[2]"] == 20

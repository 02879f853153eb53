"""What definitions say of their last run, and for how long that is kept."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from flowweaver import (
    MemoryStateStore,
    Run,
    SequentialExecutor,
    StateStore,
    StoreWriteError,
    Task,
    TaskStatus,
    Workflow,
    task,
)


class Token:
    """A value that can be watched."""


@task
def token() -> Token:
    return Token()


def run_with_a_hook_that_knows_the_workflow() -> weakref.ref[Workflow]:
    workflow = Workflow("w", [token])
    workflow.add_task(
        token,
        name="hooked",
        on_status_change=lambda name, _: workflow.get_task_status(name),
    )
    SequentialExecutor().execute(workflow)
    return weakref.ref(workflow)


def test_a_run_nobody_holds_is_still_spoken_of() -> None:
    workflow = Workflow("w", [token])
    SequentialExecutor().execute(workflow)
    gc.collect()
    assert isinstance(token.result, Token)
    assert workflow.get_task_result("token") is token.result
    assert workflow.last_run is not None
    assert workflow.last_run.tasks["token"].status is token.status is TaskStatus.COMPLETED


@pytest.mark.parametrize("make_store", [lambda: None, MemoryStateStore])
def test_the_last_run_is_the_one_that_was_returned_as_long_as_it_is_held(
    make_store: Callable[[], StateStore | None],
) -> None:
    workflow = Workflow("w", [Task("one", lambda: 1)])
    run = SequentialExecutor(state_store=make_store()).execute(workflow)
    assert workflow.last_run is run


def test_results_go_with_the_workflow() -> None:
    workflow = Workflow("w", [token])
    SequentialExecutor().execute(workflow)
    watched = weakref.ref(workflow.get_task_result("token"))
    gc.collect()
    assert watched() is not None
    del workflow
    gc.collect()
    assert watched() is None
    assert token.status is TaskStatus.PENDING


@pytest.mark.parametrize("make_store", [lambda: None, MemoryStateStore])
def test_results_stay_with_the_run_when_the_workflow_is_gone(
    make_store: Callable[[], StateStore | None],
) -> None:
    one = Task("one", lambda: 1)
    executor = SequentialExecutor(state_store=make_store())
    for _ in range(2):  # the second time all of it is restored, where there is a store
        run = executor.execute(Workflow("w", [one]))
        gc.collect()
        assert (one.status, one.result) == (TaskStatus.COMPLETED, 1)
    del run
    gc.collect()
    assert one.status is TaskStatus.PENDING


def test_the_run_started_last_counts_whether_it_or_its_workflow_is_held() -> None:
    calls: list[int] = []
    task = Task("count", lambda: calls.append(1) or len(calls))
    kept = Workflow("kept", [task])
    SequentialExecutor().execute(kept)
    run = SequentialExecutor().execute(Workflow("gone", [task]))
    assert task.result == run["count"] == 2
    SequentialExecutor().execute(kept)
    assert task.result == 3


def run_that_a_hook_of_its_task_knows() -> weakref.ref[Run]:
    known: list[Run] = []
    task = Task("one", lambda: 1, on_status_change=lambda *_: known)
    known.append(SequentialExecutor().execute(Workflow("w", [task])))
    return weakref.ref(known[0])


def test_a_run_goes_although_its_tasks_know_it() -> None:
    run = run_that_a_hook_of_its_task_knows()
    gc.collect()
    assert run() is None


def test_a_workflow_goes_although_its_functions_know_it() -> None:
    workflow = run_with_a_hook_that_knows_the_workflow()
    gc.collect()
    assert workflow() is None


def test_results_of_a_run_before_the_last_are_let_go_of() -> None:
    workflow = Workflow("w", [token])
    SequentialExecutor().execute(workflow)
    watched = weakref.ref(workflow.get_task_result("token"))
    SequentialExecutor().execute(workflow)
    gc.collect()
    assert watched() is None


def test_a_task_added_since_has_not_begun() -> None:
    workflow = Workflow("w", [token])
    SequentialExecutor().execute(workflow)
    later = workflow.add_task(lambda token: token, name="later")
    assert (later.status, later.result, later.error) == (TaskStatus.PENDING, None, None)
    assert workflow.get_task_status("later") is TaskStatus.PENDING


@pytest.mark.parametrize("copied", [copy.copy, lambda item: pickle.loads(pickle.dumps(item))])
def test_a_copy_of_a_workflow_has_not_run(copied: Callable[[Any], Any]) -> None:
    workflow = Workflow("w", [token])
    SequentialExecutor().execute(workflow)
    assert copied(workflow).last_run is None


class Full(MemoryStateStore):
    """Takes no commits of TaskRuns."""

    def commit(self, lease: Any, changes: Any) -> None:
        """Refuse to write TaskRuns."""
        if changes.tasks:
            raise StoreWriteError("full")
        super().commit(lease, changes)


def test_a_run_whose_store_failed_is_spoken_of() -> None:
    workflow = Workflow("w", [token])
    with pytest.raises(StoreWriteError):
        SequentialExecutor(state_store=Full()).execute(workflow)
    assert workflow.last_run is not None
    assert token.status is TaskStatus.RUNNING

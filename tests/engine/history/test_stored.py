"""Runs as a store tells of them: the same answers as those of the run that was executed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flowweaver import (
    Failure,
    MemoryStateStore,
    NoResultError,
    Origin,
    Run,
    RunStatus,
    SequentialExecutor,
    StoreError,
    Task,
    TaskRun,
    TaskStatus,
    UnknownNameError,
    Workflow,
    each,
    load_run,
)
from flowweaver.records import Changes, ClaimRequest


def fail_at_two(x: int) -> int:
    if x == 2:
        raise ValueError("two")
    return 10 * x


def every_kind() -> Workflow:
    workflow = Workflow("every kind", [Task("rows", lambda: [[1], [], [2, 3]])])
    workflow.add_task(
        fail_at_two,
        name="each",
        inputs={"x": each(each("rows"))},
        allow_failures=True,
    )
    workflow.add_task(lambda each: each, name="all")
    workflow.add_task(lambda: 2, name="two")
    workflow.add_task(fail_at_two, name="bad", inputs={"x": "two"})
    workflow.add_task(lambda bad: bad, name="behind")
    workflow.add_task(lambda: 1, name="never", when=lambda: False)
    return workflow


@pytest.fixture
def both() -> tuple[Run, Run]:
    """Give a run as it was executed and as its store tells of it."""
    store, workflow = MemoryStateStore(), every_kind()
    executor = SequentialExecutor(state_store=store)
    run = executor.execute(workflow, {}, raise_on_failure=False)
    return run, load_run(workflow, store, run.id)


def facts(task: TaskRun) -> list[Any]:
    return [
        *(task.name, task.task, task.element, task.status, task.attempts, task.origin),
        *(task.error, task.duration, task.started_at, task.finished_at, len(task.elements)),
    ]


def test_a_run_is_told_of_alike_by_its_process_and_by_its_store(both: tuple[Run, Run]) -> None:
    live, stored = both
    assert list(live.tasks) == list(stored.tasks)
    for name, task in live.tasks.items():
        assert facts(task) == facts(stored.tasks[name])
        for element, kept in zip(task.elements, stored.tasks[name].elements, strict=True):
            assert facts(element) == facts(kept)
    assert live.counts() == stored.counts()
    assert (live.id, live.workflow, live.status) == (stored.id, stored.workflow, stored.status)
    assert (live.started_at, live.finished_at) == (stored.started_at, stored.finished_at)
    assert live.params == stored.params == {}


def test_results_are_those_of_the_run(both: tuple[Run, Run]) -> None:
    for run in both:
        tens, nothing, last = run["each"]
        assert (tens, nothing, last[1]) == ([10], [], 30)
        assert isinstance(last[0], Failure)
        assert run["each[2.1]"] == run.tasks["each"].elements[-1].result == 30
        assert run["all"] == run["each"]


def test_what_has_no_result_says_why(both: tuple[Run, Run]) -> None:
    for run in both:
        with pytest.raises(NoResultError, match=r"Task 'bad' .* has no result: failed: .*two"):
            run["bad"]
        with pytest.raises(NoResultError, match=r"Task 'never' .* has no result"):
            run["never"]


def test_elements_stand_in_the_order_of_their_keys() -> None:
    store, workflow = (
        MemoryStateStore(),
        Workflow("w", [Task("m", fail_at_two, inputs={"x": each("xs")})]),
    )
    SequentialExecutor(state_store=store).execute(
        workflow, {"xs": list(range(3, 15))}, run_id="one"
    )
    run = load_run(workflow, store, "one")
    assert [task.element for task in run.tasks["m"].elements] == [str(n) for n in range(12)]
    assert [task.name for task in run.tasks["m"].elements[9:11]] == ["m[9]", "m[10]"]


def test_names_that_there_are_not_are_unknown(both: tuple[Run, Run]) -> None:
    for run in both:
        for name in ("eahc", "each[7]", "each[1.0]", "rows[0]", "each[x]", "[0]"):
            assert name not in run
            with pytest.raises(UnknownNameError):
                run.tasks[name]


def test_what_was_not_come_to_is_pending_until_the_run_is_over() -> None:
    store, workflow = MemoryStateStore(), Workflow("w", [Task("a", lambda: 1)])
    lease = store.claim(ClaimRequest("w", "k", run_id="one"))
    assert load_run(workflow, store, "one").tasks["a"].status is TaskStatus.PENDING
    ended = replace(lease.run, status=RunStatus.CANCELLED, finished_at=2.0)
    store.commit(lease, Changes(run=ended))
    assert load_run(workflow, store, "one").tasks["a"].status is TaskStatus.CANCELLED


def test_a_run_of_another_workflow_is_refused() -> None:
    store = MemoryStateStore()
    SequentialExecutor(state_store=store).execute(Workflow("w", [Task("a", int)]), run_id="one")
    with pytest.raises(StoreError, match="Run one is of workflow 'w', not of 'v'"):
        load_run(Workflow("v", [Task("a", int)]), store, "one")
    with pytest.raises(UnknownNameError):
        load_run(Workflow("w", [Task("a", int)]), store, "two")


def test_what_an_earlier_run_made_is_restored() -> None:
    store, workflow = MemoryStateStore(), Workflow("w", [Task("a", lambda: 1)])
    executor = SequentialExecutor(state_store=store)
    executor.execute(workflow)
    run = load_run(workflow, store, executor.execute(workflow).id)
    assert run.status is RunStatus.COMPLETED
    assert run.tasks["a"].origin is Origin.RESTORED

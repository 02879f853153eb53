"""Bodies that misbehave. CATALOGUE.md says what is proved elsewhere."""

import asyncio
import logging
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from flowweaver import (
    AsyncExecutor,
    ProcessExecutor,
    Run,
    SequentialExecutor,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    WorkflowFailed,
    current_task,
)
from flowweaver.testing import bodies
from tests.executors import deadly
from tests.faults.bodies import MEDDLERS, meddling_run
from tests.faults.call import in_fresh_process
from tests.faults.children import STORES
from tests.faults.crashes import killed_in_backoff

BOTH = pytest.mark.parametrize("store", ["sqlite", "json"])


def test_third_death_of_its_worker_is_the_tasks_own_failure(tmp_path):
    workflow = Workflow("w", [Task("dies", deadly.die_until)])
    params = {"folder": str(tmp_path), "attempt": 100}
    with ProcessExecutor(2) as executor:
        run = executor.execute(workflow, params, raise_on_failure=False)
    assert run.tasks["dies"].status is TaskStatus.FAILED
    assert bodies.notes(str(tmp_path)) == ["1", "2", "3"]


@pytest.mark.parametrize("executor", ["sequential", "threads", "processes"])
@pytest.mark.parametrize("meddler", MEDDLERS)
def test_body_that_changes_its_process_moves_no_store_and_stops_no_run(meddler, executor):
    seen = in_fresh_process(meddling_run, meddler, "sqlite", executor)
    assert seen["there"]
    assert seen["first"] == seen["again"] == 1
    assert seen["origins"] == ["Origin.RESTORED", "Origin.RESTORED"]


HANGS = """
import sys, time
from flowweaver import Task, ThreadedExecutor, Workflow
hangs = Task("hangs", lambda: time.sleep(600), timeout=0.2).with_options(version="1")
made = ThreadedExecutor(2).execute(Workflow("w", [hangs]), raise_on_failure=False)
print(made.tasks["hangs"].error.kind)
"""


def test_body_that_hangs_in_a_thread_does_not_hold_up_the_end_of_the_process():
    done = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip().endswith("TaskTimeoutError")


@pytest.mark.parametrize("store", [None, "sqlite", "json"])
def test_late_result_of_a_body_that_was_given_up_counts_for_nothing(tmp_path, store):
    kept = None if store is None else STORES[store](tmp_path)
    ended = []

    def slow_at_first() -> int:
        attempt = current_task().attempt
        if attempt == 1:
            time.sleep(0.6)
            ended.append(attempt)
        return attempt

    def wait_for_it(slow: int) -> int:
        while not ended:
            time.sleep(0.01)
        return slow

    tasks = [
        Task("slow", slow_at_first, timeout=0.2, retries=1).with_options(version="1"),
        Task("after", wait_for_it, inputs={"slow": "slow"}).with_options(version="1"),
    ]
    run = ThreadedExecutor(2, state_store=kept).execute(Workflow("late", tasks))
    assert (run["slow"], run["after"]) == (2, 2)
    if kept is not None:
        assert kept.tasks(run.id)[0].attempts == 2
        kept.close()


async def swallow() -> None:
    while not released:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)


async def leak() -> str:
    leaked.append(asyncio.get_running_loop().create_task(asyncio.sleep(600)))
    return "done"


async def raise_in_finally() -> None:
    try:
        await asyncio.sleep(600)
    finally:
        raise ValueError("in finally")


leaked: list[asyncio.Task] = []
released: list[bool] = []


async def in_a_loop_of_ones_own(executor: AsyncExecutor, workflow: Workflow) -> Run:
    run = await executor.execute_async(workflow, raise_on_failure=False)
    # `asyncio.run` waits for every coroutine of its loop to end.
    released.append(True)
    return run


@BOTH
@pytest.mark.parametrize("face", ["execute", "execute_async"])
def test_coroutines_that_misbehave_are_over_at_their_limit(tmp_path, store, face):
    released.clear()

    tasks = [
        Task("swallows", swallow, timeout=0.2).with_options(version="1"),
        Task("leaks", leak).with_options(version="1"),
        Task("raises", raise_in_finally, timeout=0.2).with_options(version="1"),
        Task("other", lambda: 1).with_options(version="1"),
    ]
    kept = STORES[store](tmp_path)
    executor, workflow = AsyncExecutor(4, state_store=kept), Workflow("w", tasks)
    if face == "execute":
        run = executor.execute(workflow, raise_on_failure=False)
    else:
        run = asyncio.run(in_a_loop_of_ones_own(executor, workflow))
    kept.close()
    statuses = {name: task.status for name, task in run.tasks.items()}
    assert statuses == {
        "swallows": TaskStatus.FAILED,
        "leaks": TaskStatus.COMPLETED,
        "raises": TaskStatus.FAILED,
        "other": TaskStatus.COMPLETED,
    }


@BOTH
@pytest.mark.parametrize("executor", ["sequential", "threads"])
def test_kill_during_a_backoff_keeps_what_is_left_of_the_retries(store, executor):
    seen = in_fresh_process(killed_in_backoff, store, executor)
    assert seen["killed"]
    # Two retries: three attempts in all, however often the process is killed in between.
    assert seen["attempts"] == [1, 2, 3]
    assert seen["failed"]
    assert seen["kept"] == 3


@BOTH
def test_hook_that_executes_the_workflow_again_changes_nothing(tmp_path, store):
    kept, calls, told = STORES[store](tmp_path), [], []

    def body() -> int:
        calls.append(1)
        return 1

    def hook(name: str, status: TaskStatus) -> None:
        told.append(status)
        workflow.get_task_result("t")
        SequentialExecutor().execute(Workflow("inner", [Task("t", lambda: 2)]))
        raise RuntimeError("a hook of the user's")

    workflow = Workflow("w", [Task("t", body, on_status_change=hook).with_options(version="1")])
    run = ThreadedExecutor(2, state_store=kept).execute(workflow)
    kept.close()
    assert run["t"] == 1
    assert calls == [1]
    assert told[-1] is TaskStatus.COMPLETED


@BOTH
def test_values_are_not_logged_and_errors_show_only_what_bodies_put_into_them(
    tmp_path, store, caplog
):
    """There is no type for secrets: what a body prints or raises is kept as it is."""
    secret = "hunter2-hunter2"

    def use(password: str) -> str:
        return password[::-1]

    def fail(use: str, password: str) -> None:
        raise PermissionError("refused")

    caplog.set_level(logging.DEBUG)
    kept = STORES[store](tmp_path)
    workflow = Workflow("secretive", [use, fail])
    executor = ThreadedExecutor(2, state_store=kept)
    with pytest.raises(WorkflowFailed) as caught:
        executor.execute(workflow, {"password": secret})
    kept.close()
    said = caplog.text + str(caught.value) + repr(caught.value.run)
    assert secret not in said
    assert secret[::-1] not in said

"""Retries that listen: to the exception, to the body, and to whoever reads the log."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver import (
    Event,
    EventKind,
    Executor,
    MemoryStateStore,
    Retry,
    SequentialExecutor,
    Skip,
    SQLiteStateStore,
    TaskStatus,
    Workflow,
    WorkflowFailed,
    current_task,
    each,
    task,
)
from flowweaver.engine.starter import wait_of
from flowweaver.records import TaskRecord
from tests.acceptance.test_flow import EXECUTORS
from tests.cli.command import Project


class TooManyRequests(Exception):
    """What an HTTP client raises, with the answer's header."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


def asked_for(error: BaseException, attempt: int) -> float:
    after = getattr(error, "retry_after", 0.0)
    return float(after) * attempt


@task(retries=2, backoff=asked_for)
def page() -> str:
    if current_task().attempt < 3:
        raise TooManyRequests(0.01)
    return "page"


@task(retries=2, backoff=1000, retry_on=(OSError,))
async def job() -> str:
    if current_task().attempt < 3:
        raise Retry("not ready", after=0.02)
    return "done"


@task(inputs={"day": each("days")})
def load(day: int) -> int:
    print("looking at", day)
    if day == 2:
        raise Skip(f"no data on day {day}")
    return day


@task(inputs={"day": each("days")})
async def load_async(day: int) -> int:
    if day == 2:
        raise Skip
    return day


@task
def total(load: list[int], load_async: list[int]) -> int:
    return sum(load) + sum(load_async)


def delays(executor: Executor, workflow: Workflow) -> list[float | None]:
    """Execute a workflow and return the waits that were told before its retries."""
    told: list[Event] = []
    executor.execute(workflow, observers=(told.append,))
    return [event.delay for event in told if event.kind is EventKind.TASK_RETRYING]


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_a_function_of_the_exception_and_the_attempt_says_how_long_to_wait(
    executor: Callable[..., Executor],
) -> None:
    found = delays(executor(state_store=MemoryStateStore()), Workflow("w", [page]))
    assert found == [pytest.approx(0.01, abs=0.005), pytest.approx(0.02, abs=0.005)]


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_a_body_asks_for_another_attempt_and_when(executor: Callable[..., Executor]) -> None:
    found = delays(executor(), Workflow("w", [job]))
    assert found == [pytest.approx(0.02, abs=0.005)] * 2


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_a_body_skips_itself_and_says_why(
    executor: Callable[..., Executor], tmp_path: Path
) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    workflow = Workflow("w", [load, load_async, total])
    run = executor(state_store=store).execute(workflow, {"days": [1, 2, 3]})
    skipped = run.tasks["load[1]"]
    assert (skipped.status, skipped.attempts) == (TaskStatus.SKIPPED, 1)
    assert skipped.reason == "its body skipped it: no data on day 2"
    assert run.tasks["load_async[1]"].reason == "its body skipped it"
    assert run["total"] == 8
    logs = {attempt.element: attempt.log for attempt in store.attempts(run.id, "load")}
    assert logs["1"] == "looking at 2\n"


def test_what_was_skipped_is_tried_again_by_the_next_run() -> None:
    executor = SequentialExecutor(state_store=MemoryStateStore())
    workflow = Workflow("w", [load, load_async, total])
    executor.execute(workflow, {"days": [1, 2]})
    again = executor.execute(workflow, {"days": [1, 2]})
    assert again.tasks["load[1]"].attempts == 1
    assert again.tasks["load[0]"].source_run is not None


def test_without_retries_left_what_asks_for_another_attempt_has_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @task
    def never() -> None:
        raise Retry(after=30)

    with pytest.raises(WorkflowFailed, match="another attempt was asked for in 30 s"):
        SequentialExecutor().execute(Workflow("w", [never]))
    assert "no attempt is left" in caplog.text


def test_a_group_of_requests_waits_for_the_longest_of_them() -> None:
    @task(retries=1, retry_on=())
    def several() -> int:
        if current_task().attempt == 1:
            raise ExceptionGroup("all", [Retry(after=0.01), Retry(after=0.03)])
        return 1

    assert delays(SequentialExecutor(), Workflow("w", [several])) == [
        pytest.approx(0.03, abs=0.005)
    ]


def test_a_wait_that_the_body_asked_for_outlasts_a_restart() -> None:
    left = TaskRecord("run", "job", started_at=100.0, duration=5.0, retry_at=135.0)
    assert wait_of(left, 135.0) == 30.0


def test_a_function_that_raises_or_says_nonsense_costs_no_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(error: BaseException, attempt: int) -> float:
        return -1.0

    @task(retries=1, backoff=broken)
    def flaky() -> int:
        if current_task().attempt == 1:
            raise OSError("away")
        return 1

    assert delays(SequentialExecutor(), Workflow("w", [flaky])) == [0.0]
    assert "backoff of a task raised" in caplog.text


# The log ----------------------------------------------------------------------------------------

FLAKY = """
from flowweaver import SequentialExecutor, Workflow, current_task, task

@task(retries=1, backoff=0.01)
def fetch():
    if current_task().attempt == 1:
        raise ConnectionError("refused\\nby the host")
    return 1

w = Workflow("w", [fetch])
if __name__ == "__main__":
    SequentialExecutor().execute(w)
"""


def test_a_failed_attempt_has_one_line_in_a_script(project: Project) -> None:
    project.write("flaky.py", FLAKY)
    done = subprocess.run(
        [sys.executable, "flaky.py"], cwd=project.folder, capture_output=True, encoding="utf-8"
    )
    assert done.stderr == (
        "fetch failed, attempt 1, the next comes in 0.01 s: "
        "ConnectionError: refused\\nby the host\n"
    )


def test_the_command_tells_of_a_failed_attempt_once(project: Project) -> None:
    project.write("flaky.py", FLAKY)
    told = project.run("run", "flaky.py").stderr
    assert len(re.findall("refused", told)) == 1
    assert project.run("run", "flaky.py", "-q").stderr == ""


def test_the_line_carries_what_programs_look_for(caplog: pytest.LogCaptureFixture) -> None:
    @task(retries=1)
    def fetch() -> int:
        if current_task().attempt == 1:
            raise ConnectionError("refused")
        return 1

    run = SequentialExecutor().execute(Workflow("w", [fetch]))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("flowweaver.attempts", logging.WARNING)
    fields = vars(record)
    assert {name: fields[name] for name in ("run_id", "task", "attempt", "delay")} == {
        "run_id": run.id,
        "task": "fetch",
        "attempt": 1,
        "delay": 0.0,
    }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)

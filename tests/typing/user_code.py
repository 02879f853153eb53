"""What a type checker sees in a user's code. It is checked by `make types`, never run.

Each `type: ignore` marks an error that must be found: under `--strict` an unneeded one is an error.
"""

from collections.abc import Mapping
from typing import Any, assert_type

from flowweaver import (
    AsyncExecutor,
    CurrentTask,
    Event,
    EventKind,
    Executor,
    Failure,
    JSONStateStore,
    Origin,
    Run,
    RunStatus,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Stop,
    Task,
    TaskRun,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    WorkflowFailed,
    current_task,
    each,
    exponential,
    task,
)

# Decorated functions are called as before, with the same types. ------------------------------


@task
def fetch(url: str, limit: int = 10) -> list[str]:
    """Get lines."""
    return [url] * limit


@task(retries=3, backoff=exponential(0.5), timeout=30, retry_on=(ConnectionError,))
def count(fetch: list[str]) -> int:
    """Count them."""
    return len(fetch)


@task("how many there are", retry_on=lambda error: isinstance(error, OSError))
def count_again(fetch: list[str], *, scale: float = 1.0) -> float:
    """Count them otherwise."""
    return scale * len(fetch)


@task
async def wait(count: int) -> str:
    """Say so."""
    return str(count) + current_task().run_id


class Shop:
    """Has a task for a method."""

    @task
    def price(self, count: int) -> float:
        """Say what it costs."""
        return count / 2


def plain(count: int) -> float:
    """Serve without a decorator."""
    return count / 2


assert_type(fetch("here"), list[str])
assert_type(fetch(url="here", limit=3), list[str])
assert_type(count(["a"]), int)
assert_type(count_again(["a"], scale=2.0), float)
assert_type(Shop().price(3), float)
assert_type(Task("half", plain), Task[[int], float])  # type: ignore[assert-type]  # names are kept
assert_type(Task("half", plain)(3), float)
assert_type(count.with_options("other", retries=5)(["a"]), int)
assert_type(count.name, str)
assert_type(count.status, TaskStatus)
assert_type(count.error, str | None)

fetch(3)  # type: ignore[arg-type]
fetch("here", size=3)  # type: ignore[call-arg]
fetch()  # type: ignore[call-arg]
count(["a"]).upper()  # type: ignore[attr-defined]
Task("half", plain)("3")  # type: ignore[arg-type]
Task("half", 3)  # type: ignore[arg-type]
count.name = "other"  # type: ignore[assignment]

task(retries="many")  # type: ignore[call-overload]
task(retry=3)  # type: ignore[call-overload]
task(retry_on=int)  # type: ignore[arg-type]
count.with_options(timeout="3 s")  # type: ignore[arg-type]

# Workflows ----------------------------------------------------------------------------------

workflow = Workflow("typed", [fetch, count, count_again, wait])
half = workflow.add_task(plain, name="half", depends_on=["wait"], inputs={"count": "count"})
workflow.add_task(plain, name="halves", inputs={"count": each("fetch")}, retries=2)


@workflow.task
def report(count: int, title: str = "Sales") -> dict[str, int]:
    """Put it together."""
    return {title: count}


@workflow.task("the end", timeout=3)
async def end(report: dict[str, int]) -> None:
    """Do nothing."""


assert_type(report(3), dict[str, int])
assert_type(half.name, str)
assert_type(workflow.get_task("half"), Task[..., Any] | None)
assert_type(workflow.get_task_status("half"), TaskStatus | None)
assert_type(workflow.get_dependencies("half"), list[str])
assert_type(workflow.get_execution_plan(), list[list[Task[..., Any]]])
assert_type(workflow.parameters, dict[str, bool])

report("3")  # type: ignore[arg-type]
workflow.add_task(3)  # type: ignore[arg-type]
workflow.add_task(plain, depends_on=[plain])  # type: ignore[list-item]
workflow.add_task(plain, inputs={"count": 3})  # type: ignore[dict-item]
workflow.get_task("half").name  # type: ignore[union-attr]

# Runs ---------------------------------------------------------------------------------------


def watch(event: Event) -> None:
    """Look at what happens."""
    assert_type(event.kind, EventKind)
    assert_type(event.failure, Failure | None)


def pick(store: StateStore | None) -> Executor:
    """Choose where to run."""
    return SequentialExecutor(state_store=store, observers=(watch,))


stop = Stop()
executor = ThreadedExecutor(max_workers=2, state_store=SQLiteStateStore("state.db"))
run = executor.execute(workflow, {"url": "here"}, on_failure="stop", stop=stop)
assert_type(run, Run)
assert_type(run.id, str)
assert_type(run.status, RunStatus)
assert_type(run["half"], Any)
assert_type(run.tasks, Mapping[str, TaskRun])
assert_type(run.tasks["count"].attempts, int)
assert_type(run.tasks["count"].status, TaskStatus)
assert_type(run.tasks["count"].origin, Origin | None)
assert_type(run.tasks["count"].duration, float | None)
assert_type(run.tasks["count"].error, Failure | None)

executor.execute(workflow, on_failure="halt")  # type: ignore[arg-type]
executor.execute(workflow, on_failed="stop")  # type: ignore[call-arg]
executor.execute(fetch)  # type: ignore[arg-type]
ThreadedExecutor(max_workers="all")  # type: ignore[arg-type]
run.status = RunStatus.COMPLETED  # type: ignore[misc]

try:
    pick(JSONStateStore("state.json")).execute(workflow)
except WorkflowFailed as failed:
    assert_type(failed.run, Run)
    raise RuntimeError("it failed") from failed


async def in_a_loop() -> str:
    """Await a run where a loop runs already."""
    run = await AsyncExecutor(max_concurrency=2).execute_async(workflow, {"url": "here"})
    assert_type(run, Run)
    assert_type(await wait(3), str)
    return await wait(count=3)


def in_a_body() -> tuple[str, int]:
    """Know what attempt this is."""
    assert_type(current_task(), CurrentTask)
    return current_task().idempotency_key, current_task().attempt

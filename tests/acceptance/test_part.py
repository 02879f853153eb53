"""A part of a workflow, as a user asks for it: in code, on every executor, and by the command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    Executor,
    JSONStateStore,
    ParameterError,
    ProcessExecutor,
    RunStatus,
    SequentialExecutor,
    SQLiteStateStore,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    WorkflowFailed,
    each,
    load_run,
    task,
)
from flowweaver.engine.history.prune import Retain, prune
from flowweaver.report.view.assemble import View
from flowweaver.report.view.loose import source_of
from tests.cli.command import Project


@task
def fetch(url: str) -> list[int]:
    return list(range(len(url)))


@task(inputs={"row": each("fetch")})
def double(row: int) -> int:
    return 2 * row


@task
def audit(fetch: list[int]) -> int:
    return len(fetch)


@task
def report(double: list[int], audit: int, title: str) -> str:
    return f"{title}: {sum(double)} of {audit}"


sales = Workflow("sales", [fetch, double, audit, report])
EXECUTORS = [SequentialExecutor, ThreadedExecutor, AsyncExecutor, ProcessExecutor]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStateStore]:
    store = SQLiteStateStore(tmp_path / "state.db")
    yield store
    store.close()


def origins(run: Any) -> dict[str, str]:
    return {name: task.origin.value for name, task in run.tasks.items()}


@pytest.mark.parametrize("kind", EXECUTORS)
@pytest.mark.parametrize("stored", [True, False])
def test_target_and_what_it_needs_are_done(
    store: SQLiteStateStore, kind: Callable[..., Executor], stored: bool
) -> None:
    executor = kind(state_store=store if stored else None)
    run = executor.execute(sales, {"url": "abc"}, targets=["double"])
    assert run["double"] == [0, 2, 4]
    assert list(run.tasks) == ["fetch", "double"]
    assert (run.status, run.targets) == (RunStatus.COMPLETED, ("double",) if stored else ())


def test_target_is_done_without_blocking_a_loop(store: SQLiteStateStore) -> None:
    executor = AsyncExecutor(state_store=store)
    run = asyncio.run(executor.execute_async(sales, {"url": "abc"}, targets="audit"))
    assert (run["audit"], list(run.tasks)) == (3, ["fetch", "audit"])


@pytest.mark.parametrize("make", [SQLiteStateStore, JSONStateStore])
def test_results_are_shared_with_whole_runs_both_ways(
    tmp_path: Path, make: Callable[..., Any]
) -> None:
    executor = SequentialExecutor(state_store=make(tmp_path / "state"))
    given = {"url": "abc", "title": "Sales"}
    executor.execute(sales, {"url": "abc"}, targets=["audit"])
    whole = executor.execute(sales, given)
    assert origins(whole) == {
        "fetch": "restored",
        "double": "executed",
        "audit": "restored",
        "report": "executed",
    }
    part = executor.execute(sales, given, targets=["double"])
    assert origins(part) == {"fetch": "restored", "double": "restored"}
    again = executor.execute(sales, given)
    assert set(origins(again).values()) == {"restored"}


def test_results_are_found_by_name_behind_any_number_of_parts(store: SQLiteStateStore) -> None:
    executor, given = SequentialExecutor(state_store=store), {"url": "abc", "title": "Sales"}
    executor.execute(sales, given)
    for _ in range(25):
        executor.execute(sales, given, targets=["fetch"])
    run = executor.execute(sales, given, reuse="completed")
    assert set(origins(run).values()) == {"restored"}


def test_what_only_the_rest_takes_is_neither_required_nor_refused(store: SQLiteStateStore) -> None:
    executor = SequentialExecutor(state_store=store)
    with pytest.raises(ParameterError, match="Missing parameter 'url', taken by 'fetch'"):
        executor.execute(sales, targets=["audit"])
    with pytest.raises(ParameterError, match="Unknown parameter 'titel'"):
        executor.execute(sales, {"url": "abc", "titel": "x"}, targets=["audit"])
    executor.execute(sales, {"url": "abc", "title": "Sales"}, targets=["audit"])


def failing() -> tuple[Workflow, list[str], list[bool]]:
    """Return a workflow with an effect before a task that fails as long as told, and its calls."""
    calls: list[str] = []
    down = [True]

    @task(effect="idempotent")
    def order() -> int:
        calls.append("order")
        return 7

    @task(version="1")
    def ship(order: int) -> int:
        calls.append("ship")
        if down[0]:
            raise OSError("down")
        return order

    @task(version="1")
    def bill(order: int) -> int:
        calls.append("bill")
        return order

    return Workflow("shop", [order, ship, bill]), calls, down


def test_part_goes_on_with_an_unfinished_run_of_the_whole(store: SQLiteStateStore) -> None:
    shop, calls, down = failing()
    executor = SequentialExecutor(state_store=store)
    with pytest.raises(WorkflowFailed) as failed:
        executor.execute(shop)
    part = executor.execute(shop, targets=["bill"])
    assert part.id == failed.value.run.id
    assert calls == ["order", "ship", "bill"]  # what was done to the world is not done again
    assert part["bill"] == 7
    assert part.status is RunStatus.FAILED  # ship is yet to be done
    assert store.run(part.id).targets == ()
    down[0] = False
    whole = executor.execute(shop)
    assert (whole.id, whole.status) == (part.id, RunStatus.COMPLETED)
    assert calls == ["order", "ship", "bill", "ship"]


def test_whole_goes_on_with_an_unfinished_run_of_a_part(store: SQLiteStateStore) -> None:
    shop, calls, down = failing()
    executor = SequentialExecutor(state_store=store)
    part = executor.execute(shop, targets=["ship"], raise_on_failure=False)
    assert store.run(part.id).targets == ("ship",)
    down[0] = False
    whole = executor.execute(shop)
    assert (whole.id, whole.status) == (part.id, RunStatus.COMPLETED)
    assert whole.targets == ()
    assert calls == ["order", "ship", "ship", "bill"]


def test_parts_of_one_run_add_up(store: SQLiteStateStore) -> None:
    shop, _, down = failing()
    executor = SequentialExecutor(state_store=store)
    executor.execute(shop, targets=["ship"], raise_on_failure=False)
    second = executor.execute(shop, targets=["order"])
    assert second.status is RunStatus.FAILED
    kept = load_run(shop, store, second.id)
    assert {name: task.status for name, task in kept.tasks.items()} == {
        "order": TaskStatus.COMPLETED,
        "ship": TaskStatus.FAILED,
    }
    down[0] = False
    last = executor.execute(shop, targets=["ship"])
    assert (last.id, last.status) == (second.id, RunStatus.COMPLETED)


def test_from_a_task_it_and_all_behind_it_are_executed_afresh(store: SQLiteStateStore) -> None:
    executor, given = SequentialExecutor(state_store=store), {"url": "abc", "title": "Sales"}
    executor.execute(sales, given)
    plan = sales.plan(given, state_store=store, from_=["double"])
    assert {task.name: task.action for task in plan if not task.element} == {
        "fetch": "restore",
        "audit": "restore",
        "double": "run",
        "report": "run",
    }
    run = executor.execute(sales, given, from_="double")
    assert origins(run) == {
        "fetch": "restored",
        "double": "executed",
        "audit": "restored",
        "report": "executed",
    }
    part = executor.execute(sales, given, targets=["double"], from_="double")
    assert origins(part) == {"fetch": "restored", "double": "executed"}


def test_tasks_not_asked_for_are_nowhere_to_be_done(store: SQLiteStateStore) -> None:
    run = SequentialExecutor(state_store=store).execute(sales, {"url": "abc"}, targets=["audit"])
    kept = load_run(sales, store, run.id)
    assert list(kept.tasks) == ["fetch", "audit"]
    view = View(source_of(kept)).as_json()
    assert view["counts"]["total"] == 2
    assert view["run"]["targets"] == ["audit"]


def test_newest_run_of_the_whole_is_not_pruned_for_parts(store: SQLiteStateStore) -> None:
    executor, given = SequentialExecutor(state_store=store), {"url": "abc", "title": "Sales"}
    whole = executor.execute(sales, given)
    parts = [executor.execute(sales, given, targets=["fetch"]).id for _ in range(3)]
    pruned = prune(store, Retain(count=1))
    assert set(pruned.runs) == set(parts[:2])
    assert {run.id for run in store.runs()} == {whole.id, parts[2]}


PIPELINE = """
from flowweaver import Workflow, task

@task
def fetch(city: str) -> list[str]:
    return [city] * 2

@task
def count(fetch: list[str]) -> int:
    return len(fetch)

@task
def report(fetch: list[str], title: str) -> str:
    return f"{title}: {fetch}"

weather = Workflow("weather", [fetch, count, report])
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    project.write("pipeline.py", PIPELINE)
    yield project
    project.close()


def test_command_runs_plans_and_draws_a_part(project: Project) -> None:
    part = ("pipeline.py", "count")
    planned = project.json("plan", *part, "-p", "city=Oslo")
    assert [(task["task"], task["action"]) for task in planned["tasks"]] == [
        ("fetch", "run"),
        ("count", "run"),
    ]
    done = project.run("run", *part, "-p", "city=Oslo")
    assert (done.returncode, "2 tasks: 2 executed" in done.stdout) == (0, True), done.stderr
    drawn = project.run("graph", *part).stdout
    assert "weather: 2 of 3 tasks; parameters: city" in drawn
    assert "report" not in drawn
    shown = project.run("show", "last").stdout
    assert "asked for count" in shown
    assert "report" not in shown
    whole = project.json("run", "pipeline.py", "-p", "city=Oslo", "-p", "title=Now")
    assert whole["counts"]["restored"] == 2


def test_command_goes_from_a_task_on(project: Project) -> None:
    given = ("-p", "city=Oslo", "-p", "title=Now")
    project.run("run", "pipeline.py", *given)
    again = project.json("run", "pipeline.py", "--from", "report", *given)
    assert {task["task"]: task["origin"] for task in again["tasks"]} == {
        "fetch": "restored",
        "report": "executed",
    }


def test_command_draws_what_it_would_do_from_a_task_on(project: Project) -> None:
    def drawn(*asked: str) -> list[str]:
        return [task["task"] for task in project.json("graph", "pipeline.py", *asked)["tasks"]]

    assert drawn("--from", "report") == ["fetch", "report"]
    assert drawn("--from", "fetch") == ["fetch", "count", "report"]
    assert drawn("count", "--from", "fetch") == ["fetch", "count"]
    refused = project.run("graph", "pipeline.py", "--from", "reprot")
    assert refused.returncode == 2
    assert "did you mean 'report'?" in refused.stderr


def test_command_names_near_matches(project: Project) -> None:
    for command in ("run", "plan", "graph"):
        done = project.run(command, "pipeline.py", "cuont")
        assert done.returncode == 2
        assert "has no task 'cuont'; did you mean 'count'?" in done.stderr

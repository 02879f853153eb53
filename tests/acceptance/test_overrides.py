"""Values given in place of tasks, as a user gives them: in code, on every executor, by command."""

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
    MemoryStateStore,
    Origin,
    ParameterError,
    ProcessExecutor,
    RunStatus,
    SequentialExecutor,
    SQLiteStateStore,
    ThreadedExecutor,
    UnstorableError,
    Workflow,
    each,
    load_run,
    task,
)
from flowweaver.report.view.assemble import View
from flowweaver.report.view.loose import source_of
from tests.cli.command import Project

calls: list[str] = []


@task(version="1")
def login(secret: str) -> str:
    calls.append("login")
    return secret


@task(version="1", retries=3)
def fetch(login: str) -> list[int]:
    calls.append("fetch")
    return [1, 2, 3]


@task(version="1", inputs={"row": each("fetch")})
def double(row: int) -> int:
    calls.append("double")
    return 2 * row


@task(version="1")
def total(double: list[int]) -> int:
    calls.append("total")
    return sum(double)


sales = Workflow("sales", [login, fetch, double, total])
EXECUTORS = [SequentialExecutor, ThreadedExecutor, AsyncExecutor, ProcessExecutor]


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStateStore]:
    store = SQLiteStateStore(tmp_path / "state.db")
    yield store
    store.close()


@pytest.mark.parametrize("kind", EXECUTORS)
@pytest.mark.parametrize("stored", [True, False])
def test_value_is_taken_and_what_only_it_needs_is_not_run(
    store: SQLiteStateStore, kind: Callable[..., Executor], stored: bool
) -> None:
    executor = kind(state_store=store if stored else None)
    run = executor.execute(sales, overrides={"fetch": [10, 20]})  # no secret is needed
    assert (run["fetch"], run["double"], run["total"]) == ([10, 20], [20, 40], 60)
    assert list(run.tasks) == ["fetch", "double", "total"]
    assert run.tasks["fetch"].origin is Origin.OVERRIDDEN
    assert run.tasks["fetch"].reason == "given in place of what it would return"
    assert run.tasks["fetch"].attempts == 0
    assert run.outcomes() == {"executed": 3, "overridden": 1}
    assert run.status is RunStatus.COMPLETED


def test_value_is_taken_without_blocking_a_loop() -> None:
    run = asyncio.run(AsyncExecutor().execute_async(sales, overrides={"double": [1, 2]}))
    assert run["total"] == 3


def test_list_of_a_fan_out_is_given_as_a_whole(store: SQLiteStateStore) -> None:
    run = SequentialExecutor(state_store=store).execute(sales, overrides={"double": [5, 6]})
    assert (run["double"], run["total"], calls) == ([5, 6], 11, ["total"])


def test_tasks_over_a_given_list_pair_as_over_the_real_one(store: SQLiteStateStore) -> None:
    @task(inputs={"n": each("numbers")})
    def left(n: int) -> int:
        return n

    @task(inputs={"n": each("numbers")})
    def right(n: int) -> int:
        return 10 * n

    @task(inputs={"a": each("left"), "b": each("right")})
    def both(a: int, b: int) -> int:
        return a + b

    workflow = Workflow("pairs", [left, right, both])
    executor = SequentialExecutor(state_store=store)
    run = executor.execute(workflow, {"numbers": [1, 2]}, overrides={"left": [7, 8]})
    assert run["both"] == [17, 28]


def test_equal_value_and_real_one_share_what_is_behind_them(store: SQLiteStateStore) -> None:
    executor = SequentialExecutor(state_store=store)
    executor.execute(sales, overrides={"fetch": [1, 2, 3]})
    real = executor.execute(sales, {"secret": "x"})
    assert calls == ["double", "double", "double", "total", "login", "fetch"]
    assert real.tasks["fetch"].origin is Origin.EXECUTED
    assert real.tasks["total"].origin is Origin.RESTORED


@pytest.mark.parametrize("reuse", ["unchanged", "completed"])
def test_given_value_is_never_taken_for_a_real_one(store: SQLiteStateStore, reuse: Any) -> None:
    executor = SequentialExecutor(state_store=store)
    executor.execute(sales, overrides={"fetch": [7]})
    real = executor.execute(sales, {"secret": "x"}, reuse=reuse)
    assert (real["fetch"], real.tasks["fetch"].origin) == ([1, 2, 3], Origin.EXECUTED)
    if reuse == "unchanged":
        assert real["total"] == 12
    again = executor.execute(sales, {"secret": "x"})
    assert again.tasks["fetch"].origin is Origin.RESTORED


@pytest.mark.parametrize("make", [SQLiteStateStore, JSONStateStore, MemoryStateStore])
def test_interrupted_run_goes_on_with_the_same_values_only(
    tmp_path: Path, make: Callable[..., Any]
) -> None:
    down = [True]

    @task(version="1")
    def ship(fetch: list[int]) -> int:
        if down[0]:
            raise OSError("down")
        return len(fetch)

    workflow = Workflow("shop", [login, fetch, ship])
    store = make() if make is MemoryStateStore else make(tmp_path / "state")
    executor = SequentialExecutor(state_store=store)
    first = executor.execute(workflow, overrides={"fetch": [1]}, raise_on_failure=False)
    down[0] = False
    other = executor.execute(workflow, overrides={"fetch": [1, 2]})
    again = executor.execute(workflow, overrides={"fetch": [1]})
    assert again.id == first.id != other.id
    assert (again["ship"], other["ship"]) == (1, 2)


def test_kept_run_tells_what_was_given(store: SQLiteStateStore) -> None:
    run = SequentialExecutor(state_store=store).execute(sales, overrides={"fetch": [7]})
    kept = load_run(sales, store, run.id)
    assert (kept["fetch"], kept["double"], kept["total"]) == ([7], [14], 14)
    assert kept.tasks["fetch"].origin is Origin.OVERRIDDEN
    assert kept.outcomes() == {"executed": 2, "overridden": 1}
    view = View(source_of(kept)).as_json()
    assert view["counts"]["overridden"] == 1
    assert {task["name"]: task["outcome"] for task in view["tasks"]}["fetch"] == "overridden"


def test_plan_says_so(store: SQLiteStateStore) -> None:
    plan = sales.plan(state_store=store, overrides={"fetch": [7]})
    assert [(task.name, task.action) for task in plan if not task.element] == [
        ("fetch", "override"),
        ("double", "run"),
        ("total", "run"),
    ]
    assert plan["fetch"].reason == "given in place of what it would return"
    assert plan["double[0]"].action == "run"


def test_files_that_a_given_value_names_count_by_content(
    tmp_path: Path, store: SQLiteStateStore
) -> None:
    @task
    def made() -> Path:
        raise AssertionError

    @task
    def read(made: Path) -> str:
        return made.read_text()

    workflow = Workflow("files", [made, read])
    executor, path = SequentialExecutor(state_store=store), tmp_path / "data.txt"
    path.write_text("old")
    assert executor.execute(workflow, overrides={"made": path})["read"] == "old"
    path.write_text("new")
    assert executor.execute(workflow, overrides={"made": path})["read"] == "new"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"overrides": {"fecth": 1}}, ParameterError, "no task 'fecth'; did you mean 'fetch'"),
        (
            {"overrides": {"total": 1}, "targets": ["fetch"]},
            ParameterError,
            "total' is not needed",
        ),
        ({"overrides": {"fetch": 1}, "force": ["fetch"]}, ParameterError, "is overridden, so it"),
        ({"overrides": {"fetch": 1}, "from_": "fetch"}, ParameterError, "is overridden, so it"),
        ({"overrides": [1]}, TypeError, "overrides maps tasks to values"),
        ({"overrides": {"fetch": [lambda: 1]}}, UnstorableError, r"override of 'fetch'\[0\]"),
    ],
)
def test_what_can_not_be_given_is_refused_before_anything_runs(
    store: SQLiteStateStore, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        SequentialExecutor(state_store=store).execute(sales, {"secret": "x"}, **arguments)
    assert calls == []


PIPELINE = """
from datetime import date
from flowweaver import Workflow, task

@task
def today() -> date:
    return date.today()

@task
def days(today: date) -> list[int]:
    return [today.year, today.month]

wf = Workflow("calendar", [today, days])
"""


def test_command_reads_values_as_the_task_returns_them(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("pipeline.py", PIPELINE)
    given = ("pipeline.py", "--override", "today=2024-02-29")
    planned = project.json("plan", *given)
    assert [task["action"] for task in planned["tasks"]] == ["override", "run"]
    done = project.run("run", *given)
    assert "2 tasks: 1 executed, 1 overridden" in done.stdout, done.stderr
    assert project.run("result", "last", "days").stdout.split() == ["[", "2024,", "2", "]"]
    shown = project.run("show", "last").stdout
    assert "overridden" in shown
    assert "given in place of what it would return" in shown
    wrong = project.run("run", "pipeline.py", "--override", "today=tomorrow")
    assert wrong.returncode == 2
    assert "in place of task 'today' must be date, not 'tomorrow'" in wrong.stderr
    replayed = project.run("replay", "last", "days", "--target", "pipeline.py")
    assert replayed.stdout.strip() == "[2024, 2]"


def test_store_has_the_given_value_as_long_as_the_run(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    run = SequentialExecutor(state_store=store).execute(sales, overrides={"double": [9] * 5_000})
    assert store.sweep() == (0, 0)
    assert load_run(sales, store, run.id)["double"] == [9] * 5_000

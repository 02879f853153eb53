"""Results shared across the names of tasks and workflows, as a user asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    DefinitionError,
    JSONStateStore,
    MemoryStateStore,
    Origin,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    Task,
    Workflow,
    current_task,
    each,
    load_run,
)
from flowweaver.engine.history.prune import Retain, prune
from tests.cli.command import Project

calls: list[str] = []


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


@dataclass
class Row:
    name: str


def fetch(url: str) -> list[int]:
    return [len(url), 2]


def double(number: int) -> int:
    return 2 * number


def rows(url: str) -> list[Row]:
    return [Row(url)]


def whose(url: str) -> str:
    return f"{current_task().name} {url}"


STORES = [SQLiteStateStore, JSONStateStore, MemoryStateStore]


@pytest.fixture(params=STORES)
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SequentialExecutor]:
    make: Callable[..., Any] = request.param
    store = make() if make is MemoryStateStore else make(tmp_path / "state")
    yield SequentialExecutor(state_store=store)
    store.close()


def run(executor: SequentialExecutor, name: str, *tasks: Task[..., Any], **options: Any) -> Run:
    workflow = Workflow(name, tasks, cache_scope=options.pop("scope", "store"))
    return executor.execute(workflow, {"url": "abc"}, **options)


def test_result_is_found_in_another_workflow_and_under_another_name(
    executor: SequentialExecutor,
) -> None:
    first = run(executor, "one", Task("fetch", fetch))
    second = run(executor, "two", Task("fetch", fetch))
    renamed = run(executor, "two", Task("load", fetch))
    assert second.tasks["fetch"].origin is renamed.tasks["load"].origin is Origin.RESTORED
    assert renamed["load"] == first["fetch"]
    assert renamed.tasks["load"].source_run == first.id
    assert renamed.tasks["load"].reason == (
        f"the same code did it with the same inputs in run {first.id}"
    )


def test_plan_knows_of_it(executor: SequentialExecutor) -> None:
    run(executor, "one", Task("fetch", fetch))
    workflow = Workflow("two", [Task("load", fetch)], cache_scope="store")
    assert executor.state_store is not None
    plan = workflow.plan({"url": "abc"}, state_store=executor.state_store)
    assert plan["load"].action == "restore"


def test_elements_and_what_is_behind_them_are_shared(executor: SequentialExecutor) -> None:
    def flow(name: str, source: str, each_name: str) -> Run:
        taken = {"number": each(source)}
        return run(executor, name, Task(source, fetch), Task(each_name, double, inputs=taken))

    flow("one", "fetch", "double")
    second = flow("two", "load", "twice")
    assert second["twice"] == [6, 4]
    assert {each.origin for each in second.tasks["twice"].elements} == {Origin.RESTORED}


def test_pickles_are_signed_anew_for_who_takes_them(executor: SequentialExecutor) -> None:
    run(executor, "one", Task("rows", rows))
    second = run(executor, "two", Task("lines", rows))
    third = run(executor, "three", Task("rows", rows))
    assert second["lines"] == third["rows"] == [Row("abc")]
    assert third.tasks["rows"].origin is Origin.RESTORED
    assert executor.state_store is not None
    workflow = Workflow("two", [Task("lines", rows)])
    assert load_run(workflow, executor.state_store, second.id)["lines"] == [Row("abc")]


def test_pickle_with_a_foreign_signature_is_made_again(
    executor: SequentialExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWWEAVER_KEY", "ab" * 32)
    run(executor, "one", Task("rows", rows))
    monkeypatch.setenv("FLOWWEAVER_KEY", "cd" * 32)
    second = run(executor, "two", Task("rows", rows))
    assert second.tasks["rows"].origin is Origin.EXECUTED


def test_shared_results_outlive_the_run_that_made_them(executor: SequentialExecutor) -> None:
    first = run(executor, "one", Task("fetch", fetch))
    second = run(executor, "two", Task("load", fetch))
    store = executor.state_store
    assert store is not None
    store.delete([first.id])
    prune(store, Retain(count=1))
    assert load_run(Workflow("two", [Task("load", fetch)]), store, second.id)["load"] == [3, 2]
    assert run(executor, "three", Task("x", fetch)).tasks["x"].origin is Origin.RESTORED


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({"version": "1"}, {}),  # which says nothing among tasks
        ({"cache": False}, {}),
        ({"effect": "idempotent"}, {}),
        ({"effect": "once"}, {}),
        ({"outputs": ["{url}"]}, {}),
        ({}, {"scope": "workflow"}),
        ({}, {"cache_scope": "workflow"}),
        ({}, {"reuse": "never"}),
        ({}, {"reuse": "completed"}),
    ],
)
def test_what_is_not_shared(
    executor: SequentialExecutor,
    options: dict[str, Any],
    arguments: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "abc").touch()
    run(executor, "one", Task("fetch", fetch, **options))
    second = run(executor, "two", Task("load", fetch, **options), **arguments)
    assert second.tasks["load"].origin is Origin.EXECUTED


def test_body_that_asks_whose_it_is_is_not_shared(executor: SequentialExecutor) -> None:
    assert run(executor, "one", Task("here", whose))["here"] == "here abc"
    assert run(executor, "two", Task("there", whose))["there"] == "there abc"


def test_execution_can_ask_for_it(executor: SequentialExecutor) -> None:
    run(executor, "one", Task("fetch", fetch), scope="workflow")
    second = run(executor, "two", Task("f", fetch), scope="workflow", cache_scope="store")
    assert second.tasks["f"].origin is Origin.RESTORED


def test_other_words_are_refused() -> None:
    with pytest.raises(DefinitionError, match="cache_scope must be one of workflow, store"):
        Workflow("w", cache_scope="all")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="cache_scope must be one of workflow, store"):
        SequentialExecutor().execute(Workflow("w"), cache_scope="all")  # type: ignore[arg-type]


def test_command_shares_too(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(
        "both.py",
        """
        from flowweaver import Task, Workflow

        def fetch() -> int:
            return 1

        one = Workflow("one", [Task("fetch", fetch)])
        two = Workflow("two", [Task("load", fetch)])
        """,
    )
    made = project.run("run", "both.py:one")
    assert made.returncode == 0, made.stderr
    asked = ("both.py:two", "--cache-scope", "store")
    planned = project.run("plan", *asked, "--json")
    assert json.loads(planned.stdout or planned.stderr)["counts"] == {"restore": 1}
    assert project.json("run", *asked)["counts"]["restored"] == 1

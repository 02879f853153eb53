"""Results shared across the names of tasks, workflows and files, as a user expects it."""

from __future__ import annotations

import json
import subprocess
import sys
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


def len_of(numbers: list[int]) -> int:
    return len(numbers)


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
    scope = {"cache_scope": options.pop("scope")} if "scope" in options else {}
    workflow = Workflow(name, tasks, **scope)
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
        f"taken from `fetch` of workflow two in run {second.id}: the same code with the same inputs"
    )


def test_plan_knows_of_it(executor: SequentialExecutor) -> None:
    run(executor, "one", Task("fetch", fetch))
    workflow = Workflow("two", [Task("load", fetch)])
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
    asked = ("both.py:two", "--cache-scope", "workflow")
    planned = project.run("plan", *asked, "--json")
    assert json.loads(planned.stdout or planned.stderr)["counts"] == {"run": 1}
    planned = project.run("plan", "both.py:two", "--json")
    assert json.loads(planned.stdout or planned.stderr)["counts"] == {"restore": 1}
    assert project.json("run", "both.py:two")["counts"]["restored"] == 1
    shown = project.run("show", "last")
    assert "taken from `fetch` of workflow one in run" in " ".join(shown.stdout.split())


def test_tasks_of_one_run_are_each_executed_the_first_time(executor: SequentialExecutor) -> None:
    run(executor, "before", Task("other", rows))
    twins = Task("one", fetch), Task("two", fetch)
    first = run(executor, "twins", *twins)
    assert {task.origin for task in first.tasks.values()} == {Origin.EXECUTED}
    third = run(executor, "triplets", *twins, Task("three", fetch))
    assert {task.origin for task in third.tasks.values()} == {Origin.RESTORED}


def test_task_renamed_while_its_run_is_unfinished_keeps_its_result(
    executor: SequentialExecutor,
) -> None:
    def fails(number: list[int]) -> None:
        raise ValueError(number)

    broken = Task("end", fails, inputs={"number": "fetch"})
    first = run(executor, "w", Task("fetch", fetch), broken, raise_on_failure=False)
    mended = Task("end", len_of, inputs={"numbers": "load"})
    second = run(executor, "w", Task("load", fetch), mended)
    assert second.id == first.id
    assert second.tasks["load"].origin is Origin.RESTORED
    assert executor.state_store is not None
    workflow = Workflow("w", [Task("load", fetch), mended])
    assert load_run(workflow, executor.state_store, second.id)["load"] == [3, 2]


def test_value_given_in_place_of_a_task_is_no_result_of_it(executor: SequentialExecutor) -> None:
    run(executor, "one", Task("fetch", fetch), overrides={"fetch": [99]})
    assert run(executor, "two", Task("load", fetch))["load"] == [3, 2]


def test_code_too_long_to_be_kept_whole_may_ask_whose_it_is(executor: SequentialExecutor) -> None:
    lines = "".join(f"    x = {number}\n" for number in range(4_000))
    names: dict[str, Any] = {"current_task": current_task}
    exec(f"def long(url):\n{lines}    return current_task().name", names)
    made = [run(executor, name, Task(name, names["long"]))[name] for name in ("here", "there")]
    assert made == ["here", "there"]


SCRIPT = """
    import enum
    from dataclasses import dataclass
    from typing import NamedTuple
    from flowweaver import {executor}, SQLiteStateStore, Workflow, each, task

    class Kind(enum.Enum):
        BIG = 1

    @dataclass
    class Row:
        name: str
        kind: Kind

    class Pair(NamedTuple):
        row: Row
        size: int

    class Odd(Exception):
        pass

    FACTOR = 2

    def helper(text: str) -> str:
        return text * FACTOR

    @task
    def rows(url: str) -> list[Row]:
        print("a body runs")
        return [Row(helper(url), Kind.BIG), Row("b", Kind.BIG)]

    @task(inputs={{"row": each("rows")}})
    def pairs(row: Row) -> Pair:
        print("a body runs")
        assert isinstance(row, Row) and row.kind is Kind.BIG
        return Pair(row, len(row.name))

    @task
    def last(pairs: list[Pair]) -> dict[str, object]:
        print("a body runs")
        assert all(isinstance(pair, Pair) for pair in pairs)
        return {{"pairs": pairs, "set": {{pair.row.name for pair in pairs}}, "odd": Odd("x")}}

    flow = Workflow("flow", [rows, pairs, last])

    if __name__ == "__main__":
        executor = {executor}(state_store=SQLiteStateStore("state.db"))
        run = executor.execute(flow, {{"url": "ab"}})
        value = run["last"]
        assert type(value["odd"]) is Odd and type(value["pairs"][0].row) is Row
        print(sorted({{task.origin.value for task in run.tasks.values()}}))
"""
COMMAND = ("run", "flow.py:flow", "--store", "state.db", "-p", "url=ab")


@pytest.mark.parametrize("executor", ["ThreadedExecutor", "ProcessExecutor"])
@pytest.mark.parametrize("script_first", [True, False])
def test_script_and_command_share_what_holds_the_scripts_own_classes(
    tmp_path: Path, executor: str, script_first: bool
) -> None:
    project = Project(tmp_path)
    project.write("flow.py", SCRIPT.format(executor=executor))
    if script_first:
        assert scripted(tmp_path, "flow.py")[-1] == "['executed']"
        assert project.json(*COMMAND)["counts"]["restored"] == 4
        # It reads them, too, where something has changed behind them.
        forced = project.json(*COMMAND, "--force", "last")
        assert forced["counts"]["executed"] == 1
    else:
        assert project.json(*COMMAND)["counts"]["executed"] == 4
    assert scripted(tmp_path, "flow.py") == ["['restored']"]


def test_script_that_is_started_as_a_module_shares_too(tmp_path: Path) -> None:
    Project(tmp_path).write("flow.py", SCRIPT.format(executor="ThreadedExecutor"))
    assert scripted(tmp_path, "flow.py")[-1] == "['executed']"
    assert scripted(tmp_path, "-m", "flow") == ["['restored']"]


def test_script_that_imports_itself_has_two_classes_and_both_are_right(tmp_path: Path) -> None:
    text = SCRIPT.format(executor="ThreadedExecutor")
    Project(tmp_path).write("flow.py", text.replace("FACTOR = 2", "import flow; FACTOR = 2"))
    assert scripted(tmp_path, "flow.py")[-1] == "['executed']"
    assert scripted(tmp_path, "flow.py") == ["['restored']"]


def test_file_that_moves_keeps_the_results_of_its_functions(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(
        "early.py",
        """
        from flowweaver import Workflow, task

        def helper(text: str) -> str:
            return text.upper()

        @task
        def shout() -> str:
            return helper("a")

        @task
        def where() -> str:
            return __name__

        flow = Workflow("flow", [shout, where])
        """,
    )
    made = project.run("run", "early.py")
    assert made.returncode == 0, made.stderr
    (tmp_path / "deep").mkdir()
    (tmp_path / "early.py").rename(tmp_path / "deep" / "late.py")
    counts = project.json("run", "deep/late.py")["counts"]
    assert (counts["restored"], counts["executed"]) == (1, 1)  # one of them asks for its name


def test_log_of_what_was_taken_from_another_task_is_found(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(
        "both.py",
        """
        from flowweaver import Task, Workflow

        def fetch() -> int:
            print("hello from a body")
            return 1

        one = Workflow("one", [Task("fetch", fetch)])
        two = Workflow("two", [Task("load", fetch)])
        """,
    )
    project.run("run", "both.py:one")
    project.run("run", "both.py:two")
    assert "hello from a body" in project.run("logs", "last").stdout


def scripted(folder: Path, *arguments: str) -> list[str]:
    """Return the lines that a script prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()

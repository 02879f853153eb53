"""Small things that cost trust, as whoever tries FlowWeaver for an hour comes upon them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowweaver import (
    AsyncExecutor,
    DefinitionError,
    Executor,
    Failure,
    MemoryStateStore,
    SequentialExecutor,
    Workflow,
    WorkflowFailed,
    each,
    load_run,
    task,
)
from tests.acceptance.test_flow import EXECUTORS
from tests.cli.command import Project

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

PAGES = """
from flowweaver import Failure, Workflow, each, task

@task
def pages():
    return [1, 2, 3]

@task(inputs={"page": each("pages")}, allow_failures=True)
def fetch(page):
    print("fetching", page)
    if page == 2:
        raise ValueError("no page 2")
    return page

@task(inputs={"page": each("fetch")})
def size(page):
    return 0 if isinstance(page, Failure) else 10 * page

@task
def total(size):
    return sum(size)

crawl = Workflow("crawl", [pages, fetch, size, total])
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.close()


@pytest.fixture
def crawl(project: Project) -> Project:
    project.write("crawl.py", PAGES)
    return project


# What is printed --------------------------------------------------------------------------------


def test_the_first_example_of_the_readme_prints_nothing_that_it_was_not_told_to(
    project: Project,
) -> None:
    first, second, *_ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    project.write("weather.py", first + second)
    script = [sys.executable, "weather.py"]
    done = subprocess.run(script, cwd=project.folder, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    quiet = project.run("run", "weather.py", "-p", "city=Oslo", "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert project.run("graph", "weather.py").stderr == ""
    assert "can't stop its body" in project.run("plan", "weather.py", "-p", "city=Oslo").stdout


def test_a_run_restored_counts_its_tasks_as_its_summary_does(crawl: Project) -> None:
    crawl.write("crawl.py", PAGES.replace("page == 2", "page == 9"))
    assert crawl.run("run", "crawl.py").returncode == 0
    again = crawl.run("run", "crawl.py")
    assert " 8 tasks restored" in again.stderr
    assert "nothing to do: all 8 tasks restored" in again.stdout


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_the_error_of_a_body_comes_first_on_an_async_executor(kind: str) -> None:
    @task
    async def awaited() -> None:
        raise ValueError("boom")

    @task
    def plain() -> None:
        raise ValueError("boom")

    body = awaited if kind == "async def" else plain
    with pytest.raises(WorkflowFailed) as raised:
        AsyncExecutor().execute(Workflow("w", [body]))
    cause = raised.value.__cause__
    assert isinstance(cause, ValueError)
    assert cause.__context__ is None
    assert raised.value.__context__ is None
    failure = raised.value.run.tasks[body.name].error
    assert failure is not None
    assert "During handling" not in failure.trace


def test_what_was_tried_once_in_each_execution_is_not_said_to_have_been_tried_twice(
    project: Project,
) -> None:
    project.write(
        "broken.py",
        """
        from flowweaver import Workflow, task

        @task
        def load():
            raise OSError("no disk")

        broken = Workflow("broken", [load])
        """,
    )
    project.run("run", "broken.py", "-q")
    again = project.run("run", "broken.py", "-q")
    assert again.stderr.startswith("Error: task 'load' failed: OSError: no disk")


def test_a_completed_run_prints_no_error(crawl: Project) -> None:
    done = crawl.run("run", "crawl.py")
    assert done.returncode == 0
    assert "Error" not in re.sub("ValueError", "", done.stderr)
    assert "fetch[1] (2) failed, as is allowed: ValueError: no page 2" in done.stderr
    assert crawl.run("run", "crawl.py", "-q").stderr == ""


def test_a_plan_is_printed_as_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    @task
    def load() -> int:
        return 1

    print(Workflow("w", [load]).plan(state_store=MemoryStateStore()))
    assert capsys.readouterr().out == "plan of w: 1 run\n  run      load: never ran\n"


# Failures that are allowed ----------------------------------------------------------------------


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
@pytest.mark.parametrize("stored", [False, True])
def test_a_mapped_consumer_takes_the_failures_that_are_allowed(
    executor: Callable[..., Executor], stored: bool
) -> None:
    store = MemoryStateStore() if stored else None
    workflow = Workflow("w", [pages, fetch, size, listed])
    run = executor(state_store=store).execute(workflow)
    assert run["size"] == [10, "ValueError: no page 2", 30]
    assert run["listed"] == [10, "ValueError: no page 2", 30]
    if store is not None:
        assert load_run(workflow, store, run.id)["listed"] == run["listed"]


def pages_of() -> list[int]:
    return [1, 2, 3]


def fetch_one(page: int) -> int:
    if page == 2:
        raise ValueError("no page 2")
    return page


def size_of(page: int | Failure) -> int | str:
    return str(page) if isinstance(page, Failure) else 10 * page


def listing(size: list[int | str]) -> list[int | str]:
    return size


pages = task("pages")(pages_of)
fetch = task("fetch", inputs={"page": each("pages")}, allow_failures=True)(fetch_one)
size = task("size", inputs={"page": each("fetch")})(size_of)
listed = task("listed")(listing)


def test_a_condition_passes_failures_over() -> None:
    sized = size.with_options(when=lambda page: not isinstance(page, Failure))
    run = SequentialExecutor().execute(Workflow("w", [pages, fetch, sized, listed]))
    assert run["listed"] == [10, 30]


def test_an_element_that_failed_is_planned_as_one_that_failed(crawl: Project) -> None:
    crawl.run("run", "crawl.py", "-q")
    planned = {
        (item["task"], item["element"]): item for item in crawl.json("plan", "crawl.py")["tasks"]
    }
    assert planned["fetch", "1"]["reason"] == "failed last time"
    assert planned["fetch", "0"]["action"] == "restore"


# Looking back -----------------------------------------------------------------------------------


def test_logs_of_restored_tasks_are_those_of_the_run_that_executed_them(crawl: Project) -> None:
    crawl.run("run", "crawl.py", "-q", "--run-id", "first")
    crawl.run("run", "crawl.py", "-q", "--run-id", "second")
    shown = crawl.run("logs", "second").stdout
    assert "--- fetch[0] (1), attempt 1, restored from run first\nfetching 1\n" in shown
    assert "--- fetch[1] (2), attempt 1\nfetching 2\n" in shown
    assert crawl.json("logs", "second", "fetch[2]")[0]["restored_from"] == "first"


def test_the_debugger_stops_at_the_first_line_of_the_body(project: Project) -> None:
    project.write(
        "steps.py",
        """
        from flowweaver import Workflow, task

        @task
        def one():
            first = 1
            return first

        @task
        async def two(one):
            second = one + 1
            return second

        steps = Workflow("steps", [one, two])
        """,
    )
    project.run("run", "steps.py", "-q")
    for name, line in (("one", "first = 1"), ("two", "second = one + 1")):
        command = [sys.executable, "-m", "flowweaver", "replay", "last", name, "--pdb"]
        command += ["--target", "steps.py"]
        done = subprocess.run(
            command, cwd=project.folder, input="c\n", capture_output=True, encoding="utf-8"
        )
        stopped = done.stdout.splitlines()
        assert stopped[0].endswith(f"{name}()")
        assert stopped[1] == f"-> {line}"


def test_names_that_are_not_there_are_answered_with_those_that_are(crawl: Project) -> None:
    crawl.run("run", "crawl.py", "-q", "--run-id", "monday")
    for arguments, near in (
        (("show", "monday", "fecth"), "did you mean 'fetch'?"),
        (("show", "mondya"), "did you mean 'monday'?"),
        (("show", "lst"), "did you mean 'last'?"),
        (("show", "crawl"), "it is a workflow: `flowweaver runs --workflow crawl` lists its runs."),
        (("runs", "--workflow", "crwal"), "did you mean 'crawl'?"),
        (("graph", "crawl.py:crwal"), "did you mean 'crawl'?"),
    ):
        done = crawl.run(*arguments)
        assert done.returncode == 2
        assert near in done.stderr


def test_a_store_that_is_not_there_is_an_error(project: Project) -> None:
    done = project.run("runs", "--store", "stat.db")
    assert done.returncode == 2
    assert "There is no store at" in done.stderr
    assert list(project.folder.iterdir()) == []


def test_a_check_of_a_plan_heeds_what_nobody_knows_yet(project: Project) -> None:
    project.write(
        "asks.py",
        """
        from flowweaver import Workflow, task

        @task(effect="once")
        def send():
            import os
            os._exit(3)

        @task
        def told(send):
            return send

        asks = Workflow("asks", [send, told])
        """,
    )
    project.run("run", "asks.py", "-q")
    plan = project.json("plan", "asks.py")
    assert set(plan["counts"]) == {"unknown"}
    assert project.run("plan", "asks.py", "--check").returncode == 3


# Making workflows -------------------------------------------------------------------------------


def test_a_function_is_made_a_task_in_one_call() -> None:
    double = task(lambda number: 2 * number, name="double", retries=1)
    assert (double.name, double.options.retries, double(4)) == ("double", 1, 8)
    workflow = Workflow("w")
    workflow.task(lambda double: double + 1, name="more")
    workflow.add_task(double)
    assert SequentialExecutor().execute(workflow, {"number": 4})["more"] == 9


def test_two_names_for_one_task_are_refused() -> None:
    with pytest.raises(DefinitionError, match="takes one name"):
        task("one", name="two")


def test_a_task_that_was_called_is_told_from_a_task() -> None:
    with pytest.raises(DefinitionError, match=r"A task that is called.* runs its function at once"):
        Workflow("w", [size(fetch(1))])  # type: ignore[list-item]  # that is what is refused


def test_a_cell_that_is_run_again_replaces_its_task() -> None:
    workflow = Workflow("notebook")

    @workflow.task
    def load() -> int:
        return 1

    @workflow.task
    def show(load: int) -> str:
        return f"{load} rows"

    with pytest.raises(DefinitionError, match="replace=True"):
        workflow.task(load)

    @workflow.task(name="load", replace=True)
    def load_again() -> int:
        return 2

    assert SequentialExecutor().execute(workflow)["show"] == "2 rows"
    assert list(workflow.get_all_tasks()) == ["load", "show"]


def test_a_replacement_that_would_close_a_circle_changes_nothing() -> None:
    workflow = Workflow("notebook", [pages, fetch])
    with pytest.raises(DefinitionError, match="circular"):
        workflow.add_task(lambda fetch: fetch, name="pages", replace=True)
    assert workflow.get_task("pages") is pages
    assert SequentialExecutor().execute(workflow)["pages"] == [1, 2, 3]


# Completion -------------------------------------------------------------------------------------


def completed(project: Project, line: str) -> list[str]:
    """Return what the shell is offered for the last word of a line."""
    words = line.split(" ")
    done = subprocess.run(
        [sys.executable, "-m", "flowweaver"],
        cwd=project.folder,
        env={
            **os.environ,
            "_FLOWWEAVER_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        encoding="utf-8",
    )
    return [offer.partition(",")[2] for offer in done.stdout.splitlines() if offer]


def test_targets_runs_and_tasks_are_completed(crawl: Project) -> None:
    crawl.write("two.py", "from flowweaver import Workflow\na = Workflow()\nb = Workflow()\n")
    crawl.run("run", "crawl.py", "-q", "--run-id", "monday")
    assert completed(crawl, "flowweaver run c") == ["crawl.py"]
    assert completed(crawl, "flowweaver run t") == ["two.py", "two.py:a", "two.py:b"]
    assert completed(crawl, "flowweaver show ") == ["last", "monday"]
    assert completed(crawl, "flowweaver show monday f") == ["fetch"]
    assert completed(crawl, "flowweaver replay monday fetch[") == [
        "fetch[0]",
        "fetch[1]",
        "fetch[2]",
    ]
    assert completed(crawl, "flowweaver accept crawl.py t") == ["total"]
    assert completed(crawl, "flowweaver run crawl.py t") == ["total"]
    assert completed(crawl, "flowweaver run crawl.py --force t") == ["total"]


def test_completion_never_fails(project: Project) -> None:
    assert completed(project, "flowweaver show nothing t") == []
    assert completed(project, "flowweaver run nowhere/") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(project: Project, shell: str) -> None:
    done = project.run("completion", shell)
    assert done.returncode == 0
    assert "_FLOWWEAVER_COMPLETE" in done.stdout


# Tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("command", [("runs",), ("show", "last")])
def test_tables_are_no_wider_than_asked_and_lose_nothing(
    crawl: Project, command: tuple[str, ...], columns: int
) -> None:
    crawl.run("run", "crawl.py", "-q")
    (only,) = crawl.json("runs")
    lines = crawl.run(*command, env={"COLUMNS": str(columns)}).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    if columns >= 80:
        assert only["id"] in "\n".join(lines)  # whole, to be copied

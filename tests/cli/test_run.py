"""`flowweaver run`: what it does, says, prints and exits with."""

import json

import pytest

from tests.cli import pipelines
from tests.cli.test_app import install_faulty_executor

RUN_KEYS = {
    "id",
    "workflow",
    "status",
    "created_at",
    "claimed_at",
    "finished_at",
    "runner",
    "info",
    "counts",
    "tasks",
    "store",
    "exit_code",
}
TASK_KEYS = {
    "task",
    "element",
    "label",
    "status",
    "origin",
    "attempts",
    "started_at",
    "finished_at",
    "duration",
    "reason",
    "source_run",
    "error",
}
COUNT_KEYS = {
    "total",
    "executed",
    "restored",
    "overridden",
    "running",
    "retrying",
    "pending",
    "failed",
    "upstream_failed",
    "skipped",
    "cancelled",
}
ERROR_KEYS = {"kind", "message", "trace", "exit_code", "causes"}


@pytest.fixture
def good(project):
    project.write("good.py", pipelines.GOOD)
    return project


@pytest.fixture
def broken(project):
    project.write("broken.py", pipelines.BROKEN)
    return project


def statuses(run) -> dict[str, str]:
    return {task["task"]: task["status"] for task in run["tasks"]}


# What it does -------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", ["sequential", "threads", "async", "processes"])
def test_every_executor_completes_the_workflow(good, executor):
    done = good.run("run", "good.py", "--executor", executor)
    assert done.returncode == 0, done.stderr
    assert good.json("show", "last", "join")["tasks"][0]["result"]["preview"] == "'Oslo+Oslo'"


def test_parameters_reach_the_tasks(good):
    good.run("run", "good.py", "--param", "city=Rome", "-p", "count=3")
    shown = good.json("show", "last", "join")
    assert shown["tasks"][0]["result"]["preview"] == "'Rome+Rome+Rome'"


def test_a_second_run_restores_and_says_so(good):
    first = good.json("run", "good.py")["id"]
    done = good.run("run", "good.py")
    assert done.returncode == 0
    assert f"good: nothing to do: all 2 tasks restored from run {first} " in done.stdout


def test_a_mapped_task_is_restored_when_its_elements_are(project):
    project.write("mapped.py", pipelines.MAPPED)
    command = ("run", "mapped.py", "--param", 'pages=["a.txt", "c.txt"]')
    project.run(*command)
    assert "nothing to do: all 3 tasks restored" in project.run(*command).stdout


def test_a_run_that_restores_in_part_says_how_much(good):
    good.run("run", "good.py")
    good.write("good.py", pipelines.GOOD.replace("@task\ndef join", "@task(version='2')\ndef join"))
    assert "2 tasks: 1 executed, 1 restored" in good.run("run", "good.py").stdout


def test_reuse_never_runs_all(good):
    good.run("run", "good.py")
    assert good.json("run", "good.py", "--reuse", "never")["counts"]["executed"] == 2


def test_a_failed_run_is_continued_under_its_id(broken):
    first = broken.json("run", "broken.py")
    broken.write("broken.py", pipelines.BROKEN.replace("raise ValueError", "return str"))
    again = broken.json("run", "broken.py")
    assert again["id"] == first["id"]
    assert again["status"] == "completed"
    assert {task["task"]: task["attempts"] for task in again["tasks"]}["fetch"] == 1


def test_new_run_starts_afresh(broken):
    first = broken.json("run", "broken.py")
    assert broken.json("run", "broken.py", "--new-run")["id"] != first["id"]


def test_a_run_can_be_given_its_id(good):
    assert good.json("run", "good.py", "--run-id", "nightly-7")["id"] == "nightly-7"


def test_on_failure_stop_starts_nothing_more(project):
    project.write(
        "stop.py",
        """
        from flowweaver import Workflow

        def broken():
            raise ValueError

        def other():
            return 1

        stop = Workflow("stop", [broken, other])
        """,
    )
    options = ("run", "stop.py", "--executor", "sequential")
    assert statuses(project.json(*options, "--on-failure", "stop"))["other"] == "cancelled"
    assert statuses(project.json(*options, "--new-run"))["other"] == "completed"


def test_workers_bound_what_runs_at_once(project):
    project.write(
        "wide.py",
        """
        import threading
        from flowweaver import Task, Workflow

        running, most = [], []

        def body():
            running.append(1)
            most.append(len(running))
            threading.Event().wait(0.01)
            running.pop()
            return max(most)

        wide = Workflow("wide", [Task(f"t{n}", body) for n in range(20)])
        """,
    )
    assert project.run("run", "wide.py", "--workers", "1").returncode == 0
    results = [
        project.json("show", "last", f"t{n}")["tasks"][0]["result"]["preview"] for n in (0, 19)
    ]
    assert results == ["1", "1"]


def test_the_store_is_made_when_a_run_begins_and_not_before(good):
    good.run("run", "good.py", "--param", "nobody=1")
    assert not (good.folder / ".flowweaver").exists()
    good.run("run", "good.py")
    assert (good.folder / ".flowweaver" / "state.db").is_file()


def test_a_store_can_be_elsewhere(good):
    good.run("run", "good.py", "--store", "deep/er/runs.db")
    assert (good.folder / "deep" / "er" / "runs.db").is_file()
    assert len(good.json("runs", "--store", "deep/er/runs.db")) == 1


def test_a_store_can_be_a_url(good):
    assert good.run("run", "good.py", "--store", "sqlite:///runs.db").returncode == 0
    assert len(good.json("runs", "--store", "sqlite:///runs.db")) == 1


def test_memory_keeps_nothing(good):
    done = good.run("run", "good.py", "--store", "memory:")
    assert done.returncode == 0
    assert {path.name for path in good.folder.iterdir()} - {"__pycache__"} == {"good.py"}


@pytest.mark.parametrize("durability", ["full", "process"])
def test_the_durability_is_that_asked_for(good, durability):
    run = good.json("run", "good.py", "--durability", durability)
    assert run["status"] == "completed"
    assert run["store"].endswith("?durability=process") == (durability == "process")


def test_a_plug_in_brings_an_executor(good):
    good.write(
        "mine.py",
        """
        from flowweaver import SequentialExecutor

        def make(address, workers, **common):
            print("made with", address, workers)
            return SequentialExecutor(**common)
        """,
    )
    good.write("mine-1.0.dist-info/METADATA", "Name: mine\nVersion: 1.0\n")
    good.write("mine-1.0.dist-info/entry_points.txt", "[flowweaver.executors]\nmine = mine:make\n")
    done = good.run("run", "good.py", "--executor", "mine://host:8786", "--workers", "3")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "made with host:8786 3")


# What it says -------------------------------------------------------------------------------


def test_each_task_has_its_lines_where_there_is_no_terminal(good):
    lines = [line[9:] for line in good.run("run", "good.py").stderr.splitlines()]
    assert lines[1] == "fetch started"
    assert lines[2].startswith("fetch completed in ")


def test_the_summary_says_how_to_see_the_results(good):
    lines = good.run("run", "good.py").stdout.splitlines()
    assert lines[0].startswith("good: completed in ")
    assert "2 tasks: 2 executed" in lines[0]
    command = lines[1].removeprefix("results: flowweaver ").split()
    assert good.run(*command).returncode == 0


def test_the_way_to_the_results_names_another_store(good):
    lines = good.run("run", "good.py", "--store", "my runs.db").stdout.splitlines()
    assert lines[1].endswith(" --store 'my runs.db'")


def test_a_failed_task_comes_with_its_message_and_its_own_traceback(broken):
    done = broken.run("run", "broken.py")
    assert done.returncode == 1
    message = done.stderr[done.stderr.index("\nError: ") + 1 :].splitlines()
    assert message[0] == (
        r"Error: task 'parse' failed after 2 attempts: ValueError: row 3 is \x1b[31mbad"
    )
    files = [line for line in message if line.startswith("  File ")]
    assert len(files) == 1
    assert "broken.py" in files[0]


def test_a_failed_run_says_how_to_go_on(broken):
    lines = broken.run("run", "broken.py").stdout.splitlines()
    assert "4 tasks: 2 executed, 1 failed, 1 upstream failed" in lines[0]
    assert lines[-1].startswith("the same command again continues it")


@pytest.mark.parametrize("store", [".flowweaver/state.db", "memory:"])
def test_of_a_mapped_task_only_the_elements_that_failed_are_told(project, store):
    project.write("mapped.py", pipelines.MAPPED)
    pages = 'pages=["a.txt", "b.bad", "c.txt"]'
    done = project.run("run", "mapped.py", "--quiet", "--param", pages, "--store", store)
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert errors == ["Error: task 'load[1]' (b.bad) failed: ValueError: b.bad"]


@pytest.mark.parametrize("store", [".flowweaver/state.db", "memory:"])
def test_elements_of_a_mapped_task_are_in_the_json(project, store):
    project.write("mapped.py", pipelines.MAPPED)
    run = project.json("run", "mapped.py", "--param", 'pages=["a.txt", "c.txt"]', "--store", store)
    elements = {(task["task"], task["element"]) for task in run["tasks"]}
    assert elements == {("load", ""), ("load", "0"), ("load", "1"), ("total", "")}
    assert run["counts"]["total"] == 3


def test_of_many_failures_the_first_are_shown_and_the_rest_counted(project):
    project.write(
        "many.py",
        """
        from flowweaver import Task, Workflow

        def broken():
            raise ValueError

        many = Workflow("many", [Task(f"t{n}", broken) for n in range(30)])
        """,
    )
    done = project.run("run", "many.py", "--quiet")
    assert done.stderr.count("Traceback") == 10
    assert "Error: 20 more tasks failed; `flowweaver show` lists them" in done.stderr


def test_no_output_brings_escapes_to_the_terminal(broken):
    done = broken.run("run", "broken.py")
    assert "\x1b" not in done.stdout + done.stderr


def test_quiet_says_nothing_of_what_goes_well(good):
    done = good.run("run", "good.py", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_quiet_says_what_fails(broken):
    done = broken.run("run", "broken.py", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: task 'parse' failed")


# JSON ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [".flowweaver/state.db", "memory:"])
def test_json_has_the_documented_keys(broken, store):
    run = broken.json("run", "broken.py", "--store", store)
    assert set(run) == RUN_KEYS
    assert set(run["counts"]) == COUNT_KEYS
    assert all(set(task) == TASK_KEYS for task in run["tasks"])
    errors = [task["error"] for task in run["tasks"] if task["error"]]
    assert errors
    assert all(set(error) == ERROR_KEYS for error in errors)


@pytest.mark.parametrize("store", [".flowweaver/state.db", "memory:"])
def test_json_tells_what_became_of_each_task(broken, store):
    run = broken.json("run", "broken.py", "--store", store)
    assert (run["status"], run["exit_code"]) == ("failed", 1)
    assert statuses(run) == {
        "fetch": "completed",
        "parse": "failed",
        "load": "upstream_failed",
        "other": "completed",
    }
    causes = {task["task"]: task["error"]["causes"] for task in run["tasks"] if task["error"]}
    assert causes == {"parse": [], "load": ["parse"]}


def test_json_is_alone_on_standard_output_whatever_bodies_print(project):
    project.write(
        "loud.py",
        """
        import os
        import subprocess
        import sys
        from flowweaver import Workflow, task

        print("at import")

        @task
        def loud():
            print("from the body")
            os.write(1, b"past Python\\n")
            subprocess.run([sys.executable, "-c", "print('from a child')"])

        w = Workflow("w", [loud])
        """,
    )
    done = project.run("run", "loud.py", "--json")
    assert json.loads(done.stdout)["status"] == "completed"
    for text in ("at import", "from the body", "past Python", "from a child"):
        assert text in done.stderr


# What must be fixed first --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--param", "citi=Rome"], "Unknown parameter 'citi'; did you mean 'city'?"),
        (["--param", "count=many"], "Parameter 'count' of task 'fetch' must be int, not 'many'"),
        (["--param", "count"], "write it as name=value"),
        (
            ["--executor", "thread"],
            "There is no executor 'thread', only async, dask, processes, ray, sequential, threads",
        ),
        (["--executor", "threads://here"], "takes no address"),
        (["--executor", "sequential", "--workers", "2"], "drop --workers"),
        (["--workers", "0"], "0 is not in the range x>=1"),
        (["--wait", "nan"], "nan is no number of seconds"),
        (["--grace", "nan"], "nan is no number of seconds"),
        (["--store", "state.txt"], "state.txt"),
        (["--store", "nosuch://x"], "nosuch"),
        (["--store", "memory:", "--durability", "full"], "--durability says how a store keeps"),
    ],
)
def test_what_is_to_be_mended_first_is_a_usage_error(good, arguments, message):
    done = good.run("run", "good.py", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_parameter_is_named_before_anything_runs(project):
    project.write(
        "needs.py",
        """
        from flowweaver import Workflow

        def fetch(url: str):
            return url

        needs = Workflow("needs", [fetch])
        """,
    )
    done = project.run("run", "needs.py")
    assert done.returncode == 2
    assert "Missing parameter 'url', taken by 'fetch'" in done.stderr
    assert done.stderr.endswith(" Give it as -p url=VALUE.\n")


def test_a_store_that_is_none_stops_the_run_and_is_left_as_it_was(good):
    (good.folder / "state.db").write_bytes(b"not a database" * 100)
    done = good.run("run", "good.py", "--store", "state.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert "state.db" in done.stderr
    assert (good.folder / "state.db").read_bytes() == b"not a database" * 100


def test_an_executor_that_can_not_be_loaded_is_named(good):
    install_faulty_executor(good)
    good.write("faulty.py", "import no_such_package\n")
    done = good.run("run", "good.py", "--executor", "faulty")
    assert done.returncode == 2
    assert "Executor 'faulty' can't be loaded" in done.stderr

"""`flowweaver runs` and `flowweaver show`: what is kept of runs."""

import pytest

from tests.cli import pipelines
from tests.cli.command import Project
from tests.cli.test_run import COUNT_KEYS, ERROR_KEYS, RUN_KEYS, TASK_KEYS

LISTED_KEYS = RUN_KEYS - {"counts", "tasks", "store", "exit_code"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return a project in whose store are a failed run and then a completed one."""
    project = Project(tmp_path_factory.mktemp("kept"))
    project.write("broken.py", pipelines.BROKEN)
    project.write("good.py", pipelines.GOOD)
    project.run("run", "broken.py", "--run-id", "abc-1")
    project.run("run", "good.py", "--run-id", "abd-2", "--param", "city=Rome")
    return project


# runs ---------------------------------------------------------------------------------------


def test_runs_are_listed_newest_first(kept):
    lines = kept.run("runs").stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["abd-2", "good", "completed"],
        ["abc-1", "broken", "failed"],
    ]


def test_runs_as_json_have_the_documented_keys(kept):
    runs = kept.json("runs")
    assert [run["id"] for run in runs] == ["abd-2", "abc-1"]
    assert all(set(run) == LISTED_KEYS for run in runs)


def test_runs_of_one_workflow_can_be_listed(kept):
    assert [run["id"] for run in kept.json("runs", "--workflow", "broken")] == ["abc-1"]


def test_as_many_runs_as_asked_for_are_listed(kept):
    assert [run["id"] for run in kept.json("runs", "--limit", "1")] == ["abd-2"]


def test_a_store_that_is_not_there_is_an_error_and_is_not_made(project):
    done = project.run("runs")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no store at" in done.stderr
    assert list(project.folder.iterdir()) == []


def test_a_damaged_store_is_an_error(project):
    (project.folder / "state.db").write_bytes(b"x" * 5000)
    done = project.run("runs", "--store", "state.db")
    assert done.returncode == 2
    assert "state.db" in done.stderr
    assert "Traceback" not in done.stderr


# show RUN -----------------------------------------------------------------------------------


def test_a_run_is_shown_with_its_tasks(kept):
    lines = kept.run("show", "abc-1").stdout.splitlines()
    assert "4 tasks: 2 executed, 1 failed, 1 upstream failed" in lines
    row = next(line for line in lines if line.startswith("parse "))
    assert row.split()[:3] == ["parse", "failed", "2"]


def test_a_run_is_shown_with_its_parameters(kept):
    assert "parameter city = 'Rome'" in kept.run("show", "abd-2").stdout
    assert kept.json("show", "abd-2")["parameters"] == {"city": "'Rome'"}


def test_last_is_the_newest_run(kept):
    assert kept.json("show", "last")["id"] == "abd-2"


def test_the_beginning_of_an_id_is_enough(kept):
    assert kept.json("show", "abc")["id"] == "abc-1"


def test_an_ambiguous_beginning_names_the_candidates(kept):
    done = kept.run("show", "ab")
    assert done.returncode == 2
    assert "could be any of 2: abd-2, abc-1" in done.stderr


def test_an_unknown_run_says_how_to_find_one(kept):
    done = kept.run("show", "zzz")
    assert done.returncode == 2
    assert "There is no run 'zzz'" in done.stderr
    assert "`flowweaver runs`" in done.stderr


def test_last_without_any_run_says_how_to_make_one(project):
    done = project.run("show", "last")
    assert done.returncode == 2
    assert "`flowweaver run TARGET` makes one" in done.stderr


def test_memory_has_nothing_to_show(project):
    assert project.run("show", "last", "--store", "memory:").returncode == 2


def test_a_run_as_json_has_the_documented_keys(kept):
    run = kept.json("show", "abc-1")
    assert set(run) == LISTED_KEYS | {"counts", "tasks", "parameters"}
    assert set(run["counts"]) == COUNT_KEYS
    assert all(set(task) == TASK_KEYS for task in run["tasks"])


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a project in whose store is a run of more tasks than are listed."""
    project = Project(tmp_path_factory.mktemp("many"))
    project.write(
        "many.py",
        """
        from flowweaver import Task, Workflow

        def body(): pass
        def broken(): raise ValueError
        def slow():
            print("slowly")
            __import__("time").sleep(1)

        tasks = [Task(f"t{n}", body) for n in range(600)]
        many = Workflow("many", [*tasks, Task("broken", broken), Task("slow", slow)])
        """,
    )
    project.run("run", "many.py", "--quiet", "--durability", "process")
    return project


def test_of_very_many_tasks_those_not_completed_and_the_slowest_are_shown(many):
    lines = many.run("show", "last").stdout.splitlines()
    assert "602 tasks: 601 executed, 1 failed" in lines
    assert "--page 1 to --page 2 list all 602, 500 at a time" in lines
    unfinished, slowest = (place for place, line in enumerate(lines) if line.startswith("task"))
    assert lines[unfinished + 1].startswith("broken ")
    assert lines[slowest - 1] == "the slowest:"
    assert lines[slowest + 1].startswith("slow ")
    assert len(lines[slowest + 1 : -1]) == 20
    assert len(many.json("show", "last")["tasks"]) == 602


def test_pages_have_all_task_runs_in_the_order_they_were_begun(many):
    first, second = (many.json("show", "last", "--page", str(number)) for number in (1, 2))
    assert (len(first["tasks"]), len(second["tasks"])) == (500, 102)
    assert len({task["task"] for task in first["tasks"] + second["tasks"]}) == 602
    assert all(set(task) == TASK_KEYS for task in second["tasks"])
    assert "has no page 3" in many.run("show", "last", "--page", "3").stdout
    assert many.run("show", "last", "t1", "--page", "1").returncode == 2


def test_one_task_of_very_many_is_looked_at_alone(many):
    assert "t599" in many.run("show", "last", "t599").stdout
    assert many.json("explain", "last", "slow")[0]["origin"] == "executed"
    assert many.run("logs", "last", "slow").stdout.splitlines() == [
        "--- slow, attempt 1",
        "slowly",
    ]
    assert "'slow'" in many.run("show", "last", "slwo").stderr


# show RUN TASK ------------------------------------------------------------------------------


def test_a_task_is_shown_with_its_result(kept):
    assert "result: 'Rome+Rome'" in kept.run("show", "last", "join").stdout.splitlines()


def test_a_failed_task_is_shown_with_its_attempts_and_traceback(kept):
    lines = kept.run("show", "abc-1", "parse").stdout.splitlines()
    message = r"ValueError: row 3 is \x1b[31mbad"
    assert f"attempt 1: {message}" in lines
    assert f"attempt 2: {message}" in lines
    assert "Traceback (most recent call last):" in lines


def test_a_task_as_json_has_the_documented_keys(kept):
    shown = kept.json("show", "abc-1", "parse")
    assert set(shown) == {"run", "tasks"}
    assert set(shown["run"]) == LISTED_KEYS
    (task,) = shown["tasks"]
    assert set(task) == TASK_KEYS | {"result", "read", "failed_attempts"}
    assert task["result"] is None
    assert [attempt["number"] for attempt in task["failed_attempts"]] == [1, 2]
    for attempt in task["failed_attempts"]:
        assert set(attempt) == {"number", "element", "started_at", "duration", "error"}
        assert set(attempt["error"]) == ERROR_KEYS


def test_a_result_as_json_says_how_it_is_stored(kept):
    (task,) = kept.json("show", "last", "join")["tasks"]
    assert set(task["result"]) == {"codec", "bytes", "digest", "preview"}


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """Return a project with a run in which one of three elements failed."""
    project = Project(tmp_path_factory.mktemp("mapped"))
    project.write("mapped.py", pipelines.MAPPED)
    done = project.run("run", "mapped.py", "--param", 'pages=["a.txt", "b.bad", "c.txt"]')
    assert done.returncode == 1
    return project


def test_a_mapped_task_is_shown_with_its_elements(mapped):
    tasks = mapped.json("show", "last", "load")["tasks"]
    assert {task["element"]: task["status"] for task in tasks} == {
        "0": "completed",
        "1": "failed",
        "2": "completed",
        "": "failed",
    }


def test_one_element_can_be_shown(mapped):
    (task,) = mapped.json("show", "last", "load[2]")["tasks"]
    assert task["result"]["preview"] == "'c'"
    assert "result: 'c'" in mapped.run("show", "last", "load[2]").stdout


def test_of_a_mapped_task_the_elements_are_counted(mapped):
    lines = mapped.run("show", "last").stdout.splitlines()
    assert "4 tasks: 2 executed, 1 failed, 1 upstream failed" in lines


def test_an_unknown_task_brings_the_like(kept):
    done = kept.run("show", "last", "joim")
    assert done.returncode == 2
    assert "no record of a task 'joim'; did you mean 'join'?" in done.stderr


def test_a_pickled_result_is_shown_without_running_its_code(project):
    project.write(
        "pickled.py",
        """
        import pathlib
        from flowweaver import Workflow, task

        def unpickled(name):
            pathlib.Path("unpickled").touch()
            return Thing(name)

        class Thing:
            def __init__(self, name):
                self.name = name
            def __reduce__(self):
                return unpickled, (self.name,)
            def __eq__(self, other):
                return isinstance(other, Thing) and self.name == other.name

        @task
        def make():
            return Thing("it")

        pickled = Workflow("pickled", [make])
        """,
    )
    assert project.run("run", "pickled.py").returncode == 0
    (project.folder / "unpickled").unlink(missing_ok=True)
    done = project.run("show", "last", "make")
    assert (done.returncode, "result: " in done.stdout) == (0, True)
    assert not (project.folder / "unpickled").exists()


def test_names_and_values_bring_no_escapes_to_the_terminal(project):
    project.write(
        "hostile.py",
        """
        from flowweaver import Task, Workflow

        hostile = Workflow("[bold]w", [Task("[red]x[/red]", lambda p: "\\x1b[2J" + p)])
        """,
    )
    project.run("run", "hostile.py", "--param", "p=\x1b]0;x\x07")
    for arguments in (["runs"], ["show", "last"], ["show", "last", "[red]x[/red]"]):
        done = project.run(*arguments)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout
        assert "[bold]w" in done.stdout


MAPPED = """
from flowweaver import Workflow, each

def double(number):
    return number * {factor}

flow = Workflow("flow")
flow.add_task(lambda: [1, 2, 3], name="numbers")
flow.add_task(double, name="double", inputs={{"number": each("numbers")}})
"""


@pytest.mark.parametrize("command", ["explain last double", "diff {first} {second}"])
def test_code_that_changed_for_many_elements_is_shown_once(project, command):
    runs = []
    for factor in (2, 3):
        project.write("mapped.py", MAPPED.format(factor=factor))
        # Python takes the old bytecode of a file of the same size and second.
        project.run("run", "mapped.py", env={"PYTHONDONTWRITEBYTECODE": "1"})
        runs.append(project.json("runs")[0]["id"])
    words = command.format(first=runs[0], second=runs[1]).split()
    told = project.run(*words).stdout
    assert told.count("+    return number * 3") == 1
    assert "double[2]" in told


SAYING = """\
    from flowweaver import Workflow, task

    @task
    def says():
        print("hello from says")

    @task
    def fails(says):
        raise ValueError("not today")

    w = Workflow("w", [says])
    failing = Workflow("failing", [says, fails])
    """


def test_logs_of_what_was_executed_in_a_run_that_was_deleted_are_not_said_to_be_none(tmp_path):
    project = Project(tmp_path)
    project.write("saying.py", SAYING)
    for id_ in ("first", "second"):
        assert project.run("run", "saying.py:w", "--run-id", id_).returncode == 0
    assert "hello from says" in project.run("logs", "second").stdout
    assert project.run("gc", "--keep-runs", "1").returncode == 0
    assert project.run("logs", "second").stdout == (
        "what was executed in run first is not kept: that run was deleted\n"
    )


def test_failed_task_is_explained_by_why_it_ran_and_what_it_raised(tmp_path):
    project = Project(tmp_path)
    project.write("saying.py", SAYING)
    assert project.run("run", "saying.py:failing").returncode == 1
    assert project.run("explain", "last", "fails").stdout.splitlines()[0] == (
        "fails was executed: never ran; it failed: ValueError: not today"
    )

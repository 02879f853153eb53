"""`flowweaver replay`: one body again, on its stored inputs."""

import subprocess
import sys

import pytest

from tests.cli.command import Project
from tests.cli.pipelines import DOUBLES

FROM = ("--target", "doubles.py")


@pytest.fixture(scope="module")
def doubles(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("doubles"))
    project.write("doubles.py", DOUBLES)
    assert project.run("run", "doubles.py", "--run-id", "two").returncode == 0
    assert project.run("run", "doubles.py", "--run-id", "none", "-p", "count=0").returncode == 0
    return project


def test_a_task_is_replayed_on_its_stored_inputs(doubles):
    done = doubles.run("replay", "two", "total", *FROM)
    assert (done.returncode, done.stdout) == (0, "2\n")


def test_one_element_is_replayed(doubles):
    done = doubles.run("replay", "two", "double[1]", *FROM)
    assert (done.returncode, done.stdout) == (0, "2\n")


def test_of_a_mapped_task_an_element_has_to_be_named(doubles):
    done = doubles.run("replay", "two", "double", *FROM)
    assert done.returncode == 2
    assert "name the element to be replayed (double[0], double[1])" in done.stderr


def test_a_mapped_task_without_elements_has_nothing_to_replay(doubles):
    done = doubles.run("replay", "none", "double", *FROM)
    assert done.returncode == 2
    assert "has no element in run none" in done.stderr


def test_an_element_that_is_not_there_is_an_error(doubles):
    done = doubles.run("replay", "two", "double[2]", *FROM)
    assert done.returncode == 2
    assert "no task 'double[2]'" in done.stderr


def test_the_code_can_be_taken_from_elsewhere(doubles):
    doubles.write("edited.py", DOUBLES.replace("sum(double)", "-sum(double)"))
    done = doubles.run("replay", "two", "total", "--target", "edited.py")
    assert (done.returncode, done.stdout) == (0, "-2\n")


def test_a_run_that_the_command_did_not_start_needs_a_target(doubles):
    script = """
        from flowweaver import SequentialExecutor, SQLiteStateStore
        from doubles import doubles

        store = SQLiteStateStore(".flowweaver/state.db")
        SequentialExecutor(state_store=store).execute(doubles, {"count": 3}, run_id="three")
        """
    path = doubles.write("script.py", script)
    subprocess.run([sys.executable, path], cwd=doubles.folder, check=True)
    done = doubles.run("replay", "three", "total")
    assert done.returncode == 2
    assert "Run three was not started by the command" in done.stderr
    assert doubles.run("replay", "three", "total", "--target", "doubles.py").stdout == "6\n"


FAILING = """
    from flowweaver import Workflow, task

    @task
    def first():
        raise ValueError("no data")

    @task
    def second(first):
        return 1

    @task
    def either(n: int = 1):
        if n == 2:
            raise ValueError(n)

    failing = Workflow("failing", [first, second])
    forked = Workflow("forked", [either])
"""


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("failing"))
    project.write("failing.py", FAILING)
    return project


def test_a_task_that_had_no_inputs_is_not_replayed(failing):
    ended = failing.run("run", "failing.py:failing", "--run-id", "its own")
    assert "flowweaver show 'its own'" in ended.stdout
    done = failing.run("replay", "its own", "second", "--target", "failing.py:failing")
    assert (done.returncode, done.stdout) == (2, "")
    assert "because of first: ValueError: no data" in done.stderr
    said = failing.run("explain", "its own", "second").stdout
    assert said == "second was not executed because of first: ValueError: no data\n"


def test_what_continues_a_run_is_said_as_it_is(failing):
    ended = failing.run("run", "failing.py:failing", "--new-run")
    assert "the same command without --new-run continues it" in ended.stdout
    failing.run("run", "failing.py:forked")
    ended = failing.run("fork", "last", "-p", "n=2", "--target", "failing.py:forked")
    assert "`flowweaver run` with its parameters and overrides continues it" in ended.stdout
    (begun, _) = failing.json("runs", "--workflow", "forked")
    failing.run("run", "failing.py:forked", "-p", "n=2")
    (continued, _) = failing.json("runs", "--workflow", "forked")
    assert continued["id"] == begun["id"]

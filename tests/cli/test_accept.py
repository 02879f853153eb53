"""`flowweaver accept`: an edit taken as harmless; and `explain`, which tells of it later."""

import re

import pytest

from tests.cli.pipelines import DOUBLES


@pytest.fixture
def doubles(project):
    """Return a project whose workflow was run once."""
    project.write("doubles.py", DOUBLES)
    assert project.run("run", "doubles.py", "--run-id", "first").returncode == 0
    return project


def edit(project, *edits):
    path = project.folder / "doubles.py"
    text = path.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


DOUBLE = ("2 * number", "number * 2")
TOTAL = ("sum(double)", "sum(double, 0)")
NUMBERS = ("list(range(count))", "[*range(count)]")


def would_run(project):
    return [task["task"] for task in project.json("plan", "doubles.py")["tasks"]
            if task["action"] == "run"]  # fmt: skip


def test_what_was_accepted_is_restored(doubles):
    edit(doubles, DOUBLE, TOTAL)
    done = doubles.run("accept", "doubles.py")
    accepted = ["accepted double[0]", "accepted double[1]", "accepted total"]
    assert (done.returncode, done.stdout.splitlines()) == (0, accepted)
    assert would_run(doubles) == []


def test_one_element_can_be_accepted(doubles):
    edit(doubles, DOUBLE)
    assert doubles.json("accept", "doubles.py", "double[0]")["accepted"] == ["double[0]"]
    assert would_run(doubles) == ["double", "double"]
    run = doubles.json("run", "doubles.py")
    origins = {task["element"]: task["origin"] for task in run["tasks"] if task["task"] == "double"}
    assert origins == {"0": "restored", "1": "executed", "": "executed"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("double[7]", "Task 'double' has no element 'double[7]'"),
        ("doubl", "no task 'doubl'; did you mean 'double'?"),
        ("total[0]", "no task 'total[0]'"),
    ],
)
def test_a_name_that_means_nothing_is_an_error(doubles, name, message):
    edit(doubles, DOUBLE)
    done = doubles.run("accept", "doubles.py", name)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(doubles.json("runs")) == 1


def test_where_nothing_is_to_be_accepted_nothing_is_written(doubles):
    done = doubles.run("accept", "doubles.py")
    assert done.returncode == 0
    assert done.stdout.startswith("nothing to accept")
    assert [run["id"] for run in doubles.json("runs")] == ["first"]


def test_what_comes_after_a_task_that_would_run_is_refused(doubles):
    edit(doubles, DOUBLE, TOTAL)
    done = doubles.run("accept", "doubles.py", "total")
    assert done.returncode == 1
    assert done.stdout == "refused total: depends on what `double` gives\n"
    assert [run["id"] for run in doubles.json("runs")] == ["first"]


def test_what_was_not_accepted_can_be_later(doubles):
    edit(doubles, NUMBERS, DOUBLE)
    assert doubles.run("accept", "doubles.py", "numbers").returncode == 0
    assert doubles.run("accept", "doubles.py", "double").returncode == 0
    assert would_run(doubles) == []


def test_parameters_of_what_was_accepted_can_be_read(doubles):
    edit(doubles, DOUBLE)
    doubles.run("run", "doubles.py", "--param", "count=2", "--run-id", "given")
    edit(doubles, TOTAL)
    run_id = doubles.json("accept", "doubles.py", "--param", "count=2")["run_id"]
    assert doubles.json("show", run_id)["parameters"] == {"count": "2"}
    assert doubles.run("doctor").returncode == 0


def test_explain_says_who_accepted_and_when(doubles):
    edit(doubles, TOTAL)
    doubles.run("accept", "doubles.py")
    for number in range(2):
        doubles.run("run", "doubles.py", "--run-id", f"later-{number}")
        lines = doubles.run("explain", "last", "total").stdout.splitlines()
        assert lines[0] == "total was restored: unchanged since run first"
        said = (
            r" +its code was accepted by \S+@\S+ on [-\d]+ [:\d]+ UTC as what it was in run first"
        )
        assert re.fullmatch(said, lines[1])
        (told,) = doubles.json("explain", f"later-{number}", "total")
        assert told["acceptance"].startswith("accepted by ")


def test_explain_tells_of_no_acceptance_where_there_was_none(doubles):
    edit(doubles, TOTAL)
    doubles.run("accept", "doubles.py")
    doubles.run("run", "doubles.py")
    (told,) = doubles.json("explain", "last", "numbers")
    assert told["acceptance"] is None


# Mapped tasks -------------------------------------------------------------------------------


def test_explain_says_of_a_mapped_task_what_its_elements_came_to(doubles):
    lines = doubles.run("explain", "first", "double").stdout.splitlines()
    assert lines[0] == "double was executed: its 2 elements: 2 executed"


def test_of_a_mapped_task_over_nothing_that_is_said(doubles):
    doubles.run("run", "doubles.py", "--param", "count=0")
    assert doubles.run("explain", "last", "double").stdout == (
        "double was executed: it was mapped over nothing\n"
    )


def test_a_mapped_task_of_a_continued_run_is_shown_like_its_elements(project):
    project.write("doubles.py", DOUBLES)
    edit(project, ("return sum(double)", "raise ValueError"))
    assert project.run("run", "doubles.py", "--run-id", "one").returncode == 1
    edit(project, ("raise ValueError", "return sum(double)"))
    assert project.run("run", "doubles.py").returncode == 0
    tasks = project.json("show", "one", "double")["tasks"]
    assert {task["origin"] for task in tasks} == {"executed"}
    assert "its 2 elements: 2 executed" in project.run("show", "one").stdout

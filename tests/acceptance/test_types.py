"""Types between tasks: what one is annotated to return is held against what the next takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Project

AGES = """
from flowweaver import Workflow, each, task

@task
def ages() -> list[int]:
    return [1, 2]

@task(inputs={{"age": each("ages")}})
def shout(age: {takes}) -> str:
    return str(age)

typed = Workflow("typed", [ages, shout]{strictly})
"""
CLASH = "Task 'shout' takes age: str, but an element of 'ages' is int."


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.close()


def test_clash_is_warned_of_and_the_run_goes_on(project: Project) -> None:
    project.write("typed.py", AGES.format(takes="str", strictly=""))
    done = project.run("run", "typed.py", "-q")
    assert done.returncode == 0
    assert CLASH.removesuffix(".") in done.stderr


def test_clash_is_refused_where_that_is_asked_for(project: Project) -> None:
    project.write("typed.py", AGES.format(takes="str", strictly=", strict_types=True"))
    done = project.run("run", "typed.py")
    assert done.returncode == 2
    assert CLASH in done.stderr
    assert not (project.folder / ".flowweaver").exists()


def test_nothing_is_said_of_what_may_fit(project: Project) -> None:
    project.write("typed.py", AGES.format(takes="float | str", strictly=", strict_types=True"))
    done = project.run("run", "typed.py", "-q")
    assert (done.returncode, done.stderr) == (0, "")

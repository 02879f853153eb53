"""The project that `flowweaver init` makes, and what it leaves alone."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

FILES = ("pipeline.py", "tests/test_pipeline.py", "pyproject.toml", "README.md", ".gitignore")


def made(folder: Path) -> dict[str, bytes]:
    """Return what stands in a folder, by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def demo(project):
    """A project that was made in the folder `demo`; commands run there."""
    done = project.run("init", "demo")
    assert done.returncode == 0, done.stderr
    project.folder /= "demo"
    return project


def test_the_workflow_runs_and_then_has_nothing_to_do(demo):
    assert demo.json("run", "pipeline.py")["counts"]["executed"] == 8
    assert demo.json("run", "pipeline.py")["counts"]["restored"] == 8
    shown = demo.run("show", "last", "report").stdout
    assert "Bergen: 4.7 degrees" in shown


def test_only_what_takes_a_changed_parameter_runs_again(demo):
    demo.run("run", "pipeline.py")
    again = demo.json("run", "pipeline.py", "--param", "digits=2")
    executed = {task["task"] for task in again["tasks"] if task["origin"] == "executed"}
    assert executed == {"mean", "report"}


def test_its_own_test_passes(demo):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=demo.folder,
        # What an installed FlowWeaver brings by itself.
        env={**os.environ, "PYTEST_PLUGINS": "flowweaver.testing.plugin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_its_source_is_as_formatters_and_linters_leave_it(demo):
    for check in (["format", "--check"], ["check", "--select=E,F,I,B,UP"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *check, "--no-cache", "--isolated", "."],
            cwd=demo.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout


def test_what_comes_next_is_said(project):
    said = project.run("init", "demo").stdout
    assert [name for name in FILES if f"demo/{name}" not in said] == []
    assert "cd demo" in said
    assert "flowweaver run pipeline.py" in said


def test_without_a_folder_the_present_one_is_used(project):
    said = project.run("init").stdout
    assert set(made(project.folder)) == set(FILES)
    assert "cd " not in said


def test_the_project_is_named_after_its_folder(project):
    project.run("init", "new/My data (2)")
    settings = tomllib.loads((project.folder / "new/My data (2)/pyproject.toml").read_text())
    assert settings["project"]["name"] == "my-data-2"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_exists_is_named_and_nothing_is_made(project, name):
    project.write(f"demo/{name}", "mine")
    done = project.run("init", "demo")
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: demo/{name} exists already")
    assert made(project.folder) == {f"demo/{name}": b"mine"}


def test_the_folder_that_is_named_instead_is_free(project):
    project.run("init", "demo")
    assert "as in: flowweaver init demo-2." in project.run("init", "demo").stderr
    project.run("init")
    assert "as in: flowweaver init demo-2." in project.run("init").stderr
    assert project.run("init", "demo-2").returncode == 0
    project.run("init", "my own")
    assert "as in: flowweaver init 'my own-2'." in project.run("init", "my own").stderr


def test_what_comes_next_can_be_pasted(project):
    assert "cd 'my data/näme'" in project.run("init", "my data/näme").stdout


def test_a_link_to_nowhere_is_not_written_through(project):
    (project.folder / "README.md").symlink_to("elsewhere")
    assert "README.md exists already" in project.run("init").stderr
    assert not (project.folder / "elsewhere").exists()


def test_what_was_made_before_a_failure_is_removed(project):
    project.write("demo/tests", "a file where a folder is to be")
    done = project.run("init", "demo")
    assert done.returncode == 2
    assert done.stderr == "Error: demo/tests can't be made: File exists.\n"
    assert set(made(project.folder)) == {"demo/tests"}


def test_a_file_in_place_of_the_folder_is_named(project):
    project.write("demo", "mine")
    done = project.run("init", "demo")
    assert done.returncode == 2
    assert "'demo' is a file" in done.stderr


def test_a_project_does_not_need_one_of_its_own_name(project):
    assert project.run("init", "flowweaver").returncode == 0
    told = tomllib.loads((project.folder / "flowweaver" / "pyproject.toml").read_text())
    assert told["project"]["name"] == "my-flowweaver"


def test_an_empty_name_is_refused(project):
    done = project.run("init", "")
    assert (done.returncode, "name is empty" in done.stderr) == (2, True)
    assert list(project.folder.iterdir()) == []


def test_a_name_that_begins_with_a_dash_can_be_pasted(project):
    done = project.run("init", "--", "-odd")
    assert done.returncode == 0
    assert "cd ./-odd\n" in done.stdout

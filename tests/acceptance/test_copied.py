"""A project that is copied or moved: what its code names by its own place is looked at there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Project

FLOW = """
from pathlib import Path

from flowweaver import Workflow, task

HERE = Path(__file__).parent


@task
def content() -> str:
    return (HERE / "data" / "a.csv").read_text()


@task
def is_flagged() -> bool:
    return (HERE / "flag").exists()


@task
def named() -> int:
    return len(list((HERE / "data").iterdir()))


@task
def found() -> list[str]:
    return sorted(path.name for path in (HERE / "data").glob("*.csv"))


workflow = Workflow("w", [content, is_flagged, named, found])
"""
ALL = {"content", "is_flagged", "named", "found"}


def project_of(folder: Path, files: dict[str, str]) -> Project:
    """Return a new project with these files."""
    folder.mkdir()
    project = Project(folder)
    for name, text in files.items():
        project.write(name, text)
    return project


@pytest.fixture
def first(tmp_path: Path) -> Project:
    """Return a project that was run once."""
    project = project_of(tmp_path / "first", {"flow.py": FLOW, "data/a.csv": "1"})
    assert executed(project) == ALL
    return project


@pytest.fixture
def copy(first: Project, tmp_path: Path) -> Project:
    """Return a copy of it."""
    shutil.copytree(first.folder, tmp_path / "copy")
    return Project(tmp_path / "copy")


def executed(project: Project, *options: str) -> set[str]:
    """Run the project; return the tasks whose bodies ran."""
    ended = project.run("run", "flow.py", *options, env={"FLOWWEAVER_STORE": "../all.db"})
    assert ended.returncode == 0, ended.stderr
    tasks = project.json("show", "last", "--store", "../all.db")["tasks"]
    return {task["task"] for task in tasks if task["origin"] == "executed"}


def result(project: Project, task: str) -> str:
    return project.run("result", "last", task, "--store", "../all.db").stdout.strip()


@pytest.mark.parametrize("executor", ["sequential", "threads", "processes"])
def test_copy_takes_what_the_original_made(copy: Project, executor: str, tmp_path: Path) -> None:
    assert executed(copy, "-e", executor) == set()
    copy.write("data/a.csv", "2")
    assert executed(copy, "-e", executor) == {"content"}
    shutil.copytree(copy.folder, tmp_path / "another")
    another = Project(tmp_path / "another")
    assert executed(another, "-e", executor) == set()
    another.write("data/a.csv", "3")
    assert executed(another, "-e", executor) == {"content"}
    assert result(another, "content") == "3"


EDITS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "another content": (lambda at: (at / "data/a.csv").write_text("2"), {"content"}),
    "a file that comes": (lambda at: (at / "flag").touch(), {"is_flagged"}),
    "another name": (lambda at: (at / "data/b.txt").touch(), {"named"}),
    "another that is found": (lambda at: (at / "data/b.csv").touch(), {"named", "found"}),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_differs_in_a_copy_is_seen_there(first: Project, copy: Project, edit: str) -> None:
    change, then = EDITS[edit]
    change(copy.folder)
    assert executed(copy) == then
    assert executed(copy) == set()
    assert executed(first) == then


@pytest.mark.parametrize("edit", EDITS)
def test_what_differs_where_a_project_has_moved_to_is_seen_there(
    first: Project, edit: str, tmp_path: Path
) -> None:
    change, then = EDITS[edit]
    moved = Project(first.folder.rename(tmp_path / "moved"))
    assert executed(moved) == set()
    change(moved.folder)
    assert executed(moved) == then


def test_file_named_by_its_whole_path_is_looked_at_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    folder.mkdir()
    first = Project(folder)
    first.write(
        "flow.py",
        """
        from flowweaver import Workflow, task

        @task
        def content(path: str) -> str:
            return open(path).read()

        workflow = Workflow("w", [content])
        """,
    )
    data = first.write("data.csv", "1")
    given = ("-p", f"path={data}")
    assert executed(first, *given) == {"content"}
    shutil.copytree(folder, tmp_path / "copy")
    copy = Project(tmp_path / "copy")
    assert executed(copy, *given) == set()
    data.write_text("2")
    assert executed(copy, *given) == {"content"}
    assert result(copy, "content") == "2"


MADE = """
from pathlib import Path

from flowweaver import Workflow, task

HERE = Path(__file__).parent


@task{options}
def make(text: str) -> {returned}:
    (HERE / "made.txt").write_text(text)
    return {value}


@task
def read(make: {returned}) -> str:
    return (HERE / "made.txt").read_text()


workflow = Workflow("w", [make, read])
"""


@pytest.mark.parametrize(
    ("options", "returned", "value"),
    [("", "Path", 'HERE / "made.txt"'), ('(outputs=[str(HERE / "made.txt")])', "int", "1")],
    ids=["returned", "outputs"],
)
def test_file_that_a_task_makes_is_made_in_each_copy(
    options: str, returned: str, value: str, tmp_path: Path
) -> None:
    text = MADE.format(options=options, returned=returned, value=value)
    for name in ("first", "copy"):
        (tmp_path / name).mkdir()
        project = Project(tmp_path / name)
        project.write("flow.py", text)
        assert executed(project, "-p", "text=made") == {"make", "read"}
        assert Path(project.folder, "made.txt").read_text() == "made"
        assert executed(project, "-p", "text=made") == set()
        os.utime(project.folder / "made.txt")
        assert executed(project, "-p", "text=made") == set()


NAMED = """
from pathlib import Path

from flowweaver import Workflow, each, task

HERE = Path(__file__).parent


@task
def names() -> list[str]:
    return [str(path) for path in sorted((HERE / "data").glob("*.csv"))]


@task(inputs={"name": each("names")})
def content(name: str) -> str:
    return Path(name).read_text()


@task
def total(content: list[str]) -> str:
    return "+".join(content)


workflow = Workflow("w", [names, content, total])
"""


def test_result_that_names_the_place_of_a_project_is_made_again_elsewhere(tmp_path: Path) -> None:
    files = {"flow.py": NAMED, "data/a.csv": "1", "data/b.csv": "2"}
    first = project_of(tmp_path / "first", files)
    assert executed(first) == {"names", "content", "total"}
    shutil.copytree(first.folder, tmp_path / "copy")
    copy = Project(tmp_path / "copy")
    copy.write("data/a.csv", "100")
    executed(copy)
    assert result(copy, "total") == "100+2"
    moved = Project(first.folder.rename(tmp_path / "moved"))
    moved.write("data/b.csv", "3")
    executed(moved)
    assert result(moved, "total") == "1+3"


def test_files_of_another_project_that_is_copied_along_are_not_taken_for_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "one").mkdir()
    both = Project(tmp_path / "one")
    for name in ("app", "lib"):
        both.write(f"{name}/pyproject.toml", "")
    both.write("lib/rate.txt", "1")
    both.write(
        "lib/rates.py",
        """
        from pathlib import Path

        def rate() -> str:
            return (Path(__file__).parent / "rate.txt").read_text()
        """,
    )
    both.write(
        "app/flow.py",
        """
        import sys
        from pathlib import Path

        from flowweaver import Workflow, task

        sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))
        import rates

        @task
        def priced() -> str:
            return rates.rate()

        workflow = Workflow("w", [priced])
        """,
    )
    env = {"FLOWWEAVER_STORE": str(tmp_path / "all.db")}
    assert both.run("run", "app/flow.py", env=env).returncode == 0
    shutil.copytree(both.folder, tmp_path / "two")
    copy = Project(tmp_path / "two")
    copy.write("lib/rate.txt", "5")
    assert copy.run("run", "app/flow.py", env=env).returncode == 0
    assert copy.run("result", "last", "priced", env=env).stdout.strip() == "5"

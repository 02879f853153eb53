"""A file that is renamed or moved keeps its results, whatever classes of its own are in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import Project

CLASSES = """
import enum
from collections import namedtuple
from dataclasses import dataclass
from typing import NamedTuple

import attrs
import pydantic


class Kind(enum.Enum):
    BIG = 1


@dataclass(frozen=True)
class Row:
    name: str
    kind: Kind = Kind.BIG

    def shout(self) -> str:
        return louder(self.name)


class Pair(NamedTuple):
    row: Row
    size: int


Old = namedtuple("Old", "a b")


@attrs.frozen
class Attrs:
    x: int
    kind: Kind


class Model(pydantic.BaseModel):
    name: str
    row: Row


class Outer:
    @dataclass
    class Inner:
        z: int


def louder(text: str) -> str:
    return text.upper()
"""
FLOW = """
from flowweaver import Workflow, each, task


@task
def rows() -> list[Row]:
    print("a body runs")
    return [Row("a"), Row("b")]


@task(inputs={"row": each("rows")})
def pairs(row: Row) -> Pair:
    print("a body runs")
    assert type(row) is Row
    return Pair(row, 1)


@task
def all_kinds(pairs: list[Pair]) -> dict[str, object]:
    print("a body runs")
    assert all(type(pair) is Pair and type(pair.row) is Row for pair in pairs)
    return {
        "enum": Kind.BIG,
        "tuples": {Old(1, 2), Old(3, Kind.BIG)},
        "attrs": [Attrs(1, Kind.BIG)],
        "pydantic": Model(name="x", row=Row("c")),
        "nested": Outer.Inner(3),
        "function": louder,
    }


@task
def passed_on(all_kinds: dict) -> object:
    print("a body runs")
    return [all_kinds, all_kinds["nested"]]


@task
def last(passed_on: list) -> str:
    print("the last one runs")
    found, nested = passed_on
    assert type(nested) is Outer.Inner and found["function"] is louder
    assert found["enum"] is Kind.BIG and found["attrs"] == [Attrs(1, Kind.BIG)]
    assert type(found["pydantic"]) is Model and type(found["pydantic"].row) is Row
    assert {type(each) for each in found["tuples"]} == {Old}
    return found["pydantic"].row.shout()


flow = Workflow("flow", [rows, pairs, all_kinds, passed_on, last])
"""
RUN = """
if __name__ == "__main__":
    import sys
    from flowweaver import SQLiteStateStore, ThreadedExecutor

    executor = ThreadedExecutor(state_store=SQLiteStateStore(".flowweaver/state.db"))
    run = executor.execute(flow, force=sys.argv[1:])
    assert type(run["rows"][0]) is Row and type(run["pairs"][0]) is Pair
    assert type(run["passed_on"][1]) is Outer.Inner
    print(sorted(task.name for task in run.tasks.values() if task.origin.value == "executed"))
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    (tmp_path / "early.py").write_text(CLASSES + FLOW + RUN)
    done = made.run("run", "early.py:flow")
    assert done.returncode == 0, done.stderr
    return made


def script(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_nothing_is_made_again_where_a_file_has_moved_to(project: Project, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "early.py").rename(tmp_path / "deep" / "late.py")
    restored = project.json("run", "deep/late.py:flow")["counts"]["restored"]
    assert restored == 6
    assert script(tmp_path, "deep/late.py") == "[]"


@pytest.mark.parametrize("task", ["pairs", "last"])
def test_bodies_are_given_values_of_the_classes_as_they_are_now(
    project: Project, tmp_path: Path, task: str
) -> None:
    (tmp_path / "early.py").rename(tmp_path / "late.py")
    executed = script(tmp_path, "late.py", task)
    assert task in executed
    assert "rows" not in executed
    forced = project.json("run", "late.py:flow", "--force", task)
    assert forced["status"] == "completed"


def test_classes_that_move_to_a_module_of_their_own_are_found_there(
    project: Project, tmp_path: Path
) -> None:
    (tmp_path / "early.py").unlink()
    (tmp_path / "shapes.py").write_text(CLASSES)
    (tmp_path / "late.py").write_text("from shapes import *\n" + FLOW)
    assert project.json("run", "late.py:flow")["counts"]["restored"] == 6
    forced = project.json("run", "late.py:flow", "--force", "last")
    assert forced["status"] == "completed"


def test_copy_is_given_its_own_classes_though_the_first_file_is_still_there(
    project: Project, tmp_path: Path
) -> None:
    (tmp_path / "late.py").write_text((tmp_path / "early.py").read_text())
    (tmp_path / "early.py").write_text("raise SystemExit('never to be imported')\n")
    assert script(tmp_path, "late.py", "last") == "['last']"


def test_class_of_another_meaning_is_never_taken(project: Project, tmp_path: Path) -> None:
    text = (tmp_path / "early.py").read_text().replace("return louder(self.name)", "return ''")
    (tmp_path / "early.py").unlink()
    (tmp_path / "late.py").write_text(text)
    assert "rows" in script(tmp_path, "late.py")


def test_result_whose_class_is_nowhere_is_made_again(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "shapes.py").write_text("class Row:\n    pass\n")
    text = """
        from flowweaver import Workflow, task
        {imported}

        @task(version="1")
        def rows() -> object:
            return {made}

        @task
        def size(rows: object) -> int:
            return len({name}(rows))

        flow = Workflow("flow", [rows, size])
        """
    project.write(
        "flow.py", text.format(imported="import shapes", made="shapes.Row()", name="repr")
    )
    assert project.json("run", "flow.py")["status"] == "completed"
    (tmp_path / "shapes.py").unlink()
    project.write("flow.py", text.format(imported="", made="[1]", name="str"))
    planned = project.run("plan", "flow.py").stdout
    assert "rows: its result needs shapes.Row, which is not there any more" in planned
    assert project.json("run", "flow.py")["counts"]["executed"] == 2


def test_result_is_looked_at_from_where_its_classes_are_now(
    project: Project, tmp_path: Path
) -> None:
    (tmp_path / "early.py").rename(tmp_path / "late.py")
    shown = project.run("result", "last", "passed_on", "--target", "late.py:flow", "--as", "text")
    assert "Inner(z=3)" in shown.stdout, shown.stderr
    lost = project.run("result", "last", "passed_on")
    assert lost.returncode != 0
    assert "--target" in lost.stderr
    assert "Traceback" not in lost.stderr

"""Results on their way out, as a user fetches them: printed, written, read by other programs."""

from __future__ import annotations

import csv
import json
import os
import pickle
import pty
import subprocess
from collections.abc import Iterator
from io import StringIO

import pandas as pd
import pytest

from tests.cli.command import COMMAND, Project

PIPELINE = """
from collections import namedtuple
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

import attrs
import pandas as pd
import pydantic
from flowweaver import Workflow, each, task

@dataclass
class City:
    name: str
    founded: date

@attrs.define
class Road:
    length: float

class Model(pydantic.BaseModel):
    rows: list[int]

Pair = namedtuple("Pair", "x y")

@task
def words() -> str:
    return "a line\\nanother"

@task
def raw() -> bytes:
    return b"\\x00\\xff"

@task
def numbers() -> list[int]:
    return list(range(1000))

@task
def objects() -> dict:
    return {
        "city": City("Oslo", date(1040, 1, 1)),
        "road": Road(float("nan")),
        "model": Model(rows=[1]),
        "pair": Pair(1, (2, 3)),
        "at": PurePosixPath("/data"),
    }

@task
def cities() -> list[City]:
    return [City("Oslo", date(1040, 1, 1)), City("Bergen", date(1070, 1, 1))]

@task
def table() -> pd.DataFrame:
    return pd.DataFrame({"n": [1, 2], "s": ["a", "b"]})

@task(inputs={"n": each("numbers")})
def double(n: int) -> int:
    return 2 * n

@task
def fails() -> None:
    raise ValueError("no")

wf = Workflow("out", [words, raw, numbers, objects, cities, table, double, fails])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("out"))
    project.write("pipeline.py", PIPELINE)
    assert project.run("run", "pipeline.py").returncode == 1
    yield project
    project.close()


def printed(project: Project, task: str, *options: str) -> str:
    done = project.run("result", "last", task, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(project: Project, task: str, *options: str) -> str:
    done = project.run("result", "last", task, *options)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


HERE = ("--target", "pipeline.py")


def test_text_is_printed_as_it_is(project: Project) -> None:
    assert printed(project, "words") == "a line\nanother"


def test_all_of_a_value_is_printed(project: Project) -> None:
    assert json.loads(printed(project, "numbers")) == list(range(1000))


def test_fan_out_is_printed_whole_and_by_element(project: Project) -> None:
    assert json.loads(printed(project, "double")) == [2 * n for n in range(1000)]
    assert json.loads(printed(project, "double[7]")) == 14


def test_objects_are_printed_by_field(project: Project) -> None:
    assert json.loads(printed(project, "objects", *HERE)) == {
        "city": {"name": "Oslo", "founded": "1040-01-01"},
        "road": {"length": None},
        "model": {"rows": [1]},
        "pair": {"x": 1, "y": [2, 3]},
        "at": "/data",
    }


def test_objects_are_previewed_by_field_without_their_code(project: Project) -> None:
    shown = project.run("show", "last", "cities").stdout
    assert "[pipeline.City(name='Oslo', founded=datetime.date(1040, 1, 1)), pipeline.City(" in shown
    view = project.json("report", "last")
    assert "pipeline.City(name='Oslo'" in view["details"]["cities"]["result"]["preview"]


def test_class_that_can_not_be_found_is_asked_for(project: Project) -> None:
    done = project.run("result", "last", "cities", env={"PYTHONSAFEPATH": "1"})
    assert (done.returncode, "say --target pipeline.py" in done.stderr) == (2, True)


def test_unsigned_pickle_is_not_loaded(project: Project) -> None:
    done = project.run("result", "last", "cities", *HERE, env={"FLOWWEAVER_KEY": "ab" * 32})
    assert done.returncode == 2
    assert "sign" in done.stderr


@pytest.mark.parametrize("options", [("--as", "csv"), ("-o", "cities.csv")])
def test_rows_of_objects_are_csv(project: Project, options: tuple[str, ...]) -> None:
    text = printed(project, "cities", *HERE, *options)
    if "-o" in options:
        text = (project.folder / "cities.csv").read_text()
    assert list(csv.DictReader(StringIO(text)))[1] == {"name": "Bergen", "founded": "1070-01-01"}


def test_tables_are_csv_and_parquet(project: Project) -> None:
    assert printed(project, "table") == "n,s\n1,a\n2,b\n"
    printed(project, "table", "-o", "table.parquet")
    assert pd.read_parquet(project.folder / "table.parquet").to_dict("list") == {
        "n": [1, 2],
        "s": ["a", "b"],
    }
    assert json.loads(printed(project, "table", "--as", "json"))[0] == {"n": 1, "s": "a"}


def test_pickles_and_bytes_go_to_files_and_pipes(project: Project) -> None:
    printed(project, "numbers", "-o", "numbers.pickle")
    assert pickle.loads((project.folder / "numbers.pickle").read_bytes()) == list(range(1000))
    piped = subprocess.run(
        [*COMMAND, "result", "last", "raw"], cwd=project.folder, capture_output=True, check=True
    )
    assert piped.stdout == b"\x00\xff"


def test_binary_is_not_printed_to_a_terminal(project: Project) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, "result", "last", "raw"],
            cwd=project.folder,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert (done.returncode, "with -o FILE" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("task", "options", "words"),
    [
        ("words", ("--as", "csv"), "take --as json, text or pickle"),
        ("raw", ("--as", "json"), "take --as text or --as pickle"),
        ("numbers", ("--as", "parquet"), "take --as csv"),
        ("fails", (), "has no result: failed: ValueError: no"),
        ("tabel", (), "did you mean 'table'"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    project: Project, task: str, options: tuple[str, ...], words: str
) -> None:
    said = refused(project, task, *options)
    assert words in said
    assert ".." not in said


def test_file_is_left_as_it_was_where_nothing_can_be_written(project: Project) -> None:
    path = project.write("kept.csv", "mine")
    refused(project, "words", "-o", "kept.csv")
    assert path.read_text() == "mine"
    assert "can't be written" in refused(project, "words", "-o", "nowhere/words.txt")
    assert [path.name for path in project.folder.glob(".part-*")] == []

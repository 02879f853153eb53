"""The ETL example does what it says, on the shipped data and on worse."""

import csv
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flowweaver import Origin, SequentialExecutor, WorkflowFailed
from tests.examples.loading import load_example

RAW = Path(str(distribution("palmerpenguins").locate_file("palmerpenguins/data/penguins-raw.csv")))


@pytest.fixture
def example() -> ModuleType:
    return load_example("etl_pipeline.py")


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "penguins.db")


def rows(database: str, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def spoiled(tmp_path: Path) -> Callable[..., str]:
    """Copy the raw file with a few cells of one row overwritten."""

    def spoil(row: int, **cells: str) -> str:
        with RAW.open(newline="") as file:
            lines = list(csv.DictReader(file))
        lines[row] |= {name.replace("_", " "): value for name, value in cells.items()}
        copy = tmp_path / "spoiled.csv"
        with copy.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        return str(copy)

    return spoil


def test_without_the_package_of_the_data_it_says_what_to_install(example, monkeypatch):
    def not_there(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(example, "distribution", not_there)
    with pytest.raises(WorkflowFailed, match="pip install palmerpenguins"):
        SequentialExecutor().execute(example.etl)


def test_every_row_is_either_loaded_or_rejected(example, database):
    run = SequentialExecutor().execute(example.etl, {"database": database})
    quality = run["quality"]
    assert (quality["read"], quality["loaded"], quality["rejected"]) == (344, 333, 11)


def test_table_holds_the_penguins_known_from_the_literature(example, database):
    SequentialExecutor().execute(example.etl, {"database": database})
    assert rows(database, "SELECT species, count(*) FROM penguin GROUP BY species") == [
        ("Adelie", 146),
        ("Chinstrap", 68),
        ("Gentoo", 119),
    ]


def test_ranges_are_those_of_the_table(example, database):
    run = SequentialExecutor().execute(example.etl, {"database": database})
    for measure, found in run["quality"]["ranges"].items():
        assert rows(database, f"SELECT min({measure}), max({measure}) FROM penguin") == [found]


def test_rejected_rows_are_kept_with_every_reason(example, database):
    SequentialExecutor().execute(example.etl, {"database": database})
    reasons = rows(database, "SELECT reason, count(*) FROM rejected GROUP BY reason")
    assert dict(reasons) == {
        "Sex is unknown": 11,
        "Culmen Length (mm) is missing": 2,
        "Culmen Depth (mm) is missing": 2,
        "Flipper Length (mm) is missing": 2,
        "Body Mass (g) is missing": 2,
    }


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Body_Mass_(g)": "heavy"}, "Body Mass (g) is not a number"),
        ({"Body_Mass_(g)": "37500"}, "Body Mass (g) is out of range"),
        ({"Body_Mass_(g)": "nan"}, "Body Mass (g) is out of range"),
        ({"Body_Mass_(g)": ""}, "Body Mass (g) is missing"),
        ({"Sex": "."}, "Sex is unknown"),
        ({"Sample_Number": "1"}, "row is a duplicate"),
    ],
)
def test_a_bad_cell_sets_its_row_apart(example, database, spoiled, cells, reason):
    params = {"source": spoiled(1, **cells), "database": database}
    run = SequentialExecutor().execute(example.etl, params)
    assert run["quality"]["rejected"] == 12
    assert (reason,) in rows(database, "SELECT reason FROM rejected")


def test_loading_again_changes_nothing(example, database):
    run = SequentialExecutor().execute(example.etl, {"database": database})
    before = rows(database, "SELECT * FROM penguin"), rows(database, "SELECT * FROM rejected")
    example.load(run["transform"], run["validate"], database)
    after = rows(database, "SELECT * FROM penguin"), rows(database, "SELECT * FROM rejected")
    assert before == after


def test_a_load_that_fails_midway_leaves_the_tables_as_they_were(example, database):
    run = SequentialExecutor().execute(example.etl, {"database": database})
    duplicated = run["transform"][:1] * 2
    with pytest.raises(sqlite3.IntegrityError):
        example.load(duplicated, run["validate"], database)
    assert rows(database, "SELECT count(*) FROM penguin") == [(333,)]


def test_a_source_without_a_good_row_is_reported_not_a_crash(example, database, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text(RAW.read_text().splitlines()[0] + "\n")
    run = SequentialExecutor().execute(example.etl, {"source": str(empty), "database": database})
    assert run["report"] == "0 rows read, 0 loaded, 0 rejected"


def test_second_run_restores_every_task_with_equal_results(example, database, store):
    executor = SequentialExecutor(state_store=store)
    first = executor.execute(example.etl, {"database": database})
    second = executor.execute(example.etl, {"database": database})
    assert {task_run.origin for task_run in second.tasks.values()} == {Origin.RESTORED}
    assert {name: second[name] for name in second.tasks} == {
        name: first[name] for name in first.tasks
    }

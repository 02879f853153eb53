"""Files that text of SQL names in quotes: they are opened where nobody hears."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flowweaver import SQLiteStateStore
from flowweaver.engine.body.pathlike import quoted_in
from tests.engine.reading import execute, reason_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/more").mkdir(parents=True)


@pytest.fixture
def store() -> SQLiteStateStore:
    return SQLiteStateStore("state.db")


def write(name: str, *numbers: int) -> None:
    pl.DataFrame({"x": numbers}).write_parquet(name)


def write_prices(*numbers: int) -> None:
    with closing(sqlite3.connect("prices.db")) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS price (x)")
        db.executemany("INSERT INTO price VALUES (?)", [(number,) for number in numbers])


def attached() -> list[int]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("ATTACH 'prices.db' AS prices")
        return [number for (number,) in db.execute("SELECT x FROM prices.price")]


def selected() -> list[int]:
    return pl.sql("SELECT x FROM read_parquet('data/a.parquet')").collect()["x"].to_list()


def selected_by_pattern() -> list[int]:
    everything = pl.sql("SELECT x FROM read_parquet('data/**/*.parquet')")
    return sorted(everything.collect()["x"].to_list())


def test_attached_database_counts(store: Any) -> None:
    write_prices(1)
    assert execute(attached, store)["t"] == [1]
    assert reason_of(execute(attached, store)) is None
    write_prices(2)
    assert execute(attached, store)["t"] == [1, 2]


def test_named_file_counts(store: Any) -> None:
    write("data/a.parquet", 1)
    assert execute(selected, store)["t"] == [1]
    assert reason_of(execute(selected, store)) is None
    write("data/a.parquet", 2)
    assert execute(selected, store)["t"] == [2]


def test_what_a_pattern_finds_counts(store: Any) -> None:
    write("data/a.parquet", 1)
    assert execute(selected_by_pattern, store)["t"] == [1]
    assert reason_of(execute(selected_by_pattern, store)) is None
    write("data/more/b.parquet", 2)
    assert execute(selected_by_pattern, store)["t"] == [1, 2]
    write("data/more/b.parquet", 3)
    assert execute(selected_by_pattern, store)["t"] == [1, 3]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("SELECT * FROM 'a.csv' JOIN \"b/c\" USING (x)", ["a.csv", "b/c"]),
        ("it doesn't read 'a.csv'", ["a.csv"]),
        ("a.csv", []),
        ("'two\nlines.csv'", []),
        ("'plain'", []),
    ],
)
def test_what_is_in_quotes_and_may_be_a_path(text: str, quoted: list[str]) -> None:
    assert [*quoted_in(text)] == quoted

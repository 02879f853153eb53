"""What later tasks make of files that others have read runs nothing again; what people do does."""

from __future__ import annotations

import glob
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import Origin, Run, SequentialExecutor, SQLiteStateStore, Task, Workflow

FOLDER = Path("folder")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FOLDER.mkdir()
    for name in ("a", "b"):
        (FOLDER / f"{name}.csv").write_text(name)


@pytest.fixture
def store(folder: None) -> SQLiteStateStore:
    return SQLiteStateStore("state.db")


def execute(store: SQLiteStateStore, *bodies: Callable[..., Any]) -> Run:
    """Execute bodies, one after another."""
    tasks = [
        Task(body.__name__, body, depends_on=[before.__name__] if before is not None else [])
        for before, body in zip((None, *bodies), bodies, strict=False)
    ]
    return SequentialExecutor(state_store=store).execute(Workflow("w", tasks))


def executed(run: Run) -> set[str]:
    return {name for name, task in run.tasks.items() if task.origin is Origin.EXECUTED}


def total() -> list[str]:
    return sorted(Path(path).read_text() for path in glob.glob("folder/*.csv"))  # noqa: PTH207


def names() -> list[str]:
    return sorted(path.name for path in FOLDER.iterdir())


def append() -> None:
    with (FOLDER / "a.csv").open("a") as file:
        file.write("+")


def replace() -> None:
    (FOLDER / "a.new").write_text("new")
    (FOLDER / "a.new").replace(FOLDER / "a.csv")


def remove_one() -> None:
    (FOLDER / "a.csv").unlink(missing_ok=True)


def remove_all() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)


def remove_and_make_again() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()


def archive() -> None:
    Path("done").mkdir(exist_ok=True)
    for path in list(FOLDER.glob("*.csv")):
        path.rename(Path("done", path.name))


def add() -> None:
    (FOLDER / "c.csv").write_text("c")


def add_folder() -> None:
    (FOLDER / "deeper").mkdir(exist_ok=True)


LATER = [
    append,
    replace,
    remove_one,
    remove_all,
    remove_and_make_again,
    archive,
    add,
    add_folder,
]


@pytest.mark.parametrize("reader", [total, names])
@pytest.mark.parametrize("later", LATER)
def test_later_task_is_no_reason(store: Any, reader: Any, later: Any) -> None:
    first = execute(store, reader, later)
    for _ in range(2):
        run = execute(store, reader, later)
        assert executed(run) == set()
        assert run[reader.__name__] == first[reader.__name__]


@pytest.mark.parametrize("later", [append, replace, add])
def test_edit_beside_it_is_a_reason(store: Any, later: Any) -> None:
    execute(store, total, later)
    (FOLDER / "b.csv").write_text("edited")
    run = execute(store, total, later)
    assert "total" in executed(run)
    assert "edited" in run["total"]


def test_edit_of_what_it_left_is_a_reason(store: Any) -> None:
    execute(store, total, append)
    (FOLDER / "a.csv").write_text("edited")
    assert "total" in executed(execute(store, total, append))


def test_what_an_earlier_task_left_is_read_again_if_that_does_other_things(store: Any) -> None:
    def make() -> None:
        (FOLDER / "a.csv").write_text("one")

    def other() -> None:
        (FOLDER / "a.csv").write_text("two")

    other.__name__ = "make"
    execute(store, make, total)
    run = execute(store, other, total)
    assert executed(run) == {"make", "total"}
    assert run["total"] == ["b", "two"]


def test_what_an_earlier_task_left_is_read_again_in_a_continued_run(store: Any) -> None:
    def make() -> None:
        (FOLDER / "a.csv").write_text("one")

    def other() -> None:
        (FOLDER / "a.csv").write_text("two")

    def fail() -> None:
        if Path("fails").exists():
            raise ConnectionError

    other.__name__ = "make"
    Path("fails").touch()
    executor = SequentialExecutor(state_store=store)

    def workflow(first: Callable[..., Any]) -> Workflow:
        return Workflow(
            "w",
            [
                Task("make", first),
                Task("total", total, depends_on=["make"]),
                Task("fail", fail, depends_on=["total"]),
            ],
        )

    executor.execute(workflow(make), raise_on_failure=False)
    executor.execute(workflow(other), raise_on_failure=False)
    Path("fails").unlink()
    assert executor.execute(workflow(other))["total"] == ["b", "two"]


def test_database_that_later_tasks_fill_is_no_reason(store: Any) -> None:
    def open_and(statement: str) -> list[Any]:
        with sqlite3.connect("data.db") as connection:
            rows = connection.execute(statement).fetchall()
        connection.close()
        return rows

    def make() -> None:
        open_and("CREATE TABLE IF NOT EXISTS numbers (n)")

    def count() -> list[Any]:
        return open_and("SELECT count(*) FROM numbers")

    def fill() -> None:
        open_and("INSERT INTO numbers VALUES (1)")

    execute(store, make, count, fill)
    assert executed(execute(store, make, count, fill)) == set()


def test_task_that_empties_a_folder_which_the_next_fills_stays_done(store: Any) -> None:
    def clean() -> None:
        for path in FOLDER.glob("*.csv"):
            path.unlink()

    def fill() -> Path:
        (FOLDER / "x.csv").write_text("x")
        return FOLDER / "x.csv"

    execute(store, clean, fill)
    assert executed(execute(store, clean, fill)) == set()

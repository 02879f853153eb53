"""Rows that are whole, with the right checksum, and say what nobody has written."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowweaver import JSONStateStore, PostgresStateStore, SQLiteStateStore, StateStore
from flowweaver.blueprint import Blueprint
from flowweaver.engine.reuse.code import parts_from
from flowweaver.errors import StoreCorruptError
from flowweaver.facts import Facts
from flowweaver.reasons import unpacked
from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    Failure,
    FileRecord,
    Lease,
    RunRecord,
    TaskRecord,
)
from flowweaver.stores.common import columns
from flowweaver.stores.common.columns import Columns, DamagedRowError, Spelling
from flowweaver.stores.sqlite import rows, schema
from tests.cli.command import Project
from tests.cli.pipelines import GOOD

DEEP = "[" * 100_000
FAR = [math.inf, -math.inf, 1e308, -1e18]
RUNS: dict[str, Callable[[RunRecord], RunRecord]] = {
    **{f"begun at {at}": lambda run, at=at: replace(run, created_at=at) for at in FAR},
    **{f"claimed at {at}": lambda run, at=at: replace(run, claimed_at=at) for at in FAR},
    **{f"over at {at}": lambda run, at=at: replace(run, finished_at=at) for at in FAR},
    "a parameter that is a number": lambda run: replace(run, params={"x": 5}),  # type: ignore[dict-item]
}
TASKS: dict[str, Callable[[TaskRecord], TaskRecord]] = {
    **{f"begun at {at}": lambda task, at=at: replace(task, started_at=at) for at in FAR},
    **{f"over at {at}": lambda task, at=at: replace(task, finished_at=at) for at in FAR},
    **{f"again at {at}": lambda task, at=at: replace(task, retry_at=at) for at in FAR},
    "more attempts than can be": lambda task: replace(task, attempts=2**63 - 1),
    "fewer attempts than none": lambda task: replace(task, attempts=-1),
    "more failures than can be": lambda task: replace(task, failures=2**63 - 1),
    "elements that are no number": lambda task: replace(task, elements="5"),  # type: ignore[arg-type]
    "a file that is no path": lambda task: replace(task, files=(FileRecord(5, [], {}),)),  # type: ignore[arg-type]
    "a cause that is no text": lambda task: replace(task, cause=[1]),  # type: ignore[arg-type]
}


@pytest.fixture(params=["json", "sqlite", "postgres"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], StateStore]:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
        return lambda: PostgresStateStore.from_url(url)
    made: dict[str, Callable[[], StateStore]] = {
        "json": lambda: JSONStateStore(tmp_path / "s.json", durability="process"),
        "sqlite": lambda: SQLiteStateStore(tmp_path / "s.db", durability="process"),
    }
    return made[request.param]


def put(
    store: StateStore,
    lease: Lease,
    changes: Changes,
    make_store: Callable[[], StateStore] | None = None,
) -> None:
    """Commit what no engine does, let go of the store, and read all of it in another object."""
    store.commit(lease, changes)
    store.release(lease)
    store.close()
    if make_store is not None:
        again = make_store()
        again.tasks(again.runs()[0].id)


@pytest.mark.parametrize("change", RUNS.values(), ids=RUNS)
def test_run_that_can_not_be_is_damage(
    make_store: Callable[[], StateStore], change: Callable[[RunRecord], RunRecord]
) -> None:
    store = make_store()
    lease = store.claim(ClaimRequest("w", "k", run_id="one"))
    with pytest.raises(StoreCorruptError):
        put(store, lease, Changes(run=change(lease.run)), make_store)


@pytest.mark.parametrize("change", TASKS.values(), ids=TASKS)
def test_task_run_that_can_not_be_is_damage(
    make_store: Callable[[], StateStore], change: Callable[[TaskRecord], TaskRecord]
) -> None:
    store = make_store()
    lease = store.claim(ClaimRequest("w", "k", run_id="one"))
    with pytest.raises(StoreCorruptError):
        put(store, lease, Changes(tasks=[change(TaskRecord("one", "a"))]), make_store)


_columns = Columns(
    Spelling(rows.RUN_CODES, rows.TASK_CODES, rows.ORIGIN_CODES, str, str, lambda value: value)
)
RUN = RunRecord("one", "w", "k", next(iter(columns.RunStatus)), 1.0, 1.0)
TASK = TaskRecord("one", "a", failure=Failure("ValueError", "no"), cause="x")


@pytest.mark.parametrize("column", ["params", "info"])
@pytest.mark.parametrize("text", [DEEP, "[]", "5", "null", "9" * 5_000, "{'a'", '{"a":' * 50_000])
def test_text_that_is_no_object_is_damage(column: str, text: str) -> None:
    values = list(_columns.of_run(RUN))
    values[columns.RUN.index(column)] = text
    with pytest.raises(DamagedRowError, match="one"):
        _columns.run(values)


@pytest.mark.parametrize("column", ["failure", "more"])
@pytest.mark.parametrize("text", [DEEP, "[]", "5", "null", "9" * 5_000, "{'a'", '{"files": 5}'])
def test_text_of_a_task_run_that_is_no_object_is_damage(column: str, text: str) -> None:
    values = list(_columns.of_task(TASK))
    values[columns.TASK.index(column)] = text
    with pytest.raises(DamagedRowError, match="one"):
        _columns.task("one", values)


@pytest.mark.parametrize(
    "change", [{"started_at": 1e308}, {"started_at": math.inf}, {"number": -1}]
)
def test_attempt_that_can_not_be_is_damage(change: dict[str, Any]) -> None:
    attempt = replace(AttemptRecord("one", "a", "", 1, 1.0, 1.0), **change)
    with pytest.raises(DamagedRowError, match="one"):
        _columns.attempt("one", _columns.of_attempt(attempt))


GRAPH: dict[str, Any] = {
    "tasks": ["a", "b"],
    "preds": [[], [0]],
    "mapped": [],
    "sources": {},
    "purposes": {},
}


@pytest.mark.parametrize(
    "text",
    [
        *(DEEP, "[]", "5", "null", "9" * 5_000, "{'a'", "{}"),
        *(
            json.dumps(GRAPH | change)
            for change in (
                {"preds": [[], [7]]},
                {"preds": [[], [-1]]},
                {"preds": [[1], [0]]},
                {"preds": [[]]},
                {"preds": [[], ["0"]]},
                {"tasks": [1, 2]},
                {"mapped": [9]},
                {"sources": {"9": {}}},
                {"sources": {"0": {"x": 5}}},
                {"purposes": {"does": [9]}},
            )
        ),
    ],
)
def test_graph_that_can_not_be_is_damage(text: str) -> None:
    with pytest.raises(StoreCorruptError, match="makes no sense"):
        Blueprint.from_store(text)


def test_graph_that_can_be_is_read() -> None:
    text = json.dumps(GRAPH)
    assert Blueprint.from_store(text) == Blueprint.from_text(text)


@pytest.mark.parametrize("text", [DEEP, "[]", "5", '{"parts": [[1, 2, 3]]}', '{"parts": 5}'])
def test_what_is_only_to_be_told_is_left_out(text: str) -> None:
    assert parts_from(text) == ()
    assert Facts(text).code is None
    assert unpacked(text) is None


@pytest.mark.parametrize("command", [("runs",), ("show", "last"), ("doctor",), ("run", "good.py")])
def test_command_says_what_is_wrong_in_one_message(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    project = Project(tmp_path)
    project.write("good.py", GOOD)
    store = SQLiteStateStore(tmp_path / "s.db")
    lease = store.claim(ClaimRequest("good", "k", run_id="one"))
    put(store, lease, Changes(run=replace(lease.run, created_at=1e308)))
    done = project.run(*command, "--store", "s.db")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "run one is not as it is written" in said
    assert "Traceback" not in said


def test_doctor_says_of_any_run_that_it_is_damaged(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "s.db")
    for run_id in ("one", "two", "three"):
        lease = store.claim(ClaimRequest("w", run_id, run_id=run_id))
        token = -5 if run_id == "two" else 1
        put(store, lease, Changes(run=lease.run))
        with sqlite3.connect(tmp_path / "s.db") as other:
            row = rows.run_row(
                *other.execute("SELECT seq FROM run WHERE id = ?", (run_id,)).fetchone(),
                replace(lease.run, token=token),
                0,
            )
            marks = ", ".join("?" * len(row))
            other.execute("DELETE FROM run WHERE id = ?", (run_id,))
            other.execute(f"INSERT INTO run ({schema._RUN}) VALUES ({marks})", row)
        other.close()
    assert ["run two is not as it is written" in fault for fault in store.check(deep=True)] == [
        True
    ]

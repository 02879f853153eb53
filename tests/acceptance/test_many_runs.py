"""What there were of runs costs the next one nothing, as counted in calls, rows and steps."""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    JSONStateStore,
    MemoryStateStore,
    PostgresStateStore,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Task,
    Workflow,
    each,
)
from flowweaver.cli.show import show_command
from flowweaver.stores.postgres import schema as postgres_schema
from flowweaver.stores.sqlite import journal
from tests.services.postgres import PostgresServer

# The last twenty runs may be looked at, so few are more than that.
FEW, MANY = 22, 48
STORES = ["memory", "json", "sqlite", "postgres"]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    made: dict[str, Callable[[], StateStore]] = {
        "memory": MemoryStateStore,
        "json": lambda: JSONStateStore(tmp_path / "s.json", durability="process"),
        "sqlite": lambda: SQLiteStateStore(tmp_path / "s.db", durability="process"),
        "postgres": lambda: PostgresStateStore.from_url(request.getfixturevalue("postgres")),
    }
    store = made[request.param]()
    yield store
    store.close()


class Counted:
    """A store that counts what is asked of it, and how many rows it hands out."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def ask(*args: Any, **kwargs: Any) -> Any:
            answer = found(*args, **kwargs)
            self.asked[name] += 1
            self.asked[f"rows of {name}"] += len(answer) if isinstance(answer, list) else 0
            return answer

        return ask


def send(order: str) -> str:
    return order


def fails(order: str) -> str:
    raise OSError(order)


WORKFLOWS = {
    "pure": Workflow("shop", [Task("send", send)]),
    "once ever": Workflow("shop", [Task("send", send, effect="once_ever")]),
    "once ever that fails": Workflow("shop", [Task("send", fails, effect="once_ever")]),
}


def executed(store: Any, workflow: Workflow, order: str) -> None:
    executor = SequentialExecutor(state_store=store)
    executor.execute(workflow, {"order": order}, raise_on_failure=False)


def counted(work: Callable[[], object]) -> int:
    """Return how many calls are made within the rooms of stores, of Python's functions too."""
    calls = 0

    def note(frame: Any, event: str, _arg: object) -> None:
        nonlocal calls
        if event in ("call", "c_call") and "/flowweaver/stores/" in frame.f_code.co_filename:
            calls += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("kind", WORKFLOWS)
@pytest.mark.parametrize("order", ["known", "new"])
def test_starting_a_run_asks_for_as_much_after_many_runs_as_after_few(
    store: StateStore, kind: str, order: str
) -> None:
    asked, calls = [], []
    executed(store, WORKFLOWS[kind], "known")
    for upto in (FEW, MANY):
        for number in range(upto):
            executed(store, WORKFLOWS[kind], f"{upto} {number}")
        count = Counted(store)
        executed(count, WORKFLOWS[kind], f"{order} {upto}" if order == "new" else order)
        asked.append(count.asked)
        next_order = f"{order} again {upto}" if order == "new" else order
        calls.append(counted(partial(executed, store, WORKFLOWS[kind], next_order)))
    assert asked[0] == asked[1]
    assert calls[1] <= 1.2 * calls[0]


@pytest.mark.parametrize("kind", WORKFLOWS)
def test_sqlite_takes_as_many_steps_after_many_runs_as_after_few(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    configure = journal.configure

    def counting(connection: sqlite3.Connection, durability: Any) -> None:
        configure(connection, durability)
        connection.set_progress_handler(step, 1)

    monkeypatch.setattr(journal, "configure", counting)
    store = SQLiteStateStore(tmp_path / "s.db", durability="process")
    found = []
    for upto in (FEW, MANY):
        for number in range(upto):
            executed(store, WORKFLOWS[kind], f"{upto} {number}")
        before = steps
        executed(store, WORKFLOWS[kind], f"new {upto}")
        found.append(steps - before)
    store.close()
    assert 0 < found[1] <= 1.2 * found[0]


def test_postgres_finds_who_has_begun_by_an_index(
    postgres: str, postgres_server: PostgresServer
) -> None:
    store = PostgresStateStore.from_url(postgres)
    executed(store, WORKFLOWS["once ever"], "7")
    store.close()
    schema = postgres.partition("schema=")[2]
    question = postgres_schema.BEGUN.replace("$", schema)
    for value in ("f", "send", "shop"):
        question = question.replace("%s", f"'{value}'", 1)
    with postgres_server.connect() as connection:
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(f"EXPLAIN {question}").fetchall()
    assert "task_begun" in str(plan)


def show(number: int) -> int:
    print("element", number)
    return number


def test_showing_a_mapped_task_asks_once_for_what_all_elements_printed(
    store: StateStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = Workflow("wide", [Task("show", show, inputs={"number": each("numbers")})])
    executor = SequentialExecutor(state_store=store)
    for count in (FEW, MANY):
        run = executor.execute(workflow, {"numbers": list(range(count, 2 * count))})
        asked = Counted(store)
        monkeypatch.setattr("flowweaver.cli.show.open_history", lambda _, store=asked: store)
        assert show_command.callback is not None
        show_command.callback(run.id, "show", store.url, page=None, as_json=False)
        assert f"show[{count - 1}]" in capsys.readouterr().out
        assert (asked.asked["attempts"], asked.asked["rows of attempts"]) == (1, count)
        assert asked.asked["result"] == count

"""What takes an equal value is not run again, whichever of the value's parts are one object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    Executor,
    JSONStateStore,
    MemoryStateStore,
    Origin,
    ProcessExecutor,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Task,
    Workflow,
    each,
)

STORES: dict[str, Callable[[Path], StateStore]] = {
    "memory": lambda _: MemoryStateStore(),
    "json": lambda folder: JSONStateStore(folder / "state.jsonl"),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db"),
}


def shared() -> Any:
    part = {"rows": [1, 2]}
    return [part, part]


def apart() -> Any:
    return [{"rows": [1, 2]}, {"rows": [1, 2]}]


def taken(made: Any) -> int:
    return len(made)


def workflow(make: Callable[[], Any]) -> Workflow:
    return Workflow("equal", [Task("made", make), Task("taken", taken)])


@pytest.mark.parametrize("how", [SequentialExecutor, ProcessExecutor])
@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_equal_result_runs_nothing_behind_it(
    store: Callable[[Path], StateStore], how: Callable[..., Executor], tmp_path: Path
) -> None:
    kept = store(tmp_path)
    for make in (shared, apart, shared):
        run = how(state_store=kept).execute(workflow(make))
    assert run.tasks["made"].origin is Origin.RESTORED
    again = how(state_store=kept).execute(workflow(apart), force=["made"])
    assert again.tasks["made"].origin is Origin.EXECUTED
    assert again.tasks["taken"].origin is Origin.RESTORED
    assert again["made"] == apart()


def test_what_was_one_object_is_one_for_whoever_takes_it(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    same = Task("same", lambda made: made[0] is made[1])
    flow = Workflow("one", [Task("made", shared), same])
    for _ in range(2):
        assert SequentialExecutor(state_store=store).execute(flow, force=["same"])["same"]


def test_equal_parameter_continues_the_run_that_failed(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    calls: list[Any] = []

    def use(rows: Any) -> int:
        calls.append(rows)
        if len(calls) == 1:
            raise ValueError("once")
        return len(rows)

    flow = Workflow("by parameter", [Task("use", use)])
    executor = SequentialExecutor(state_store=store)
    failed = executor.execute(flow, {"rows": shared()}, raise_on_failure=False)
    run = executor.execute(flow, {"rows": apart()})
    assert run.id == failed.id
    again = executor.execute(flow, {"rows": shared()})
    assert again.tasks["use"].origin is Origin.RESTORED


def test_equal_elements_are_restored() -> None:
    store = MemoryStateStore()
    rows = Task("rows", lambda: [shared(), shared()])
    flat = Task("rows", lambda: [apart(), apart()])
    size = Task("size", lambda row: len(row), inputs={"row": each("rows")})
    executor = SequentialExecutor(state_store=store)
    executor.execute(Workflow("elements", [rows, size]))
    run = executor.execute(Workflow("elements", [flat, size]))
    assert run.tasks["rows"].origin is Origin.EXECUTED
    assert [run.tasks[f"size[{n}]"].origin for n in range(2)] == [Origin.RESTORED] * 2

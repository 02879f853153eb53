"""How many elements there are is known while a fan-out runs, also to other processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    JSONStateStore,
    MemoryStateStore,
    Origin,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Task,
    TaskStatus,
    Workflow,
    each,
)
from flowweaver.report.view.assemble import View
from flowweaver.report.view.sources import StoredRun

STORES: dict[str, Callable[[Path], StateStore]] = {
    "memory": lambda _: MemoryStateStore(),
    "json": lambda folder: JSONStateStore(folder / "state.jsonl"),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db"),
}


def viewed(store: StateStore) -> dict[str, Any]:
    (run, *_) = store.runs()
    return View(StoredRun(store, run)).as_json()


@pytest.mark.parametrize("open_store", STORES.values(), ids=STORES)
def test_total_of_a_fan_out_is_there_while_it_runs(
    open_store: Callable[[Path], StateStore], tmp_path: Path
) -> None:
    store, seen = open_store(tmp_path), list[tuple[int, int, int]]()

    def look(number: int) -> int:
        view = viewed(store)
        (task,) = (task for task in view["tasks"] if task["name"] == "look")
        pending = view["counts"]["pending"]
        seen.append((number, task["elements"], pending))
        return number

    tasks = [Task("numbers", lambda: list(range(5))), Task("look", look, inputs=OF_NUMBERS)]
    run = SequentialExecutor(state_store=store).execute(Workflow("w", tasks))
    assert {elements for number, elements, _ in seen[2:]} == {5}
    assert all(pending > 0 for *_, pending in seen[2:4])
    whole = run.tasks["look"].record
    assert (whole.status, whole.elements) == (TaskStatus.COMPLETED, 5)
    assert viewed(store)["counts"] == {
        **dict.fromkeys(viewed(store)["counts"], 0),
        "total": 6,
        "executed": 6,
    }


OF_NUMBERS = {"number": each("numbers")}


def test_what_is_only_restored_writes_nothing_of_it(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    double = Task("double", lambda number: 2 * number, inputs=OF_NUMBERS)
    flow = Workflow("w", [Task("numbers", lambda: [1, 2]), double, Task("now", lambda: 1)])
    executor = SequentialExecutor(state_store=store)
    executor.execute(flow)
    run = executor.execute(flow, force=["now"])
    assert run.tasks["double"].origin is Origin.RESTORED
    (whole,) = (
        record for record in store.tasks(run.id) if (record.task, record.element) == ("double", "")
    )
    assert (whole.status, whole.origin) == (TaskStatus.COMPLETED, Origin.RESTORED)


def test_fan_out_that_is_stopped_has_no_whole_left_pending() -> None:
    store = MemoryStateStore()

    def fail(number: int) -> int:
        raise ValueError(number)

    tasks = [Task("numbers", lambda: [1, 2]), Task("fail", fail, inputs=OF_NUMBERS)]
    executor = SequentialExecutor(state_store=store)
    for _ in range(2):
        run = executor.execute(Workflow("w", tasks), raise_on_failure=False)
        assert run.tasks["fail"].status is TaskStatus.FAILED
        whole = next(r for r in store.tasks(run.id) if (r.task, r.element) == ("fail", ""))
        assert whole.status is TaskStatus.FAILED

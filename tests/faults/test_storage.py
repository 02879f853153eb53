"""Storage damage and limits. CATALOGUE.md says what is proved elsewhere."""

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from flowweaver import (
    RunStatus,
    SequentialExecutor,
    SQLiteStateStore,
    StoreError,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    each,
)
from flowweaver.records import Changes, ClaimRequest
from flowweaver.testing.stores import completed
from tests.faults.call import in_fresh_process
from tests.faults.children import STORES
from tests.faults.damage import flips
from tests.faults.disks import failing_commits, full_disks
from tests.faults.values import CHANGED, KEPT, REFUSED, awkward, generated

BOTH = pytest.mark.parametrize("store", ["sqlite", "json"])
FILES = pytest.mark.parametrize("store", ["sqlite", "sqlite rollback", "json"])


def _foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE task (id INTEGER)")
    connection.commit()
    connection.close()


CRAFTED = {
    "one byte": lambda path: path.write_bytes(b"S"),
    "garbage": lambda path: path.write_bytes(os.urandom(5000)),
    "half a header": lambda path: path.write_bytes(b"SQLite form"),
    "other JSON": lambda path: path.write_text('{"tasks": {}}\n'),
    "other SQLite": _foreign,
    "directory": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
}


@BOTH
@pytest.mark.parametrize("craft", CRAFTED.values(), ids=CRAFTED)
def test_file_that_is_no_store_stops_the_run_before_a_body_and_is_left_alone(
    tmp_path, store, craft
):
    kept = STORES[store](tmp_path)
    path = tmp_path / ("state.db" if store == "sqlite" else "state.json")
    craft(path)
    before = path.read_bytes() if path.is_file() else None
    started = []
    workflow = Workflow("w", [Task("t", lambda: started.append(1)).with_options(version="1")])
    with pytest.raises(StoreError, match=path.name):
        SequentialExecutor(state_store=kept).execute(workflow)
    assert started == []
    assert (path.read_bytes() if path.is_file() else None) == before
    assert [left.name for left in tmp_path.iterdir()] == [path.name]


@BOTH
def test_flipped_bits_are_refused_or_change_nothing(store):
    ruin = in_fresh_process(flips, store, 24, 1)
    assert ruin["faults"] == []
    assert sum(ruin["outcomes"].values()) == 24


def test_database_without_its_write_ahead_log_has_an_older_state(tmp_path):
    store = SQLiteStateStore(tmp_path / "state.db")
    alone = tmp_path / "alone" / "state.db"
    alone.parent.mkdir()
    lease = store.claim(ClaimRequest("w", "k"))
    for number in range(10):
        store.commit(lease, Changes(tasks=[completed(lease.run.id, f"t{number}")]))
    assert (tmp_path / "state.db-wal").stat().st_size > 0
    shutil.copy(tmp_path / "state.db", alone)
    store.release(lease)
    store.close()
    left = SQLiteStateStore(alone)
    tasks = [record.task for run in left.runs() for record in left.tasks(run.id)]
    assert tasks == [f"t{number}" for number in range(len(tasks))]
    assert left.check(deep=True) == []
    left.release(left.claim(ClaimRequest("w", "k")))
    left.close()


@FILES
def test_disk_that_fills_up_lets_nothing_start_and_the_run_resume(store):
    failures = in_fresh_process(full_disks, store, 3)
    assert failures["faults"] == []
    assert failures["refused"] == failures["resumed"] == 3


@FILES
def test_failing_writes_and_syncs_let_nothing_start_and_the_run_resume(store):
    failures = in_fresh_process(failing_commits, store, 17)
    assert failures["faults"] == []
    assert failures["resumed"] == failures["tried"] == 3


@BOTH
def test_awkward_values_come_back_equal_in_value_and_type_or_are_refused(store):
    outcomes, changed = awkward(store)
    assert changed == []
    assert outcomes[KEPT] > 150
    assert outcomes[CHANGED] == 0
    assert outcomes[REFUSED] == 18


@BOTH
def test_generated_values_come_back_equal_in_value_and_type(store):
    outcomes, changed = generated(store, 300, 1)
    assert changed == []
    assert outcomes[KEPT] + outcomes[REFUSED] == 300


@BOTH
def test_unstorable_result_fails_its_task_at_once_and_nothing_else(tmp_path, store):
    calls = []

    def make() -> dict[str, list[object]]:
        calls.append(1)
        return {"x": [1, threading.Lock()]}

    make_task = Task("make", make, retries=3).with_options(version="1")
    workflow = Workflow("w", [make_task, Task("other", lambda: 1)])
    kept = STORES[store](tmp_path)
    run = SequentialExecutor(state_store=kept).execute(workflow, raise_on_failure=False)
    assert len(calls) == 1
    assert "result['x'][1]" in str(run.tasks["make"].error)
    assert run["other"] == 1
    kept.close()


@BOTH
@pytest.mark.parametrize("size", [1_000_000, 20_000_000])
def test_large_results_stand_beside_the_store_and_come_back(tmp_path, store, size):
    def big() -> bytes:
        return os.urandom(64) * (size // 64)

    def half(big: bytes) -> bytes:
        return big[: size // 2]

    workflow = Workflow("large", [Task("big", big), Task("half", half)])
    kept = STORES[store](tmp_path)
    first = SequentialExecutor(state_store=kept).execute(workflow)["half"]
    kept.close()
    main = tmp_path / ("state.db" if store == "sqlite" else "state.json")
    assert main.stat().st_size < 200_000
    kept = STORES[store](tmp_path)
    assert SequentialExecutor(state_store=kept).execute(workflow)["half"] == first
    kept.close()


@BOTH
def test_result_nested_too_deep_fails_its_own_task_only(tmp_path, store):
    def deep() -> list[object]:
        value: list[object] = []
        for _ in range(100_000):
            value = [value]
        return value

    workflow = Workflow("deep", [deep, Task("other", lambda: 1)])
    kept = STORES[store](tmp_path)
    run = ThreadedExecutor(2, state_store=kept).execute(workflow, raise_on_failure=False)
    assert run.tasks["deep"].status is TaskStatus.FAILED
    assert run["other"] == 1
    kept.close()


@BOTH
def test_what_a_body_does_to_its_input_it_does_to_nobody_else(tmp_path, store):
    def spoil(rows: list[list[int]]) -> int:
        rows[0].append(9)
        rows.clear()
        return 1

    def spoil_one(row: list[int]) -> list[int]:
        row.append(9)
        return row

    tasks = [
        Task("rows", lambda: [[1], [2]]).with_options(version="1"),
        Task("spoil", spoil),
        Task("each", spoil_one, inputs={"row": each("rows")}),
        Task("after", lambda rows, spoil, each: [rows, each]).with_options(version="1"),
    ]
    kept = STORES[store](tmp_path)
    run = SequentialExecutor(state_store=kept).execute(Workflow("spoilt", tasks))
    assert run.status is RunStatus.COMPLETED
    assert run["after"] == [[[1], [2]], [[1, 9], [2, 9]]]
    assert run["rows"] == [[1], [2]]
    kept.close()

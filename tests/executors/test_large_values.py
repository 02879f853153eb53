"""Large stored values on their way to bodies, on threads and on worker processes."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Iterator
from contextvars import Context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowweaver import (
    AsyncExecutor,
    Executor,
    ProcessExecutor,
    SequentialExecutor,
    SQLiteStateStore,
    Task,
    ThreadedExecutor,
    Workflow,
    each,
)
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.body.link import LocalLink
from flowweaver.engine.history.replay import replay
from flowweaver.executors._workers.packing import Packer
from flowweaver.serialize.shared_memory import MAPPED_FROM, FileMemory
from flowweaver.status import Origin
from flowweaver.stores.common import results

ROWS = MAPPED_FROM // 8 + 10
SUM = ROWS * (ROWS - 1) // 2


def made() -> Any:
    return np.arange(ROWS)


def bytes_made() -> bytes:
    return bytes(MAPPED_FROM)


def made_after(number: int) -> Any:
    return np.arange(ROWS) + number


async def summed_and_changed_async(made: Any) -> int:
    return summed_and_changed(made)


def summed_and_changed(made: Any) -> int:
    found = int(made.sum())
    made[:] = 0
    return found


def file_of(made: Any) -> int:
    """Return the number of the file that an array was mapped from."""
    while isinstance(made, np.ndarray):
        made = made.base
    owner = made.obj
    assert isinstance(owner, FileMemory)
    return Path(f"/proc/self/fd/{owner.fd}").stat().st_ino


def is_changed_here(made: Any) -> bool:
    made[:] = 1
    return True


def summed_in_list(made: list[Any]) -> list[int]:
    return [int(part.sum()) for part in made]


def written(made: Any) -> None:
    Path(f"{made.shape[0]}.txt").write_text("text")


EXECUTORS = [SequentialExecutor, ThreadedExecutor, AsyncExecutor, ProcessExecutor]


@pytest.fixture(params=EXECUTORS, ids=lambda kind: kind.__name__)
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Executor]:
    executor = request.param(state_store=SQLiteStateStore(tmp_path / "state.db"))
    yield executor
    if isinstance(executor, ProcessExecutor):
        executor.close()


def test_takers_get_it_whole_and_may_change_it(executor: Executor) -> None:
    workflow = Workflow("w", [Task("made", made)])
    for name in ("one", "other"):
        workflow.add_task(summed_and_changed, name=name, inputs={"made": "made"})
    workflow.add_task(
        summed_and_changed_async, name="late", inputs={"made": "made"}, depends_on=["one"]
    )
    run = executor.execute(workflow)
    assert (run["one"], run["other"], run["late"]) == (SUM, SUM, SUM)
    assert int(run["made"].sum()) == SUM


def test_condition_that_changes_what_it_takes_and_a_list_of_them(executor: Executor) -> None:
    workflow = Workflow("w", [Task("numbers", lambda: [1, 2])])
    workflow.add_task(made_after, name="made", inputs={"number": each("numbers")})
    workflow.add_task(summed_in_list, name="sums", inputs={"made": "made"})
    workflow.add_task(made, name="alone")
    workflow.add_task(
        summed_and_changed, name="asked", inputs={"made": "alone"}, when=is_changed_here
    )
    run = executor.execute(workflow)
    assert run["sums"] == [SUM + ROWS, SUM + 2 * ROWS]
    # What a condition does to an argument, the body sees, as it does with a small one.
    assert run["asked"] == ROWS


def test_what_names_files_may_ask_it(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    workflow = Workflow("w", [Task("made", made)])
    workflow.add_task(written, name="written", outputs=["{made.shape[0]}.txt"])
    assert executor.execute(workflow).tasks["written"].origin is Origin.EXECUTED
    assert executor.execute(workflow).tasks["written"].origin is Origin.RESTORED
    Path(f"{ROWS}.txt").write_text("other")
    assert executor.execute(workflow).tasks["written"].origin is Origin.EXECUTED


def test_body_called_again_gets_it(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    workflow = Workflow("w", [Task("made", made), Task("sum", summed_and_changed)])
    run = SequentialExecutor(state_store=store).execute(workflow)
    assert replay(workflow, store, run.id, "sum") == SUM


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="only Linux has files without a name")
def test_result_is_written_once(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that a body's result is written into becomes the stored one."""
    monkeypatch.setattr(results, "write_all", None)
    workflow = Workflow("w", [Task("made", made), Task("bytes", bytes_made)])
    workflow.add_task(summed_and_changed, name="sum", inputs={"made": "made"})
    run = executor.execute(workflow)
    assert (run["sum"], len(run["bytes"])) == (SUM, MAPPED_FROM)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells what is open")
def test_worker_gets_it_by_the_file_in_the_store(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    workflow = Workflow("w", [Task("made", made)])
    workflow.add_task(file_of, name="file", inputs={"made": "made"})
    with ProcessExecutor(1, state_store=store) as executor:
        executor.execute(workflow, targets=["made"])
        run = executor.execute(workflow, new_run=True)
    (stored,) = (path for path in (tmp_path / "state.db.results").rglob("*") if path.is_file())
    assert run["file"] == stored.stat().st_ino


def test_nothing_is_kept_of_arguments_that_were_packed() -> None:
    array = np.arange(10_000)
    known = weakref.ref(array)
    scope = CallScope("w", "run", LocalLink(None, None), storing=False, context=Context())
    call = Call(scope, 0, Task("t", len), "", 1, {"obj": array})
    gc.collect()
    gc.disable()
    try:
        Packer().pack_arguments(call)
        del array, call
        assert known() is None
    finally:
        gc.enable()

"""Runs that the tests of views look at."""

from pathlib import Path
from typing import Any

from flowweaver import (
    MemoryStateStore,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    ThreadedExecutor,
    Workflow,
    each,
    task,
)
from flowweaver.report.view.assemble import View
from flowweaver.report.view.sources import StoredRun


@task
def numbers(count: int = 4) -> list[int]:
    """List what there is to work on."""
    return list(range(count))


@task(inputs={"number": each("numbers")})
def halve(number: int, bad: int = -1) -> float:
    print("halving", number)
    if number == bad:
        raise ValueError(f"{number} can't be halved")
    return number / 2


@task
def total(halve: list[float]) -> float:
    return sum(halve)


@task
def counted(numbers: list[int]) -> int:
    return len(numbers)


halves = Workflow("halves", [numbers, halve, total, counted])


def executed(
    store: Any = None, workflow: Workflow = halves, params: dict[str, Any] | None = None, **how: Any
) -> Run:
    """Execute a workflow, whatever comes of it."""
    executor = SequentialExecutor(state_store=store)
    return executor.execute(workflow, params, raise_on_failure=False, **how)


def viewed(store: Any, run: Run, **how: Any) -> dict[str, Any]:
    """Return the View of a stored run as JSON."""
    return View(StoredRun(store, store.run(run.id))).as_json(**how)


def seen(params: dict[str, Any] | None = None, workflow: Workflow = halves) -> dict[str, Any]:
    """Return the View of a run just executed, all of it told in full."""
    store = MemoryStateStore()
    return viewed(store, executed(store, workflow, params), details=100)


def in_file(folder: Path) -> SQLiteStateStore:
    return SQLiteStateStore(folder / "state.db", durability="process")


def on_threads(store: Any, workflow: Workflow, params: dict[str, Any] | None = None) -> Run:
    executor = ThreadedExecutor(max_workers=4, state_store=store)
    return executor.execute(workflow, params, raise_on_failure=False)

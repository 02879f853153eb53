"""The order in which what is ready starts: by rank, from the first task on and over commits."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from flowweaver import (
    MemoryStateStore,
    SequentialExecutor,
    StateStore,
    Task,
    ThreadedExecutor,
    Workflow,
)

STORES = pytest.mark.parametrize("store", [None, MemoryStateStore()], ids=["no store", "stored"])


def noting(name: str, started: list[str]) -> Callable[..., None]:
    def body(**_: object) -> None:
        started.append(name)

    return body


@STORES
def test_first_to_start_is_the_most_urgent(store: StateStore | None) -> None:
    started: list[str] = []
    workflow = Workflow("urgent")
    workflow.add_task(noting("low", started), name="low")
    workflow.add_task(noting("high", started), name="high", priority=5)
    ThreadedExecutor(1, state_store=store).execute(workflow, reuse="never")
    assert started == ["high", "low"]


@STORES
def test_place_is_kept_for_what_a_commit_makes_ready(store: StateStore | None) -> None:
    started: list[str] = []
    workflow = Workflow("urgent")
    for name in ("one", "two"):
        workflow.add_task(noting(name, started), name=name)
    workflow.add_task(noting("first", started), name="first", priority=5)
    workflow.add_task(noting("next", started), depends_on=["first"], name="next", priority=5)
    ThreadedExecutor(1, state_store=store).execute(workflow, reuse="never")
    assert started == ["first", "next", "one", "two"]


def test_what_was_put_back_has_used_up_no_attempt() -> None:
    workflow = Workflow("urgent", [Task("a", lambda: 1), Task("b", lambda: 2, priority=1)])
    run = ThreadedExecutor(1, state_store=MemoryStateStore()).execute(workflow)
    assert [task.attempts for task in run.tasks.values()] == [1, 1]


def test_second_run_starts_first_what_the_rest_waits_for_longest() -> None:
    started: list[str] = []

    def short() -> None:
        started.append("short")

    def long() -> None:
        started.append("long")
        time.sleep(0.05)

    store = MemoryStateStore()
    workflow = Workflow(
        "learning", [Task("short", short, tags=["one"]), Task("long", long, tags=["one"])]
    )
    SequentialExecutor(state_store=store).execute(workflow)
    # Two places, since the order means nothing to a single one; a limit, so that it shows.
    ThreadedExecutor(2, state_store=store, limits={"one": 1}).execute(workflow, reuse="never")
    assert started == ["short", "long", "long", "short"]

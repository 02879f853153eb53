"""Going on with a run: the world is asked anew, and what was done to it is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    Executor,
    MemoryStateStore,
    SequentialExecutor,
    SQLiteStateStore,
    ThreadedExecutor,
    Workflow,
    each,
    task,
)
from flowweaver.definitions.options import TaskOptions
from flowweaver.engine.reuse.decide import is_expired
from flowweaver.records import TaskRecord

KINDS = [SequentialExecutor, ThreadedExecutor]


@pytest.mark.parametrize("kind", KINDS)
def test_folder_is_listed_again_though_an_element_failed(
    tmp_path: Path, kind: Callable[..., Executor]
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()

    @task(cache=False)
    def listed() -> list[str]:
        return sorted(path.name for path in inbox.iterdir())

    @task(inputs={"name": each("listed")})
    def loaded(name: str) -> str:
        if name == "bad":
            raise ValueError("unreadable")
        return name

    workflow = Workflow("nightly", [listed, loaded])
    executor = kind(state_store=SQLiteStateStore(tmp_path / "state.db"))
    (inbox / "a").touch()
    (inbox / "bad").touch()
    first = executor.execute(workflow, raise_on_failure=False)
    (inbox / "c").touch()
    plan = workflow.plan(state_store=executor.state_store)
    assert plan["listed"].action == "run"
    second = executor.execute(workflow, raise_on_failure=False)
    assert second.id == first.id
    assert second["listed"] == ["a", "bad", "c"]
    assert second["loaded[2]"] == "c"
    assert second.tasks["loaded[0]"].origin.value == "restored"


def failing_after(**options: Any) -> tuple[Workflow, list[int]]:
    """Return a workflow of a task with these options before one that fails, and its calls."""
    calls: list[int] = []

    @task(version="1", **options)
    def ask() -> int:
        calls.append(1)
        return len(calls)

    @task(version="1")
    def fails(ask: int) -> None:
        raise OSError("down")

    return Workflow("asking", [ask, fails]), calls


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 1),
        ({"cache": False}, 2),
        ({"fresh_for": 1e-9}, 2),
        ({"fresh_for": "1d"}, 1),
        ({"cache": False, "effect": "idempotent"}, 1),
        ({"cache": False, "effect": "once"}, 1),
        ({"fresh_for": 1e-9, "effect": "once"}, 1),
    ],
)
def test_what_holds_for_one_execution_is_asked_anew(options: dict[str, Any], count: int) -> None:
    workflow, calls = failing_after(**options)
    executor = SequentialExecutor(state_store=MemoryStateStore())
    ids = {executor.execute(workflow, raise_on_failure=False).id for _ in range(2)}
    assert (len(ids), len(calls)) == (1, count)


@pytest.mark.parametrize(
    ("options", "comes"),
    [({}, "restored"), ({"cache": False}, "skipped"), ({"fresh_for": 1e-9}, "skipped")],
)
@pytest.mark.parametrize("fails", [False, True])
def test_condition_is_asked_where_its_task_would_be_executed(
    options: dict[str, Any], comes: str, fails: bool
) -> None:
    is_open = iter([False, True, False, True])
    state: list[bool] = []

    @task(version="1", when=lambda: state[0], **options)
    def asked() -> int:
        return 1

    @task(version="1")
    def after(asked: int = 0) -> int:
        if fails:
            raise OSError("down")
        return asked

    executor = SequentialExecutor(state_store=MemoryStateStore())
    came = []
    for state[:] in ([is_now] for is_now in is_open):
        run = executor.execute(Workflow("w", [asked, after]), raise_on_failure=False)
        told = run.tasks["asked"]
        came.append(told.origin.value if told.origin else told.status.value)
    again = "executed" if options else "restored"
    assert came == ["skipped", "executed", comes, again]


@pytest.mark.parametrize(
    ("ahead", "expired"), [(-7200.0, True), (-1800.0, False), (30.0, False), (7200.0, True)]
)
def test_result_from_the_future_is_stale(ahead: float, expired: bool) -> None:
    record = TaskRecord("r", "t", finished_at=time.time() + ahead)
    assert is_expired(TaskOptions(fresh_for=3600.0), record) is expired
    assert not is_expired(TaskOptions(), replace(record))

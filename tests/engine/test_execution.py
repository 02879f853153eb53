"""What `execute` refuses before anything is touched, and what a body's interrupt comes to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    DefinitionError,
    MemoryStateStore,
    RunStatus,
    SequentialExecutor,
    StateStore,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    each,
)

ONE = Workflow("one", [Task("a", lambda: 1)])


@pytest.mark.parametrize("run_id", [5, "", " ", "a\nb", "\x1b[31m", "x" * 300, "last"])
def test_run_id_that_is_no_fit_text_is_refused(run_id: Any) -> None:
    store = MemoryStateStore()
    with pytest.raises(DefinitionError, match="A run's id is printable text"):
        SequentialExecutor(state_store=store).execute(ONE, run_id=run_id)
    assert list(store.runs()) == []


@pytest.mark.parametrize("wait", ["x", -1, float("nan")])
def test_wait_that_is_no_time_is_refused(wait: Any) -> None:
    with pytest.raises(DefinitionError, match="wait is a number of seconds"):
        SequentialExecutor().execute(ONE, wait=wait)


def test_arguments_of_another_kind_are_named() -> None:
    executor = SequentialExecutor()
    with pytest.raises(TypeError, match="runs a Workflow, not None"):
        executor.execute(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"params maps .* not \[1\]"):
        executor.execute(ONE, [1])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"stop takes a flowweaver\.Stop, not True"):
        executor.execute(ONE, stop=True)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a store such as SQLiteStateStore"):
        SequentialExecutor(state_store="x.db")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="grace is a number of seconds"):
        SequentialExecutor(grace=-1)


@pytest.mark.parametrize(
    ("reuse", "options"),
    [("never", {}), ("unchanged", {"cache": False}), ("unchanged", {"effect": "idempotent"})],
)
def test_other_runs_are_left_alone_also_by_what_changed_back_in_an_unfinished_run(
    reuse: Any, options: dict[str, Any]
) -> None:
    executed: list[str] = []

    def run(version: str, *, fails: bool) -> None:
        def body() -> None:
            executed.append(version)

        def last(a: None) -> None:
            if fails:
                raise ValueError

        workflow = Workflow("w", [Task("a", body, version=version, **options)])
        workflow.add_task(last, version="1", cache=False)
        executor = SequentialExecutor(state_store=store)
        executor.execute(workflow, reuse=reuse, raise_on_failure=False)

    store = MemoryStateStore()
    run("one", fails=False)
    run("two", fails=True)
    run("one", fails=False)
    assert executed == ["one", "two", "one"]


async def interrupts_itself() -> None:
    raise KeyboardInterrupt


def interrupts() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("body", [interrupts, interrupts_itself])
@pytest.mark.parametrize("kind", [SequentialExecutor, ThreadedExecutor, AsyncExecutor])
def test_interrupt_in_a_body_is_raised_by_execute(kind: Any, body: Any) -> None:
    workflow = Workflow("pressed", [Task("a", body)])
    with pytest.raises(KeyboardInterrupt):
        kind().execute(workflow)
    assert workflow.last_run is not None
    assert workflow.last_run.status is RunStatus.CANCELLED


def test_interrupt_in_a_body_is_raised_by_execute_async() -> None:
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(AsyncExecutor().execute_async(Workflow("pressed", [Task("a", interrupts)])))


@pytest.mark.parametrize("store", [None, MemoryStateStore()], ids=["no store", "stored"])
def test_nothing_to_map_over_skips_even_if_a_default_stands_for_the_whole(
    store: StateStore | None,
) -> None:
    def item(x: int, whole: list[int] | None = None) -> int:
        return x

    workflow = Workflow("w", [Task("source", lambda: [1, 2], when=lambda: False)])
    workflow.add_task(item, name="m", inputs={"x": each("source"), "whole": "source"})
    run = SequentialExecutor(state_store=store).execute(workflow)
    assert run.tasks["m"].status is TaskStatus.SKIPPED


def test_each_skip_has_its_own_reason() -> None:
    workflow = Workflow("w", [Task("fine", lambda: [1, 2])])
    workflow.add_task(lambda x: x, name="none", inputs={"x": each("fine")}, when=lambda x: x > 2)
    workflow.add_task(lambda none: none, name="after")
    workflow.add_task(lambda: 1, name="alarm", depends_on=["fine"], trigger="any_failed")
    run = SequentialExecutor().execute(workflow)
    assert run.tasks["none"].reason == "all its elements were skipped"
    assert run.tasks["after"].reason == "what it depends on was skipped"
    assert run.tasks["alarm"].reason == "nothing that it depends on failed"


def test_crossing_a_list_with_itself_gives_all_pairs() -> None:
    workflow = Workflow("w", [Task("u", lambda: [1, 2])])
    workflow.add_task(
        lambda a, b: (a, b), name="p", inputs={"a": each("u"), "b": each("u")}, combine="cross"
    )
    assert SequentialExecutor().execute(workflow)["p"] == [[(1, 1), (1, 2)], [(2, 1), (2, 2)]]

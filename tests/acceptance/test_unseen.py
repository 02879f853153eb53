"""What can't be seen of a task: said, no reason for reuse, and vouched for."""

from __future__ import annotations

import importlib
import logging
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowweaver import DefinitionError, MemoryStateStore, Run, SequentialExecutor, Task, Workflow

WHERE = f"the state of sqlite3.Connection in {__name__}.client"
client: sqlite3.Connection


def load() -> int:
    return int(client.execute("select 1").fetchone()[0])


def count() -> int:
    return 2


@pytest.fixture(autouse=True)
def open_client() -> Iterator[None]:
    global client
    client = sqlite3.connect(":memory:", check_same_thread=False)
    yield
    client.close()


@pytest.fixture
def execute() -> Callable[..., Run]:
    store = MemoryStateStore()

    def execute(**options: Any) -> Run:
        workflow = Workflow("unseen", [Task("load", load, **options), Task("count", count)])
        return SequentialExecutor(state_store=store).execute(workflow)

    return execute


def how(run: Run) -> dict[str, str]:
    return {name: str(task.origin and task.origin.value) for name, task in run.tasks.items()}


def test_other_runs_do_not_take_its_result_and_the_reason_says_why(
    execute: Callable[..., Run],
) -> None:
    execute()
    run = execute()
    assert how(run) == {"load": "executed", "count": "restored"}
    assert run.tasks["load"].reason == (
        f"not all that it reaches can be seen: {WHERE} (vouch for it with trust= or version=)"
    )


@pytest.mark.parametrize(
    "trust",
    [
        f"{__name__}.client",
        __name__,
        "sqlite3.Connection",
        ["sqlite3"],
        [f"{__name__}.client", "x"],
    ],
)
def test_it_is_reused_once_somebody_vouches_for_it(
    execute: Callable[..., Run], trust: str | list[str]
) -> None:
    execute(trust=trust)
    assert how(execute(trust=trust)) == {"load": "restored", "count": "restored"}


VOUCHED = f"; trust= vouches for {WHERE}"


def test_reason_says_what_was_vouched_for(execute: Callable[..., Run]) -> None:
    first = execute(trust="sqlite3")
    run = execute(trust="sqlite3")
    assert run.tasks["load"].reason == f"unchanged since run {first.id}{VOUCHED}"
    assert run.tasks["count"].reason == f"unchanged since run {first.id}"


class TestOnceForAll:
    """What is said of a workflow, or of one execution, holds for all tasks in it."""

    def test_of_a_workflow(self) -> None:
        workflow = Workflow("unseen", [Task("load", load), Task("count", count)], trust="sqlite3")
        executor = SequentialExecutor(state_store=MemoryStateStore())
        executor.execute(workflow)
        plan, run = workflow.plan(state_store=executor.state_store), executor.execute(workflow)
        assert how(run) == {"load": "restored", "count": "restored"}
        assert run.tasks["load"].reason.endswith(VOUCHED)
        assert (plan["load"].reason, dict(plan.unseen)) == (run.tasks["load"].reason, {})

    def test_of_an_execution(self) -> None:
        workflow = Workflow("unseen", [Task("load", load)])
        executor = SequentialExecutor(state_store=MemoryStateStore())
        executor.execute(workflow)
        assert workflow.plan(state_store=executor.state_store)["load"].action == "run"
        plan = workflow.plan(state_store=executor.state_store, trust=["sqlite3"])
        run = executor.execute(workflow, trust=["sqlite3"])
        assert (plan["load"].action, how(run)) == ("restore", {"load": "restored"})
        assert plan["load"].reason == run.tasks["load"].reason
        assert how(executor.execute(workflow)) == {"load": "executed"}

    def test_of_a_workflow_that_is_part_of_another(self) -> None:
        outer = Workflow("outer", [Workflow("inner", [Task("load", load)], trust="sqlite3")])
        executor = SequentialExecutor(state_store=MemoryStateStore())
        executor.execute(outer)
        assert how(executor.execute(outer))["inner.load"] == "restored"

    def test_must_be_names(self) -> None:
        with pytest.raises(DefinitionError, match="trust takes names, not 1"):
            Workflow("unseen", [Task("load", load)], trust=[1])  # type: ignore[list-item]
        with pytest.raises(DefinitionError, match="trust takes names, not 1"):
            SequentialExecutor().execute(Workflow("w", [Task("count", count)]), trust=[1])  # type: ignore[list-item]


@pytest.mark.parametrize("trust", ["client", "sqlite3.Conn", f"{__name__}.load", ()])
def test_vouching_for_something_else_changes_nothing(
    execute: Callable[..., Run], trust: str
) -> None:
    execute(trust=trust)
    assert how(execute(trust=trust))["load"] == "executed"


def test_version_stands_for_all_that_it_reaches(execute: Callable[..., Run]) -> None:
    execute(version="1")
    assert how(execute(version="1"))["load"] == "restored"


def test_vouching_later_is_enough(execute: Callable[..., Run]) -> None:
    execute()
    assert how(execute(trust="sqlite3"))["load"] == "restored"


def test_the_run_says_it_once_in_its_log(
    execute: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "flowweaver"):
        execute()
    assert [record.getMessage() for record in caplog.records] == [
        "Other runs won't take the results of tasks of which not all that they reach can be seen: "
        f"load: {WHERE} (vouch for it with trust= or version=)."
    ]


def test_the_run_says_nothing_of_what_is_vouched_for(
    execute: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    execute(trust="sqlite3")
    assert caplog.records == []


def test_going_on_with_a_run_keeps_what_it_has_done() -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError

    store = MemoryStateStore()
    workflow = Workflow("unseen", [Task("load", load), Task("fail", fail, depends_on=["load"])])
    executor = SequentialExecutor(state_store=store)
    executor.execute(workflow, raise_on_failure=False)
    run = executor.execute(workflow)
    assert run.tasks["load"].reason == "finished earlier in this run"


def test_by_name_results_are_taken_all_the_same() -> None:
    workflow, store = Workflow("unseen", [Task("load", load)]), MemoryStateStore()
    executor = SequentialExecutor(state_store=store)
    executor.execute(workflow)
    assert how(executor.execute(workflow, reuse="completed")) == {"load": "restored"}


def test_plan_lists_it_and_decides_alike() -> None:
    workflow, store = Workflow("unseen", [Task("load", load)]), MemoryStateStore()
    SequentialExecutor(state_store=store).execute(workflow)
    plan = workflow.plan(state_store=store)
    assert (plan["load"].action, dict(plan.unseen)) == ("run", {"load": (WHERE,)})
    assert WHERE in plan["load"].reason


def test_how_it_is_made_counts_although_it_is_vouched_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    store = MemoryStateStore()
    seen = []
    for number in (1, 2):
        (tmp_path / "fw_made.py").write_text(
            "import sqlite3\n"
            f"client = sqlite3.connect(':memory:', timeout={number})\n"
            "def load(): return 1 if client else 0\n"
        )
        sys.modules.pop("fw_made", None)
        importlib.invalidate_caches()
        made = importlib.import_module("fw_made")
        workflow = Workflow("made", [Task("load", made.load, trust="fw_made")])
        seen.append(how(SequentialExecutor(state_store=store).execute(workflow))["load"])
        made.client.close()
    del sys.modules["fw_made"]
    assert seen == ["executed", "executed"]

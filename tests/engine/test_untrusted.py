"""What a store hands back is data: none of it runs code unless its signature says it is ours."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    MemoryStateStore,
    Origin,
    SequentialExecutor,
    StoreError,
    UndecodableError,
    Workflow,
    WorkflowFailed,
    current_task,
    load_run,
    task,
)
from flowweaver.records import ResultRecord, TaskRecord
from flowweaver.serialize import Encoded
from flowweaver.serialize.encoded import seal


class Attack:
    """Makes a directory when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


class HostileStore(MemoryStateStore):
    """Answers with pickles that nobody signed."""

    planted: Encoded
    places: frozenset[str] = frozenset()

    def result(self, digest: str) -> ResultRecord:
        if "result" in self.places:
            return ResultRecord(self.planted, None)
        return super().result(digest)

    def state(self, run_id: str, task: str, element: str = "") -> Mapping[str, Encoded]:
        if "state" in self.places:
            return {"cursor": self.planted}
        return super().state(run_id, task, element)


@pytest.fixture
def store(tmp_path: Path) -> HostileStore:
    made = HostileStore()
    made.planted = seal("pickle", pickle.dumps(Attack(tmp_path / "pwned")))
    return made


@task
def count(start: list[int]) -> list[int]:
    return [*start, current_task().state.get("cursor", 0)]


@task
def total(count: list[int]) -> int:
    return sum(count)


WORKFLOW = Workflow("hostile", [count, total])
START = {"start": [1, 2]}


def test_state_that_is_a_pickle_is_refused(store: HostileStore, tmp_path: Path) -> None:
    store.places = frozenset({"state"})
    with pytest.raises(WorkflowFailed, match="could run any code") as failed:
        SequentialExecutor(state_store=store).execute(WORKFLOW, START)
    assert failed.value.run.tasks["count"].status.value == "failed"
    assert not (tmp_path / "pwned").exists()


def test_result_without_a_signature_is_refused(store: HostileStore, tmp_path: Path) -> None:
    run = SequentialExecutor(state_store=store).execute(WORKFLOW, START)
    store.places = frozenset({"result"})
    with pytest.raises(UndecodableError, match="carries no signature"):
        load_run(WORKFLOW, store, run.id)["count"]
    assert not (tmp_path / "pwned").exists()


def test_input_without_a_signature_is_refused(store: HostileStore, tmp_path: Path) -> None:
    SequentialExecutor(state_store=store).execute(WORKFLOW, START)
    store.places = frozenset({"result"})
    with pytest.raises(WorkflowFailed, match="carries no signature"):
        SequentialExecutor(state_store=store).execute(WORKFLOW, START, force=["total"])
    assert not (tmp_path / "pwned").exists()


# Signatures ----------------------------------------------------------------------------------


class Admin:
    """A result that only pickle keeps, as are those of all classes of a user's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Admin) and other.name == self.name

    __hash__ = None  # type: ignore[assignment]


@task
def admin() -> Admin:
    return Admin("admin")


@task
def cheap() -> Admin:
    return Admin("cheap")


@task
def name(cheap: Admin) -> str:
    return cheap.name


SIGNED = Workflow("signed", [admin, cheap, name])


class SwappingStore(MemoryStateStore):
    """Says that the signed result of `admin` is that of `cheap`."""

    def tasks(self, *args: Any, **kwargs: Any) -> Sequence[TaskRecord]:
        records = [replace(record) for record in super().tasks(*args, **kwargs)]
        by_task = {record.task: record for record in records}
        if "cheap" in by_task:
            by_task["cheap"].digest = by_task["admin"].digest
            by_task["cheap"].signature = by_task["admin"].signature
        return records


def test_signed_result_of_one_task_is_refused_in_the_place_of_another() -> None:
    store = SwappingStore()
    run = SequentialExecutor(state_store=store).execute(SIGNED)
    with pytest.raises(UndecodableError, match="for another place"):
        load_run(SIGNED, store, run.id)["cheap"]
    again = SequentialExecutor(state_store=store).execute(SIGNED)
    assert again["cheap"] == Admin("cheap")
    assert again.tasks["cheap"].reason == "its result was signed with another key"


def test_restored_results_are_proved_by_who_executed_them() -> None:
    store = MemoryStateStore()
    executor = SequentialExecutor(state_store=store)
    for _ in range(3):
        run = executor.execute(SIGNED)
    assert run.tasks["cheap"].origin is Origin.RESTORED
    assert load_run(SIGNED, store, run.id)["cheap"] == Admin("cheap")


def test_results_signed_with_another_key_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStateStore()
    monkeypatch.setenv("FLOWWEAVER_KEY", "of the first container")
    SequentialExecutor(state_store=store).execute(SIGNED)
    monkeypatch.setenv("FLOWWEAVER_KEY", "of the second")
    plan = {item.name: item.action for item in SIGNED.plan(state_store=store).tasks}
    assert (plan["admin"], plan["cheap"]) == ("run", "run")
    run = SequentialExecutor(state_store=store).execute(SIGNED)
    assert run["name"] == "cheap"
    origins = {name: item.origin for name, item in run.tasks.items()}
    assert origins["admin"] is origins["cheap"] is Origin.EXECUTED
    assert origins["name"] is Origin.RESTORED


def test_missing_key_ends_a_run_before_any_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", str(tmp_path / "file" / "key"))
    monkeypatch.delenv("FLOWWEAVER_KEY", raising=False)
    store, began = MemoryStateStore(), []

    @task
    def body() -> None:
        began.append(1)

    with pytest.raises(StoreError, match="set FLOWWEAVER_KEY"):
        SequentialExecutor(state_store=store).execute(Workflow("keyless", [body]))
    assert not began
    assert store.runs() == []

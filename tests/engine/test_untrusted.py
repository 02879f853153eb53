"""What a store hands back is data: none of it runs code unless its signature says it is ours."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    MemoryStateStore,
    SequentialExecutor,
    UndecodableError,
    Workflow,
    WorkflowFailed,
    current_task,
    load_run,
    task,
)
from flowweaver.records import ResultRecord
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

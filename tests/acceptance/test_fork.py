"""A past run again with other values, as a user tries them: in code and by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowweaver import (
    Origin,
    ParameterError,
    RunStatus,
    SequentialExecutor,
    SQLiteStateStore,
    StoreError,
    UnknownNameError,
    Workflow,
    fork,
    task,
)
from tests.cli.command import Project


@task(version="1")
def load(path: str) -> list[int]:
    return [len(path)]


@task(version="1")
def train(load: list[int], rate: float = 0.1) -> float:
    if rate < 0:
        raise ValueError("no")
    return load[0] * rate


@task(version="1")
def report(train: float) -> str:
    return f"{train:g}"


study = Workflow("study", [load, train, report])


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[SequentialExecutor]:
    store = SQLiteStateStore(tmp_path / "state.db")
    yield SequentialExecutor(state_store=store)
    store.close()


def test_fork_restores_what_does_not_depend_on_what_differs(executor: SequentialExecutor) -> None:
    first = executor.execute(study, {"path": "abcd"})
    other = fork(executor, study, first.id, {"rate": 0.5})
    assert (other["report"], other.params) == ("2", {"path": "abcd", "rate": 0.5})
    assert {name: task.origin for name, task in other.tasks.items()} == {
        "load": Origin.RESTORED,
        "train": Origin.EXECUTED,
        "report": Origin.EXECUTED,
    }
    assert other.record.info["fork_of"] == first.id


def test_fork_of_a_fork_has_what_that_was_given(executor: SequentialExecutor) -> None:
    first = executor.execute(study, {"path": "abcd"}, targets=["train"])
    second = fork(executor, study, first.id, overrides={"load": [10]})
    third = fork(executor, study, second.id, {"rate": 0.5})
    assert (second["train"], third["train"]) == (1.0, 5.0)
    assert list(third.tasks) == ["load", "train"]
    assert third.tasks["load"].origin is Origin.OVERRIDDEN


def test_run_that_is_forked_stays_as_it_is(executor: SequentialExecutor) -> None:
    first = executor.execute(study, {"path": "abcd", "rate": -1.0}, raise_on_failure=False)
    store = executor.state_store
    assert store is not None
    before = (store.run(first.id), store.tasks(first.id))
    other = fork(executor, study, first.id, {"rate": 1.0})
    assert (store.run(first.id), store.tasks(first.id)) == before
    assert (first.status, other.status) == (RunStatus.FAILED, RunStatus.COMPLETED)


def test_fork_that_would_not_differ_is_refused(executor: SequentialExecutor) -> None:
    first = executor.execute(study, {"path": "abcd", "rate": 0.5})
    with pytest.raises(ParameterError, match="Nothing would differ"):
        fork(executor, study, first.id, {"rate": 0.5})
    with pytest.raises(UnknownNameError):
        fork(executor, study, "nothing", {"rate": 0.6})
    with pytest.raises(StoreError, match="is of workflow 'study'"):
        fork(executor, Workflow("other", [load]), first.id, {"path": "x"})
    with pytest.raises(ParameterError, match="has no store"):
        fork(SequentialExecutor(), study, first.id, {"rate": 0.6})


def test_interrupted_fork_is_continued_by_the_same_command(executor: SequentialExecutor) -> None:
    first = executor.execute(study, {"path": "abcd"})
    failed = fork(executor, study, first.id, {"rate": -1.0}, raise_on_failure=False)
    again = fork(executor, study, first.id, {"rate": -1.0}, raise_on_failure=False)
    assert failed.id == again.id


PIPELINE = """
from flowweaver import Workflow, task

@task
def load(path: str) -> list[int]:
    return [len(path)]

@task
def train(load: list[int], rate: float = 0.1) -> float:
    return load[0] * rate

study = Workflow("study", [load, train])
"""


def test_command_forks_says_what_differs_and_leads_to_diff(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("pipeline.py", PIPELINE)
    project.run("run", "pipeline.py", "-p", "path=abcd", "-p", "rate=0.5", "--run-id", "first")
    asked = ("fork", "first", "--target", "pipeline.py")
    done = project.run(*asked, "-p", "rate=2")
    assert "fork of run first: parameter `rate`: 0.5 -> 2.0" in done.stdout, done.stderr
    assert "1 executed, 1 restored" in done.stdout
    compare = done.stdout.splitlines()[-1]
    assert compare.startswith("compare: flowweaver diff first ")
    assert "train: parameter `rate` changed" in project.run(*compare.split()[2:]).stdout
    assert "fork of run first" in project.run("show", "last").stdout
    given = project.run(*asked, "--override", "load=[9]", "--json")
    assert json.loads(given.stdout)["counts"]["overridden"] == 1
    assert "override `load` is new: [9]" in given.stderr
    same = project.run(*asked, "-p", "rate=0.5")
    assert (same.returncode, "Nothing would differ from run first" in same.stderr) == (2, True)
    unsaid = project.run("fork", "first", "-p", "rate=3")
    assert (unsaid.returncode, "not trusted with code" in unsaid.stderr) == (2, True)

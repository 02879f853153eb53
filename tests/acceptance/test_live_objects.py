"""Live objects: what they hold counts as the run begins, and is kept nowhere as text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    MemoryStateStore,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Task,
    Workflow,
)
from tests.cli.command import Project

CLIENT = """
    import os

    class Client:
        def __init__(self, headers, dsn):
            self.headers, self.dsn = headers, dsn

        def get(self):
            return len(self.headers)

    C = Client({"Authorization": "Bearer " + os.environ["TOKEN"]}, f"db://{os.environ['TOKEN']}@h")
    """
PIPE = """
    from client import C
    from flowweaver import Workflow, task

    @task
    def get() -> int:
        return C.get()

    wf = Workflow("secrets", [get])
    """
COMMANDS = (
    ["plan", "pipe.py:wf"],
    ["plan", "pipe.py:wf", "--json"],
    ["run", "pipe.py:wf"],
    ["show", "last", "get"],
    ["explain", "last", "get"],
    ["logs", "last"],
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.close()


@pytest.mark.parametrize("store", ["state.db", "json:state.json"])
def test_what_a_live_object_holds_is_in_no_store_and_no_output(
    project: Project, store: str
) -> None:
    project.write("client.py", CLIENT)
    project.write("pipe.py", PIPE)
    told = ""
    for token in ("s3cr3t-A", "s3cr3t-B"):
        for command in COMMANDS:
            done = project.run(*command, "--store", store, env={"TOKEN": token})
            told += done.stdout + done.stderr
    kept = b"".join(path.read_bytes() for path in project.folder.rglob("*") if path.is_file())
    assert "code changed: constant client.C" in told
    assert ("s3cr3t" in told, b"s3cr3t" in kept) == (False, False)


def test_whether_it_changed_is_seen_and_in_which_attribute(project: Project) -> None:
    project.write("client.py", CLIENT.replace("{os.environ['TOKEN']}@h", "h"))
    project.write("pipe.py", PIPE)
    project.run("run", "pipe.py:wf", env={"TOKEN": "a"})
    diff = project.run("plan", "pipe.py:wf", env={"TOKEN": "b"}).stdout
    changed = [line.strip()[:12] for line in diff.splitlines() if line.strip()[:1] in "-+"]
    assert [line for line in changed if "headers" in line or "dsn" in line] == [
        "-#   headers",
        "+#   headers",
    ]


class Pipe:
    def __init__(self) -> None:
        self.calls = 0

    def rows(self) -> list[int]:
        self.calls += 1
        return [1, 2]

    def total(self, rows: list[int]) -> int:
        return sum(rows) + 0 * self.calls


def origins(run: Run) -> set[str]:
    return {str(task.origin and task.origin.value) for task in run.tasks.values()}


def of(pipe: Pipe) -> Workflow:
    return Workflow("counting", [Task("rows", pipe.rows), Task("total", pipe.total)])


def test_method_that_counts_does_not_make_its_sibling_run_again() -> None:
    executor = SequentialExecutor(state_store=MemoryStateStore())
    executor.execute(of(Pipe()))
    assert origins(executor.execute(of(Pipe()))) == {"restored"}


def test_what_a_run_itself_did_to_an_object_is_no_change() -> None:
    executor, workflow = SequentialExecutor(state_store=MemoryStateStore()), of(Pipe())
    executor.execute(workflow)
    assert origins(executor.execute(workflow)) == {"restored"}


def test_what_is_done_to_an_object_between_runs_is_a_change() -> None:
    executor, pipe = SequentialExecutor(state_store=MemoryStateStore()), Pipe()
    workflow = of(pipe)
    executor.execute(workflow)
    pipe.calls = 10
    assert origins(executor.execute(workflow)) == {"executed"}


def with_key(workflow: Workflow, store: StateStore, key: str, monkeypatch: Any) -> Run:
    monkeypatch.setenv("FLOWWEAVER_KEY", key)
    return SequentialExecutor(state_store=store).execute(workflow)


SETTINGS = {"depth": len(os.fspath(Path.home())) + 1_000_000}


def use_settings() -> int:
    return SETTINGS["depth"]


def test_with_another_key_the_reason_says_that_nobody_can_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    for key in ("one", "two"):
        workflow = Workflow("keys", [Task("use", use_settings)])
        reason = with_key(workflow, store, key, monkeypatch).tasks["use"].reason
    store.close()
    assert reason == (
        "whether it changed can't be told without the key that its last result was made with: "
        f"constant {__name__}.SETTINGS (give all machines the same FLOWWEAVER_KEY)"
    )


DEPTH = 3


def use_depth() -> int:
    return DEPTH


def test_with_another_key_what_stands_in_the_source_is_known_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    for key in ("one", "two"):
        workflow = Workflow("keys", [Task("use", use_depth)])
        run = with_key(workflow, store, key, monkeypatch)
    store.close()
    assert origins(run) == {"restored"}

"""What is promised on Windows: tried there, and on Linux with no more than Windows has.

Names that Windows lacks are found by ``make types``; here its locks and files that are in use.
"""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

SIMULATION = Path(__file__).with_name("windows_like.py")
PYTHON = [sys.executable] if sys.platform == "win32" else [sys.executable, SIMULATION]
BEGIN = """
import json, sys
from flowweaver import *
from flowweaver.stores import open_store

@task
def large() -> bytes:
    return bytes(3_000_000)

@task
def size(large: bytes) -> int:
    return len(large)

work = Workflow("work", [large, size])
"""


def on_windows(folder: Path, code: str) -> Any:
    """Run code that prints JSON and return what it printed."""
    script = folder / "script.py"
    script.write_text(BEGIN + dedent(code), encoding="utf-8")
    done = subprocess.run(
        [*PYTHON, script],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["state.db", "state.json"])
def test_runs_are_kept_and_restored(tmp_path, name):
    code = f"""
    executor = ThreadedExecutor(2, state_store=open_store({name!r}))
    runs = [executor.execute(work) for _ in range(2)]
    print(json.dumps([task.origin.value for run in runs for task in run.tasks.values()]))
    """
    assert on_windows(tmp_path, code) == ["executed", "executed", "restored", "restored"]
    assert on_windows(tmp_path, code) == ["restored"] * 4


@pytest.mark.parametrize("name", ["state.db", "state.json"])
def test_a_run_has_one_runner_and_leaves_no_lock(tmp_path, name):
    code = f"""
    @task
    def rival() -> str:
        other = SequentialExecutor(state_store=open_store({name!r}))
        try:
            other.execute(contested)
        except RunLockedError:
            return "locked"

    contested = Workflow("contested", [rival])
    run = SequentialExecutor(state_store=open_store({name!r})).execute(contested)
    print(json.dumps(run["rival"]))
    """
    assert on_windows(tmp_path, code) == "locked"
    assert list(tmp_path.glob(f"{name}.locks/*")) == []


def test_old_runs_are_removed_from_sqlite(tmp_path):
    code = """
    store = open_store("state.db")
    executor = SequentialExecutor(state_store=store)
    runs = [executor.execute(work, reuse="never") for _ in range(2)]
    store.delete([runs[0].id])
    store.sweep()
    print(json.dumps([run.id == runs[1].id for run in store.runs()]))
    """
    assert on_windows(tmp_path, code) == [True]


def test_nothing_is_removed_from_json_and_it_is_said_what_to_do(tmp_path):
    code = """
    store = open_store("state.json")
    run = SequentialExecutor(state_store=store).execute(work)
    try:
        store.delete([run.id])
    except StoreWriteError as error:
        print(json.dumps([str(error), len(store.runs())]))
    """
    message, left = on_windows(tmp_path, code)
    assert "Copy its runs to a SQLite store" in message
    assert left == 1


def test_a_pickled_result_is_signed_with_a_key_made_there(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", str(tmp_path / "keys" / "key"))
    code = """
    @task
    def made() -> object:
        return ValueError("a pickle")

    pickled = Workflow("pickled", [made])
    executor = SequentialExecutor(state_store=open_store("state.db"))
    print(json.dumps([repr(executor.execute(pickled)["made"]) for _ in range(2)]))
    """
    assert on_windows(tmp_path, code) == ["ValueError('a pickle')"] * 2


def test_worker_processes_are_refused_with_what_to_use(tmp_path):
    code = """
    try:
        ProcessExecutor()
    except DefinitionError as error:
        print(json.dumps(str(error)))
    """
    assert "use ThreadedExecutor" in on_windows(tmp_path, code)


def test_an_isolated_task_is_refused_before_anything_runs(tmp_path):
    code = """
    began = []

    @task
    def first() -> None:
        began.append(1)

    @task(isolate=True)
    def apart() -> int:
        return 1

    try:
        SequentialExecutor().execute(Workflow("isolated", [first, apart]))
    except DefinitionError as error:
        print(json.dumps([began, str(error)]))
    """
    began, message = on_windows(tmp_path, code)
    assert began == []
    assert "POSIX" in message

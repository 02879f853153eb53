"""A store is never trusted with code, nor with the terminal: what its rows say is shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from flowweaver import SQLiteStateStore, cli
from flowweaver.cli.app import _COMMANDS
from flowweaver.records import AttemptRecord, Changes, ClaimRequest, Failure, TaskRecord
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.testing.stores import finish, result_of
from tests.cli.command import Project
from tests.observers.terminal import Terminal

HOSTILE = "\x1b]0;x\x07\x1b[2J\nError: fake\u202e"
"""Sets the title, clears the screen, fakes a line, turns the direction of writing."""

SEES = """
from pathlib import Path

from flowweaver import Workflow, task

Path("loaded").touch()

@task
def one():
    return 1

flow = Workflow("flow", [one])
"""

# What each command is given, here that looks into a store; the others are given code by a person.
LOOKS = {
    "diff": ("last", "first"),
    "doctor": (),
    "explain": ("last", "one"),
    "fork": ("last", "--override", "one=2"),
    "gc": (),
    "logs": ("last",),
    "replay": ("last", "one"),
    "report": ("last",),
    "resolve": ("last", "one", "--done"),
    "result": ("last", "one"),
    "runs": (),
    "show": ("last", "one"),
    "store": ("copy", ".flowweaver/state.db", "copy.db"),
    "trace": ("last",),
    "watch": ("last",),
}
GIVEN_CODE = {"accept", "completion", "graph", "init", "plan", "run"}
SERVES = {"ui"}  # see tests/ui/test_actions.py

HOSTILE_LOOKS = {
    **LOOKS,
    "explain": ("last", HOSTILE),
    "replay": ("last", HOSTILE),
    "resolve": ("last", HOSTILE, "--retry"),
    "result": ("last", HOSTILE),
    "show": ("last",),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two runs of a workflow whose file leaves a mark whenever it is loaded."""
    project = Project(tmp_path_factory.mktemp("seen"))
    project.write("sees.py", SEES)
    for name in ("first", "second"):
        assert project.run("run", "sees.py", "--run-id", name).returncode == 0
    (project.folder / "loaded").unlink()
    return project


def test_every_command_that_looks_into_a_store_is_tried() -> None:
    assert {*LOOKS, *GIVEN_CODE, *SERVES} == set(_COMMANDS)


@pytest.mark.parametrize("command", LOOKS)
def test_looking_loads_no_code_that_the_store_names(seen: Project, command: str) -> None:
    done = seen.run(command, *LOOKS[command])
    assert "unexpected" not in done.stderr
    assert not (seen.folder / "loaded").exists()


def test_replay_says_what_the_store_names_and_how_to_trust_it(seen: Project) -> None:
    done = seen.run("replay", "first", "one")
    assert done.returncode == 2
    assert "not trusted with code" in done.stderr
    assert "--target sees.py" in done.stderr


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_who_is_at_a_terminal_is_asked(seen: Project, answer: str, code: int) -> None:
    with Terminal() as terminal:
        started = seen.start("replay", "first", "one", stdin=terminal.slave, stderr=terminal.slave)
        terminal.wait_for("started with 'sees.py'. Load that and call its code? [y/N]")
        assert not (seen.folder / "loaded").exists()
        os.write(terminal.master, f"{answer}\n".encode())
        assert started.end() == code
    assert (seen.folder / "loaded").exists() == (code == 0)
    (seen.folder / "loaded").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Runs whose every text would move the cursor, as whoever writes to a store can put them."""
    project = Project(tmp_path_factory.mktemp("hostile"))
    (project.folder / ".flowweaver").mkdir()
    store = SQLiteStateStore(project.folder / ".flowweaver" / "state.db")
    for number in "12":
        _fill(store, number)
    store.close()
    return project


def _fill(store: SQLiteStateStore, number: str) -> None:
    value = result_of(b'"\\u001b[2J"')
    params, info = {HOSTILE: value.encoded.digest}, {"target": HOSTILE, HOSTILE: HOSTILE}
    run_id = "first" if number == "1" else f"{HOSTILE}{number}"
    lease = store.claim(
        ClaimRequest(HOSTILE, number, run_id, params=params, info=info, results=(value,))
    )
    failure = Failure(HOSTILE, HOSTILE, HOSTILE, unresolved=True)
    failed = TaskRecord(
        run_id, HOSTILE, "", TaskStatus.FAILED, 1, failure=failure, facts="{}", reason=HOSTILE
    )
    done = TaskRecord(
        run_id, f"b{HOSTILE}", "0", TaskStatus.COMPLETED, 1, origin=Origin.EXECUTED,
        digest=value.encoded.digest, reason=HOSTILE, source_run=HOSTILE,
    )  # fmt: skip
    attempt = AttemptRecord(run_id, HOSTILE, "", 1, 1.0, 1.0, failure, HOSTILE)
    store.commit(lease, Changes(tasks=[failed, done], results=[value], attempts=[attempt]))
    finish(store, lease, RunStatus.FAILED)


@pytest.mark.parametrize("command", HOSTILE_LOOKS)
def test_texts_of_a_store_are_shown_and_not_obeyed(hostile: Project, command: str) -> None:
    done = hostile.run(command, *HOSTILE_LOOKS[command])
    told = done.stdout + done.stderr
    assert "unexpected" not in told
    assert not {c for c in told if not c.isprintable()} - {"\n"}


def test_elements_that_no_fan_out_makes_are_damage(project: Project) -> None:
    store = SQLiteStateStore(project.folder / "state.db")
    lease = store.claim(ClaimRequest("flow", "1", "one"))
    store.commit(lease, Changes(tasks=[TaskRecord("one", "task", HOSTILE)]))
    store.release(lease)
    done = project.run("show", "one", "--store", "state.db")
    assert done.returncode == 2
    assert "Error: The store has an element" in done.stderr


@pytest.mark.parametrize("command", ["doctor", "runs", "store", "watch"])
def test_no_text_of_a_store_makes_a_line_of_its_own(hostile: Project, command: str) -> None:
    done = hostile.run(command, *HOSTILE_LOOKS[command])
    assert "\nError: fake" not in f"\n{done.stdout}{done.stderr}"


def test_nothing_is_printed_but_by_those_who_make_it_harmless() -> None:
    for room in Path(cli.__file__).parent.glob("*.py"):
        calls = re.findall(
            r"click\.s?echo\(|(?<!\w)print\(|std\w+\.write\(", room.read_text("utf-8")
        )
        assert not calls or room.name == "output.py", (room.name, calls)

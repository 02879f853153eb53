"""Secrets in what is only there for a while: runs that are cut short, logs, memory, debuggers."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.acceptance.planting import PLANTED, Planted, found_in, hits_in
from tests.cli.command import COMMAND, Started
from tests.observers.terminal import wait_until

WAITING = Path(__file__).with_name("secret_waiting.py")
IN_MEMORY = Path(__file__).with_name("secret_in_memory.py")
SECRET = ("--secret", "password=PLANTED_PASSWORD")
LOOKS = [("show", "last"), ("show", "last", "waiting"), ("logs", "last"), ("runs",), ("report",)]


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path, "state.db")


@pytest.mark.parametrize("executor", ["sequential", "threads", "async", "processes"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_cut_short_leaves_none(
    planted: Planted, executor: str, signum: signal.Signals
) -> None:
    shutil.copy(WAITING, planted.folder)
    how = ("--executor", executor, "--grace", "0")
    words = ("run", f"{WAITING.name}:workflow", "waiting", *SECRET, *how)
    environment = {**os.environ, **PLANTED}
    started = Started(planted.folder, (*words, "--store", "state.db"), env=environment)
    wait_until((planted.folder / "begun").exists, "the body to begin")
    assert hits_in(planted.folder) == {}
    started.send(signum)
    assert started.end() != 0
    for look in LOOKS:
        planted.command(*look, "--store", "state.db")
    assert b"waiting" in b"".join(planted.said.values())
    assert planted.hits() == {}


def test_the_write_ahead_log_of_a_store_that_is_open_has_none(planted: Planted) -> None:
    planted.drive("threads")
    keeper = sqlite3.connect(planted.folder / "state.db")
    keeper.execute("SELECT count(*) FROM run").fetchone()  # so that the log stays
    planted.drive("threads")
    log = (planted.folder / "state.db-wal").read_bytes()
    assert b"nightly" in log
    assert found_in(log) == []
    keeper.close()


def test_a_store_in_memory_holds_none(planted: Planted) -> None:
    shutil.copy(IN_MEMORY, planted.folder)
    assert planted.start(sys.executable, IN_MEMORY.name, knowing=True) == 0, planted.said
    assert "***" in (planted.folder / "rows.txt").read_text()
    assert planted.hits() == {}


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    planted = Planted(tmp_path_factory.mktemp("driven"), "state.db")
    planted.drive("sequential")
    return planted


TYPED = ["args", "next", "next", "args", "p locals()", "p value", "pp [value]", "!value", "where"]


@pytest.mark.parametrize("task", ["before", "fails"])
def test_a_debugger_says_none(planted: Planted, task: str) -> None:
    shutil.copy(WAITING, planted.folder)
    target = f"{WAITING.name}:workflow"
    planted.command("run", target, task, *SECRET, "--store", "state.db", knowing=True)
    words = ("replay", "last", task, "--target", target, "--pdb", *SECRET, "--store", "state.db")
    typed = "\n".join([*TYPED, "step", "list", "continue", ""])
    planted.start(*COMMAND, *words, typed=typed, knowing=True)
    said = next(data for call, data in planted.said.items() if "--pdb" in call)
    assert b"(Pdb)" in said
    assert b"***" in said
    assert planted.hits() == {}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("flowweaver show --store state.db ", b"last"),
        ("flowweaver show --store state.db last ", b"failing"),
        ("flowweaver logs --store state.db last element", b"element[0]"),
        ("flowweaver run secret_nightly.py:", b"nightly"),
        ("flowweaver plan secret_nightly.py ", b"failing"),
        ("flowweaver run secret_nightly.py --param ", b""),
        ("flowweaver run secret_nightly.py --param password=", b""),
        ("flowweaver run secret_nightly.py --secret password=", b""),
    ],
)
def test_completion_offers_none(driven: Planted, line: str, offered: bytes) -> None:
    number = str(len(line.split(" ")) - 1)
    asked = {"_FLOWWEAVER_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": number}
    driven.start(*COMMAND, knowing=True, typed="", **asked)
    assert offered in next(data for call, data in driven.said.items() if repr(line) in call)
    assert driven.hits() == {}

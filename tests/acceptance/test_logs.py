"""What a body prints and logs is kept with its attempt, wherever it runs."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver import Executor, SQLiteStateStore, Task, Workflow
from tests.acceptance.flow_bodies import silent, talk, talk_async
from tests.acceptance.test_flow import EXECUTORS


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_each_attempt_has_its_own_log(
    executor: Callable[..., Executor], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    chatty = Workflow(
        "chatty",
        [Task("plain", talk, retries=1), Task("awaited", talk_async), Task("silent", silent)],
    )
    folder = str(tmp_path)
    run = executor(state_store=store).execute(chatty, {"folder": folder})
    logs = {(item.task, item.number): item.log for item in store.attempts(run.id)}
    assert logs == {
        ("plain", 1): "attempt 1\nWARNING talk: logged\n",
        ("plain", 2): "attempt 2\nWARNING talk: logged\n",
        ("awaited", 1): "awaited\n",
    }
    assert "attempt 2" in capfd.readouterr().out


def tell_and_hang() -> None:
    print("at row 7")
    logging.getLogger("load").warning("row 8 is bad")
    threading.Event().wait()


def tell_and_die() -> None:
    print("at row 9")
    os._exit(3)


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_the_log_of_an_attempt_that_is_killed_is_kept(
    executor: Callable[..., Executor], tmp_path: Path
) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    doomed = Workflow(
        "doomed",
        [
            Task("hangs", tell_and_hang, timeout=3, isolate=True),
            Task("dies", tell_and_die, isolate=True),
        ],
    )
    run = executor(state_store=store).execute(doomed, raise_on_failure=False)
    logs = {(item.task, item.number): item.log for item in store.attempts(run.id)}
    assert logs["hangs", 1] == "at row 7\nWARNING load: row 8 is bad\n"
    assert logs["dies", 1] == "at row 9\n"

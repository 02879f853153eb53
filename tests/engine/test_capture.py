"""What bodies log: kept, and passed on as if nobody listened."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from flowweaver import (
    AsyncExecutor,
    MemoryStateStore,
    Secret,
    SequentialExecutor,
    Task,
    Workflow,
    current_task,
)

LOGS = """
import logging, sys
from flowweaver import MemoryStateStore, SequentialExecutor, Workflow, task

@task
def careful():
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("careful")

if sys.argv[1:] == ["configured"]:
    logging.basicConfig(format="configured %(message)s")
store = MemoryStateStore()
run = SequentialExecutor(state_store=store).execute(Workflow("w", [careful]))
print(store.attempts(run.id)[0].log, end="")
"""


def output(tmp_path: Path, *arguments: str) -> tuple[str, str]:
    script = tmp_path / "script.py"
    script.write_text(LOGS)
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_warning_reaches_a_terminal_where_nothing_is_configured(tmp_path: Path) -> None:
    assert output(tmp_path) == ("WARNING x: careful\n", "careful\n")


def test_warning_is_left_to_who_is_configured(tmp_path: Path) -> None:
    kept, shown = output(tmp_path, "configured")
    assert "WARNING x: careful\n" in kept
    assert shown == "configured careful\n"


MISTAKEN = """
import logging
from flowweaver import MemoryStateStore, SequentialExecutor, Workflow, task

@task
def mistaken():
    logging.getLogger("x").warning("%d items", "some")
    return "done"

run = SequentialExecutor(state_store=MemoryStateStore()).execute(Workflow("w", [mistaken]))
print(run["mistaken"])
"""


def test_mistake_in_what_is_logged_is_told_and_fails_nothing(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(MISTAKEN)
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"
    assert done.stderr.count("--- Logging error ---") == 1
    assert "Message: '%d items'" in done.stderr


def test_task_logger_is_kept_from_level_info_on() -> None:
    def body() -> None:
        current_task().logger.debug("too fine")
        current_task().logger.info("paying %d", 3)
        current_task().logger.warning("late")

    store = MemoryStateStore()
    run = SequentialExecutor(state_store=store).execute(Workflow("w", [Task("pay", body)]))
    assert store.attempts(run.id)[0].log == (
        "INFO flowweaver.task.pay: paying 3\nWARNING flowweaver.task.pay: late\n"
    )


def test_secrets_that_bodies_of_one_loop_write_in_turn_are_masked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def body(password: Secret[str]) -> None:
        for piece in (password.reveal()[:4], password.reveal()[4:], "\n"):
            sys.stdout.write(piece)
            await asyncio.sleep(0)

    store = MemoryStateStore()
    workflow = Workflow("w", [Task(name, body) for name in ("one", "another")])
    run = AsyncExecutor(state_store=store).execute(workflow, {"password": "written-in-turn"})
    assert capsys.readouterr().out.replace("\n", "") == "******"
    assert {attempt.log for attempt in store.attempts(run.id)} == {"***\n"}

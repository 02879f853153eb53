"""What a body prints and logs is kept with its attempt, wherever it runs."""

from __future__ import annotations

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

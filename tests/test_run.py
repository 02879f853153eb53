"""Asking a run for its results."""

from __future__ import annotations

from flowweaver import SequentialExecutor, Task, Workflow

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def test_names_that_look_alike_are_alike() -> None:
    run = SequentialExecutor().execute(Workflow("w", [Task(DECOMPOSED, lambda: 1)]))
    for name in (COMPOSED, DECOMPOSED):
        assert run[name] == 1
        assert name in run
        assert name in run.tasks
        assert run.tasks[name].attempts == 1
    assert list(run.tasks) == [COMPOSED]

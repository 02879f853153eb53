"""A process that executes a task which does not end, to be killed.

``python -m tests.engine.lasting EXECUTOR BODY URL FOLDER``: the body notes in the folder that it
began, and works on until it is killed, or until there is a file "enough".
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from flowweaver import (
    AsyncExecutor,
    Executor,
    ProcessExecutor,
    SequentialExecutor,
    Task,
    ThreadedExecutor,
    Workflow,
    current_task,
)
from flowweaver.stores import open_store

EXECUTORS: dict[str, Callable[..., Executor]] = {
    "sequential": SequentialExecutor,
    "threads": lambda **options: ThreadedExecutor(2, **options),
    "async": lambda **options: AsyncExecutor(2, **options),
    "processes": lambda **options: ProcessExecutor(1, **options),
}


def _begin(folder: str) -> Path:
    (Path(folder) / f"began-{current_task().attempt}").touch()
    return Path(folder) / "enough"


def sleeps(folder: str) -> int:
    enough = _begin(folder)
    while not enough.exists():
        time.sleep(0.01)
    return current_task().attempt


def computes(folder: str) -> int:
    """Hold the interpreter for as long as it lets one."""
    enough = _begin(folder)
    while sum(range(10_000)) and not enough.exists():
        pass
    return current_task().attempt


async def blocks(folder: str) -> int:
    """Hold up the event loop."""
    return sleeps(folder)


def workflow_of(body: str) -> Workflow:
    """Return a workflow of that body alone; "isolated" is `sleeps` in a process of its own."""
    if body == "isolated":
        return Workflow("lasting", [Task("lasts", sleeps, isolate=True, retries=1)])
    return Workflow("lasting", [Task("lasts", globals()[body], retries=1)])


def main(executor: str, body: str, url: str, folder: str) -> None:
    """Execute the workflow once."""
    made = EXECUTORS[executor](state_store=open_store(url))
    # Postgres learns of a death only when the lease runs out.
    made.execute(workflow_of(body), {"folder": folder}, take_over=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

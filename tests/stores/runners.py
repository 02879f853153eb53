"""A process that executes one workflow with several parameters, as often as it takes.

``python -m tests.stores.runners URL JOURNAL TASKS KEY...``: each body notes itself in the file
JOURNAL, which is so a witness of its own of what was run.
"""

from __future__ import annotations

import os
import sys

from flowweaver import Task, ThreadedExecutor, Workflow
from flowweaver.stores import open_store


def note(journal: str, word: str) -> None:
    """Append a line, in one write."""
    fd = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(fd, f"{word}\n".encode())
    finally:
        os.close(fd)


def workflow_of(journal: str, tasks: int) -> Workflow:
    """Return a workflow of so many tasks: two chains, and one that takes from all."""
    workflow = Workflow("shared")
    names = [f"t{number}" for number in range(tasks - 1)]

    def body(number: int):  # type: ignore[no-untyped-def]
        def run(key: str) -> str:
            note(journal, f"{key} t{number}")
            return f"{key}{number}"

        return run

    for number, name in enumerate(names):
        before = names[max(0, number - 2) : max(0, number - 1)]
        workflow.add_task(Task(name, body(number), version="1"), depends_on=before)

    def total(key: str, **parts: str) -> list[str]:
        note(journal, f"{key} total")
        return sorted(parts.values())

    workflow.add_task(Task("total", total, version="1"), depends_on=names)
    return workflow


def main(url: str, journal: str, tasks: str, *keys: str) -> None:
    """Execute with one key after the other, waiting where somebody else is at work."""
    workflow = workflow_of(journal, int(tasks))
    store = open_store(url)
    executor = ThreadedExecutor(4, state_store=store)
    for key in keys:
        run = executor.execute(workflow, {"key": key}, wait=None)
        assert run["total"] == sorted(f"{key}{number}" for number in range(int(tasks) - 1))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

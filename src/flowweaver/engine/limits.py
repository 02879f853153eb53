"""Limits that can't be enforced where a task runs, said before the run rather than after."""

from __future__ import annotations

from flowweaver.definitions.wiring import Wiring


def unenforced_limits(wiring: Wiring, executor: str, *, stops_threads: bool) -> list[str]:
    """Return a warning for each task whose limit can't stop its body.

    Args:
        wiring: The workflow.
        executor: The executor's name, for the warning.
        stops_threads: Whether the executor can stop the bodies of plain functions.
    """
    if stops_threads:
        return []
    return [
        f"the time limit of task {task.name!r} can't stop its body on {executor}: when it is "
        "over the run goes on, but the body's thread does too; isolate=True gives it a process "
        "that can be killed"
        for task in map(wiring.tasks.__getitem__, wiring.optioned)
        if (task.options.timeout is not None or task.options.idle_timeout is not None)
        and not task.options.isolate
        and not task.is_async()
    ]

"""Limits that can't be enforced where a task runs: known before the run, and told in the errors."""

from __future__ import annotations

from flowweaver.definitions.wiring import Wiring


def unstoppable(wiring: Wiring, *, stops_threads: bool) -> frozenset[str]:
    """Return the names of tasks whose bodies go on when a limit of theirs is over.

    Args:
        wiring: The workflow.
        stops_threads: Whether the executor can stop the bodies of plain functions.
    """
    if stops_threads:
        return frozenset()
    return frozenset(
        task.name
        for task in map(wiring.tasks.__getitem__, wiring.optioned)
        if (task.options.timeout is not None or task.options.idle_timeout is not None)
        and not task.options.isolate
        and not getattr(task.fn, "stops_itself", False)
        and not task.is_async()
    )


def unenforced_limits(wiring: Wiring, executor: str, *, stops_threads: bool) -> list[str]:
    """Return a sentence for each task whose limit can't stop its body; `executor` is told in it."""
    names = unstoppable(wiring, stops_threads=stops_threads)
    return [
        f"the time limit of task {name!r} can't stop its body on {executor}: when it is "
        "over the run goes on, but the body's thread does too; isolate=True gives it a process "
        "that can be killed"
        for name in filter(names.__contains__, wiring.index)
    ]

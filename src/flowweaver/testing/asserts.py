"""How the tasks of a run came out, as assertions."""

from __future__ import annotations

from collections.abc import Iterator

from flowweaver.run import Run, TaskRun
from flowweaver.status import Origin, outcome_of


def assert_executed(run: Run, *tasks: str) -> None:
    """Assert that tasks were executed in this run; all of them if none are named.

    Args:
        run: What `execute` returned.
        *tasks: Names of tasks, or of elements (``page[3]``).

    Raises:
        AssertionError: One was not; the message says of each how it came out, and why.
        UnknownNameError: The run has no such task.
    """
    __tracebackhide__ = True
    _assert_all(run, tasks, Origin.EXECUTED)


def assert_restored(run: Run, *tasks: str) -> None:
    """Assert that tasks were restored from earlier executions; all of them if none are named.

    Args:
        run: What `execute` returned.
        *tasks: Names of tasks, or of elements (``page[3]``).

    Raises:
        AssertionError: One was not; the message says of each how it came out, and why.
        UnknownNameError: The run has no such task.
    """
    __tracebackhide__ = True
    _assert_all(run, tasks, Origin.RESTORED)


def assert_overridden(run: Run, *tasks: str) -> None:
    """Assert that values were taken in place of tasks.

    Args:
        run: What `execute` returned.
        *tasks: Names of tasks.

    Raises:
        AssertionError: One was not; the message says of each how it came out, and why.
        UnknownNameError: The run has no such task.
    """
    __tracebackhide__ = True
    _assert_all(run, tasks, Origin.OVERRIDDEN)


def _assert_all(run: Run, names: tuple[str, ...], wanted: Origin) -> None:
    __tracebackhide__ = True
    chosen = [run.tasks[name] for name in names] if names else list(run.tasks.values())
    others = [text for task in chosen for text in _otherwise(task, wanted)]
    if others:
        raise AssertionError(
            f"Not {wanted.value} in run {run.id} of {run.workflow!r}:\n  " + "\n  ".join(others)
        )


def _otherwise(task: TaskRun, wanted: Origin) -> Iterator[str]:
    """Say how a task came out, if not as wanted; of a mapped one, its elements."""
    for each in task.elements or [task]:
        came = outcome_of(each.status, each.origin)
        if came != wanted.value:
            why = str(each.error) if each.error else each.reason
            yield f"{each.name}: {came}" + (f" ({why})" if why else "")

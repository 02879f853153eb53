"""cereyan, offline: a flow whose calls of tasks are recorded in its SQLite file."""

from __future__ import annotations

from typing import Any

from cereyan import INPUTS, ThreadRunner, flow, task

from benchmarks.subjects.clock import import_milliseconds, microseconds_each
from benchmarks.subjects.floors import THREADS


@task(persist_result=True, cache=INPUTS)
def step(x: int) -> int:
    """Do nothing; kept, and not called again with the same argument."""
    return x + 1


@task
def first(number: int) -> int:
    """Do nothing."""
    return number


@flow
def chained(size: int) -> int:
    """Call the task with the result of the call before."""
    value = 0
    for _ in range(size):
        value = step(value)
    return value


@flow(runner=ThreadRunner(THREADS))
def fanned(size: int) -> int:
    """Call the task on threads."""
    return sum(future.result() >= 0 for future in first.map(range(size)))


def _run(made: Any, size: int) -> None:
    if made(size) != size:
        raise RuntimeError("the flow did not come to its end")


def chain_cached(size: int) -> float:
    """Run a flow of calls that depend on each other, each result kept."""
    return microseconds_each(lambda: _run(chained, size), size)


def fan_threads(size: int) -> float:
    """Run a flow of calls on four threads; each is recorded."""
    return microseconds_each(lambda: _run(fanned, size), size)


def restore(size: int) -> float:
    """Run it again."""
    chain_cached(size)
    return chain_cached(size)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("import cereyan", size)

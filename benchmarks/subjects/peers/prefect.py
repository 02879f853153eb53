"""Prefect with the server it starts for itself."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["PREFECT_HOME"] = str(Path("prefect").resolve())
os.environ["PREFECT_LOGGING_LEVEL"] = "ERROR"
os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "true"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "90"
os.environ["DO_NOT_TRACK"] = "1"

from prefect import flow, task

from benchmarks.subjects.clock import import_milliseconds, microseconds_each
from benchmarks.subjects.floors import THREADS


@task
def passing(x: int) -> int:
    """Do nothing."""
    return x


@task(persist_result=True)
def kept(x: int, _number: int) -> int:
    """Do nothing; the number makes each call one of its own."""
    return x


@flow
def idle() -> None:
    """Have the server started."""
    passing(0)


@flow
def chained(size: int) -> int:
    """Call tasks one after the other."""
    value = 0
    for _ in range(size):
        value = passing(value)
    return value


@flow
def chained_kept(size: int) -> int:
    """Call tasks one after the other, each result kept."""
    value = 0
    for number in range(size):
        value = kept(value, number)
    return value


def chain(size: int) -> float:
    """A flow of tasks; the start of the server, some seconds, is not counted."""
    idle()
    return microseconds_each(lambda: chained(size), size)


def chain_files(size: int) -> float:
    """A flow of tasks, each result in a file of its own."""
    idle()
    return microseconds_each(lambda: chained_kept(size), size)


def fan_threads(size: int) -> float:
    """Tasks submitted to its thread pool."""
    from prefect.task_runners import ThreadPoolTaskRunner

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=THREADS))
    def fanned() -> None:
        for future in [passing.submit(number) for number in range(size)]:
            future.result()

    idle()
    return microseconds_each(fanned, size)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("from prefect import flow, task", size)

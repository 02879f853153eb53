"""Dagster in one process."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, fs_io_manager, job, mem_io_manager, op

from benchmarks.subjects.clock import import_milliseconds, microseconds_each

logging.disable()


@op
def start() -> int:
    """Do nothing."""
    return 0


@op
def passing(x: int) -> int:
    """Do nothing."""
    return x


def _chain(size: int, manager: Any) -> Any:
    @job(resource_defs={"io_manager": manager})
    def chained() -> None:
        value: Any = start()
        for number in range(1, size):
            value = passing.alias(f"t{number}")(value)

    return chained


def chain(size: int) -> float:
    """A job, results and event log in memory."""
    made = _chain(size, mem_io_manager)
    with DagsterInstance.ephemeral() as instance:
        return microseconds_each(lambda: made.execute_in_process(instance=instance), size)


def fan(size: int) -> float:
    """Ops that don't depend on each other, one by one as all runs in one process."""

    @job(resource_defs={"io_manager": mem_io_manager})
    def fanned() -> None:
        for number in range(size):
            start.alias(f"t{number}")()

    with DagsterInstance.ephemeral() as instance:
        return microseconds_each(lambda: fanned.execute_in_process(instance=instance), size)


def chain_files(size: int) -> float:
    """A job, results in files and the event log in SQLite (WAL), on a local instance."""
    made = _chain(size, fs_io_manager)
    home = Path("home").resolve()
    home.mkdir()
    with DagsterInstance.local_temp(str(home)) as instance:
        return microseconds_each(lambda: made.execute_in_process(instance=instance), size)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("from dagster import job, op", size)

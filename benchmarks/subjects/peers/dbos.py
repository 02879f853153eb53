"""DBOS on SQLite."""

from __future__ import annotations

import logging

from dbos import DBOS, SetWorkflowID

from benchmarks.subjects.clock import import_milliseconds, microseconds_each
from benchmarks.subjects.floors import step

logging.disable()
_WORKFLOW_ID = "measured"


def _launch() -> None:
    DBOS(config={"name": "measured", "system_database_url": "sqlite:///dbos.sqlite"})


@DBOS.step()
def passing(x: int) -> int:
    """Do nothing."""
    return step(x)


@DBOS.workflow()
def chained(size: int) -> int:
    """Take steps one after the other."""
    value = 0
    for _ in range(size):
        value = passing(value)
    return value


def chain(size: int) -> float:
    """A workflow of steps, each committed before the next; SQLite's default journal and sync."""
    _launch()
    DBOS.launch()

    def work() -> None:
        with SetWorkflowID(_WORKFLOW_ID):
            chained(size)

    return microseconds_each(work, size)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("from dbos import DBOS", size)

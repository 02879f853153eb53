"""redun on SQLite."""

from __future__ import annotations

import logging
from typing import Any

from redun import Scheduler, task
from redun.config import Config

from benchmarks.subjects.clock import import_milliseconds, microseconds_each

logging.disable()
redun_namespace = "measured"


@task()
def passing(x: int, _number: int) -> int:
    """Do nothing; the number makes each call one of its own."""
    return x


def _scheduler(uri: str) -> Any:
    scheduler = Scheduler(config=Config({"backend": {"db_uri": uri}}))
    scheduler.load(migrate=True)
    return scheduler


def _chain(scheduler: Any, size: int) -> float:
    def work() -> None:
        value: Any = 0
        for number in range(size):
            value = passing(value, number)
        scheduler.run(value)

    return microseconds_each(work, size)


def chain(size: int) -> float:
    """A chain of calls, each recorded in the database; SQLite's default journal and sync."""
    return _chain(_scheduler("sqlite:///redun.db"), size)


def fan(size: int) -> float:
    """Calls that don't depend on each other, recorded in a database in memory."""
    scheduler = _scheduler("sqlite://")
    return microseconds_each(
        lambda: scheduler.run([passing(0, number) for number in range(size)]), size
    )


def restore(size: int) -> float:
    """Run a finished chain again, with a new scheduler on the same database."""
    chain(size)
    return chain(size)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("from redun import Scheduler, task", size)

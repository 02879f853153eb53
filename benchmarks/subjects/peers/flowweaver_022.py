"""The published flowweaver 0.2.2, which FlowWeaver re-implements."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from benchmarks.subjects.clock import import_milliseconds, microseconds_each
from benchmarks.subjects.floors import THREADS, first

# Not the FlowWeaver beside this file, whose types a checker would take.
_old: Any = import_module("flowweaver")
logging.disable()


def a_chain(size: int) -> Any:
    """Define a chain; order only, as names are needed for more."""
    workflow = _old.Workflow("chain")
    for number in range(size):
        before = [f"t{number - 1}"] if number else []
        workflow.add_task(_old.Task(f"t{number}", first), before)
    return workflow


def a_fan(size: int) -> Any:
    """Define tasks that don't depend on each other."""
    workflow = _old.Workflow("fan")
    for number in range(size):
        workflow.add_task(_old.Task(f"t{number}", first))
    return workflow


def define(size: int) -> float:
    """Define a chain."""
    return microseconds_each(lambda: a_chain(size), size)


def chain(size: int) -> float:
    """One by one, results in memory."""
    workflow = a_chain(size)
    return microseconds_each(lambda: _old.SequentialExecutor().execute(workflow), size)


def fan_threads(size: int) -> float:
    """On threads."""
    workflow = a_fan(size)
    return microseconds_each(lambda: _old.ThreadedExecutor(THREADS).execute(workflow), size)


def chain_full(size: int) -> float:
    """Each result in SQLite before the next starts: all tasks are written after each layer."""
    workflow = a_chain(size)
    executor = _old.SequentialExecutor(storage=_old.SQLiteStateStore("state.db"))
    return microseconds_each(lambda: executor.execute(workflow), size)


def restore(size: int) -> float:
    """Execute a finished workflow again."""
    chain_full(size)
    return chain_full(size)


def import_it(size: int) -> float:
    """`import flowweaver`, over bare Python."""
    return import_milliseconds("import flowweaver", size)

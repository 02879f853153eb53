"""Parsl on threads."""

from __future__ import annotations

from typing import Any

import parsl
from parsl.config import Config
from parsl.dataflow.memoization import BasicMemoizer
from parsl.executors import ThreadPoolExecutor

from benchmarks.subjects.clock import import_milliseconds, microseconds_each
from benchmarks.subjects.floors import THREADS, first, step


def _load(memoizer: BasicMemoizer | None = None) -> None:
    parsl.load(
        Config(
            executors=[ThreadPoolExecutor(max_threads=THREADS)],
            memoizer=memoizer,
            initialize_logging=False,
            usage_tracking=0,
        )
    )


def _chain(size: int, *, kept: bool) -> float:
    starting: Any = parsl.python_app(first, cache=kept)
    passing: Any = parsl.python_app(_stepped if kept else step, cache=kept)

    def work() -> None:
        future = starting()
        for number in range(1, size):
            future = passing(future, number) if kept else passing(future)
        future.result()

    return microseconds_each(work, size)


def _stepped(x: int, _number: int) -> int:
    """Do nothing; the number makes each call one of its own, as its memory goes by arguments."""
    return x


def chain(size: int) -> float:
    """A chain of futures, results in memory."""
    _load()
    return _chain(size, kept=False)


def fan_threads(size: int) -> float:
    """Calls that don't depend on each other."""
    _load()
    app: Any = parsl.python_app(first)

    def work() -> None:
        for future in [app() for _ in range(size)]:
            future.result()

    return microseconds_each(work, size)


def chain_checkpointed(size: int) -> float:
    """A chain, each result pickled to a file at the end of its task, and not synced."""
    _load(BasicMemoizer(checkpoint_mode="task_exit"))
    return _chain(size, kept=True)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("import parsl", size)

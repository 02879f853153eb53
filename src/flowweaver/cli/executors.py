"""Executors by name: what ``--executor`` means.

A plug-in is an entry point of the group ``flowweaver.executors``: a function called as
``make(address, workers=..., **common)`` that returns an `Executor`. `address` is what follows
``name://`` ("" if nothing does), `workers` the number given or None, and `common` what every
executor takes (`state_store`, `observers`, `grace`, `limits`, `rate`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from flowweaver.cli.output import Problem
from flowweaver.cli.settings import Settings
from flowweaver.engine.executor import Executor
from flowweaver.errors import near_matches
from flowweaver.executors.local import AsyncExecutor, SequentialExecutor, ThreadedExecutor

ENTRY_POINTS = "flowweaver.executors"
ExecutorMaker = Callable[..., Executor]


def make_executor(wanted: str, workers: int | None, **common: Any) -> Executor:
    """Return the executor that ``name`` or ``name://address`` asks for.

    Raises:
        Problem: There is none of that name, or it can't be made so.
    """
    name, _, address = wanted.partition("://")
    make = _MAKERS.get(name) or _plugged_in(name, wanted)
    return make(address, workers=workers, **common)


def _plugged_in(name: str, wanted: str) -> ExecutorMaker:
    from importlib.metadata import entry_points

    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name not in found:
        known = sorted({*_MAKERS, *found})
        context = click.get_current_context(silent=True)
        settings = Settings() if context is None else context.ensure_object(Settings)
        source = settings.source_of("executor", wanted)
        raise Problem(
            f"There is no executor {name!r}{source}, only {', '.join(known)}"
            f"{near_matches(name, known)}"
        )
    try:
        make: ExecutorMaker = found[name].load()
    except ImportError as error:
        raise Problem(f"Executor {name!r} can't be loaded: {error}.") from None
    return make


def _sequential(address: str, workers: int | None, **common: Any) -> Executor:
    _refuse_address("sequential", address)
    if workers not in (None, 1):
        raise Problem("--executor sequential runs one task at a time; drop --workers.")
    return SequentialExecutor(**common)


def _processes(address: str, workers: int | None, **common: Any) -> Executor:
    from flowweaver.executors.process import ProcessExecutor

    _refuse_address("processes", address)
    return ProcessExecutor(workers, **common)


def _threads(address: str, workers: int | None, **common: Any) -> Executor:
    _refuse_address("threads", address)
    return ThreadedExecutor(workers, **common)


def _async(address: str, workers: int | None, **common: Any) -> Executor:
    _refuse_address("async", address)
    return AsyncExecutor(workers, **common)


def _refuse_address(name: str, address: str) -> None:
    if address:
        raise Problem(f"--executor {name} runs on this machine and takes no address ({address!r}).")


_MAKERS: dict[str, ExecutorMaker] = {
    "processes": _processes,
    "sequential": _sequential,
    "threads": _threads,
    "async": _async,
}

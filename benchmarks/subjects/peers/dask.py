"""Dask's delayed functions on its local schedulers."""

from __future__ import annotations

from typing import Any

import dask

from benchmarks.subjects.clock import import_milliseconds, microseconds_each
from benchmarks.subjects.floors import THREADS, first, step


def _chain(size: int) -> Any:
    node = dask.delayed(first)()
    passing = dask.delayed(step)
    for _ in range(1, size):
        node = passing(node)
    return node


def define(size: int) -> float:
    """Make the delayed calls of a chain."""
    return microseconds_each(lambda: _chain(size), size)


def chain(size: int) -> float:
    """Compute a chain in the calling thread, without optimisation of the graph."""
    node = _chain(size)
    return microseconds_each(
        lambda: node.compute(scheduler="synchronous", optimize_graph=False), size
    )


def fan_threads(size: int) -> float:
    """Compute calls that don't depend on each other, on threads."""
    nodes = [dask.delayed(first)() for _ in range(size)]
    return microseconds_each(
        lambda: dask.compute(nodes, scheduler="threads", num_workers=THREADS), size
    )


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("from dask import compute, delayed", size)

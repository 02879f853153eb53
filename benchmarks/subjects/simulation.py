"""The scheduler alone: a discrete-event simulation, with a heap of finish times for an executor."""

from __future__ import annotations

import random
from heapq import heappop, heappush
from time import perf_counter

from benchmarks.subjects.clock import microseconds_each
from benchmarks.subjects.floors import step
from flowweaver import Task
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler

WORKERS = 10_000
_LONGEST_SECONDS = 100.0


def decisions(size: int) -> float:
    """Return the microseconds a decision of the scheduler takes: a start, or an end.

    The graph has as many tasks at one depth as there are workers; each takes the results of two
    of the depth before. What the heap of the simulated executor takes is not counted.
    """
    scheduler = Scheduler(_graph(size, min(WORKERS, max(1, size // 10)), random.Random(size)))
    seconds = _simulate(scheduler, WORKERS, random.Random(size))
    return seconds / (2 * size) * 1e6


def with_executor(size: int) -> float:
    """Return the same with the heap of the simulated executor counted."""
    scheduler = Scheduler(_graph(size, min(WORKERS, max(1, size // 10)), random.Random(size)))
    rng = random.Random(size)
    return microseconds_each(lambda: _simulate(scheduler, WORKERS, rng), 2 * size)


def _simulate(scheduler: Scheduler, workers: int, rng: random.Random) -> float:
    """Run the graph to its end; return the seconds spent in the scheduler."""
    running: list[tuple[float, int]] = []
    now = spent = 0.0
    while scheduler.unfinished:
        since = perf_counter()
        started: list[int] = []
        free = workers - len(running)
        while len(started) < free and (node := scheduler.draw()) is not None:
            started.append(node)
        spent += perf_counter() - since
        for node in started:
            heappush(running, (now + rng.random() * _LONGEST_SECONDS, node))
        now, node = heappop(running)
        since = perf_counter()
        scheduler.ended(node)
        scheduler.completed(node)
        spent += perf_counter() - since
    return spent


def _graph(size: int, width: int, rng: random.Random) -> RunGraph:
    """Return a graph of `size` tasks, each after two of the `width` before its own row."""
    task = Task("task", step)
    preds = [
        () if node < width else _two_before(node, width, rng)
        for node in range(size)
    ]  # fmt: skip
    succs: list[list[int]] = [[] for _ in range(size)]
    for node, before in enumerate(preds):
        for pred in before:
            succs[pred].append(node)
    tasks = [task] * size
    order = list(range(size))
    return RunGraph(Wiring("simulated", tasks, {}, preds, list(succs), order, [()] * size))


def _two_before(node: int, width: int, rng: random.Random) -> tuple[int, ...]:
    row = node // width * width
    return tuple({row - width + rng.randrange(width), node - width})

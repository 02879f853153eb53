"""Reads WfFormat, the JSON in which the WfCommons project records executions of real workflows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from pathlib import Path
from time import sleep

from flowweaver import Workflow


class TraceError(ValueError):
    """A file is not a recorded execution; the text names it and says what is missing."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded execution.

    Attributes:
        name: The file's name.
        seconds: Run time by task.
        parents: By task, those it waited for; tasks in an order that respects it.
    """

    name: str
    seconds: dict[str, float]
    parents: dict[str, tuple[str, ...]]

    @property
    def work(self) -> float:
        """The sum of all run times, in seconds."""
        return sum(self.seconds.values())

    @property
    def critical_path(self) -> float:
        """The run time of the longest path, in seconds."""
        return max(self.ranks().values(), default=0.0)

    def bound(self, workers: int) -> float:
        """Return the makespan that no schedule on so many workers is below, in seconds."""
        return max(self.critical_path, self.work / workers)

    def scaled(self, factor: float) -> Trace:
        """Return the same trace with all run times multiplied."""
        seconds = {task: taken * factor for task, taken in self.seconds.items()}
        return Trace(self.name, seconds, self.parents)

    def ranks(self) -> dict[str, float]:
        """Return the upward rank of each task: the seconds from its start to the end of all."""
        ranks = dict.fromkeys(self.parents, 0.0)  # at first, what comes after the task
        for task in reversed(self.parents):
            ranks[task] += self.seconds[task]
            for parent in self.parents[task]:
                ranks[parent] = max(ranks[parent], ranks[task])
        return ranks


def read_trace(path: Path) -> Trace:
    """Read a file.

    Raises:
        TraceError: It is not WfFormat, names a task it does not have, or has a cycle.
    """
    try:
        workflow = json.loads(path.read_text(encoding="utf-8"))["workflow"]
        graph = {task["id"]: task["parents"] for task in workflow["specification"]["tasks"]}
        recorded = workflow["execution"]["tasks"]
        seconds = {task["id"]: float(task["runtimeInSeconds"]) for task in recorded}
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise TraceError(f"{path} is no recorded workflow in WfFormat: {error!r}") from error
    unknown = {name for parents in graph.values() for name in parents} - graph.keys()
    if unknown or graph.keys() - seconds.keys():
        missing = min(unknown | (graph.keys() - seconds.keys()))
        raise TraceError(f"{path} does not record the task {missing!r}, which it names")
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise TraceError(f"{path} has a cycle: {' -> '.join(error.args[1])}") from error
    return Trace(
        path.name,
        {task: seconds[task] for task in order},
        {task: tuple(graph[task]) for task in order},
    )


def workflow_of(trace: Trace) -> Workflow:
    """Return a workflow of the same graph, whose bodies sleep as long as the tasks ran."""
    workflow = Workflow(trace.name)
    for task, parents in trace.parents.items():
        workflow.add_task(_sleeper(trace.seconds[task]), depends_on=parents, name=task)
    return workflow


def _sleeper(seconds: float) -> Callable[[], None]:
    def body() -> None:
        sleep(seconds)

    return body


def simulated_makespan(trace: Trace, workers: int, priority: dict[str, float]) -> float:
    """Return the makespan, in seconds, of list scheduling by `priority`, the highest first."""
    children: dict[str, list[str]] = {task: [] for task in trace.parents}
    waiting = {task: len(set(parents)) for task, parents in trace.parents.items()}
    for task, parents in trace.parents.items():
        for parent in set(parents):
            children[parent].append(task)
    ready = [(-priority[task], task) for task, count in waiting.items() if not count]
    heapify(ready)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < workers:
            task = heappop(ready)[1]
            heappush(running, (now + trace.seconds[task], task))
        now, ended = heappop(running)
        for child in children[ended]:
            waiting[child] -= 1
            if not waiting[child]:
                heappush(ready, (-priority[child], child))
    return now

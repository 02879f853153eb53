"""What one runner can feed: its own time a task, as tasks and slots become many.

Run it as ``python -m benchmarks.growth``. The runner is real, with a store in memory; the slots
are simulated and bodies take simulated time, so that a cluster of any size fits on one machine.
What is measured is all that the runner's thread does, apart from waiting; and what
share of the time the slots are busy, with bodies of half a second.
"""

from __future__ import annotations

import gc
import inspect
import sys
from random import Random
from time import perf_counter
from typing import Any

from flowweaver import MemoryStateStore, RunStatus, Task, Workflow, each
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.options import ExecuteOptions
from flowweaver.engine.runner import Runner
from flowweaver.records import Changes
from tests.simulation.backend import SimulatedExecutor
from tests.simulation.workflows import Body, Nature
from tests.simulation.world import Setting, World

TASKS = (1_000, 10_000, 100_000)
SLOTS = (10, 1_000, 10_000)


class _Giving(Body):
    """A body that takes simulated time, and none besides."""

    def __init__(self, name: str, parameters: tuple[str, ...], value: object) -> None:
        kind = inspect.Parameter.KEYWORD_ONLY
        shown = [inspect.Parameter(parameter, kind) for parameter in parameters]
        super().__init__(name, shown, Nature(seconds=1.0))
        self._value = value

    def __call__(self, **_: Any) -> Any:
        """Return the value."""
        return self._value


def fan_out(tasks: int) -> Workflow:
    """Return a workflow that maps a task over so many numbers."""
    numbers = Task("numbers", _Giving("numbers", (), list(range(tasks))), version="1")
    body = _Giving("same", ("number",), 0)
    same = Task("same", body, inputs={"number": each("numbers")}, version="1")
    return Workflow("growth", [numbers, same])


def measure(tasks: int, slots: int) -> tuple[float, float]:
    """Return the seconds that the runner works, and which share of the slots was busy.

    Simulated time goes on while the runner works: it is late where it can't follow.
    """
    world = World(Random(0))
    executor = SimulatedExecutor(world, Setting(slots), MemoryStateStore(), lambda _: None)
    execution = executor._execution(fan_out(tasks), {}, ExecuteOptions())
    inbox = Inbox()
    gc.collect()
    worked, began, mark = 0.0, world.now, perf_counter()
    runner = execution.open(inbox)
    assert isinstance(runner, Runner)
    runner.open(executor.backend(inbox.put))
    for step in runner.steps():
        if isinstance(step, Changes):
            execution.commit(step)
        spent = perf_counter() - mark
        worked += spent
        moment = world.next_moment()
        waits = not isinstance(step, Changes) and not inbox and moment is not None
        world.pass_until(max(world.now + spent, moment if waits and moment else 0.0))
        mark = perf_counter()
    execution.close()
    assert runner.run.status is RunStatus.COMPLETED
    durations = (item.duration or 0.0 for item in runner.run.tasks["same"].elements)
    return worked, sum(durations) / (slots * (world.now - began))


def main() -> None:
    """Measure and print."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS[-1]
    for tasks in [count for count in TASKS if count <= most]:
        for slots in [count for count in SLOTS if count < tasks]:
            worked, busy = measure(tasks, slots)
            print(
                f"{tasks:7} tasks on {slots:5} slots: {1e6 * worked / tasks:6.1f} us a task, "
                f"slots busy {busy:4.0%}"
            )


if __name__ == "__main__":
    main()

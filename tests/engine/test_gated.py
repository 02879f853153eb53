"""The scheduler where tags have limits or rates: what gates let in, and what waits at them."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowweaver import Task, TaskStatus, Workflow
from flowweaver.engine.gated import GatedScheduler
from flowweaver.engine.gates import Gates
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from tests.engine.scheduling import DONE, Plan, Simulation, choices, expected, plans

LIMITS = {"a": 1, "b": 2}


def nobody() -> None:
    """Nobody has to be woken where there is one run."""


class Gated(Simulation):
    """Plays runner where tags have limits and rates."""

    def __init__(self, plan: Plan, choices: random.Random, gates: Gates, **options: Any) -> None:
        super().__init__(plan, choices, gates=gates.open(nobody), **options)

    def _scheduler(self, **options: Any) -> GatedScheduler:
        return GatedScheduler(RunGraph(self.wiring), **options)

    def _take(self) -> int | None:
        return take(self.scheduler, self.now)


def take(scheduler: Scheduler, now: float = 0.0) -> int | None:
    """Start the next ready node that the gates let in, as a runner does."""
    while (node := scheduler.draw()) is not None and not scheduler.admit(node, now):
        pass
    return node


class Watchful(Gated):
    """Asserts, whenever nothing starts, that nothing waits at a gate without need."""

    def _idle(self) -> None:
        used = [tag for node in self.running for tag in self.plan.tags[node]]
        full = {tag for tag, limit in LIMITS.items() if used.count(tag) >= limit}
        for node, status in enumerate(self.scheduler.status):
            before = {self.scheduler.status[pred] for pred in self.plan.preds[node]}
            if status is TaskStatus.PENDING and before <= {DONE}:
                assert full.intersection(self.plan.tags[node]), f"t{node} could start"


@given(plans(tags=True), choices)
def test_no_more_of_a_tag_run_at_once_than_its_limit(plan: Plan, choices: random.Random) -> None:
    run = Gated(plan, choices, Gates(LIMITS, {}))
    for _ in range(10_000):
        if not run.scheduler.unfinished:
            break
        moves = list(run._moves())
        assert moves, "stuck"
        choices.choice(moves)()
        for tag, limit in LIMITS.items():
            assert sum(tag in plan.tags[node] for node in run.running) <= limit
    assert run.scheduler.status == expected(plan)


@given(plans(tags=True), choices)
def test_nothing_waits_at_a_gate_that_would_let_it_in(plan: Plan, choices: random.Random) -> None:
    run = Watchful(plan, choices, Gates(LIMITS, {}))
    run.run()
    assert run.scheduler.status == expected(plan)


def test_room_that_one_cant_use_yet_goes_to_the_next() -> None:
    tags = {"a1": "a", "b1": "b", "both": "ab", "a2": "a"}
    tasks = [Task(name, lambda: 0, tags=list(of)) for name, of in tags.items()]
    limits = Gates({"a": 1, "b": 1}, {}).open(nobody)
    graph = RunGraph(Workflow("gated", tasks).compile())
    scheduler = GatedScheduler(graph, limits)
    assert [take(scheduler), take(scheduler), take(scheduler)] == [0, 1, None]
    scheduler.ended(0)
    scheduler.completed(0)
    assert take(scheduler) == 3


@given(plans(tags=True), choices)
def test_starts_of_a_tag_are_spaced_by_its_rate(plan: Plan, choices: random.Random) -> None:
    run = Gated(plan, choices, Gates({}, {"a": "2/s"})).run()
    starts = [moment for node, _, moment in run.starts if "a" in plan.tags[node]]
    gaps = [after - before for before, after in pairwise(starts)]
    assert all(gap >= 0.5 for gap in gaps)
    assert run.scheduler.status == expected(plan)


@given(plans(tags=True), choices, st.integers(0, 30))
def test_stopped_run_ends_whoever_waits_at_a_gate(
    plan: Plan, choices: random.Random, stop_at: int
) -> None:
    run = Gated(plan, choices, Gates(LIMITS, {"b": "1/min"}), stop_at=stop_at).run()
    assert sorted(run.ended + run.settled) == list(range(len(plan.preds)))

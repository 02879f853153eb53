"""Random plans of runs, a scheduler that is led through them, and what must come of each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from hypothesis import strategies as st

from flowweaver import Task, TaskStatus, Workflow, fixed
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler

OK, FAIL, FATAL = "ok", "fail", "fatal"
DONE, FAILED = TaskStatus.COMPLETED, TaskStatus.FAILED
UPSTREAM, CANCELLED, SKIPPED = (
    TaskStatus.UPSTREAM_FAILED,
    TaskStatus.CANCELLED,
    TaskStatus.SKIPPED,
)
WAITS = (0.0, 1.0, 2.5, 10.0)


@dataclass
class Plan:
    """A graph, and what comes of each attempt of each node."""

    preds: list[tuple[int, ...]]
    retries: list[int]
    waits: list[float]
    outcomes: list[list[str]]
    triggers: list[str]
    tags: list[tuple[str, ...]] = field(default_factory=list)

    def wiring(self) -> Wiring:
        tasks = [
            Task(
                f"t{node}",
                lambda: 0,
                retries=self.retries[node],
                backoff=fixed(self.waits[node]),
                depends_on=[f"t{pred}" for pred in before],
                trigger=self.triggers[node],
                tags=self.tags[node] if self.tags else (),
            )
            for node, before in enumerate(self.preds)
        ]
        return Workflow("plan", tasks).compile()

    def outcome(self, node: int, attempt: int) -> str:
        """Return what comes of an attempt; the last outcome is that of all further ones."""
        listed = self.outcomes[node]
        return listed[min(attempt, len(listed)) - 1]

    def attempts(self, node: int) -> int:
        """Return how many attempts a node gets if it starts and nothing is stopped."""
        for attempt in range(1, self.retries[node] + 1):
            if self.outcome(node, attempt) != FAIL:
                return attempt
        return self.retries[node] + 1

    def descendants(self, start: int) -> set[int]:
        found: set[int] = set()
        for node, before in enumerate(self.preds):  # predecessors have smaller numbers
            if start in before or found.intersection(before):
                found.add(node)
        return found


TRIGGERS = ("all_success", "all_done", "any_success", "any_failed")


@st.composite
def plans(draw: st.DrawFn, *, triggers: bool = False, tags: bool = False) -> Plan:
    count = draw(st.integers(1, 12))
    nodes = range(count)
    preds = [
        tuple(sorted(draw(st.sets(st.integers(0, node - 1), max_size=4)))) if node else ()
        for node in nodes
    ]
    outcomes = st.lists(st.sampled_from([OK, OK, FAIL, FATAL]), min_size=1, max_size=4)
    trigger = st.sampled_from(TRIGGERS if triggers else TRIGGERS[:1])
    some_tags = st.sets(st.sampled_from("ab")).map(sorted).map(tuple)
    return Plan(
        preds,
        [draw(st.integers(0, 3)) for _ in nodes],
        [draw(st.sampled_from(WAITS)) for _ in nodes],
        [draw(outcomes) for _ in nodes],
        [draw(trigger) for _ in nodes],
        [draw(some_tags) for _ in nodes] if tags else [],
    )


class Simulation:
    """Plays runner: takes, ends and wakes in an order that `choices` makes up."""

    def __init__(
        self,
        plan: Plan,
        choices: random.Random,
        *,
        stop_at: int | None = None,
        restored: frozenset[int] = frozenset(),
        **options: Any,
    ) -> None:
        self.plan = plan
        self.wiring = plan.wiring()
        self.scheduler = self._scheduler(**options)
        self.choices = choices
        self.stop_at = stop_at
        self.restored = restored
        self.slots = choices.randint(1, 4)
        self.now = 0.0
        self.running: dict[int, int] = {}
        self.starts: list[tuple[int, int, float]] = []
        self.due: dict[tuple[int, int], float] = {}
        self.ended: list[int] = []
        self.settled: list[int] = []
        self.log: list[tuple[str, int]] = []
        self.starts_at_stop: int | None = None

    def _scheduler(self, **options: Any) -> Scheduler:
        return Scheduler(RunGraph(self.wiring), **options)

    def run(self) -> Self:
        """Go on until nothing is unfinished; fail if there is nothing left to do before."""
        for step in range(10_000):
            if not self.scheduler.unfinished:
                self._note_settled()
                return self
            if step == self.stop_at:
                self.scheduler.stop()
                self.starts_at_stop = len(self.starts)
            self._note_settled()
            moves = list(self._moves())
            assert moves or not self.scheduler.unfinished, "stuck"
            if moves:
                self.choices.choice(moves)()
        raise AssertionError("the run does not end")

    def _moves(self) -> Iterator[Callable[[], None]]:
        if len(self.running) < self.slots:
            if (node := self._take()) is not None:
                yield lambda: self._started(node)
                return
            self._idle()
        for node in list(self.running):
            yield lambda node=node: self._end(node)
        if self.scheduler.next_due() is not None:
            yield self._wait

    def _idle(self) -> None:
        """A slot is free, and nothing starts."""

    def _take(self) -> int | None:
        return self.scheduler.draw()

    def _started(self, node: int) -> None:
        if node in self.restored:
            self.scheduler.restored(node, 7)
            self.ended.append(node)
            self.log.append(("done", node))
            return
        attempt = self.scheduler.attempts[node]
        self.running[node] = attempt
        self.starts.append((node, attempt, self.now))
        self.log.append(("start", node))

    def _end(self, node: int) -> None:
        attempt = self.running.pop(node)
        outcome = self.plan.outcome(node, attempt)
        self.scheduler.ended(node)
        if outcome == OK:
            self.scheduler.completed(node)
            self.log.append(("done", node))
            self.ended.append(node)
            return
        due = self.scheduler.failed(node, retryable=outcome == FAIL, now=self.now)
        if due is None:
            self.ended.append(node)
        else:
            self.due[node, attempt + 1] = due

    def _wait(self) -> None:
        due = self.scheduler.next_due()
        assert due is not None
        self.now = max(self.now, due)
        assert self.scheduler.wake(self.now) == []

    def _note_settled(self) -> None:
        self.settled += self.scheduler.news
        self.scheduler.news = []


def simulated(plan: Plan, choices: random.Random, **options: Any) -> Simulation:
    return Simulation(plan, choices, **options).run()


def expected(plan: Plan) -> list[TaskStatus]:
    """Say what becomes of each node if nothing is stopped."""
    statuses: list[TaskStatus] = []
    for node, before in enumerate(plan.preds):
        verdict = by_rule(plan.triggers[node], [statuses[pred] for pred in before])
        if verdict is None:
            last = plan.outcome(node, plan.attempts(node))
            verdict = DONE if last == OK else FAILED
        statuses.append(verdict)
    return statuses


def by_rule(trigger: str, before: list[TaskStatus]) -> TaskStatus | None:
    """Say what becomes of a node given those before it; None if it starts."""
    hurt = any(status in (FAILED, UPSTREAM) for status in before)
    match trigger:
        case "all_success":
            starts = all(status is DONE for status in before)
        case "all_done":
            starts = True
        case "any_success":
            starts = not before or any(status is DONE for status in before)
        case "any_failed":
            starts, hurt = hurt, False
    if starts:
        return None
    return UPSTREAM if hurt else SKIPPED


choices = st.randoms(use_true_random=False)

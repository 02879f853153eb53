"""The scheduler by simulation: random graphs, outcomes, orders of completion, and stops.

What it decides is held against a model too simple to be wrong: one that looks at the whole graph
again for each task.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from flowweaver import Task, TaskStatus, Workflow, exponential, fixed
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from tests.engine.scheduling import (
    CANCELLED,
    DONE,
    FAILED,
    OK,
    UPSTREAM,
    Plan,
    Simulation,
    by_rule,
    choices,
    expected,
    plans,
    simulated,
)  # fmt: skip


class TestUndisturbed:
    @given(plans(), choices)
    def test_every_task_comes_to_what_its_attempts_and_predecessors_say(
        self, plan: Plan, choices: random.Random
    ) -> None:
        run = simulated(plan, choices)
        assert run.scheduler.status == expected(plan)
        event(f"{len(run.starts)} attempts")

    @given(plans(triggers=True), choices)
    def test_triggers_say_what_predecessors_must_come_to(
        self, plan: Plan, choices: random.Random
    ) -> None:
        assert simulated(plan, choices).scheduler.status == expected(plan)

    @given(plans(), choices)
    def test_task_starts_only_after_all_it_depends_on_is_done(
        self, plan: Plan, choices: random.Random
    ) -> None:
        done: set[int] = set()
        for what, node in simulated(plan, choices).log:
            if what == "done":
                done.add(node)
            else:
                assert done.issuperset(plan.preds[node])

    @given(plans(triggers=True), choices)
    def test_body_starts_once_per_attempt_and_never_beyond_its_retries(
        self, plan: Plan, choices: random.Random
    ) -> None:
        run = simulated(plan, choices)
        for node, status in enumerate(run.scheduler.status):
            attempts = [attempt for started, attempt, _ in run.starts if started == node]
            begun = status in (DONE, FAILED)
            assert attempts == list(range(1, plan.attempts(node) + 1 if begun else 1))
            assert len(attempts) <= plan.retries[node] + 1
            assert run.scheduler.attempts[node] == len(attempts)

    @given(plans(), choices)
    def test_failure_reaches_exactly_the_descendants(
        self, plan: Plan, choices: random.Random
    ) -> None:
        statuses = simulated(plan, choices).scheduler.status
        failed = {node for node, status in enumerate(statuses) if status is FAILED}
        reached = set().union(*(plan.descendants(node) for node in failed))
        assert {node for node, status in enumerate(statuses) if status is UPSTREAM} == reached

    @given(plans(triggers=True), choices)
    def test_everything_ends_once_and_gives_its_place_back(
        self, plan: Plan, choices: random.Random
    ) -> None:
        run = simulated(plan, choices)
        assert sorted(run.ended + run.settled) == list(range(len(plan.preds)))
        assert run.scheduler.unfinished == 0
        assert run.scheduler.draw() is None

    @given(plans(), choices)
    def test_retry_starts_no_sooner_than_its_backoff_asks(
        self, plan: Plan, choices: random.Random
    ) -> None:
        run = simulated(plan, choices)
        started = {(node, attempt): moment for node, attempt, moment in run.starts}
        assert {key for key in started if key[1] > 1} == set(run.due)
        for (node, attempt), due in run.due.items():
            assert due >= started[node, attempt - 1] + plan.waits[node]
            assert started[node, attempt] >= due

    @given(plans(), choices, st.data())
    def test_restored_tasks_release_others_without_an_attempt(
        self, plan: Plan, choices: random.Random, data: st.DataObject
    ) -> None:
        nodes = st.integers(0, len(plan.preds) - 1)
        restored = data.draw(st.frozensets(nodes))
        run = simulated(plan, choices, restored=restored)
        for node in restored:
            plan.outcomes[node] = [OK]
        assert run.scheduler.status == expected(plan)
        for node in restored:
            assert run.scheduler.attempts[node] == (7 if run.scheduler.status[node] is DONE else 0)
        assert restored.isdisjoint(node for node, _, _ in run.starts)


class TestStopped:
    @given(plans(triggers=True), choices, st.integers(0, 30))
    def test_run_that_is_stopped_ends_and_starts_nothing_more(
        self, plan: Plan, choices: random.Random, stop_at: int
    ) -> None:
        run = simulated(plan, choices, stop_at=stop_at)
        if run.starts_at_stop is not None:
            assert len(run.starts) == run.starts_at_stop

    @given(plans(triggers=True), choices, st.integers(0, 30))
    def test_everything_is_final_and_what_never_began_is_no_success(
        self, plan: Plan, choices: random.Random, stop_at: int
    ) -> None:
        run = simulated(plan, choices, stop_at=stop_at)
        started = {node for node, _, _ in run.starts}
        for node, status in enumerate(run.scheduler.status):
            assert status.is_final
            if status in (DONE, FAILED):
                assert node in started
        assert sorted(run.ended + run.settled) == list(range(len(plan.preds)))

    @given(plans(), choices, st.integers(0, 30))
    def test_what_became_final_before_the_stop_is_as_without(
        self, plan: Plan, choices: random.Random, stop_at: int
    ) -> None:
        statuses = simulated(plan, choices, stop_at=stop_at).scheduler.status
        for node, (status, undisturbed) in enumerate(zip(statuses, expected(plan), strict=True)):
            if status is DONE or status is UPSTREAM:
                assert status is undisturbed, node

    @given(plans(), choices)
    def test_stop_on_failure_is_a_stop_at_the_first_failure(
        self, plan: Plan, choices: random.Random
    ) -> None:
        run = simulated(plan, choices, stop_on_failure=True)
        statuses = run.scheduler.status
        assert run.scheduler.stopped == (FAILED in statuses)
        if FAILED not in statuses:
            assert statuses == expected(plan)

    def test_stop_is_the_same_the_second_time(self) -> None:
        plan = Plan([(), (0,)], [0, 0], [0, 0], [[OK], [OK]], ["all_success"] * 2)
        scheduler = Scheduler(RunGraph(plan.wiring()))
        scheduler.stop()
        scheduler.stop()
        assert (scheduler.status, scheduler.unfinished) == ([CANCELLED, CANCELLED], 0)


def one(**options: Any) -> Scheduler:
    return Scheduler(RunGraph(Workflow("one", [Task("t", lambda: 0, **options)]).compile()))


class TestTime:
    def test_attempt_that_is_not_over_at_its_limit_is_named_once(self) -> None:
        scheduler = one()
        scheduler.draw()
        scheduler.limit(0, 5.0)
        assert scheduler.next_due() == 5.0
        assert [scheduler.wake(now) for now in (4.9, 5.0, 6.0)] == [[], [0], []]

    def test_attempt_that_ended_before_its_limit_is_not_named(self) -> None:
        scheduler = one()
        scheduler.draw()
        scheduler.limit(0, 5.0)
        scheduler.ended(0)
        scheduler.completed(0)
        assert scheduler.wake(5.0) == []

    def test_limit_of_one_attempt_does_not_hold_for_the_next(self) -> None:
        scheduler = one(retries=1, backoff=1)
        scheduler.draw()
        scheduler.limit(0, 5.0)
        scheduler.ended(0)
        assert scheduler.failed(0, retryable=True, now=0.0) == 1.0
        assert scheduler.wake(1.0) == []
        assert scheduler.draw() == 0
        assert scheduler.wake(5.0) == []

    def test_wait_grows_with_the_failures_by_the_backoff(self) -> None:
        scheduler = one(retries=3, backoff=exponential(1, factor=2, jitter=0))
        now, dues = 0.0, []
        for _ in range(3):
            scheduler.draw()
            scheduler.ended(0)
            due = scheduler.failed(0, retryable=True, now=now)
            assert due is not None
            dues.append(due - now)
            now = due
            scheduler.wake(now)
        assert dues == [1, 2, 4]

    def test_clock_that_does_not_move_makes_nothing_due(self) -> None:
        scheduler = one(retries=1, backoff=1)
        scheduler.draw()
        scheduler.ended(0)
        scheduler.failed(0, retryable=True, now=100.0)
        assert scheduler.wake(100.0) == scheduler.wake(0.0) == []
        assert scheduler.draw() is None
        assert scheduler.next_due() == 101.0

    def test_task_that_is_put_off_starts_again_with_the_same_attempt(self) -> None:
        scheduler = one()
        scheduler.draw()
        scheduler.put_off(0, 3.0)
        assert (scheduler.attempts[0], scheduler.draw()) == (0, None)
        scheduler.wake(3.0)
        assert (scheduler.draw(), scheduler.attempts[0]) == (0, 1)

    def test_jitter_comes_from_the_source_given(self) -> None:
        task = Task("t", lambda: 0, retries=1, backoff=fixed(10, jitter=0.5))
        wiring = Workflow("one", [task]).compile()

        def due(seed: int) -> float | None:
            scheduler = Scheduler(RunGraph(wiring), rng=random.Random(seed))
            scheduler.draw()
            scheduler.ended(0)
            return scheduler.failed(0, retryable=True, now=0.0)

        assert due(1) == due(1) != due(2)


class Carrying(Simulation):
    """A run of which all is done but what was changed and what is behind it."""

    def __init__(
        self, plan: Plan, choices: random.Random, changed: set[int], same: set[int], **options: Any
    ) -> None:
        super().__init__(plan, choices, **options)
        self.changed, self.same = changed, same
        behind = changed.union(*map(plan.descendants, changed))
        self.taken = set(range(len(plan.preds))) - behind
        self.scheduler.carried(behind, self._takes_over)

    def _takes_over(self, node: int) -> bool:
        status = self.scheduler.status
        assert all(status[pred].is_final for pred in self.plan.preds[node])
        if node in self.changed or any(
            status[pred] is not DONE or pred not in self.same | self.taken
            for pred in self.plan.preds[node]
        ):
            return False
        self.taken.add(node)
        return True

    def statuses(self) -> list[TaskStatus]:
        """Say what becomes of each node if nothing is stopped."""
        statuses: list[TaskStatus] = []
        for node, before in enumerate(self.plan.preds):
            verdict = (
                DONE
                if node in self.taken
                else by_rule(self.plan.triggers[node], [statuses[pred] for pred in before])
            )
            if verdict is None:
                last = self.plan.outcome(node, self.plan.attempts(node))
                verdict = DONE if last == OK else FAILED
            statuses.append(verdict)
        return statuses


nodes = st.sets(st.integers(0, 11))


class TestCarried:
    @given(plans(triggers=True), choices, nodes, nodes)
    def test_what_comes_out_as_it_was_has_what_is_behind_it_taken_over(
        self, plan: Plan, choices: random.Random, changed: set[int], same: set[int]
    ) -> None:
        changed = {node for node in changed if node < len(plan.preds)}
        run = Carrying(plan, choices, changed, same).run()
        assert run.scheduler.status == run.statuses()
        started = {node for node, _, _ in run.starts}
        for node, before in enumerate(plan.preds):
            is_as_before = all(
                pred in run.taken or (pred in same and run.scheduler.status[pred] is DONE)
                for pred in before
            )
            assert (node in run.taken) == (node not in changed and is_as_before)
        assert not started & run.taken
        event(f"{len(run.taken)} taken over")

    @given(plans(triggers=True), choices, nodes, nodes, st.integers(0, 40))
    def test_nothing_is_taken_over_after_a_stop(
        self,
        plan: Plan,
        choices: random.Random,
        changed: set[int],
        same: set[int],
        stop_at: int,
    ) -> None:
        changed = {node for node in changed if node < len(plan.preds)}
        run = Carrying(plan, choices, changed, same, stop_at=stop_at).run()
        assert all(status.is_final for status in run.scheduler.status)
        assert all(run.scheduler.status[node] is DONE for node in run.taken)
        if run.starts_at_stop is not None:
            assert run.starts_at_stop == len(run.starts)


def test_failure_at_the_head_of_a_long_chain_needs_no_recursion() -> None:
    count = 100_000
    links = [Task(f"t{n}", lambda: 0, depends_on=[f"t{n - 1}"] if n else []) for n in range(count)]
    scheduler = Scheduler(RunGraph(Workflow("chain", links).compile()))
    scheduler.draw()
    scheduler.ended(0)
    scheduler.failed(0, retryable=False, now=0.0)
    assert (scheduler.unfinished, len(scheduler.news)) == (0, count - 1)

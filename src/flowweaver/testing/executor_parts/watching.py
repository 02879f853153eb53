"""Who is told of what happens, and what can be seen while it does."""

from __future__ import annotations

from typing import Any

import pytest

from flowweaver.definitions.task import Task
from flowweaver.definitions.workflow import Workflow
from flowweaver.events import Event, EventKind
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.testing import bodies, failing_bodies
from flowweaver.testing.executor_parts.base import ExecutorKit, RunIt, needs, task_of


def _raise(*_: object) -> None:
    raise ValueError("a hook that is broken")


def _exit(*_: object) -> None:
    raise SystemExit(1)


class Watching(ExecutorKit):
    """Hooks, observers, and a workflow that is looked at."""

    def test_status_hook_is_told_of_each_change(self, run: RunIt, folder: str) -> None:
        seen: list[tuple[str, str]] = []
        options = {"on_status_change": lambda name, status: seen.append((name, status.value))}
        run(Workflow("w", [task_of("t", bodies.told, folder, "t", options=options)]))
        assert seen == [("t", "running"), ("t", "completed")]

    def test_hooks_are_told_of_retries(self, run: RunIt, folder: str) -> None:
        statuses: list[str] = []
        retries: list[tuple[str, int]] = []
        options = {
            "retries": 2,
            "on_status_change": lambda _, status: statuses.append(status.value),
            "on_retry": lambda name, attempt: retries.append((name, attempt)),
        }
        flaky = task_of("t", failing_bodies.fail_until, folder, 3, options=options)
        run(Workflow("w", [flaky]))
        assert retries == [("t", 1), ("t", 2)]
        assert statuses == ["running", "retrying", "running", "retrying", "running", "completed"]

    def test_hook_is_told_of_failures_upstream(self, run: RunIt) -> None:
        seen: list[tuple[str, str]] = []
        options = {"on_status_change": lambda name, status: seen.append((name, status.value))}
        tasks = [
            task_of("bad", failing_bodies.raise_error, "ValueError", options=options),
            task_of("after", bodies.collect, after=("bad",), options=options),
        ]
        run(Workflow("w", tasks), raise_on_failure=False)
        assert seen == [("bad", "running"), ("bad", "failed"), ("after", "upstream_failed")]

    @pytest.mark.parametrize("hook", [_raise, _exit], ids=["raises", "exits"])
    def test_hook_that_raises_changes_nothing(self, run: RunIt, folder: str, hook: Any) -> None:
        options = {"retries": 2, "on_status_change": hook, "on_retry": hook}
        tasks = [
            task_of("t", bodies.told, folder, "t", options=options),
            task_of("flaky", failing_bodies.fail_until, folder, 2, "flaky", options=options),
        ]
        made = run(Workflow("w", tasks))
        assert made.status is RunStatus.COMPLETED
        assert sorted(bodies.notes(folder)) == ["flaky 1", "flaky 2", "t"]
        assert (made.tasks["t"].attempts, made.tasks["flaky"].attempts) == (1, 2)

    def test_whoever_performed_an_attempt_is_named(self, run: RunIt, folder: str) -> None:
        tasks = [
            task_of("sync", bodies.one),
            task_of("coroutine", bodies.one_async),
            task_of("flaky", failing_bodies.fail_until, folder, 2, options={"retries": 1}),
        ]
        made = run(Workflow("w", tasks))
        assert all(each.worker for each in made.tasks.values())

    def test_hook_can_look_at_the_workflow(self, run: RunIt) -> None:
        seen: list[Any] = []
        workflow = Workflow("w")

        def look(name: str, status: TaskStatus) -> None:
            stats = workflow.get_workflow_stats()
            seen.append((status, stats["total_tasks"], workflow.get_task_status(name) is not None))

        workflow.add_task(Task("t", bodies.one, on_status_change=look))
        run(workflow)
        assert seen == [(TaskStatus.RUNNING, 1, True), (TaskStatus.COMPLETED, 1, True)]

    def test_observers_are_told_of_everything_in_order(self, run: RunIt, folder: str) -> None:
        seen: list[Event] = []
        tasks = [
            task_of("flaky", failing_bodies.fail_until, attempt=2, options={"retries": 1}),
            task_of("after", bodies.give, inputs={"value": "flaky"}),
        ]
        executor = self.make_executor(observers=(seen.append,))
        made = run(Workflow("w", tasks), {"folder": folder}, executor=executor)
        assert [(event.kind.value, event.task, event.attempt) for event in seen] == [
            ("run_started", "", 0),
            ("task_started", "flaky", 1),
            ("task_retrying", "flaky", 1),
            ("task_started", "flaky", 2),
            ("task_finished", "flaky", 2),
            ("task_started", "after", 1),
            ("task_finished", "after", 1),
            ("run_finished", "", 0),
        ]
        assert {event.run.id for event in seen} == {made.id}

    def test_observers_of_one_run_come_after_those_of_the_executor(self, run: RunIt) -> None:
        seen: list[str] = []
        executor = self.make_executor(observers=(lambda _: seen.append("executor"),))
        run(Workflow("w"), executor=executor, observers=(lambda _: seen.append("run"),))
        assert seen == ["executor", "run"] * 2

    @pytest.mark.parametrize("broken", [_raise, _exit], ids=["raises", "exits"])
    def test_observer_that_raises_changes_nothing(self, run: RunIt, broken: Any) -> None:
        seen: list[EventKind] = []
        observers = (broken, lambda event: seen.append(event.kind))
        executor = self.make_executor(observers=observers)
        made = run(Workflow("w", [Task("t", bodies.one)]), executor=executor)
        assert (made.status, made["t"]) == (RunStatus.COMPLETED, 1)
        assert (seen[0], seen[-1]) == (EventKind.RUN_STARTED, EventKind.RUN_FINISHED)

    def test_body_runs_inside_what_is_put_around_it(self, run: RunIt) -> None:
        tasks: list[Task[..., Any]] = [
            Task("plain", bodies.in_span),
            Task("async", bodies.in_span_later),
        ]
        executor = self.make_executor(around=(bodies.span,))
        made = run(Workflow("w", tasks), executor=executor)
        assert (made["plain"], made["async"]) == ("plain, attempt 1", "async, attempt 1")

    def test_failure_comes_with_the_event(self, run: RunIt) -> None:
        seen: list[Event] = []
        bad = task_of("bad", failing_bodies.raise_error, "ValueError")
        executor = self.make_executor(observers=(seen.append,))
        run(Workflow("w", [bad]), executor=executor, raise_on_failure=False)
        failures = [event.failure for event in seen if event.failure is not None]
        assert [str(failure) for failure in failures] == ["ValueError: no good"]

    @needs("shares_memory")
    def test_workflow_can_be_looked_at_from_inside_a_body(self, run: RunIt) -> None:
        workflow = Workflow("w", [Task("first", bodies.one)])

        def look(first: int) -> dict[str, Any]:
            return {
                "first": (workflow.get_task_status("first"), first),
                "result": workflow.get_task_result("first"),
                "self": workflow.get_task_status("look"),
                "later": workflow.get_task_status("later"),
                "stats": workflow.get_workflow_stats(),
            }

        workflow.add_task(look)
        workflow.add_task(bodies.collect, name="later", depends_on=["look"])
        made = run(workflow)
        seen = made["look"]
        assert (seen["first"], seen["result"]) == ((TaskStatus.COMPLETED, 1), 1)
        assert (seen["self"], seen["later"]) == (TaskStatus.RUNNING, TaskStatus.PENDING)
        assert seen["stats"].pop("total_time_seconds") >= 0
        assert seen["stats"] == {
            "total_tasks": 3, "completed": 1, "failed": 0, "pending": 1, "running": 1
        }  # fmt: skip

    def test_workflow_and_tasks_speak_of_the_last_run(self, run: RunIt, folder: str) -> None:
        away = task_of("away", failing_bodies.fail_while_away, name="away")
        after = task_of("after", bodies.give, inputs={"value": "away"})
        workflow = Workflow("w", [away, after])
        made = run(workflow, {"folder": folder}, raise_on_failure=False)
        assert (away.status, away.result, away.error) == (TaskStatus.FAILED, None, "away is away")
        assert (after.status, after.result) == (TaskStatus.UPSTREAM_FAILED, None)
        assert workflow.last_run is made
        bodies.raise_flag(folder, "away")
        run(workflow, {"folder": folder})
        assert (away.status, away.result, away.error) == (TaskStatus.COMPLETED, "away", None)
        assert workflow.get_task_result("after") == after.result == "away"
        stats = workflow.get_workflow_stats()
        assert (stats["completed"], stats["failed"], stats["pending"]) == (2, 0, 0)
        assert stats["total_time_seconds"] > 0

    def test_task_in_two_workflows_speaks_of_the_run_that_was_last(self, run: RunIt) -> None:
        shared = Task("shared", bodies.give)
        first, second = Workflow("first", [shared]), Workflow("second", [shared])
        run(first, {"value": 1})
        assert (shared.status, shared.result) == (TaskStatus.COMPLETED, 1)
        assert second.get_task_status("shared") is TaskStatus.PENDING
        run(second, {"value": 2})
        assert shared.result == 2
        run(first, {"value": 3})
        assert shared.result == 3

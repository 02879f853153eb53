"""What becomes of attempts that fail."""

from __future__ import annotations

from typing import Any

import pytest

from flowweaver.definitions.retry import exponential
from flowweaver.definitions.workflow import Workflow
from flowweaver.events import Event, EventKind
from flowweaver.run import WorkflowFailed
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.testing import bodies, failing_bodies
from flowweaver.testing.executor_parts.base import ExecutorKit, RunIt, task_of

_BODIES = pytest.mark.parametrize(
    "body", [failing_bodies.fail_until, failing_bodies.fail_until_async], ids=["sync", "async"]
)


class Retrying(ExecutorKit):
    """Counts, conditions and waits of retries."""

    @_BODIES
    def test_failed_attempt_is_repeated_until_it_succeeds(
        self, run: RunIt, folder: str, body: Any
    ) -> None:
        workflow = Workflow("flaky", [task_of("t", body, attempt=3, options={"retries": 5})])
        made = run(workflow, {"folder": folder})
        assert (made["t"], made.tasks["t"].attempts) == (3, 3)
        assert bodies.notes(folder) == ["1", "2", "3"]

    def test_task_that_succeeded_in_the_end_has_no_error(self, run: RunIt, folder: str) -> None:
        flaky = task_of("t", failing_bodies.fail_until, attempt=2, options={"retries": 1})
        made = run(Workflow("flaky", [flaky]), {"folder": folder})
        assert (made.status, made.tasks["t"].error) == (RunStatus.COMPLETED, None)

    @_BODIES
    def test_task_fails_when_its_retries_are_used_up(
        self, run: RunIt, folder: str, body: Any
    ) -> None:
        workflow = Workflow("flaky", [task_of("t", body, attempt=9, options={"retries": 2})])
        with pytest.raises(WorkflowFailed) as raised:
            run(workflow, {"folder": folder})
        made = raised.value.run
        assert (made.tasks["t"].status, made.tasks["t"].attempts) == (TaskStatus.FAILED, 3)
        assert bodies.notes(folder) == ["1", "2", "3"]
        assert made.tasks["t"].error is not None
        assert made.tasks["t"].error.message == "attempt 3"

    def test_without_retries_there_is_one_attempt(self, run: RunIt, folder: str) -> None:
        workflow = Workflow("flaky", [task_of("t", failing_bodies.fail_until, attempt=2)])
        made = run(workflow, {"folder": folder}, raise_on_failure=False)
        assert made.tasks["t"].attempts == 1

    @pytest.mark.parametrize(
        ("retry_on", "attempts"),
        [
            (ConnectionError, 3),
            (OSError, 3),
            ((KeyError, ConnectionError), 3),
            (failing_bodies.only_connection_errors, 3),
            (KeyError, 1),
            ((), 1),
            (failing_bodies.confused, 1),
            (failing_bodies.odd_at_that, 1),
        ],
        ids=["type", "base", "types", "predicate", "other type", "no type", "raising", "odd"],
    )
    def test_only_what_retry_on_asks_for_is_repeated(
        self, run: RunIt, folder: str, retry_on: Any, attempts: int
    ) -> None:
        options = {"retries": 2, "retry_on": retry_on}
        workflow = Workflow(
            "flaky", [task_of("t", failing_bodies.fail_until, attempt=9, options=options)]
        )
        made = run(workflow, {"folder": folder}, raise_on_failure=False)
        assert made.tasks["t"].attempts == attempts

    def test_what_is_no_exception_is_not_repeated_unless_asked_for(self, run: RunIt) -> None:
        fail, odd = failing_bodies.raise_error, failing_bodies.Odd
        tasks = [
            task_of("exits", fail, "sys.exit", options={"retries": 2}),
            task_of("odd", fail, "Odd", options={"retries": 2}),
            task_of("asked", fail, "Odd", options={"retries": 2, "retry_on": odd}),
        ]
        made = run(Workflow("odd", tasks), raise_on_failure=False)
        assert [made.tasks[name].attempts for name in ("exits", "odd", "asked")] == [1, 1, 3]

    def test_dependents_wait_for_the_attempt_that_succeeds(self, run: RunIt, folder: str) -> None:
        tasks = [
            task_of("t", failing_bodies.fail_until, attempt=3, options={"retries": 2}),
            task_of("after", bodies.give, inputs={"value": "t"}),
        ]
        assert run(Workflow("flaky", tasks), {"folder": folder})["after"] == 3

    def test_wait_before_each_retry_is_that_of_the_backoff(self, run: RunIt, folder: str) -> None:
        seen: list[Event] = []
        options = {"retries": 3, "backoff": exponential(0.001, factor=3, cap=0.005, jitter=0)}
        flaky = task_of("t", failing_bodies.fail_until, attempt=4, options=options)
        executor = self.make_executor(observers=(seen.append,))
        run(Workflow("flaky", [flaky]), {"folder": folder}, executor=executor)
        retries = [event for event in seen if event.kind is EventKind.TASK_RETRYING]
        assert [event.delay for event in retries] == pytest.approx([0.001, 0.003, 0.005])
        assert [event.attempt for event in retries] == [1, 2, 3]

    def test_backoff_that_raises_what_is_no_exception_ends_the_task_alone(self, run: RunIt) -> None:
        options = {"retries": 2, "backoff": failing_bodies.odd_wait}
        tasks = [
            task_of("t", failing_bodies.raise_error, "ValueError", options=options),
            task_of("other", bodies.one),
        ]
        made = run(Workflow("odd", tasks), raise_on_failure=False)
        assert (made.tasks["t"].status, made["other"]) == (TaskStatus.FAILED, 1)

    def test_many_tasks_can_be_waiting_at_once(self, run: RunIt, folder: str) -> None:
        options = {"retries": 1, "backoff": 0.01}
        tasks = [
            task_of(f"t{n}", failing_bodies.fail_until, attempt=2, options=options)
            for n in range(5 * self.slots)
        ]
        made = run(Workflow("flaky", tasks), {"folder": folder})
        assert {task.attempts for task in made.tasks.values()} == {2}

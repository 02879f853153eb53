"""What becomes of a run in which tasks fail."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from flowweaver.definitions.task import Task
from flowweaver.definitions.workflow import Workflow
from flowweaver.errors import NoResultError
from flowweaver.events import Event, EventKind
from flowweaver.run import Run, WorkflowFailed
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.testing import bodies, failing_bodies
from flowweaver.testing.executor_parts.base import ExecutorKit, RunIt, needs, task_of

_KINDS = {
    "SystemExit 0": "SystemExit",
    "SystemExit 3": "SystemExit",
    "SystemExit text": "SystemExit",
    "sys.exit": "SystemExit",
    "StopIteration": ("StopIteration", "RuntimeError"),  # a coroutine can't raise it
    "StopAsyncIteration": ("StopAsyncIteration", "RuntimeError"),
    "CancelledError": "CancelledError",
    "long message": "ValueError",
    "surrogate": "ValueError",
    "cause in a circle": "ValueError",
}


def _statuses(run: Run) -> dict[str, str]:
    return {name: task.status.value for name, task in run.tasks.items()}


class Failing(ExecutorKit):
    """Failures of every kind harm their own task and what depends on it."""

    @pytest.mark.parametrize("which", failing_bodies.ERRORS)
    @pytest.mark.parametrize(
        "body",
        [failing_bodies.raise_error, failing_bodies.raise_error_async],
        ids=["sync", "async"],
    )
    def test_whatever_a_body_raises_only_its_task_fails(
        self, run: RunIt, body: Any, which: str
    ) -> None:
        tasks = [
            task_of("bad", body, which),
            Task("before", bodies.one),
            task_of("after bad", bodies.give, inputs={"value": "bad"}),
            task_of("sibling", bodies.give, inputs={"value": "before"}),
        ]
        made = run(Workflow("fails", tasks), raise_on_failure=False)
        assert _statuses(made) == {
            "bad": "failed",
            "before": "completed",
            "after bad": "upstream_failed",
            "sibling": "completed",
        }
        assert made.status is RunStatus.FAILED
        error = made.tasks["bad"].error
        assert error is not None
        kinds = _KINDS.get(which, which)
        assert error.kind.rpartition(".")[2] in (kinds if isinstance(kinds, tuple) else (kinds,))
        assert len(error.message) < 20_000
        assert "raise_error" in error.trace
        assert str(error).encode()

    def test_exit_is_reported_with_its_code(self, run: RunIt) -> None:
        exits = task_of("exits", failing_bodies.raise_error, "sys.exit")
        made = run(Workflow("fails", [exits]), raise_on_failure=False)
        assert made.tasks["exits"].error is not None
        assert "exit(7)" in made.tasks["exits"].error.message

    def test_traceback_begins_in_the_users_own_code(self, run: RunIt) -> None:
        bad = task_of("bad", json.loads, "{")
        made = run(Workflow("fails", [bad]), raise_on_failure=False)
        assert made.tasks["bad"].error is not None
        frames = re.findall(r'File "(.*)"', made.tasks["bad"].error.trace)
        assert frames[0] == json.__file__

    def test_failure_raises_an_error_that_carries_the_run(self, run: RunIt) -> None:
        workflow = Workflow("fails", [task_of("bad", failing_bodies.raise_error, "ValueError"),
                                      Task("good", bodies.one)])  # fmt: skip
        with pytest.raises(
            WorkflowFailed, match=r"'fails' failed at task 'bad'.*no good"
        ) as raised:
            run(workflow)
        assert isinstance(raised.value, RuntimeError)
        assert raised.value.run["good"] == 1

    @needs("shares_memory")
    def test_error_raised_has_the_bodys_own_as_its_cause(self, run: RunIt) -> None:
        with pytest.raises(WorkflowFailed) as raised:
            run(Workflow("fails", [task_of("bad", failing_bodies.raise_error, "TwoArguments")]))
        assert isinstance(raised.value.__cause__, failing_bodies.TwoArguments)

    def test_result_of_a_failed_task_says_why_there_is_none(self, run: RunIt) -> None:
        bad = task_of("bad", failing_bodies.raise_error, "ValueError")
        made = run(Workflow("fails", [bad]), raise_on_failure=False)
        with pytest.raises(NoResultError, match=r"'bad'.*failed.*no good"):
            made["bad"]

    def test_upstream_failure_names_the_tasks_at_its_root(self, run: RunIt, folder: str) -> None:
        tasks = [
            task_of("left", failing_bodies.fail_noting, name="left"),
            task_of("right", failing_bodies.fail_noting, name="right"),
            task_of("fine", bodies.told, name="fine"),
            task_of("middle", bodies.told, name="middle", after=("left", "fine")),
            task_of("end", bodies.told, name="end", after=("middle", "right")),
            task_of("aside", bodies.told, name="aside", after=("fine",)),
        ]
        made = run(Workflow("roots", tasks), {"folder": folder}, raise_on_failure=False)
        causes = {name: task.error and set(task.error.causes) for name, task in made.tasks.items()}
        assert causes["middle"] == {"left"}
        assert causes["end"] == {"left", "right"}
        assert made.tasks["aside"].status is TaskStatus.COMPLETED
        assert sorted(bodies.notes(folder)) == ["aside", "fine", "left", "right"]

    def test_failure_reaches_the_end_of_a_long_chain(self, run: RunIt) -> None:
        links = [task_of(f"t{n}", bodies.collect, after=(f"t{n - 1}",)) for n in range(1, 2000)]
        bad = task_of("t0", failing_bodies.raise_error, "ValueError")
        made = run(Workflow("chain", [bad, *links]), raise_on_failure=False)
        assert made.counts() == {TaskStatus.FAILED: 1, TaskStatus.UPSTREAM_FAILED: 1999}
        last = made.tasks["t1999"].error
        assert last is not None
        assert last.causes == ("t0",)

    def test_stop_on_failure_starts_nothing_more(self, run: RunIt, folder: str) -> None:
        def seen(event: Event) -> None:
            if event.kind is EventKind.TASK_FINISHED and event.task == "bad":
                bodies.raise_flag(folder, "failed")

        tasks = [
            task_of("bad", failing_bodies.fail_noting, name="bad"),
            task_of("beside", bodies.wait_for_flag, flag="failed", name="beside"),
            task_of("later", bodies.told, name="later", after=("beside",)),
        ]
        made = run(
            Workflow("stops", tasks),
            {"folder": folder},
            executor=self.make_executor(observers=(seen,)),
            on_failure="stop",
            raise_on_failure=False,
        )
        assert made.tasks["bad"].status is TaskStatus.FAILED
        # With one slot it never started; with more it was let finish.
        ended = TaskStatus.COMPLETED if self.side_by_side else TaskStatus.CANCELLED
        assert made.tasks["beside"].status is ended
        assert made.tasks["later"].status is TaskStatus.CANCELLED
        assert "later" not in bodies.notes(folder)

    def test_interrupt_raised_by_a_body_cancels_and_ends_the_run(
        self, run: RunIt, folder: str
    ) -> None:
        workflow = Workflow(
            "pressed",
            [
                Task("pressed", failing_bodies.press_ctrl_c, retries=3),
                task_of("after", bodies.told, folder, "after", after=("pressed",)),
            ],
        )
        try:
            made = run(workflow)
        except KeyboardInterrupt:
            assert workflow.last_run is not None
            made = workflow.last_run
        assert made.status is RunStatus.CANCELLED
        assert made.tasks["pressed"].attempts == 1
        assert _statuses(made) == {"pressed": "cancelled", "after": "cancelled"}
        assert bodies.notes(folder) == []

"""Ending a run from outside: kindly at first, then at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.stop import Stop
from flowweaver.events import Event, EventKind
from flowweaver.run import Run
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.testing import bodies, failing_bodies
from flowweaver.testing.executor_parts.base import ExecutorKit, RunIt, needs, task_of

_BODIES = pytest.mark.parametrize(
    "body", [bodies.wait_for_flag, bodies.wait_for_flag_async], ids=["sync", "async"]
)


def _statuses(workflow: Workflow) -> dict[str, str]:
    assert workflow.last_run is not None
    return {name: task.status.value for name, task in workflow.last_run.tasks.items()}


def _two(body: Any, folder: str) -> Workflow:
    return Workflow(
        "stopped",
        [
            task_of("first", body, folder, "go", "first"),
            task_of("second", bodies.told, folder, "second", after=("first",)),
        ],
    )


class Stopping(ExecutorKit):
    """`Stop`, and cancelling who awaits."""

    def test_run_stopped_beforehand_starts_nothing(self, run: RunIt, folder: str) -> None:
        workflow, stop = _two(bodies.wait_for_flag, folder), Stop()
        stop.set()
        made = run(workflow, stop=stop)
        assert made.status is RunStatus.CANCELLED
        assert _statuses(workflow) == {"first": "cancelled", "second": "cancelled"}
        assert bodies.notes(folder) == []

    @_BODIES
    def test_what_runs_is_let_finish_and_the_rest_cancelled(
        self, run: RunIt, folder: str, body: Any
    ) -> None:
        stop = Stop()

        def seen(event: Event) -> None:
            if event.kind is EventKind.TASK_STARTED:
                bodies.await_note(folder, "first begins")
                stop.set()
                bodies.raise_flag(folder, "go")

        workflow = _two(body, folder)
        executor = self.make_executor(observers=(seen,), grace=bodies.LIMIT_SECONDS)
        made = run(workflow, executor=executor, stop=stop)
        assert made.status is RunStatus.CANCELLED
        assert _statuses(workflow) == {"first": "completed", "second": "cancelled"}
        assert bodies.notes(folder) == ["first begins", "first ends"]

    @pytest.mark.parametrize("grace", [0.0, 0.1])
    def test_coroutine_that_outlasts_the_grace_is_given_up(
        self, run: RunIt, folder: str, grace: float
    ) -> None:
        workflow = _two(bodies.wait_for_flag_async, folder)
        made = self._stop_once_begun(run, workflow, folder, times=1, grace=grace)
        assert made.status is RunStatus.CANCELLED
        assert _statuses(workflow) == {"first": "cancelled", "second": "cancelled"}

    @needs("gives_up_bodies")
    @pytest.mark.parametrize("grace", [0.0, 0.1])
    def test_body_that_outlasts_the_grace_is_given_up(
        self, run: RunIt, folder: str, grace: float
    ) -> None:
        workflow = _two(bodies.wait_for_flag, folder)
        made = self._stop_once_begun(run, workflow, folder, times=1, grace=grace)
        assert made.status is RunStatus.CANCELLED
        assert _statuses(workflow) == {"first": "cancelled", "second": "cancelled"}

    def test_asking_twice_gives_up_what_runs(self, run: RunIt, folder: str) -> None:
        workflow = _two(bodies.wait_for_flag_async, folder)
        made = self._stop_once_begun(run, workflow, folder, times=2, grace=bodies.LIMIT_SECONDS)
        assert made.status is RunStatus.CANCELLED
        assert _statuses(workflow) == {"first": "cancelled", "second": "cancelled"}

    def _stop_once_begun(
        self, run: RunIt, workflow: Workflow, folder: str, *, times: int, grace: float
    ) -> Run:
        stop = Stop()

        def seen(event: Event) -> None:
            if event.kind is EventKind.TASK_STARTED:
                bodies.await_note(folder, "first begins")
                for _ in range(times):
                    stop.set()

        executor = self.make_executor(observers=(seen,), grace=grace)
        made = run(workflow, executor=executor, stop=stop)
        bodies.raise_flag(folder, "go")
        return made

    def test_waits_for_a_retry_are_cut_short(self, run: RunIt, folder: str) -> None:
        stop = Stop()

        def seen(event: Event) -> None:
            if event.kind is EventKind.TASK_RETRYING:
                stop.set()

        options = {"retries": 3, "backoff": 1000.0}
        flaky = task_of("t", failing_bodies.fail_until, folder, 2, options=options)
        executor = self.make_executor(observers=(seen,))
        made = run(Workflow("stopped", [flaky]), executor=executor, stop=stop)
        assert made.status is RunStatus.CANCELLED
        assert (made.tasks["t"].status, made.tasks["t"].attempts) == (TaskStatus.CANCELLED, 1)

    def test_stop_asked_for_after_the_end_changes_nothing(self, run: RunIt) -> None:
        stop = Stop()
        made = run(Workflow("w", [task_of("t", bodies.one)]), stop=stop)
        stop.set()
        stop.set()
        assert (made.status, made["t"]) == (RunStatus.COMPLETED, 1)

    @_BODIES
    def test_cancelling_who_awaits_stops_the_run_kindly(self, folder: str, body: Any) -> None:
        workflow = _two(body, folder)

        async def main() -> None:
            executor = self.make_executor(grace=bodies.LIMIT_SECONDS)
            running = asyncio.create_task(executor.execute_async(workflow))
            while bodies.notes(folder) != ["first begins"]:
                await asyncio.sleep(0.005)
            running.cancel()
            await asyncio.sleep(0)
            bodies.raise_flag(folder, "go")
            await running

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(main())
        assert workflow.last_run is not None
        assert workflow.last_run.status is RunStatus.CANCELLED
        assert _statuses(workflow) == {"first": "completed", "second": "cancelled"}

    def test_limit_on_who_awaits_is_a_timeout_error(self, folder: str) -> None:
        workflow = _two(bodies.wait_for_flag_async, folder)

        async def main() -> None:
            async with asyncio.timeout(0.1):
                await self.make_executor(grace=0.0).execute_async(workflow)

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert _statuses(workflow) == {"first": "cancelled", "second": "cancelled"}

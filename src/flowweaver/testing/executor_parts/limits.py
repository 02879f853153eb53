"""Timeouts: at its limit an attempt is over, and the run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowweaver.definitions.task import Task
from flowweaver.definitions.workflow import Workflow
from flowweaver.errors import NoResultError
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.testing import bodies, failing_bodies
from flowweaver.testing.executor_parts.base import ExecutorKit, RunIt, needs, task_of

_LIMIT = 0.1
_BODIES = pytest.mark.parametrize(
    "body", [bodies.wait_for_flag, bodies.wait_for_flag_async], ids=["sync", "async"]
)


class Limits(ExecutorKit):
    """Limits hold, as far as physics allows."""

    def _each(self) -> range:
        return range(self.slots)

    @_BODIES
    def test_attempt_over_its_limit_fails_and_the_run_goes_on(
        self, run: RunIt, folder: str, body: Any
    ) -> None:
        tasks = [
            task_of("hangs", body, flag="never", options={"timeout": _LIMIT}),
            task_of("after", bodies.told, name="after", after=("hangs",)),
            *(task_of(f"t{n}", bodies.told, name="other") for n in range(2 * self.slots)),
        ]
        made = run(Workflow("hangs", tasks), {"folder": folder}, raise_on_failure=False)
        bodies.raise_flag(folder, "never")
        hangs = made.tasks["hangs"]
        assert (hangs.status, hangs.attempts) == (TaskStatus.FAILED, 1)
        assert hangs.error is not None
        assert hangs.error.kind.endswith("TaskTimeoutError")
        assert "limit of 0.1 s" in hangs.error.message
        assert made.tasks["after"].status is TaskStatus.UPSTREAM_FAILED
        assert bodies.notes(folder).count("other") == 2 * self.slots

    def test_every_slot_is_free_again_after_its_body_was_over_the_limit(
        self, run: RunIt, folder: str
    ) -> None:
        elsewhere = Path(folder, "elsewhere")
        elsewhere.mkdir()
        hangs, meet = bodies.wait_for_flag, bodies.meet
        limited = {"timeout": _LIMIT}
        tasks = [
            *(task_of(f"t{n}", hangs, folder, "never", options=limited) for n in self._each()),
            *(task_of(f"m{n}", meet, str(elsewhere), f"m{n}", self.slots) for n in self._each()),
        ]
        made = run(Workflow("hang", tasks), raise_on_failure=False)
        bodies.raise_flag(folder, "never")
        assert made.counts() == {TaskStatus.FAILED: self.slots, TaskStatus.COMPLETED: self.slots}

    def test_late_result_is_dropped(self, run: RunIt, folder: str) -> None:
        hangs = task_of("t", bodies.wait_for_flag, flag="go", name="t", options={"timeout": _LIMIT})
        made = run(Workflow("late", [hangs]), {"folder": folder}, raise_on_failure=False)
        bodies.raise_flag(folder, "go")
        if not self.stops_bodies:
            bodies.await_note(folder, "t ends")
        assert made.tasks["t"].status is TaskStatus.FAILED
        with pytest.raises(NoResultError):
            made["t"]

    @needs("stops_bodies")
    def test_body_over_its_limit_is_stopped(self, run: RunIt, folder: str) -> None:
        hangs = task_of("t", bodies.wait_for_flag, flag="go", name="t", options={"timeout": _LIMIT})
        run(Workflow("late", [hangs]), {"folder": folder}, raise_on_failure=False)
        bodies.raise_flag(folder, "go")
        run(Workflow("next", [task_of("t", bodies.told, name="next")]), {"folder": folder})
        assert "t ends" not in bodies.notes(folder)

    def test_coroutine_over_its_limit_is_cancelled(self, run: RunIt, folder: str) -> None:
        hangs = task_of(
            "t", bodies.wait_for_flag_async, flag="never", name="t", options={"timeout": _LIMIT}
        )
        run(Workflow("late", [hangs]), {"folder": folder}, raise_on_failure=False)
        if not self.stops_bodies:
            bodies.await_note(folder, "t cancelled")
        assert "t ends" not in bodies.notes(folder)

    def test_coroutine_that_swallows_its_cancellation_is_left_behind(
        self, run: RunIt, folder: str
    ) -> None:
        tasks = [
            task_of("t", bodies.swallow_cancellation, flag="go", options={"timeout": _LIMIT}),
            Task("other", bodies.one),
        ]

        def seen(event: Any) -> None:
            if event.status is TaskStatus.FAILED:
                bodies.raise_flag(folder, "go")

        executor = self.make_executor(observers=(seen,))
        made = run(
            Workflow("late", tasks), {"folder": folder}, executor=executor, raise_on_failure=False
        )
        assert made.tasks["t"].status is TaskStatus.FAILED
        assert made["other"] == 1

    def test_attempt_over_its_limit_is_retried(self, run: RunIt, folder: str) -> None:
        options = {"timeout": 0.5, "retries": 20}  # a busy machine may need more than one more
        hangs = task_of("t", failing_bodies.hang_until, attempt=2, flag="never", options=options)
        made = run(Workflow("again", [hangs]), {"folder": folder})
        bodies.raise_flag(folder, "never")
        assert made["t"] == made.tasks["t"].attempts >= 2

    def test_timeout_can_be_left_out_of_what_is_retried(self, run: RunIt, folder: str) -> None:
        options = {"timeout": _LIMIT, "retries": 2, "retry_on": ConnectionError}
        hangs = task_of("t", bodies.wait_for_flag, flag="never", options=options)
        made = run(Workflow("once", [hangs]), {"folder": folder}, raise_on_failure=False)
        bodies.raise_flag(folder, "never")
        assert made.tasks["t"].attempts == 1

    @pytest.mark.parametrize("limit", [30.0, 1e300, float("inf")])
    @pytest.mark.parametrize("body", [bodies.one, bodies.one_async], ids=["sync", "async"])
    def test_attempt_within_its_limit_is_as_without(
        self, run: RunIt, body: Any, limit: float
    ) -> None:
        made = run(Workflow("quick", [Task("t", body, timeout=limit)]))
        assert (made.status, made["t"]) == (RunStatus.COMPLETED, 1)

"""Who performed an attempt, by a short name."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from flowweaver import (
    AsyncExecutor,
    Executor,
    SequentialExecutor,
    SQLiteStateStore,
    Task,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.testing import bodies, failing_bodies


def workers_of(executor: Executor, *tasks: Task[..., Any], **how: Any) -> dict[str, str]:
    """Execute tasks and return by name who performed them."""
    run = executor.execute(Workflow("w", tasks), raise_on_failure=False, **how)
    return {name: run.tasks[name].worker for name in run.tasks}


def test_threads_are_told_apart(tmp_path: Path) -> None:
    meet = [Task(name, partial(bodies.meet, str(tmp_path), name, 2)) for name in ("a", "b")]
    found = workers_of(ThreadedExecutor(2), *meet)
    assert sorted(found.values()) == ["worker 1", "worker 2"]


def test_thread_that_takes_over_from_one_left_behind_has_its_name(tmp_path: Path) -> None:
    hangs = Task(
        "hangs", partial(bodies.wait_for_flag, str(tmp_path), "flag"), timeout=0.2, retries=0
    )
    after = Task("after", bodies.one, depends_on=["hangs"], trigger="all_done")
    found = workers_of(ThreadedExecutor(1), hangs, after)
    bodies.raise_flag(str(tmp_path), "flag")
    assert found == {"hangs": "worker 1", "after": "worker 1"}


def test_all_that_runs_one_by_one_is_done_by_one_worker() -> None:
    limited = Task("limited", bodies.one, timeout=60)
    found = workers_of(SequentialExecutor(), Task("plain", bodies.one), limited)
    assert set(found.values()) == {"worker 1"}


def test_coroutines_are_performed_by_the_event_loop() -> None:
    assert workers_of(AsyncExecutor(), Task("t", bodies.one_async)) == {"t": "event loop"}


def test_isolated_body_is_performed_by_a_process() -> None:
    found = workers_of(SequentialExecutor(), Task("t", bodies.one, isolate=True))
    # Other executors of this process may have workers, which are numbered together.
    assert re.fullmatch(r"process \d+", found["t"])


def test_restored_result_names_who_made_it(tmp_path: Path) -> None:
    executor = ThreadedExecutor(2, state_store=SQLiteStateStore(tmp_path / "state.db"))
    made = workers_of(executor, Task("t", bodies.one))
    assert workers_of(executor, Task("t", bodies.one)) == made == {"t": "worker 1"}


def test_attempt_that_failed_names_its_worker(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    bad = Task("bad", partial(failing_bodies.raise_error, "ValueError"))
    run = ThreadedExecutor(2, state_store=store).execute(
        Workflow("w", [bad]), raise_on_failure=False
    )
    assert [each.worker for each in store.attempts(run.id)] == ["worker 1"]

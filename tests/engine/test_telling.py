"""What events say: all there is to say, as it was when they happened."""

from __future__ import annotations

import time
from typing import Any

from flowweaver import (
    Event,
    EventKind,
    MemoryStateStore,
    Origin,
    RunStatus,
    SequentialExecutor,
    StateStore,
    Task,
    TaskStatus,
    Workflow,
    each,
)
from tests.observers.awaiting import LongAwaited


def events_of(workflow: Workflow, store: StateStore | None = None, **asked: Any) -> list[Event]:
    """Return the events of a run, looked at only when it is over."""
    seen: list[Event] = []
    executor = SequentialExecutor(state_store=store, observers=(seen.append,))
    executor.execute(workflow, raise_on_failure=False, **asked)
    return seen


def flaky() -> Task[[], None]:
    calls = []

    def body() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError("away")

    return Task("flaky", body, retries=1, backoff=0.01)


def test_an_event_stays_as_it_was() -> None:
    seen = events_of(Workflow("w", [flaky()]))
    assert [(event.kind, event.status, event.run_status) for event in seen] == [
        (EventKind.RUN_STARTED, None, RunStatus.RUNNING),
        (EventKind.TASK_STARTED, TaskStatus.RUNNING, RunStatus.RUNNING),
        (EventKind.TASK_RETRYING, TaskStatus.RETRYING, RunStatus.RUNNING),
        (EventKind.TASK_STARTED, TaskStatus.RUNNING, RunStatus.RUNNING),
        (EventKind.TASK_FINISHED, TaskStatus.COMPLETED, RunStatus.RUNNING),
        (EventKind.RUN_FINISHED, None, RunStatus.COMPLETED),
    ]
    assert [str(event.failure) for event in seen if event.failure] == ["ConnectionError: away"]
    assert {event.workflow for event in seen} == {"w"}
    assert {event.run_id for event in seen} == {seen[0].run.id}


def test_an_event_has_its_time_and_what_it_took() -> None:
    before = time.time()
    seen = events_of(Workflow("w", [Task("naps", lambda: time.sleep(0.02))]))
    started, ended, over = seen[1], seen[2], seen[3]
    assert before <= seen[0].time <= started.time <= ended.time <= over.time <= time.time()
    assert started.duration is None
    assert ended.duration is not None
    assert ended.duration >= 0.02
    assert over.duration is not None
    assert over.duration >= ended.duration


def test_an_event_says_how_a_result_came_and_why() -> None:
    store, workflow = MemoryStateStore(), Workflow("w", [Task("a", lambda: 1, version="1")])
    first, second = (events_of(workflow, store)[-2] for _ in range(2))
    assert (first.origin, first.reason) == (Origin.EXECUTED, "never ran")
    assert (second.origin, second.reason) == (
        Origin.RESTORED,
        f"unchanged since run {first.run_id}",
    )
    assert second.duration == first.duration


def test_the_start_of_an_attempt_says_why_it_is_made() -> None:
    seen = events_of(Workflow("w", [Task("a", lambda: 1)]), MemoryStateStore())
    assert (seen[1].kind, seen[1].reason) == (EventKind.TASK_STARTED, "never ran")


def test_run_that_waits_says_what_for_and_is_still_running() -> None:
    seen: list[Event] = []
    LongAwaited(observers=(seen.append,)).execute(Workflow("w", [Task("t", lambda: 1)]))
    kinds = [EventKind.RUN_STARTED, EventKind.RUN_WAITING, EventKind.TASK_STARTED]
    assert [event.kind for event in seen[:3]] == kinds
    waits = seen[1]
    assert (waits.task, waits.status, waits.run_status) == ("", None, RunStatus.RUNNING)
    assert waits.reason == "The pool is empty: start a worker."
    assert seen[0].time <= waits.time <= seen[2].time


def test_what_is_not_come_to_says_why() -> None:
    def bad() -> None:
        raise LookupError("lost")

    workflow = Workflow("w", [bad])
    workflow.add_task(lambda bad: bad, name="behind")
    workflow.add_task(lambda: 1, name="never", when=lambda: False)
    ends = {event.task: event for event in events_of(workflow)}
    assert str(ends["bad"].failure) == "LookupError: lost"
    assert str(ends["behind"].failure).endswith("because of bad: LookupError: lost")
    assert ends["never"].reason == "its condition <lambda> was not met"
    assert {ends[name].origin for name in ("bad", "behind", "never")} == {None}


def test_elements_and_wholes_have_their_names() -> None:
    workflow = Workflow("w", [Task("xs", lambda: [1, 2])])
    workflow.add_task(lambda x: x, name="m", inputs={"x": each("xs")})
    store = MemoryStateStore()
    for origin in (Origin.EXECUTED, Origin.RESTORED):
        seen = events_of(workflow, store)
        ends = [(event.name, event.origin) for event in seen if event.origin]
        assert ends == [(name, origin) for name in ("xs", "m[0]", "m[1]", "m")]

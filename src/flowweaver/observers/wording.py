"""Events in words, one line each."""

from __future__ import annotations

from flowweaver.events import Event, EventKind
from flowweaver.observers.style import one_line, seconds, why
from flowweaver.status import Origin, TaskStatus


def task_name(event: Event) -> str:
    """Return the name of the TaskRun of an event; an element as ``page[3] (Oslo)``."""
    return one_line(event.shown_name)


def is_restored(event: Event) -> bool:
    """Return whether the event is about a TaskRun restored from an earlier execution."""
    return event.origin is Origin.RESTORED


def describe(event: Event) -> str:
    """Return what happened, in one line without a time."""
    return one_line(_WORDS[event.kind](event))


def _run_started(event: Event) -> str:
    count = event.tasks
    tasks = f"{count} task{'' if count == 1 else 's'}"
    return f"run {event.run_id} of {event.workflow} started: {tasks}"


def _run_waiting(event: Event) -> str:
    return f"waiting: {event.reason}"


def _run_finished(event: Event) -> str:
    return f"run {event.run_id} {event.run_status.value} in {seconds(event.duration or 0.0)}"


def _task_started(event: Event) -> str:
    return f"{task_name(event)} started{_later_attempt(event)}"


def _task_retrying(event: Event) -> str:
    wait = f" in {seconds(event.delay)}" if event.delay else ""
    return f"{task_name(event)} failed, attempt {event.attempt}, again{wait}{_reason(event)}"


def _task_finished(event: Event) -> str:
    name = task_name(event)
    if event.status is TaskStatus.FAILED:
        return f"{name} failed{_later_attempt(event)}{_reason(event)}"
    if event.status is not TaskStatus.COMPLETED:
        status = event.status.value.replace("_", " ") if event.status else "finished"
        return f"{name} {status}{_reason(event)}"
    if event.origin is not None and event.origin is not Origin.EXECUTED:
        return f"{name} {event.origin.value}"
    took = "" if event.duration is None else f" in {seconds(event.duration)}"
    return f"{name} completed{took}"


def _later_attempt(event: Event) -> str:
    return f", attempt {event.attempt}" if event.attempt > 1 else ""


def _reason(event: Event) -> str:
    return "" if event.failure is None else f": {why(event.failure)}"


_WORDS = {
    EventKind.RUN_STARTED: _run_started,
    EventKind.RUN_WAITING: _run_waiting,
    EventKind.RUN_FINISHED: _run_finished,
    EventKind.TASK_STARTED: _task_started,
    EventKind.TASK_RETRYING: _task_retrying,
    EventKind.TASK_FINISHED: _task_finished,
}

"""The callbacks of tasks, as an observer like any other."""

from __future__ import annotations

from flowweaver.definitions.options import TaskOptions
from flowweaver.definitions.wiring import Wiring
from flowweaver.events import Event, EventKind, Observer


def hook_observer(wiring: Wiring) -> tuple[Observer, ...]:
    """Return an observer that calls the tasks' callbacks, if any task has one."""
    hooked = {
        task.name: task.options
        for task in map(wiring.tasks.__getitem__, wiring.optioned)
        if task.options.on_status_change or task.options.on_retry
    }
    return (_Hooks(hooked),) if hooked else ()


class _Hooks:
    def __init__(self, hooked: dict[str, TaskOptions]) -> None:
        self._hooked = hooked

    def __call__(self, event: Event) -> None:
        options = self._hooked.get(event.task)
        if options is None or event.status is None:
            return
        try:
            if options.on_status_change is not None:
                options.on_status_change(event.task, event.status)
        finally:
            if event.kind is EventKind.TASK_RETRYING and options.on_retry is not None:
                options.on_retry(event.task, event.attempt)

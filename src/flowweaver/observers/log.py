"""Events as records of the standard library's logging."""

from __future__ import annotations

import logging

from flowweaver.events import Event, EventKind
from flowweaver.observers.wording import describe
from flowweaver.status import TaskStatus

_LEVELS = {
    EventKind.RUN_STARTED: logging.INFO,
    EventKind.RUN_WAITING: logging.WARNING,
    EventKind.RUN_FINISHED: logging.INFO,
    EventKind.TASK_STARTED: logging.DEBUG,
    EventKind.TASK_RETRYING: logging.WARNING,
    EventKind.TASK_FINISHED: logging.INFO,
}
_LEVELS_OF_ENDINGS = {
    TaskStatus.FAILED: logging.ERROR,
    TaskStatus.UPSTREAM_FAILED: logging.WARNING,
    TaskStatus.CANCELLED: logging.WARNING,
}


class EventLog:
    """An observer that logs each event: starts of tasks at DEBUG, failures at ERROR.

    Records carry `run_id`, `workflow`, `task`, `element` and `attempt` as extra fields. Inputs
    and results are never logged.

    Args:
        logger: Where to log; ``flowweaver.events`` if not given.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("flowweaver.events")

    def __call__(self, event: Event) -> None:
        """Log one event."""
        level = _level(event)
        if not self._logger.isEnabledFor(level):
            return
        fields = {
            "run_id": event.run_id,
            "workflow": event.workflow,
            "task": event.task,
            "element": event.element,
            "attempt": event.attempt,
        }
        self._logger.log(level, "%s", describe(event), extra=fields)


def make(address: str) -> EventLog:
    """Return the observer that ``log``, or ``log://NAME`` with the name of a logger, asks for."""
    return EventLog(logging.getLogger(address) if address else None)


def _level(event: Event) -> int:
    if event.kind is EventKind.TASK_FINISHED and event.status in _LEVELS_OF_ENDINGS:
        return _LEVELS_OF_ENDINGS[event.status]
    return _LEVELS[event.kind]

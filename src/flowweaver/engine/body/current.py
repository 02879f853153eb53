"""What a body can know of the attempt it is in."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flowweaver.engine.body.call import Call, call_here
from flowweaver.engine.body.link import TaskState
from flowweaver.engine.body.logs import LogBuffer
from flowweaver.errors import FlowWeaverError


class CurrentTask:
    """What a body can know of the attempt it is in; see `current_task`."""

    __slots__ = ("_call",)

    def __init__(self, call: Call) -> None:
        self._call = call

    @property
    def run_id(self) -> str:
        """The run's id, the same after a crash and resume."""
        return self._call.scope.run_id

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return self._call.scope.workflow

    @property
    def name(self) -> str:
        """The task's name."""
        return self._call.task.name

    @property
    def element(self) -> str:
        """The key of the element of a fan-out, such as "3" or "3.1"; "" for a whole task."""
        return self._call.element

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1; starts cut short by a kill count."""
        return self._call.attempt

    @property
    def idempotency_key(self) -> str:
        """A key to give to the outside world: the same for every attempt, across restarts."""
        return f"{self.run_id}/{self._call.name}"

    @property
    def state(self) -> TaskState:
        """A mapping that the next attempt of this TaskRun can read; see `TaskState`."""
        return TaskState(self._call)

    def heartbeat(self) -> None:
        """Give a sign of life: an `idle_timeout` counts from here."""
        self._call.scope.link.beat(self._call)

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger named after the task whose records carry run, task and attempt."""
        logger = logging.getLogger(f"flowweaver.task.{self.name}")
        fields = {"run_id": self.run_id, "task": self._call.name, "attempt": self.attempt}
        return _TaskLogger(logger, fields, self._call.log)


class _TaskLogger(logging.LoggerAdapter[logging.Logger]):
    """Keeps what is said in the attempt's log from level INFO on, whatever else is configured."""

    def __init__(
        self, logger: logging.Logger, fields: Mapping[str, object], log: LogBuffer | None
    ) -> None:
        super().__init__(logger, fields)
        self._log_kept = log

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if self._log_kept is not None and not self.isEnabledFor(level) and level >= logging.INFO:
            text = str(msg) % args if args else str(msg)
            self._log_kept.write(f"{logging.getLevelName(level)} {self.logger.name}: {text}\n")
        super().log(level, msg, *args, **kwargs)


def current_task() -> CurrentTask:
    """Return what is known of the attempt this code runs in.

    Raises:
        FlowWeaverError: Not called from a task's body.
    """
    call = call_here()
    if call is None:
        raise FlowWeaverError(
            "current_task() was called outside a task's body; it works only while a run calls it."
        )
    return CurrentTask(call)

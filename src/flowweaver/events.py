"""What can happen in a run, and how those who want to know are told."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from queue import SimpleQueue
from typing import TYPE_CHECKING

from flowweaver.forks import leave_if_copied
from flowweaver.names import shown_name, task_run_name
from flowweaver.records import Failure
from flowweaver.status import Origin, RunStatus, TaskStatus

if TYPE_CHECKING:
    from flowweaver.run import Run

_log = logging.getLogger("flowweaver")
# How long a run waits at its end for observers that are slow.
_PATIENCE_SECONDS = 5.0


class EventKind(Enum):
    """What happened."""

    RUN_STARTED = "run_started"
    RUN_WAITING = "run_waiting"
    RUN_FINISHED = "run_finished"
    TASK_STARTED = "task_started"
    TASK_RETRYING = "task_retrying"
    TASK_FINISHED = "task_finished"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a run or to one of its TaskRuns; as it was then, for ever.

    Completions are told once they are committed, never before.

    Attributes:
        kind: What happened.
        run: The run, as it is when it is looked at. All else is of the moment of the event.
        task: The task's name; "" where it is about the run.
        element: The key of an element, such as "3" or "3.1"; "" for a whole task.
        status: Where the TaskRun stands; None where it is about the run.
        attempt: The number of the attempt that started, failed or completed.
        failure: Why the attempt failed, or why it did not come to one.
        delay: The wait before the next attempt, in seconds.
        time: When it happened, in seconds since the epoch.
        run_status: Where the run stands.
        duration: The seconds that the attempt took; of a restored TaskRun, when it was executed;
            of a run that has finished, this execution.
        origin: Whether a completed TaskRun was executed now or restored.
        reason: Why it is executed, restored or skipped; "" where there was nothing to decide. Of a
            run that waits, what its tasks wait for, and what to do.
        tasks: How many tasks the run has; said when it starts.
        label: What an element is called for people; "" where that is not known.
        elements: How many elements its task has, as far as they are known by now; 0 if it is not
            mapped.
    """

    kind: EventKind
    run: Run
    task: str = ""
    element: str = ""
    status: TaskStatus | None = None
    attempt: int = 0
    failure: Failure | None = None
    delay: float | None = None
    time: float = 0.0
    run_status: RunStatus = RunStatus.RUNNING
    duration: float | None = None
    origin: Origin | None = None
    reason: str = ""
    tasks: int = 0
    elements: int = 0
    label: str = ""

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run.id

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return self.run.workflow

    @property
    def name(self) -> str:
        """The name of the TaskRun, ``page[3]``; "" where it is about the run."""
        return task_run_name(self.task, self.element)

    @property
    def shown_name(self) -> str:
        """The name of the TaskRun for people, ``page[3] (Oslo)``."""
        return shown_name(self.task, self.element, self.label)


Observer = Callable[[Event], object]


class Notifier:
    """Tells observers of events, in order, in a thread of its own.

    An observer that raises is logged and told of the next event all the same; one that hangs
    holds up the others but not the run, which waits a few seconds for it at its end.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)
        self._pid = os.getpid()
        self._queue: SimpleQueue[Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="flowweaver-events", daemon=True)
        self._thread.start()

    def tell(self, event: Event) -> None:
        """Queue an event for all observers."""
        self._queue.put(event)

    def close(self) -> None:
        """Wait, within a limit, until all events have been told."""
        self._queue.put(None)
        self._thread.join(_PATIENCE_SECONDS)
        if self._thread.is_alive():
            _log.warning(
                "an observer still holds the run's events after %g s; going on without it",
                _PATIENCE_SECONDS,
            )

    def _work(self) -> None:
        while (event := self._queue.get()) is not None:
            for observer in self._observers:
                try:
                    observer(event)
                except BaseException:  # an observer never changes what becomes of a run
                    _log.exception("observer %r raised on %s", observer, event.kind.value)
                leave_if_copied(self._pid)

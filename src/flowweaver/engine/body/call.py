"""One attempt: the call of a task's function, and what came of it.

This is the room every body is called from, on every executor; it is on the hot path of them all.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar
from time import monotonic
from typing import Any

from flowweaver.definitions.names import task_run_name
from flowweaver.definitions.retry import RetryOn
from flowweaver.definitions.task import Task
from flowweaver.engine.body.failures import failure_of
from flowweaver.engine.body.link import Link, TaskState
from flowweaver.engine.body.logs import LogBuffer
from flowweaver.errors import FlowWeaverError, UnstorableError
from flowweaver.records import Failure
from flowweaver.serialize import Encoded, encode

_current: ContextVar[Call] = ContextVar("flowweaver_task")


class _Missing:
    """Stands for a value that is not here."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class CallScope:
    """What all calls of a run share.

    `storing` says whether results are to be encoded for a store, `context` is the caller's, and
    `link` leads from the bodies to the run.
    """

    __slots__ = ("context", "link", "run_id", "storing", "workflow")

    def __init__(
        self, workflow: str, run_id: str, link: Link, *, storing: bool, context: Context
    ) -> None:
        self.workflow = workflow
        self.run_id = run_id
        self.link = link
        self.storing = storing
        self.context = context


class Call:
    """An attempt: what is to be called with what, then how it went.

    Outcome fields are set once by whoever performs the call. `failure` is None on success.
    `over` is set when the attempt no longer counts (timed out, cancelled): a late outcome is
    dropped. `finished` is set when the body has ended. `beat` is the time of its last sign of
    life. `value` stays `MISSING` where only the encoded result came back. `condition` is what
    the task's `when` takes, None where it has none; `skipped` says that it was not met. `died`
    says that the process the body was in ended under it. `log` takes what the body prints and
    logs, where that is kept.
    """

    # Defaults of the class, not set by `__init__`: most calls come to set few of them.
    started: float | None = None
    duration = 0.0
    beat: float | None = None
    value: Any = MISSING
    encoded: Encoded | None = None
    failure: Failure | None = None
    error: BaseException | None = None
    condition: Mapping[str, Any] | None = None
    log: LogBuffer | None = None
    retryable = interrupted = over = finished = skipped = died = False

    def __init__(
        self,
        scope: CallScope,
        node: int,
        task: Task[..., Any],
        element: str,
        attempt: int,
        kwargs: Mapping[str, Any],
    ) -> None:
        self.scope = scope
        self.node = node
        self.task = task
        self.element = element
        self.attempt = attempt
        self.kwargs = kwargs

    @property
    def name(self) -> str:
        """The task's name, with the element it is for: ``page[3]``."""
        return task_run_name(self.task.name, self.element)

    def fail(self, error: BaseException) -> None:
        """Record that the attempt raised `error`."""
        self.value = MISSING
        self.failure = failure_of(error)
        self.error = error
        self.retryable = is_retryable(error, self.task.options.retry_on)


@contextmanager
def calling(call: Call) -> Iterator[None]:
    """Make `current_task()` speak of `call` in this context."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def call_here() -> Call | None:
    """Return the call whose body this code runs in, if any."""
    return _current.get(None)


def perform(call: Call, wait_for: Callable[[Awaitable[Any]], Any]) -> None:
    """Call the body here and now; `wait_for` waits for what it returns if that is awaitable."""
    call.started = started = monotonic()
    try:
        call.scope.context.copy().run(_perform, call, wait_for)
    except KeyboardInterrupt as error:
        call.interrupted = True
        call.fail(error)
    except BaseException as error:  # a task can't end the run
        call.fail(error)
    call.duration = monotonic() - started


def _perform(call: Call, wait_for: Callable[[Awaitable[Any]], Any]) -> None:
    _current.set(call)
    if call.condition is not None and not _is_met(call, call.condition):
        return
    value = call.task.fn(**call.kwargs)
    if hasattr(value, "__await__"):
        value = wait_for(value)
    if call.scope.storing:
        call.encoded = encode(value)
    call.value = value


def _is_met(call: Call, arguments: Mapping[str, Any]) -> bool:
    when = call.task.options.when
    assert when is not None
    call.skipped = not when(**arguments)
    return not call.skipped


async def perform_async(call: Call) -> None:
    """Call a coroutine function and await it in the running loop.

    Must be run as an asyncio task of its own, in a copy of the scope's context.
    """
    _current.set(call)
    call.started = started = monotonic()
    try:
        if call.condition is not None and not _is_met(call, call.condition):
            return
        value = await call.task.fn(**call.kwargs)
        if hasattr(value, "__await__"):
            value = await value
        if call.scope.storing:
            call.encoded = encode(value)
        call.value = value
    except BaseException as error:
        call.interrupted = call.interrupted or isinstance(error, KeyboardInterrupt)
        call.fail(error)
    finally:
        call.duration = monotonic() - started


def is_retryable(error: BaseException, retry_on: RetryOn) -> bool:
    """Return whether `retry_on` asks for another attempt after `error`."""
    if isinstance(error, UnstorableError):
        return False  # the body did its work; doing it again would not make the value storable
    if isinstance(retry_on, type | tuple):
        return isinstance(error, retry_on)
    try:
        return bool(retry_on(error))
    except Exception:
        _log.exception("retry_on of a task raised; the task is not retried")
        return False


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
    try:
        return CurrentTask(_current.get())
    except LookupError:
        raise FlowWeaverError(
            "current_task() was called outside a task's body; it works only while a run calls it"
        ) from None


_log = logging.getLogger("flowweaver")

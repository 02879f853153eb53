"""One attempt: the call of a task's function, and what came of it.

This is the room every body is called from, on every executor; it is on the hot path of them all.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from flowweaver.definitions.task import Task
from flowweaver.engine.body.failures import failure_of
from flowweaver.engine.body.faults import Fault, fault_of
from flowweaver.engine.body.logs import LogBuffer
from flowweaver.engine.body.outputs import files_of
from flowweaver.engine.body.watch import Watch, Watcher
from flowweaver.errors import UndecodableError
from flowweaver.files.moved import with_projects
from flowweaver.fingerprint.owners import project_of_code, projects_loaded
from flowweaver.forks import Here, leave_if_copied
from flowweaver.masking import mask
from flowweaver.names import task_run_name
from flowweaver.raised import Skip
from flowweaver.records import FileRecord
from flowweaver.serialize import Encoded, encode
from flowweaver.serialize.held import are_held, values_of
from flowweaver.serialize.spool import spooling

_current: ContextVar[Call] = ContextVar("flowweaver_task")
_NOTHING: Mapping[str, Any] = {}


class _Missing:
    """Stands for a value that is not here."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class Link(Protocol):
    """The way from a body to the run it is part of, wherever the body runs."""

    def beat(self, call: Call) -> None:
        """Give a sign of life."""
        ...

    def load_state(self, call: Call) -> Mapping[str, Encoded]:
        """Return what earlier attempts of the TaskRun kept."""
        ...

    def save_state(self, call: Call, name: str, value: Encoded | None) -> None:
        """Keep an item, or drop it (None); durable on return."""
        ...


class CallScope:
    """What all calls of a run share.

    `storing` says whether results are to be encoded for a store, `logging` whether what bodies
    print is kept (if it isn't given, as results are), `context` is the caller's, `link` leads from
    the bodies to the run, and `pid` is the process they run in. `spool` is the folder of a store
    that takes over files in which large results are. `watcher` notes what bodies read, if what they
    return is for a store in the end (if that isn't said, as results are encoded).
    """

    __slots__ = (
        "context", "link", "logging", "pid", "run_id", "spool", "storing", "watcher", "workflow",
    )  # fmt: skip

    def __init__(
        self,
        workflow: str,
        run_id: str,
        link: Link,
        *,
        storing: bool,
        context: Context,
        spool: Path | None = None,
        logging: bool | None = None,
        watching: bool | None = None,
    ) -> None:
        self.workflow = workflow
        self.run_id = run_id
        self.link = link
        self.storing = storing
        self.logging = storing if logging is None else logging
        self.watcher = Watcher() if (storing if watching is None else watching) else None
        self.spool = spool
        self.context = context
        self.pid = os.getpid()


class Call:
    """An attempt: what is to be called with what, then how it went.

    Outcome fields are set once by whoever performs the call. `fault` is None on success.
    `over` is set when the attempt no longer counts (timed out, cancelled): a late outcome is
    dropped. `finished` is set when the body has ended. `beat` is the time of its last sign of
    life. In `kwargs` a large stored value may be `Held`; `take_up` and unpickling turn it back.
    `value` stays `MISSING` where only the encoded result came back. `condition` is what
    the task's `when` takes, None where it has none; `skipped` says that it was not met, or, with
    `skip_reason`, that the body raised `Skip`. `died` says that the process the body was in ended
    under it. `log` takes what the body prints and logs, where that is kept. `watch` notes what the
    body reads and leaves, of which `seen` is to be kept. `worker` is a short name for whoever
    performs the call, the same for all that one does: ``worker 3``; those that can do several at
    once may share one.
    """

    # A slot is set and cleared for every call. What has none is a default of the class, which takes
    # long to look up: these are not asked for where there is no store and nothing goes wrong.
    __slots__ = (
        "__dict__", "attempt", "condition", "duration", "element", "fault", "finished", "kwargs",
        "node", "over", "scope", "skipped", "started", "task", "value", "worker",
    )  # fmt: skip

    beat: float | None = None
    encoded: Encoded | None = None
    files: tuple[FileRecord, ...] = ()
    seen: tuple[FileRecord, ...] = ()
    watch: Watch | None = None
    signature: str | None = None
    skip_reason: str | None = None
    log: LogBuffer | None = None
    interrupted = died = False

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
        self.condition: Mapping[str, Any] | None = None
        self.started: float | None = None
        self.duration = 0.0
        self.value: Any = MISSING
        self.fault: Fault | None = None
        self.worker = ""
        self.over = self.finished = self.skipped = False

    def take_up(self) -> bool:
        """Turn back the arguments that are held; False if that can't be done, which is set then."""
        condition = self.condition or _NOTHING
        if not (are_held(self.kwargs) or (condition and are_held(condition))):
            return True
        try:
            self.kwargs, turned = values_of(self.kwargs, condition)
        except UndecodableError as error:
            self.fail(error, for_good=True)
            return False
        self.condition = None if self.condition is None else turned
        return True

    @property
    def name(self) -> str:
        """The task's name, with the element it is for: ``page[3]``."""
        return task_run_name(self.task.name, self.element)

    def keep(self, value: object) -> None:
        """Set what a store is to keep of what the body returned."""
        with spooling(self.scope.spool):
            self.encoded = encoded = encode(value)
        self.files = files_of(self.task, self.kwargs, value, encoded.codec)
        if self.seen or self.files:
            project = project_of_code(self.task.fn)
            self.seen = with_projects(self.seen, self.files, project, projects_loaded)

    def fail(self, error: BaseException, *, for_good: bool = False) -> None:
        """Record that the attempt raised `error`; `for_good` if no other can do better."""
        self.value = MISSING
        try:
            judged = None if for_good else fault_of(error, self.task.options, self.attempt)
        except KeyboardInterrupt:
            judged, self.interrupted = None, True
        except BaseException:  # what judges the error is the user's
            judged = None
        self.fault = judged or Fault(failure_of(error), error)

    def skip(self, asked: Skip) -> None:
        """Record that the body has nothing to do."""
        self.skipped = True
        self.skip_reason = mask(str(asked))


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


def around(call: Call) -> Call | None:
    """Return the call whose body executes the workflow that a call is part of, if any."""
    return call.scope.context.get(_current)


def perform(call: Call, wait_for: Callable[[Awaitable[Any]], Any]) -> None:
    """Call the body here and now; `wait_for` waits for what it returns if that is awaitable."""
    call.started = started = monotonic()
    try:
        call.scope.context.copy().run(_perform, call, wait_for)
    except Skip as asked:
        call.skip(asked)
    except KeyboardInterrupt as error:
        call.interrupted = True
        call.fail(error)
    except BaseException as error:  # a task can't end the run
        call.fail(error)
    if Here.pid != call.scope.pid:  # asked here too: every attempt comes by
        leave_if_copied(call.scope.pid, None if call.fault is None else call.fault.error)
    call.duration = monotonic() - started


def _perform(call: Call, wait_for: Callable[[Awaitable[Any]], Any]) -> None:
    _current.set(call)
    storing, watcher = call.scope.storing, call.scope.watcher
    if storing and not call.take_up():
        return
    if watcher is not None:
        call.watch = watcher.over(call.task, call.kwargs)
    if call.condition is not None and not _is_met(call, call.condition):
        return
    value = call.task.fn(**call.kwargs)
    if hasattr(value, "__await__"):
        leave_if_copied(call.scope.pid)
        value = wait_for(value)
    if watcher is not None and call.watch is not None:
        call.seen = call.watch.seen()  # before encoding, which looks at files as well
    if storing:
        call.keep(value)
    call.value = value


def _is_met(call: Call, arguments: Mapping[str, Any]) -> bool:
    when = call.task.options.when
    assert when is not None
    call.skipped = not when(**arguments)
    leave_if_copied(call.scope.pid)
    return not call.skipped


async def perform_async(call: Call) -> None:
    """Call a coroutine function and await it in the running loop.

    Must be run as an asyncio task of its own, in a copy of the scope's context.
    """
    _current.set(call)
    call.started = started = monotonic()
    try:
        if call.scope.storing and not call.take_up():
            return
        if call.scope.watcher is not None:
            call.watch = call.scope.watcher.over(call.task, call.kwargs)
        if call.condition is not None and not _is_met(call, call.condition):
            return
        value = await call.task.fn(**call.kwargs)
        if hasattr(value, "__await__"):
            value = await value
        if call.watch is not None:
            call.seen = call.watch.seen()
        if call.scope.storing:
            call.keep(value)
        call.value = value
    except Skip as asked:
        call.skip(asked)
    except BaseException as error:
        call.interrupted = call.interrupted or isinstance(error, KeyboardInterrupt)
        call.fail(error)
    finally:
        call.duration = monotonic() - started

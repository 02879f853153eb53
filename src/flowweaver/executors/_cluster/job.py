"""What a cluster's worker does: perform the calls of a job, one by one, and report on them."""

from __future__ import annotations

import os
import pickle
import platform
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, NamedTuple, Protocol

from flowweaver.errors import FlowWeaverError
from flowweaver.executors._workers import modules
from flowweaver.executors._workers.identity import Errand
from flowweaver.executors._workers.modules import Meant
from flowweaver.executors._workers.outcome import tell, value_in
from flowweaver.executors._workers.overheard import HeardLog, Overheard
from flowweaver.executors._workers.packing import unpack
from flowweaver.executors._workers.wire import Message, Packed
from flowweaver.executors._workers.worker import (
    Function,
    judge_imports,
    load_function,
    missing,
)
from flowweaver.executors.local import LocalBackend
from flowweaver.plugins import (
    Call,
    CallScope,
    LogBuffer,
    LoopThread,
    Task,
    capturing,
    failure_of,
    hear_bodies,
    is_coroutine_function,
    keep_free_in_copies,
    perform,
    refuse_copy,
)
from flowweaver.serialize import Encoded

# After so long a job hands back the calls that it has not begun: they were expected to be short,
# and are not.
_LONGEST_JOB_SECONDS = 0.05
# Signs of life that come faster than this are not sent on.
_BEAT_EVERY_SECONDS = 0.05
_MOST_FUNCTIONS = 256


class Channel(Protocol):
    """A worker's connection to the runner while it performs a job."""

    def tell(self, message: Message) -> None:
        """Send a message; returns at once."""
        ...

    def ask(self, message: Message) -> Any:
        """Send a message and wait for the answer."""
        ...


class Request(NamedTuple):
    """One call: the number of its function in the job, and what the function is called with."""

    function: int
    name: str
    element: str
    attempt: int
    arguments: Packed


@dataclass(frozen=True, slots=True)
class Job:
    """Calls that go to the cluster together, as one of its tasks.

    Attributes:
        id: Unique among all jobs of all runs.
        workflow: The workflow's name.
        run_id: The run's id.
        meant: What the runner's process has loaded of the project.
        storing: Whether results are to be encoded for a store.
        apart: Whether the only call is performed so that it can be given up.
        isolate: Whether that takes a process of its own.
        tells_after: Seconds after which the start of the only call is reported, unless it has ended
            by then; None if it is not.
        functions: The packed functions of the calls.
        requests: The calls.
    """

    id: str
    workflow: str
    run_id: str
    meant: Meant
    storing: bool
    apart: bool
    isolate: bool
    tells_after: float | None
    functions: tuple[Packed, ...]
    requests: tuple[Request, ...]


class Reference(NamedTuple):
    """Stands for an argument that is on the cluster: its number among those given with a job."""

    number: int


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a job: a message for each call that was performed, when it ended, and where.

    `ended` is a moment of the worker's monotonic clock, in seconds.
    """

    messages: tuple[Message, ...]
    ended: float
    worker: str


class WorkerLink:
    """The link of the bodies of one job."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._beat = 0.0
        self._pid = os.getpid()

    def beat(self, call: Call) -> None:
        """Give a sign of life, now and then."""
        refuse_copy(self._pid, call.name)
        now = monotonic()
        if now - self._beat >= _BEAT_EVERY_SECONDS:
            self._beat = now
            self._channel.tell(("beat", call.node))

    def load_state(self, call: Call) -> Mapping[str, Encoded]:
        """Return what earlier attempts of the TaskRun kept."""
        kept: Mapping[str, Encoded] = self._ask(call, "load_state")
        return kept

    def save_state(self, call: Call, name: str, value: Encoded | None) -> None:
        """Keep an item, or drop it (None); durable on return."""
        self._ask(call, "save_state", name, value)

    def _ask(self, call: Call, *question: Any) -> Any:
        refuse_copy(self._pid, call.name)
        if call.finished:
            raise FlowWeaverError(f"The attempt of {call.name!r} that this belongs to is over.")
        ok, answer = self._channel.ask(("ask", call.node, *question))
        if ok:
            return answer
        raise unpack(answer)


def perform_job(
    payload: bytes,
    channel: Channel,
    given: Sequence[bytes] = (),
    overheard: Overheard | None = None,
) -> bytes:
    """Perform the calls of a pickled `Job` and return the pickled `Report`.

    `given` are reports of other jobs, whose results the arguments refer to. `overheard` listens to
    the programs that bodies start, in a process that has one body at a time.
    """
    job: Job = pickle.loads(payload)
    modules.here.look()
    link = WorkerLink(channel)
    # Results are encoded after the call, so that one that can't be here can be elsewhere.
    context = copy_context()
    storing = job.storing
    scope = CallScope(
        job.workflow,
        job.run_id,
        link,
        storing=False,
        logging=storing,
        watching=storing,
        context=context,
    )
    performer = _Performer(job, scope, channel, given, overheard if job.storing else None)
    began, messages = monotonic(), []
    hear_bodies()
    with capturing():
        for number, request in enumerate(job.requests):
            messages.append(performer.perform(number, request))
            if monotonic() - began > _LONGEST_JOB_SECONDS:
                break
        _loop.end_left(scope)
    return pickle.dumps(Report(tuple(messages), monotonic(), _called()), 5)


def give_up(job_id: str) -> None:
    """Let the job of that id, if it is performed here, end without waiting for its body."""
    with _lock:
        waiting = _given_up.get(job_id)
    if waiting is not None:
        waiting.set()


class _Performer:
    """Performs the calls of one job."""

    def __init__(
        self,
        job: Job,
        scope: CallScope,
        channel: Channel,
        given: Sequence[bytes],
        overheard: Overheard | None,
    ) -> None:
        self._job = job
        self._scope = scope
        self._channel = channel
        self._given = given
        self._overheard = overheard

    def perform(self, number: int, request: Request) -> Message:
        """Perform a call and return the message with its outcome."""
        job = self._job
        try:
            call = self._call_of_meant_code(number, request)
        except BaseException as error:
            return "refused", missing(error), failure_of(error)
        with self._announced(number), self._listening(call):
            if not job.apart and not is_coroutine_function(call.task.fn):
                perform(call, _loop.wait_for)
            elif not _perform_apart(job.id, call):
                return ("given up",)
        call.finished = True
        judge_imports(call, job.meant)
        return call.died, tell(call, Errand.REPORT, storing=job.storing, in_main_again=False)

    @contextmanager
    def _announced(self, number: int) -> Iterator[None]:
        """Report the start of a call, at once or after a moment."""
        after, told = self._job.tells_after, ("began", number, _called(), self._job.tells_after)
        if after is None:
            yield
        elif after == 0:
            self._channel.tell(told)
            yield
        else:
            later = threading.Timer(after, self._channel.tell, (told,))
            later.daemon = True
            later.start()
            try:
                yield
            finally:
                later.cancel()

    @contextmanager
    def _listening(self, call: Call) -> Iterator[None]:
        """Keep what a body prints and, if it can be heard, what programs write that it starts."""
        overheard = self._overheard
        if overheard is None:
            call.log = LogBuffer() if self._scope.logging else None
            yield
            return
        call.log = log = HeardLog(overheard)
        overheard.begin(log.hear)
        try:
            yield
        finally:
            overheard.end()

    def _call_of_meant_code(self, number: int, request: Request) -> Call:
        """Return a call to be performed, with its modules loaded anew if they are not as meant."""
        here = modules.here
        for anew in (False, True):
            here.look(closely=False)
            error: BaseException | None = None
            try:
                call = self._call(number, request)
            except BaseException as caught:
                error = caught
            here.look(closely=False)
            other_code = here.other_code(self._job.meant, anew=anew)
            if other_code is None:
                break
            error = other_code
            _forget_modules()
        if error is not None:
            raise error
        return call

    def _call(self, number: int, request: Request) -> Call:
        fn, options = _function(self._job.functions[request.function])
        task = Task.of(request.name, fn, replace(options, isolate=self._job.isolate))
        kwargs, condition = unpack(request.arguments)
        given = _resolved(kwargs, self._given)
        call = Call(self._scope, number, task, request.element, request.attempt, given)
        call.condition = None if condition is None else _resolved(condition, self._given)
        return call


def _forget_modules() -> None:
    modules.here.forget()
    with _lock:
        _functions.clear()


def _resolved(arguments: Mapping[str, Any], given: Sequence[bytes]) -> dict[str, Any]:
    return {
        name: _result(given[value.number]) if type(value) is Reference else value
        for name, value in arguments.items()
    }


def _result(report: bytes) -> Any:
    """Return the result of the only call of a report."""
    ((_, told),) = pickle.loads(report).messages
    return value_in(told)


class _SingleCallHost:
    """The host of a backend that performs a single call in this process."""

    blocking = False
    coroutines = True

    def __init__(self, *, isolated: bool) -> None:
        self.isolated = isolated
        self.loop = _loop
        self.ended = threading.Event()

    def done(self, _: Call) -> None:
        self.ended.set()

    def waiting(self, _: str) -> None:
        """Nobody watches from here."""

    def lost(self, _: Exception) -> None:
        self.ended.set()


def _perform_apart(job_id: str, call: Call) -> bool:
    """Perform a call where it can be left behind or killed; False if it was given up."""
    host = _SingleCallHost(isolated=call.task.options.isolate)
    backend = LocalBackend(host, 1, inline=False, prefetch=False)
    with _lock:
        _given_up[job_id] = host.ended
    try:
        backend.submit(call)
        host.ended.wait()
        if not call.finished:
            backend.cancel(call)
        return not call.over
    finally:
        backend.close()
        with _lock:
            del _given_up[job_id]


def _called() -> str:
    """Return this worker's name, ``host:pid``."""
    return f"{platform.node()}:{os.getpid()}"


def _function(packed: Packed) -> Function:
    """Return a function; it is unpacked once for all jobs that call it."""
    data, buffers = packed
    if buffers:
        return load_function(packed)
    key = bytes(data)
    with _lock:
        if key in _functions:
            _functions.move_to_end(key)
            return _functions[key]
    loaded = load_function(packed)
    with _lock:
        _functions[key] = loaded
        if len(_functions) > _MOST_FUNCTIONS:
            _functions.popitem(last=False)
    return loaded


# That all coroutines of this process run in.
_loop = LoopThread(shared=True)

_lock = threading.Lock()
keep_free_in_copies(_lock)
_functions: OrderedDict[bytes, Function] = OrderedDict()
_given_up: dict[str, threading.Event] = {}

__all__ = ["Channel", "Job", "Reference", "Report", "Request", "give_up", "perform_job"]

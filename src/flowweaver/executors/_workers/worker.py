"""What runs in a worker process: take up a call, perform it, send back its outcome."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import Context, copy_context
from io import TextIOWrapper
from time import monotonic
from typing import TYPE_CHECKING, Any

from flowweaver.errors import FlowWeaverError
from flowweaver.executors._workers import identity, modules
from flowweaver.executors._workers.identity import Errand
from flowweaver.executors._workers.logs import Forwarding
from flowweaver.executors._workers.modules import Meant, OtherCodeError
from flowweaver.executors._workers.outcome import tell
from flowweaver.executors._workers.overheard import HeardLog, Overheard
from flowweaver.executors._workers.packing import code_mark, unpack, with_options
from flowweaver.executors._workers.script import MainSource, run_again
from flowweaver.executors._workers.setup import Setup
from flowweaver.executors._workers.sidelines import Permits, Tray
from flowweaver.executors._workers.wire import (
    LOG_AT,
    LOG_HEAD,
    MARK,
    MARK_AT,
    Item,
    Message,
    Packed,
    Wire,
)
from flowweaver.plugins import (
    Call,
    CallScope,
    Task,
    TaskOptions,
    capturing,
    failure_of,
    hear_bodies,
    in_one_process,
    perform,
    refuse_copy,
    share_large,
)
from flowweaver.serialize import Encoded

if TYPE_CHECKING:
    import asyncio

Function = tuple[Callable[..., Any], TaskOptions]

# Signs of life that come faster than this are not sent on.
_BEAT_EVERY_SECONDS = 0.02
_MOST_KEPT_BYTES = 256 * 1024


class PipeLink:
    """The link of the bodies in a worker to their run, by way of the supervisor."""

    def __init__(self, wire: Wire, tray: Tray) -> None:
        self._wire = wire
        self._tray = tray
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._beat = 0.0
        self._logs = Forwarding(self._forward)
        self._logs.install()

    def begin(self) -> None:
        """Note that a call is under way."""
        self._logs.is_open = True

    def began(self, number: int, *, is_last: bool) -> None:
        """Report that the body of a call with a time limit is about to be called."""
        with self._lock:
            self._say(("began", number, monotonic()), is_last=is_last)

    def beat(self, call: Call) -> None:
        """Give a sign of life, now and then."""
        now = monotonic()
        if now - self._beat >= _BEAT_EVERY_SECONDS:
            self._beat = now
            with self._lock:
                self._check(call)
                self._wire.send(("beat",))

    def load_state(self, call: Call) -> Mapping[str, Encoded]:
        """Return what earlier attempts of the TaskRun kept."""
        kept: Mapping[str, Encoded] = self._ask(call, "load_state")
        return kept

    def save_state(self, call: Call, name: str, value: Encoded | None) -> None:
        """Keep an item, or drop it (None); durable on return."""
        self._ask(call, "save_state", name, value)

    def finish(self, call: Call, number: int, outcome: Message, *, is_last: bool) -> None:
        """Send the outcome of the call of that number in its request; nothing follows it."""
        with self._lock:
            call.finished = True
            self._logs.is_open = False
            self._say(("done", number, outcome), is_last=is_last)

    def _say(self, message: Message, *, is_last: bool) -> None:
        """Send a message about a call; the supervisor is woken for the last call of a request."""
        if is_last or not self._tray.lay(message):
            self._wire.send(message)

    def _forward(self, record: Mapping[str, Any]) -> None:
        with self._lock:
            self._wire.send(("log", record))

    def _ask(self, call: Call, *question: Any) -> Any:
        with self._lock:
            self._check(call)
            self._wire.send(("ask", *question))
            _, ok, answer = self._wire.receive()
        if ok:
            return answer
        raise unpack(answer)

    def _check(self, call: Call) -> None:
        if call.finished:
            raise FlowWeaverError(f"The attempt of {call.name!r} that this belongs to is over.")
        refuse_copy(self._pid, call.name)


class KeptLog(HeardLog):
    """The log of one attempt, whose beginning outlives this process if it is killed.

    Args:
        fd: The crash file, which the supervisor has open too.
        body: The number of the body among those called here.
        overheard: Listens to the processes that the body starts.
    """

    __slots__ = ("_body", "_fd", "_kept")

    def __init__(self, fd: int, body: int, overheard: Overheard) -> None:
        super().__init__(overheard)
        self._fd = fd
        self._body = body
        self._kept = 0

    def hear(self, text: str) -> None:
        """Add text, here and in the file."""
        super().hear(text)
        if self._kept < _MOST_KEPT_BYTES:
            data = text.encode("utf-8", "backslashreplace")[: _MOST_KEPT_BYTES - self._kept]
            os.pwrite(self._fd, data, LOG_AT + LOG_HEAD.size + self._kept)
            self._kept += len(data)
            os.pwrite(self._fd, LOG_HEAD.pack(self._body, self._kept), LOG_AT)


class Worker:
    """Performs calls for the supervisor until it is told to end.

    Coroutines run in one event loop that is kept from call to call.
    """

    def __init__(
        self, wire: Wire, permits: Permits, tray: Tray, crash_fd: int, overheard: Overheard
    ) -> None:
        self._wire = wire
        self._permits = permits
        self._crash_fd = crash_fd
        self._overheard = overheard
        self._link = PipeLink(wire, tray)
        self._setup: Setup | None = None
        self._scope: CallScope | None = None
        self._functions: dict[int, Function] = {}
        self._main: MainSource | None = None
        self._calls = 0
        # Whether what is loaded here is known to be what is meant.
        self._is_judged = False
        self._loop: asyncio.Runner | None = None

    def run(self) -> None:
        """Perform calls until told to end, or until the supervisor is gone."""
        self._wire.send(("hello",))
        try:
            while (message := self._wire.receive())[0] == "calls":
                self._perform_all(*message[1:])
                del message  # so that it keeps no arguments alive while it waits
        except (EOFError, ConnectionError):
            os._exit(1)
        if self._loop is not None:
            self._loop.close()

    def _perform_all(
        self, setup: Setup | None, functions: dict[int, Packed], items: list[Message]
    ) -> None:
        modules.here.look(closely=False)
        self._is_judged = False  # files may have been changed meanwhile
        last = len(items) - 1
        for number, item in enumerate(items):
            if not self._permits.take():
                self._wire.send(("over",))
                return
            request = Item(*item)
            call = self._taken_up(setup, functions, request)
            if call is None:
                return
            setup = None
            if request.is_limited:
                self._link.began(number, is_last=number == last)
            self._perform(call, number, is_last=number == last)

    def _taken_up(
        self, setup: Setup | None, functions: dict[int, Packed], request: Item
    ) -> Call | None:
        """Return a call ready to be performed; None, once that is reported, if it can't be."""
        self._link.begin()
        try:
            if setup is not None:
                self._take_over(setup)
            is_new = request.function not in self._functions
            if is_new:
                self._functions[request.function] = load_function(functions[request.function])
            fn, options = self._functions[request.function]
            task = Task.of(request.name, fn, options)
            kwargs, condition = unpack(request.arguments)
            has_more = modules.here.look(closely=False)
            error = None
            if is_new or has_more or not self._is_judged:
                error = self._other_code(closely=is_new)
        except BaseException as caught:
            error = self._other_code(closely=True) or caught
        if error is not None:
            self._wire.send(("refused", missing(error), failure_of(error)))
            return None
        self._is_judged = True
        assert self._setup is not None
        assert self._scope is not None
        call = Call(self._scope, 0, task, request.element, request.attempt, kwargs)
        call.condition = condition
        if self._setup.logging:
            call.log = KeptLog(self._crash_fd, self._calls + 1, self._overheard)
        return call

    def _perform(self, call: Call, number: int, *, is_last: bool) -> None:
        assert self._setup is not None
        self._calls += 1
        os.pwrite(self._crash_fd, MARK.pack(self._calls), MARK_AT)
        self._overheard.begin(call.log.hear if isinstance(call.log, HeardLog) else None)
        perform(call, self._wait_for)
        self._overheard.end()
        self._is_judged = judge_imports(call, self._setup.meant)
        storing, in_main_again = self._setup.storing, self._main is not None
        outcome = tell(call, Errand.REPLY, storing=storing, in_main_again=in_main_again)
        _flush_output()
        self._link.finish(call, number, outcome, is_last=is_last)

    def _take_over(self, setup: Setup) -> None:
        setup.take_over()
        if setup.main != self._main and setup.main is not None:
            run_again(setup.main)
            self._main = setup.main
        self._overheard.listen(wanted=setup.logging)
        self._functions.clear()
        identity.begin_run()
        self._setup = setup
        # Results are encoded after the call, so that one that can't be here can be elsewhere.
        self._scope = CallScope(
            setup.workflow,
            setup.run_id,
            self._link,
            storing=False,
            context=Context(),
            spool=setup.spool,
            watching=setup.storing,
        )

    def _other_code(self, *, closely: bool) -> BaseException | None:
        modules.here.look(closely=closely)
        if self._setup is None:
            return None
        return modules.here.other_code(self._setup.meant, anew=not self._calls)

    def _wait_for(self, awaitable: Awaitable[Any]) -> Any:
        if self._loop is None:
            import asyncio

            self._loop = asyncio.Runner()
        return self._loop.run(in_one_process(_awaited(awaitable)), context=copy_context())


def serve(wire: Wire, permits: Permits, tray: Tray, crash_fd: int, overheard: Overheard) -> None:
    """Be a worker to whoever holds the other end of the wire.

    A crash of the interpreter is written to the file `crash_fd`.
    """
    faulthandler.enable(crash_fd, all_threads=False)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a kill must not swallow what was printed
    share_large()  # with the supervisor, who maps large results
    hear_bodies()
    with capturing():
        Worker(wire, permits, tray, crash_fd, overheard).run()


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    """Await what a body returned, and end the asyncio tasks it left: the loop rests after that."""
    import asyncio

    from flowweaver.plugins import end_tasks

    try:
        return await awaitable
    finally:
        await end_tasks(asyncio.all_tasks())


def load_function(packed: Packed) -> Function:
    """Return a packed function with its options.

    Raises:
        OtherCodeError: It has other code here than where it was packed.
    """
    fn, mark, *options = unpack(packed)
    if code_mark(fn) != mark:
        module = fn.__module__
        raise OtherCodeError(f"{fn.__qualname__} of {module} has other code here", name=module)
    return fn, with_options(*options)


def judge_imports(call: Call, meant: Meant) -> bool:
    """Fail a call whose body has imported other code than is meant; return whether it has not.

    The modules loaded before the call must have been checked already.
    """
    if not modules.here.look(closely=False):
        return True
    error = modules.here.other_code(meant, anew=True)
    if error is not None and call.fault is None:
        call.fail(error, for_good=True)
    return error is None


def missing(error: BaseException) -> str | None:
    """Return the module at fault for an error, "" if it is unknown, None if none is at fault."""
    if isinstance(error, ImportError):
        return error.name or ""
    return "" if isinstance(error, AttributeError) else None


def _flush_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the body may have closed or replaced it
            stream.flush()

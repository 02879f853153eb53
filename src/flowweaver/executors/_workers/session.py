"""The calls of one run that a pool performs, and the requests that send them to workers."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from flowweaver.executors._pace import Pace
from flowweaver.executors._workers.handle import WorkerHandle
from flowweaver.executors._workers.packing import Packer, UnsendableError, made_of
from flowweaver.executors._workers.setup import Setup
from flowweaver.executors._workers.wire import Item, Message, Packed, size_of
from flowweaver.plugins import Call, Task

_numbers = itertools.count(1)

# For about how long the calls that a worker is given at once are to keep it busy.
_BATCH_SECONDS = 0.005
# How many batches a worker that gets several calls at once is to have: the one it works on, and the
# next.
_BATCHES_AHEAD = 2
# What a worker spends around a body.
_SHORTEST_SECONDS = 2e-5
# A request of this size takes no more calls.
_LARGEST_REQUEST_BYTES = 1_000_000


class Performer(Protocol):
    """What a session asks of its pool."""

    def submit(self, session: Session, call: Call) -> None:
        """Have a call performed by the next free worker."""

    def cancel(self, call: Call) -> None:
        """Give a call up unless it has finished."""

    def cancel_all(self, session: Session) -> None:
        """Give up all calls of a session that wait or run."""


class Session:
    """The calls of one run, on their way to the workers of a pool.

    A function is packed once a run, and sent once to each worker.

    Attributes:
        done: Told of each call that ended.
        capacity: How many calls are performed at once.
        slots: How many slots have calls of it or were asked to take some. Guarded by the
            pool's lock.
        waiting: Calls that no slot has taken. Guarded by the pool's lock.
        pace: How long calls take. Guarded by the pool's lock.
        dispatch: The way to send its next calls.
    """

    def __init__(self, pool: Performer, done: Callable[[Call], None], capacity: int) -> None:
        self.done = done
        self.capacity = capacity
        self.slots = 0
        self.waiting: deque[Call] = deque()
        self.pace = Pace(_BATCH_SECONDS, _SHORTEST_SECONDS)
        self.dispatch = Dispatch(Packer())
        self._pool = pool

    def submit(self, call: Call) -> None:
        """Have a call performed by the next free worker."""
        self._pool.submit(self, call)

    def cancel(self, call: Call) -> None:
        """Set `call.over` unless it has finished, and kill the worker it is in, if it is in one."""
        self._pool.cancel(call)

    def keep_to(self, dispatch: Dispatch) -> None:
        """Send what comes as these calls were sent, if it goes by modules that no worker finds.

        Each task that refers to one would cost its own workers otherwise.
        """
        if dispatch.is_for_all and dispatch.by_value > self.dispatch.by_value:
            self.dispatch = dispatch

    def close(self) -> None:
        """Cancel what still waits or runs."""
        self._pool.cancel_all(self)

    @property
    def ahead(self) -> int:
        """How many calls are enough for its workers never to wait for the next ones."""
        most = self.pace.most
        return self.capacity * (1 if most == 1 else most * _BATCHES_AHEAD)

    def next(self) -> list[Call]:
        """Take calls that can go together. Called with the pool's lock held."""
        waiting = self.waiting
        calls: list[Call] = []
        # The calls are shared out, so that no worker is idle while another has several.
        most = max(1, len(waiting) // self.capacity)
        while waiting and len(calls) < most:
            together = self._together(waiting[0])
            if calls and together <= len(calls):
                break
            call = waiting.popleft()
            if not call.over:
                calls.append(call)
                most = min(most, together)
        return calls

    def _together(self, call: Call) -> int:
        # After a crash a person is asked about each such start, so it has to be known precisely.
        return 1 if call.task.options.acts_once else self.pace.together(call)


class Dispatch:
    """The requests of one run to its workers, packed in one way.

    Attributes:
        is_for_all: Whether the way suits every task, not only the one that it was found for.
    """

    def __init__(self, packer: Packer, *, is_for_all: bool = True) -> None:
        self.is_for_all = is_for_all
        self._packer = packer
        self._lock = threading.Lock()
        self._setup: Setup | None = None
        self._functions: dict[object, Function] = {}

    @property
    def by_value(self) -> frozenset[str]:
        """The modules whose functions and classes are sent by value."""
        return self._packer.by_value

    def adapted(self, task: Task[..., Any], missing: str) -> Dispatch | None:
        """Return another way of packing to try where this one failed; see `Packer.adapted`."""
        packer = self._packer.adapted(task, missing)
        if packer is None:
            return None
        is_for_all = self.is_for_all and missing != "" and packer.main is None
        return Dispatch(packer, is_for_all=is_for_all)

    def with_main_again(self) -> Dispatch | None:
        """Return a way of packing that sends the main module's definitions by name, if possible."""
        packer = self._packer.with_main_again()
        return None if packer is None else Dispatch(packer, is_for_all=False)

    def request(self, worker: WorkerHandle, calls: Sequence[Call]) -> Request:
        """Return a request that a worker perform calls, with the functions it does not have yet.

        It ends before a call that can't be packed, and once it is large enough.

        Raises:
            UnsendableError: The first task or its arguments can't be packed.
        """
        with self._lock:
            if self._setup is None:
                self._setup = Setup.here(next(_numbers), calls[0].scope, self._packer.main)
        request = Request(None, {}, [])
        if worker.setup != self._setup.number:
            request = Request(self._setup, {}, [])
            worker.forget()  # what it has is certain only once it has accepted
        size = 0
        with self._packer.packing_arguments() as pack:
            for call in calls:
                try:
                    function, arguments = self._packed(call, pack)
                except UnsendableError:
                    if request.items:
                        break
                    raise
                if function.number not in worker.functions:
                    request.functions[function.number] = function.packed
                request.items.append(_item(call, function.number, arguments))
                size += size_of(arguments)
                if size >= _LARGEST_REQUEST_BYTES:
                    break
        return request

    def accepted(self, worker: WorkerHandle, function: int) -> None:
        """Note that a worker has the setup and the function, as it has performed a call of it."""
        assert self._setup is not None
        worker.calls += 1
        worker.setup = self._setup.number
        worker.functions.add(function)

    def _packed(self, call: Call, pack: Callable[[Call], Packed]) -> tuple[Function, Packed]:
        with self._lock:
            function = self._function(call.task)
        return function, pack(call)

    def _function(self, task: Task[..., Any]) -> Function:
        key = made_of(task)
        if key not in self._functions:
            packed, sent = self._packer.pack_function(task)
            self._functions[key] = Function(next(_numbers), packed, (task, *sent))
        return self._functions[key]


class Request(NamedTuple):
    """Calls for a worker, and what it needs for them: the functions by number."""

    setup: Setup | None
    functions: dict[int, Packed]
    items: list[Item]

    def message(self) -> Message:
        """Return what goes over the wire."""
        return "calls", self.setup, self.functions, [tuple(item) for item in self.items]


@dataclass(frozen=True, slots=True)
class Function:
    """The packed function of one task or several; `parts` keeps alive what replies refer to."""

    number: int
    packed: Packed
    parts: tuple[Any, ...]


def _item(call: Call, function: int, arguments: Packed) -> Item:
    limited = is_limited(call)
    return Item(function, call.task.name, call.element, call.attempt, limited, arguments)


def is_limited(call: Call) -> bool:
    """Whether a call has a time limit."""
    options = call.task.options
    return options.timeout is not None or options.idle_timeout is not None

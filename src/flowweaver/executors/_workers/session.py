"""What one run has performed by a pool."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from flowweaver.executors._workers.handle import WorkerHandle
from flowweaver.executors._workers.packing import Packer
from flowweaver.executors._workers.setup import Setup
from flowweaver.executors._workers.wire import Message, Packed
from flowweaver.plugins import Call, Task

_numbers = itertools.count(1)


class Performer(Protocol):
    """What a session asks of the pool that it is one of."""

    def submit(self, session: Session, call: Call) -> None:
        """Have a call performed by the next free worker."""

    def cancel(self, session: Session, call: Call) -> None:
        """Give a call up unless it has finished."""

    def cancel_all(self, session: Session) -> None:
        """Give up what waits or runs."""


class Session:
    """The calls of one run, on their way to the workers of a pool.

    A function is packed once a run, and sent once to each worker.

    Attributes:
        done: Told of each call that ended.
        capacity: How many calls are performed at once.
        active: Those that have a place or are about to get one. Guarded by the pool's lock.
        waiting: Those that wait for one of these to end. Guarded by the pool's lock.
    """

    def __init__(self, pool: Performer, done: Callable[[Call], None], capacity: int) -> None:
        self.done = done
        self.capacity = capacity
        self.active: set[Call] = set()
        self.waiting: deque[Call] = deque()
        self.dispatch = Dispatch(Packer())
        self._pool = pool

    def submit(self, call: Call) -> None:
        """Have a call performed by the next free worker."""
        self._pool.submit(self, call)

    def cancel(self, call: Call) -> None:
        """Set `call.over` unless it has finished, and kill the worker it is in, if it is in one."""
        self._pool.cancel(self, call)

    def close(self) -> None:
        """Cancel what still waits or runs."""
        self._pool.cancel_all(self)


class Dispatch:
    """The requests of one run for its workers, in one way of packing."""

    def __init__(self, packer: Packer) -> None:
        self._packer = packer
        self._lock = threading.Lock()
        self._setup: Setup | None = None
        self._functions: dict[object, Function] = {}

    def adapted(self, task: Task[..., Any], missing: str) -> Dispatch | None:
        """Return another way that may serve where this one failed; see `Packer.adapted`."""
        packer = self._packer.adapted(task, missing)
        return None if packer is None else Dispatch(packer)

    def with_main_again(self) -> Dispatch | None:
        """Return a way that refers to what the main module defines, if that can be done."""
        packer = self._packer.with_main_again()
        return None if packer is None else Dispatch(packer)

    def request(self, worker: WorkerHandle, call: Call) -> Message:
        """Return the message that has a worker perform a call, with what it does not have yet.

        Raises:
            UnsendableError: The task or an argument can't be packed.
        """
        with self._lock:
            if self._setup is None:
                self._setup = Setup.here(next(_numbers), call.scope, self._packer.main)
            function = self._function(call.task)
        arguments = self._packer.pack_arguments(call)
        setup = None
        if worker.setup != self._setup.number:
            setup = self._setup
            worker.forget()  # until it has accepted, it is sure of nothing
        packed = None if function.number in worker.functions else function.packed
        what = call.task.name, call.element, call.attempt, is_limited(call)
        return "call", setup, function.number, packed, *what, arguments

    def accepted(self, worker: WorkerHandle, request: Message) -> None:
        """Note what a worker has now that has performed the call of a request."""
        assert self._setup is not None
        worker.calls += 1
        worker.setup = self._setup.number
        worker.functions.add(request[2])

    def _function(self, task: Task[..., Any]) -> Function:
        options = task.options
        key = id(task.fn), id(options.retry_on), id(options.backoff), id(options.when)
        if key not in self._functions:
            packed, sent = self._packer.pack_function(task)
            self._functions[key] = Function(next(_numbers), packed, (task, *sent))
        return self._functions[key]


@dataclass(frozen=True, slots=True)
class Function:
    """The function of a task, or of several, packed; `parts` keeps alive what it was made of."""

    number: int
    packed: Packed
    parts: tuple[Any, ...]


def is_limited(call: Call) -> bool:
    """Whether the time that a call takes counts."""
    options = call.task.options
    return options.timeout is not None or options.idle_timeout is not None

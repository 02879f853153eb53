"""A pool of warm worker processes, and the calls that go to them."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic

from flowweaver.errors import DefinitionError, FlowWeaverError
from flowweaver.executors._workers.nursery import Nursery
from flowweaver.executors._workers.outcome import Outcome
from flowweaver.executors._workers.place import Place
from flowweaver.executors._workers.script import running_main_again
from flowweaver.executors._workers.server import (
    DEFAULT_START_METHOD,
    START_METHODS,
    StartMethod,
)
from flowweaver.executors._workers.session import Session
from flowweaver.plugins import Call

# How long a worker stays warm without work.
_IDLE_SECONDS = 30.0
# How long `close` waits for calls that still run, before it kills them.
_CLOSING_SECONDS = 2.0

_pools: weakref.WeakSet[WorkerPool] = weakref.WeakSet()


class WorkerPool:
    """Worker processes that perform the calls of any number of runs.

    Nothing is started before the first call. A worker is started when a call finds none free,
    serves one call after the other, and ends after 30 s without any, when it has loaded other code
    than is meant, with `close`, or with this process. It leads a process group of its own: what a
    body starts ends with its worker, unless it starts a session of its own.

    Args:
        start_method: "forkserver" forks a process that has run none of the user's code; "spawn"
            starts an interpreter for each worker.
    """

    def __init__(self, start_method: StartMethod = DEFAULT_START_METHOD) -> None:
        if start_method not in START_METHODS:
            raise DefinitionError(
                f"start_method must be one of {', '.join(START_METHODS)}, not {start_method!r}"
            )
        if sys.platform == "win32":
            raise DefinitionError(
                "worker processes need a POSIX system such as Linux or macOS; use ThreadedExecutor"
            )
        self.start_method = start_method
        self._begin()
        _pools.add(self)

    def begin_in_copy(self) -> None:
        """Set out with nothing in a forked copy of this process, and hold nothing of the others."""
        for place in (*self._places, *self._leaving):
            place.close_copy()
        self.nursery.close_copy()
        self._begin()

    def _begin(self) -> None:
        self.lock = threading.Lock()
        self.nursery = Nursery(self.start_method)
        self._queue: SimpleQueue[tuple[Session, Call] | None] = SimpleQueue()
        self._places: set[Place] = set()
        self._leaving: set[Place] = set()
        self._busy: dict[Call, Place] = {}
        # How many places are free beyond those that calls in the queue will take.
        self._spare = 0
        self._closed = False

    def open(self, done: Callable[[Call], None], capacity: int) -> Session:
        """Return a way to have the calls of one run performed.

        Args:
            done: Told of each call that ended, from any thread.
            capacity: How many of them are performed at once.

        Raises:
            FlowWeaverError: This is a worker that only looks for what a script defines.
        """
        if running_main_again.is_set():
            raise FlowWeaverError(
                "a worker process runs this script again for what it defines: put what runs the "
                'workflow under `if __name__ == "__main__":`'
            )
        return Session(self, done, capacity)

    def submit(self, session: Session, call: Call) -> None:
        """Have a call performed, now or when another one of its run has ended."""
        with self.lock:
            self._closed = False
            if len(session.active) < session.capacity:
                self._dispatch(session, call)
            else:
                session.waiting.append(call)

    def cancel(self, session: Session, call: Call) -> None:
        """Have a call no longer count, and kill the worker it is in; its place is free at once."""
        with self.lock:
            self._cancel(session, call)

    def cancel_all(self, session: Session) -> None:
        """Cancel all calls of a run that have not ended."""
        with self.lock:
            for call in (*session.waiting, *session.active):
                self._cancel(session, call)

    def close(self) -> None:
        """End all workers. The pool can be used again afterwards."""
        with self.lock:
            self._closed = True
            for _ in self._places:
                self._queue.put(None)
            places = [*self._places, *self._leaving]
        deadline = monotonic() + _CLOSING_SECONDS
        for place in places:
            place.join(max(0.0, deadline - monotonic()))
        with self.lock:
            for place in self._busy.values():
                place.give_up()
        for place in places:
            place.join(_CLOSING_SECONDS)

    def abandon(self) -> None:
        """Let all places end when they can, without waiting or locking: nobody has the pool."""
        self._closed = True
        for _ in range(len(self._places)):
            self._queue.put(None)

    # What places ask and say -------------------------------------------------------------------

    def take(self, place: Place) -> tuple[Session, Call] | None:
        """Return the next call, or None when the place is to end."""
        while True:
            try:
                taken = self._queue.get(timeout=_IDLE_SECONDS)
            except Empty:
                taken = None
            with self.lock:
                if taken is None:
                    self._spare -= 1
                    self._move_out(place)
                    self._add_place_if_needed()
                    return None
                if not taken[1].over:
                    self._busy[taken[1]] = place
                    return taken
                self._spare += 1

    def finish(self, session: Session, call: Call, outcome: Outcome) -> bool:
        """Hand in a call's outcome; False if the place was taken away under it."""
        with self.lock:
            call.finished = True
            if call.over:
                return False
            del self._busy[call]
            self._spare += 1
            outcome.put_into(call)
            self._release(session, call)
        session.done(call)
        return True

    def take_back(self, place: Place) -> bool:
        """Let a place that was taken away stay if it would be the only one left."""
        with self.lock:
            if self._places or self._closed:
                return False
            self._leaving.discard(place)
            self._places.add(place)
            self._spare += 1
            return True

    def left(self, place: Place) -> None:
        """A place has ended: with the last one, the process that starts workers ends too."""
        with self.lock:
            self._leaving.discard(place)
            if self._places or self._leaving:
                return
            nursery, self.nursery = self.nursery, Nursery(self.start_method)
        nursery.close()

    def _cancel(self, session: Session, call: Call) -> None:
        if call.finished:
            return
        call.over = True
        place = self._busy.pop(call, None)
        if place is not None:
            self._move_out(place)
            place.give_up()
        self._release(session, call)

    def _move_out(self, place: Place) -> None:
        self._places.discard(place)
        self._leaving.add(place)

    def _dispatch(self, session: Session, call: Call) -> None:
        session.active.add(call)
        self._spare -= 1
        self._queue.put((session, call))
        self._add_place_if_needed()

    def _release(self, session: Session, call: Call) -> None:
        """A call has left the place that its run has for it: the next one may have it."""
        if call not in session.active:
            return
        session.active.discard(call)
        while session.waiting:
            following = session.waiting.popleft()
            if not following.over:
                self._dispatch(session, following)
                return

    def _add_place_if_needed(self) -> None:
        if self._spare < 0:
            self._spare += 1
            place = Place(self)
            self._places.add(place)
            place.start()


@atexit.register
def _close_all() -> None:
    for pool in list(_pools):
        pool.close()


def _begin_anew() -> None:
    for pool in list(_pools):
        pool.begin_in_copy()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)

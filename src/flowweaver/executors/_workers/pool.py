"""A pool of warm worker processes, and the calls that go to them."""

from __future__ import annotations

import atexit
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from time import monotonic

from flowweaver.errors import DefinitionError, FlowWeaverError
from flowweaver.executors._workers.batch import Batch
from flowweaver.executors._workers.nursery import Nursery
from flowweaver.executors._workers.outcome import Outcome
from flowweaver.executors._workers.script import running_main_again
from flowweaver.executors._workers.server import (
    DEFAULT_START_METHOD,
    START_METHODS,
    StartMethod,
)
from flowweaver.executors._workers.session import Session
from flowweaver.executors._workers.sidelines import Permits
from flowweaver.executors._workers.slot import Slot
from flowweaver.plugins import Call

# How long a worker stays warm without work.
_IDLE_SECONDS = 30.0
# How long `close` waits for calls that still run, before it kills them.
_CLOSING_SECONDS = 2.0

_pools: weakref.WeakSet[WorkerPool] = weakref.WeakSet()


class WorkerPool:
    """Worker processes that perform the calls of any number of runs.

    Nothing is started before the first call. A worker is started when a call finds none free, and
    performs one call after the other. It ends after 30 s without any, when it has loaded other code
    than is meant, with `close`, or with this process. It leads a process group of its own: what a
    body starts ends with its worker, unless it starts a session of its own.

    Args:
        start_method: "forkserver" forks a process that has run none of the user's code; "spawn"
            starts an interpreter for each worker.
    """

    def __init__(self, start_method: StartMethod = DEFAULT_START_METHOD) -> None:
        if start_method not in START_METHODS:
            raise DefinitionError(
                f"start_method must be one of {', '.join(START_METHODS)}, not {start_method!r}."
            )
        if sys.platform == "win32":
            raise DefinitionError(
                "Worker processes need a POSIX system such as Linux or macOS; use ThreadedExecutor."
            )
        self.start_method = start_method
        self._begin()
        _pools.add(self)

    def begin_in_copy(self) -> None:
        """Start afresh in a forked copy of this process, and close the original's descriptors."""
        for slot in (*self._slots, *self._leaving):
            slot.close_copy()
        self.nursery.close_copy()
        self._begin()

    def _begin(self) -> None:
        self.lock = threading.Lock()
        self.nursery = Nursery(self.start_method)
        # A run is queued once for each slot that is to take its calls.
        self._queue: SimpleQueue[Session | None] = SimpleQueue()
        self._slots: set[Slot] = set()
        self._leaving: set[Slot] = set()
        self._busy: dict[Call, tuple[Slot, Batch]] = {}
        # How many slots are free beyond those that the queue will occupy.
        self._spare = 0
        self._closed = False

    def open(self, done: Callable[[Call], None], capacity: int) -> Session:
        """Return a way to have the calls of one run performed.

        Args:
            done: Told of each call that ended, from any thread.
            capacity: How many of them are performed at once.

        Raises:
            FlowWeaverError: This is a worker that runs the script again only for its definitions.
        """
        if running_main_again.is_set():
            raise FlowWeaverError(
                "A worker process runs this script again for what it defines: put what runs the "
                'workflow under `if __name__ == "__main__":`.'
            )
        return Session(self, done, capacity)

    def submit(self, session: Session, call: Call) -> None:
        """Have a call performed, now or when another one of its run has ended."""
        with self.lock:
            self._closed = False
            session.waiting.append(call)
            self._ask_for_slots(session, 1)

    def cancel(self, call: Call) -> None:
        """Drop a call's outcome and kill the worker that performs it; its slot is free at once."""
        with self.lock:
            if call.finished or call.over:
                return
            call.over = True
            if call in self._busy:
                slot, batch = self._busy[call]
                self._give_back(batch)
                self._stop(slot, batch)

    def cancel_all(self, session: Session) -> None:
        """Cancel all calls of a run that have not ended."""
        with self.lock:
            busy = {batch: slot for slot, batch in self._busy.values() if batch.session is session}
            for call in (*session.waiting, *(call for batch in busy for call in batch.calls)):
                call.over = True
            session.waiting.clear()
            for batch, slot in busy.items():
                self._give_back(batch)
                self._stop(slot, batch)

    def close(self) -> None:
        """End all workers. The pool can be used again afterwards."""
        with self.lock:
            self._closed = True
            for _ in self._slots:
                self._queue.put(None)
            slots = [*self._slots, *self._leaving]
        deadline = monotonic() + _CLOSING_SECONDS
        for slot in slots:
            slot.join(max(0.0, deadline - monotonic()))
        with self.lock:
            for slot in {slot for slot, _ in self._busy.values()}:
                slot.give_up()
        for slot in slots:
            slot.join(_CLOSING_SECONDS)

    def abandon(self) -> None:
        """Let all slots end when they can, without waiting or locking: nobody holds the pool."""
        self._closed = True
        for _ in range(len(self._slots)):
            self._queue.put(None)

    # Called by slots --------------------------------------------------------------------------

    def take(self, slot: Slot) -> Batch | None:
        """Return the next calls, or None when the slot is to end."""
        while True:
            try:
                session = self._queue.get(timeout=_IDLE_SECONDS)
            except Empty:
                session = None
            with self.lock:
                if session is None:
                    self._spare -= 1
                    self._move_out(slot)
                    self._add_slot_if_needed()
                    return None
                if calls := session.next():
                    batch = Batch(session, calls)
                    self._busy.update(dict.fromkeys(calls, (slot, batch)))
                    return batch
                self._spare += 1
                session.slots -= 1

    def begin(self, batch: Batch, count: int, permits: Permits) -> int:
        """Let a worker begin the first `count` calls of a batch; return how many they are now."""
        with self.lock:
            self._give_back(batch, keep=count)
            return batch.begin(permits)

    def give_back(self, batch: Batch, *, keep: int = 0) -> None:
        """Have others perform the calls of a batch that were not begun."""
        with self.lock:
            self._give_back(batch, keep=keep)

    def finish(self, batch: Batch, endings: Iterable[tuple[Call, Outcome]]) -> None:
        """Hand in the outcomes of the first calls of a batch."""
        session = batch.session
        ended = []
        with self.lock:
            for call, outcome in endings:
                batch.calls.popleft()
                del self._busy[call]
                call.finished = True
                if not call.over:
                    outcome.put_into(call)
                    session.pace.note(call)
                    ended.append(call)
        for call in ended:
            session.done(call)

    def end(self, slot: Slot, batch: Batch) -> bool:
        """Say that a batch is over; False if the slot was taken away under it."""
        with self.lock:
            if slot not in self._slots:
                return False
            self._spare += 1
            self._release(batch.session)
            return True

    def take_back(self, slot: Slot) -> bool:
        """Let a slot that was taken away stay if it would be the only one left."""
        with self.lock:
            if self._slots or self._closed:
                return False
            self._leaving.discard(slot)
            self._slots.add(slot)
            self._spare += 1
            return True

    def left(self, slot: Slot) -> None:
        """Note that a slot has ended; after the last one, end the process that starts workers."""
        with self.lock:
            self._leaving.discard(slot)
            if self._slots or self._leaving:
                return
            nursery, self.nursery = self.nursery, Nursery(self.start_method)
        nursery.close()

    def _give_back(self, batch: Batch, *, keep: int = 0) -> None:
        session = batch.session
        back = batch.cut(keep=keep)
        for call in reversed(back):
            del self._busy[call]
            if not call.over:
                call.started = None
                session.waiting.appendleft(call)
        self._ask_for_slots(session, min(len(back), len(session.waiting)))

    def _stop(self, slot: Slot, batch: Batch) -> None:
        """Free a slot whose only call is over, and kill the worker if it has begun it."""
        if any(not call.over for call in list(batch.calls)[-1:]) or slot not in self._slots:
            return
        self._move_out(slot)
        if batch.calls:
            slot.give_up(batch.calls[0])
        self._release(batch.session)

    def _move_out(self, slot: Slot) -> None:
        self._slots.discard(slot)
        self._leaving.add(slot)

    def _ask_for_slots(self, session: Session, most: int) -> None:
        for _ in range(min(most, session.capacity - session.slots)):
            session.slots += 1
            self._ask(session)

    def _ask(self, session: Session) -> None:
        self._spare -= 1
        self._queue.put(session)
        self._add_slot_if_needed()

    def _release(self, session: Session) -> None:
        """Give the slot that a run has had to its next calls, if it has any."""
        if session.waiting:
            self._ask(session)
        else:
            session.slots -= 1

    def _add_slot_if_needed(self) -> None:
        if self._spare < 0:
            self._spare += 1
            slot = Slot(self, self._free_number())
            self._slots.add(slot)
            slot.start()

    def _free_number(self) -> int:
        taken = {slot.number for slot in self._slots}
        return next(number for number in itertools.count(1) if number not in taken)


@atexit.register
def _close_all() -> None:
    for pool in list(_pools):
        pool.close()


def _begin_anew() -> None:
    for pool in list(_pools):
        pool.begin_in_copy()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)

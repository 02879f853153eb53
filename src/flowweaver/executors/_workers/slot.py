"""One slot of a pool: a thread that has calls performed in a worker process of its own."""

from __future__ import annotations

import signal
import threading
from time import monotonic
from typing import Protocol

from flowweaver.errors import TaskExitError, TaskTimeoutError
from flowweaver.executors._workers.batch import Batch
from flowweaver.executors._workers.handle import WorkerHandle
from flowweaver.executors._workers.nursery import Nursery, WorkerStartError, has_ended
from flowweaver.executors._workers.outcome import Outcome, died, failed
from flowweaver.executors._workers.packing import UnsendableError
from flowweaver.executors._workers.session import Dispatch
from flowweaver.executors._workers.sidelines import Permits
from flowweaver.executors._workers.talk import Office, Talk
from flowweaver.plugins import Call, fault_of
from flowweaver.records import Failure

# How many workers in a row may be lost before a call was begun: what it loads may be the cause.
_MOST_LOSSES = 3


class Source(Office, Protocol):
    """What a slot asks of its pool, and tells it."""

    nursery: Nursery

    def take(self, slot: Slot) -> Batch | None:
        """Return the next calls, or None when the slot is to end."""

    def begin(self, batch: Batch, count: int, permits: Permits) -> int:
        """Let a worker begin the first `count` calls of a batch; return how many they are now."""
        ...

    def end(self, slot: Slot, batch: Batch) -> bool:
        """Say that a batch is over; False if the slot was taken away under it."""
        ...

    def take_back(self, slot: Slot) -> bool:
        """Let a slot that was taken away stay if it would be the only one left."""
        ...

    def left(self, slot: Slot) -> None:
        """A slot has ended."""


class Slot(threading.Thread):
    """Takes calls from the pool and has them performed; a dead worker is replaced when needed.

    Large arguments and results are packed, sent and unpacked here, so that they hold up neither
    the runner nor another slot.

    Args:
        pool: Whose slot it is.
        number: Tells it apart from the others there are.
    """

    def __init__(self, pool: Source, number: int) -> None:
        super().__init__(name="flowweaver-slot", daemon=True)
        self.number = number
        self._pool = pool
        self._worker: WorkerHandle | None = None
        self._given_up = False
        self._losses = 0

    def run(self) -> None:
        """Work until there is nothing to do for long, or the slot was taken away."""
        called = f"process {self.number}"
        while (batch := self._pool.take(self)) is not None:
            for call in batch.calls:
                call.worker = called
            is_alive = self._serve(batch)
            stays = self._pool.end(self, batch)
            if not is_alive or self._given_up:
                self._discard_worker()
            self._given_up = False
            if not stays and not self._pool.take_back(self):
                break
        self._discard_worker()
        self._pool.left(self)

    def give_up(self, call: Call | None = None) -> None:
        """Kill the worker of the call in flight, whose log is kept if the call is given.

        Called with the pool's lock held.
        """
        self._given_up = True
        if self._worker is not None:
            if call is not None and call.log is not None:
                call.log.write(self._worker.log_so_far())
            self._worker.kill()

    def close_copy(self) -> None:
        """Let go of what a forked copy of this process has of the worker."""
        if self._worker is not None:
            self._worker.close()

    def _serve(self, batch: Batch) -> bool:
        """Have a batch performed, and return whether the worker can take another.

        What a worker with other code, or one that is lost, leaves of it goes to another worker.
        """
        way: Dispatch | None = batch.session.dispatch
        try:
            while way is not None and batch.calls:
                worker = self._ready_worker()
                try:
                    way = self._perform(worker, batch, way)
                    self._losses = 0
                except TaskTimeoutError:  # an OSError by descent
                    raise
                except (EOFError, OSError):
                    if not self._goes_on_after(worker, batch):
                        return False
        except BaseException as error:  # whatever is wrong with a call must not cost the slot
            self._fail(batch, error)
            return isinstance(error, UnsendableError)
        return True

    def _goes_on_after(self, worker: WorkerHandle, batch: Batch) -> bool:
        """See to the calls of a worker that has ended; return whether another worker is to go on.

        A worker is lost if its server has ended; what it had not begun is given to the next one.
        """
        self._losses += 1
        is_last_loss = self._losses >= _MOST_LOSSES
        self._pool.give_back(batch, keep=1 if is_last_loss else 0)
        if not batch.calls:
            return False
        code = worker.end_by_force()
        is_lost = code is None and has_ended(worker.server)
        if is_lost and not (is_last_loss or worker.has_begun() or self._given_up):
            self._leave_worker(batch)
            return True
        self._losses = 0
        call = batch.calls[0]
        self._pool.finish(batch, [(call, _death(call, worker, code, is_lost=is_lost))])
        return False

    def _fail(self, batch: Batch, error: BaseException) -> None:
        """Blame the first call of a batch, as the others have not been begun."""
        self._pool.give_back(batch, keep=1)
        for call in list(batch.calls):
            outcome = failed(error)
            if isinstance(error, WorkerStartError | TaskTimeoutError):
                outcome.fault = fault_of(error, call.task.options, call.attempt)
            self._pool.finish(batch, [(call, outcome)])

    def _perform(self, worker: WorkerHandle, batch: Batch, dispatch: Dispatch) -> Dispatch | None:
        """Have calls performed, or return another way to try what is left in another worker."""
        try:
            request = dispatch.request(worker, tuple(batch.calls))
        except UnsendableError:
            if (other := dispatch.with_main_again()) is None:
                raise
            return other
        count = self._pool.begin(batch, len(request.items), worker.permits)
        if not count:
            return None
        del request.items[count:]
        worker.wire.send(request.message())
        answer = Talk(worker, batch, dispatch, request, self._pool).listen()
        if answer[0] != "refused":
            batch.session.keep_to(dispatch)
            return None
        self._pool.give_back(batch)
        return self._otherwise(worker, batch, dispatch, *answer[1:])

    def _otherwise(
        self,
        worker: WorkerHandle,
        batch: Batch,
        dispatch: Dispatch,
        missing: str | None,
        failure: Failure,
    ) -> Dispatch | None:
        """Return another way to have a call performed that a worker has refused."""
        call, other = batch.calls[0], None if missing is None else dispatch
        if missing is not None and not worker.calls:
            other = dispatch.adapted(call.task, missing)
        if other is None:
            self._pool.finish(batch, [(call, _refusal(call, failure))])
            return None
        self._leave_worker(batch)  # it has loaded what is not meant, or may have
        return other

    def _ready_worker(self) -> WorkerHandle:
        pool = self._pool
        if self._worker is not None and self._worker.has_ended():
            self._discard_worker()  # the call that comes must not be blamed for an earlier end
        if self._worker is None:
            worker = pool.nursery.start_worker()
            with pool.lock:
                self._worker = worker
                if self._given_up:
                    worker.kill()
        return self._worker

    def _leave_worker(self, batch: Batch) -> None:
        """Have what is left of a batch performed by another worker."""
        with self._pool.lock:
            batch.rewind()
        self._discard_worker()

    def _discard_worker(self) -> None:
        with self._pool.lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()
            worker.close()


def _refusal(call: Call, failure: Failure) -> Outcome:
    error = UnsendableError(
        f"Task {call.name!r} can't be taken up by a worker process: {failure}; its function, its "
        "arguments and what they refer to must be importable or picklable there."
    )
    return failed(error, trace=failure.trace)


def _death(call: Call, worker: WorkerHandle, code: int | None, *, is_lost: bool) -> Outcome:
    """Return the outcome of a call whose worker ended under it."""
    how = _how_it_ended(code)
    if is_lost:
        how = "was lost with the process that starts workers, which somebody has ended"
    error = TaskExitError(f"The worker process of task {call.name!r} {how}.")
    failure = Failure("WorkerDied", str(error), worker.crash_trace(), exit_code=code)
    outcome = died(call, failure, error)
    outcome.log = worker.log_so_far()
    if call.started is not None:
        outcome.duration = monotonic() - call.started
    return outcome


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "ended, and nothing is known of how"
    if code >= 0:
        return f"ended under it with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = "; the likely cause is that memory ran out" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{why}"

"""One place of a pool: a thread that performs calls, one by one, in a worker process of its own."""

from __future__ import annotations

import signal
import threading
from time import monotonic
from typing import Any, Protocol

from flowweaver.errors import FlowWeaverError, TaskExitError, TaskTimeoutError
from flowweaver.executors._workers.handle import WorkerHandle
from flowweaver.executors._workers.logs import hear as hear_log
from flowweaver.executors._workers.nursery import Nursery, WorkerStartError, has_ended
from flowweaver.executors._workers.outcome import Outcome, failed, hear, pack_error
from flowweaver.executors._workers.packing import UnsendableError, pack
from flowweaver.executors._workers.session import Dispatch, Session, is_limited
from flowweaver.executors._workers.wire import Message
from flowweaver.plugins import Call, is_retryable, wait_after
from flowweaver.records import Failure

# How long a worker may take to import and unpickle what a call with a time limit needs: that time
# is not the body's own, but it must not be without end.
_LOADING_SECONDS = 60.0
# How often a call that was not begun is given to another worker: what it loads may be the cause.
_MOST_LOSSES = 3


class Source(Protocol):
    """What a place asks of its pool, and tells it."""

    lock: threading.Lock
    nursery: Nursery

    def take(self, place: Place) -> tuple[Session, Call] | None:
        """Return the next call, or None when the place is to end."""

    def finish(self, session: Session, call: Call, outcome: Outcome) -> bool:
        """Hand in a call's outcome; False if the place was taken away under it."""
        ...

    def take_back(self, place: Place) -> bool:
        """Let a place that was taken away stay if it would be the only one left."""
        ...

    def left(self, place: Place) -> None:
        """A place has ended."""


class Place(threading.Thread):
    """Takes calls from the pool and has them performed; a dead worker is replaced when needed.

    Large arguments and results are packed, sent and unpacked here, so that they hold up neither
    the runner nor another place.
    """

    def __init__(self, pool: Source) -> None:
        super().__init__(name="flowweaver-place", daemon=True)
        self._pool = pool
        self._worker: WorkerHandle | None = None
        self._given_up = False

    def run(self) -> None:
        """Work until there is nothing to do for long, or the place was taken away."""
        take, finish = self._pool.take, self._pool.finish
        while (taken := take(self)) is not None:
            session, call = taken
            outcome, is_alive = self._serve(session, call)
            stays = finish(session, call, outcome)
            self._given_up = False
            if not is_alive or not stays:
                self._discard_worker()
            if not stays and not self._pool.take_back(self):
                break
        self._discard_worker()
        self._pool.left(self)

    def give_up(self) -> None:
        """Kill the worker of the call in flight. Called with the pool's lock held."""
        self._given_up = True
        if self._worker is not None:
            self._worker.kill()

    def close_copy(self) -> None:
        """Let go of what a forked copy of this process has of the worker."""
        if self._worker is not None:
            self._worker.close()

    def _serve(self, session: Session, call: Call) -> tuple[Outcome, bool]:
        """Return the outcome of a call, and whether the worker can take another."""
        try:
            outcome = self._performed(session, call)
            return outcome, not outcome.died
        except UnsendableError as error:
            return failed(error), True
        except (WorkerStartError, TaskTimeoutError) as error:
            outcome = failed(error)
            options = call.task.options
            outcome.retryable = is_retryable(error, options.retry_on)
            outcome.wait = wait_after(error, options.backoff, call.attempt)
            return outcome, False
        except BaseException as error:  # whatever is wrong with a call must not cost the place
            return failed(error), False

    def _performed(self, session: Session, call: Call) -> Outcome:
        """Have the call performed; in another worker if the first has other code, or is lost.

        Lost is a worker whose server has ended. What it had not begun is given to the next.
        """
        losses = 0
        way: Dispatch | Outcome = session.dispatch
        while isinstance(way, Dispatch):
            worker = self._ready_worker()
            try:
                way = self._perform(worker, session, way, call)
            except TaskTimeoutError:  # an OSError by descent
                raise
            except (EOFError, OSError):
                code = worker.end_by_force()
                is_lost = code is None and has_ended(worker.server)
                losses += is_lost
                if worker.has_begun() or self._given_up or not 0 < losses < _MOST_LOSSES:
                    return _death(call, worker, code, is_lost=is_lost)
                self._discard_worker()
        return way

    def _perform(
        self, worker: WorkerHandle, session: Session, dispatch: Dispatch, call: Call
    ) -> Outcome | Dispatch:
        """Have the call performed, or return another way to try it in another worker."""
        try:
            request = dispatch.request(worker, call)
        except UnsendableError:
            if (other := dispatch.with_main_again()) is None:
                raise
            return other
        if not is_limited(call):
            call.started = monotonic()
        worker.wire.send(request)
        answer = self._listen(worker, call)
        if answer[0] == "done":
            dispatch.accepted(worker, request)
            session.dispatch = dispatch
            return hear(answer, call)
        _, missing, failure = answer
        other = None if missing is None else dispatch
        if missing is not None and not worker.calls:
            other = dispatch.adapted(call.task, missing)
        if other is None:
            return _refusal(call, failure)
        self._discard_worker()  # it has loaded what is not meant, or may have
        return other

    def _listen(self, worker: WorkerHandle, call: Call) -> Message:
        """Return the worker's last word on a call; answer what it asks meanwhile."""
        patience = _LOADING_SECONDS if is_limited(call) else None
        link = call.scope.link
        while True:
            try:
                message = worker.receive(patience)
            except TimeoutError:
                raise TaskTimeoutError(
                    f"a worker process did not get task {call.name!r} and its arguments loaded "
                    f"within {patience:g} s"
                ) from None
            match message[0]:
                case "began":
                    call.started = message[1]
                    patience = None
                case "beat":
                    link.beat(call)
                case "log":
                    hear_log(message[1])
                case "ask":
                    worker.wire.send(_answer(link, call, *message[1:]))
                case _:
                    return message

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

    def _discard_worker(self) -> None:
        with self._pool.lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()
            worker.close()


def _answer(link: Any, call: Call, verb: str, *details: Any) -> Message:
    try:
        return "answer", True, getattr(link, verb)(call, *details)
    except Exception as error:
        text = FlowWeaverError(f"{type(error).__name__}: {error}")
        return "answer", False, pack_error(error) or pack(text)


def _refusal(call: Call, failure: Failure) -> Outcome:
    error = UnsendableError(
        f"task {call.name!r} can't be taken up by a worker process: {failure}; its function, its "
        "arguments and what they refer to must be importable or picklable there"
    )
    return failed(error, trace=failure.trace)


def _death(call: Call, worker: WorkerHandle, code: int | None, *, is_lost: bool) -> Outcome:
    """Return what is to be said of a call whose worker ended under it."""
    how = _how_it_ended(code)
    if is_lost:
        how = "was lost with the process that starts workers, which somebody has ended"
    error = TaskExitError(f"the worker process of task {call.name!r} {how}")
    failure = Failure("WorkerDied", str(error), worker.crash_trace(), exit_code=code)
    wait = wait_after(error, call.task.options.backoff, call.attempt)
    outcome = Outcome(failure=failure, error=error, retryable=True, died=True, wait=wait)
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

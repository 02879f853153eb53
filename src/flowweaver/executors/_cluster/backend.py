"""A run's calls on a cluster: gathered, shipped as jobs, and their outcomes handed in."""

from __future__ import annotations

import pickle
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from time import monotonic
from typing import Any, Protocol

from flowweaver.errors import ClusterLostError, FlowWeaverError, TaskExitError
from flowweaver.executors._cluster.job import Report
from flowweaver.executors._cluster.manifest import Manifest
from flowweaver.executors._cluster.pace import JobPace
from flowweaver.executors._cluster.parcels import Packing, Shipment
from flowweaver.executors._cluster.shelf import LARGE_BYTES, Shelf
from flowweaver.executors._cluster.unserved import Unserved
from flowweaver.executors._workers.outcome import Outcome, died, failed, hear, pack_error
from flowweaver.executors._workers.packing import Packer, UnsendableError, pack
from flowweaver.executors._workers.wire import Message
from flowweaver.plugins import Call, Host, TaskOptions
from flowweaver.records import Failure

# How often a cluster, which may grow and shrink, is asked how many slots it has.
_LOOK_EVERY_SECONDS = 5.0
# How long to wait for the end of a thread that has nothing left to do.
_PATIENCE_SECONDS = 5.0
# More calls in flight gain nothing, and make urgent ones wait behind them.
_MOST_CALLS = 4096


class Desk(Protocol):
    """Told what becomes of jobs, from any thread. Its methods never block and never raise."""

    def reported(self, job_id: str, report: bytes, reference: object) -> None:
        """Take the report of a job; `reference` keeps the report itself on the cluster."""
        ...

    def told(self, job_id: str, message: Message, question: object = None) -> None:
        """Take a message of a body; `question` is given back with the answer."""
        ...

    def died(self, job_id: str, how: str) -> None:
        """Note that the worker that had the job was lost; `how` completes the sentence."""
        ...

    def refused(self, job_id: str, error: BaseException) -> None:
        """Note that the cluster could not take the job up."""
        ...

    def lost(self, reason: str) -> None:
        """Note that the cluster itself was lost."""
        ...


class Cluster(Protocol):
    """The connection of one run to a cluster."""

    shared: bool
    """Whether several bodies share a worker's process."""

    def open(self, desk: Desk) -> None:
        """Connect, and tell the desk of the run's jobs from now on."""
        ...

    def slots(self) -> int:
        """Return how many bodies run at once."""
        ...

    def ship(
        self, job_id: str, payload: bytes, options: TaskOptions, references: Sequence[object]
    ) -> None:
        """Have a job performed on a worker, which is given the values of the references, too."""
        ...

    def put(self, data: bytes) -> object:
        """Keep bytes on the cluster for as long as the returned reference is kept here."""
        ...

    def is_there(self, reference: object) -> bool:
        """Return whether the bytes of a reference are not known to be lost."""
        ...

    def lack(self, options: TaskOptions) -> str:
        """Return what keeps it from performing such a job at all, and what to do; "" if nothing."""
        ...

    def give_up(self, job_id: str) -> None:
        """Stop the job as far as possible, and tell the desk no more of it."""
        ...

    def answer(self, job_id: str, question: object, answer: tuple[bool, Any], /) -> None:
        """Give a body the answer to what it asked."""
        ...

    def close(self) -> None:
        """Give up all jobs and close the connection."""
        ...


class Size:
    """How many bodies a cluster runs at once; it is asked again now and then."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._look()

    def _look(self) -> None:
        self.slots = max(1, self._cluster.slots())
        self._looked = monotonic()

    def look_now_and_then(self) -> None:
        """Ask again, unless that was done a moment ago."""
        if monotonic() - self._looked > _LOOK_EVERY_SECONDS:
            self._look()


class ClusterBackend:
    """Calls of one run on a cluster.

    One thread packs and ships calls, another takes in what comes back, so the runner does neither.

    Args:
        host: The runner.
        cluster: The connection.
        max_in_flight: The most calls on the cluster at once; None to go by its size and by how
            long bodies take.
    """

    def __init__(self, host: Host, cluster: Cluster, max_in_flight: int | None) -> None:
        self._host = host
        self._cluster = cluster
        self._limit = max_in_flight or _MOST_CALLS
        self._pace = JobPace()
        self._shelf = Shelf(cluster.put, cluster.is_there)
        self._packing = Packing(Packer(), self._shelf, shared=cluster.shared)
        self._waiting: deque[Call] = deque()
        self._manifest = Manifest()
        self._closed = False
        self._lost: ClusterLostError | None = None
        self._wakeup = threading.Condition()
        self._events: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        cluster.open(self)
        self._size = Size(cluster)
        self._unserved = Unserved(cluster, host.waiting)
        self._threads = [
            threading.Thread(target=work, name=f"flowweaver-{name}", daemon=True)
            for name, work in (("ship", self._ship_all), ("desk", self._see_to_events))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def _most_jobs(self) -> int:
        return min(self._pace.jobs * self._size.slots, self._limit)

    @property
    def capacity(self) -> int:
        """How many calls the cluster is given at once, by what is known of how long they take."""
        return min(self._most_jobs * self._pace.most, self._limit)

    @property
    def prefetch(self) -> bool:
        """True: calls may wait here to be shipped together."""
        return True

    @property
    def inline(self) -> bool:
        """False: `submit` returns at once."""
        return False

    def submit(self, call: Call) -> bool:
        """Queue the call to be shipped; False, as it is not over on return."""
        with self._wakeup:
            self._waiting.append(call)
            self._wakeup.notify()
        return False

    def cancel(self, call: Call) -> None:
        """Give the call up; the cluster is told to stop it."""
        with self._wakeup:
            if call.finished:
                return
            call.over = True
            useless = self._manifest.drop(call)
            if useless is not None:
                self._events.put(lambda: self._cluster.give_up(useless))
            self._wakeup.notify()

    def close(self) -> None:
        """Give up all calls that have not ended."""
        with self._wakeup:
            self._closed = True
            self._waiting.clear()
            self._wakeup.notify()
        self._events.put(None)
        for thread in self._threads:  # they use the connection, which is closed next
            thread.join(_PATIENCE_SECONDS)
        self._shelf.clear()
        self._cluster.close()

    # Shipping ------------------------------------------------------------------------------

    def _ship_all(self) -> None:
        while (calls := self._next()) is not None:
            try:
                if calls:
                    self._ship(calls)
            except Exception as error:
                self.lost(f"a job can't be handed to it ({type(error).__name__}: {error})")
                return
            if calls:
                self._size.look_now_and_then()
            with self._wakeup:
                jobs = self._manifest.shipments()
            self._unserved.look(jobs)

    def _next(self) -> list[Call] | None:
        """Wait for calls that can go as one job; none after a while with jobs; None once closed."""
        with self._wakeup:
            while True:
                if self._closed or self._lost is not None:
                    return None
                room = self._limit - self._manifest.calls
                if self._waiting and room > 0 and self._manifest.jobs < self._most_jobs:
                    calls = self._take(room)
                    if calls:
                        return calls
                if not self._wakeup.wait(self._unserved.patience if self._manifest.jobs else None):
                    return []

    def _take(self, room: int) -> list[Call]:
        waiting, pace = self._waiting, self._pace
        calls: list[Call] = []
        # The calls are shared out, so that no slot is idle while another has several.
        most = min(room, max(1, len(waiting) // self._size.slots))
        while waiting and len(calls) < most:
            together = pace.together(waiting[0])
            if calls and together <= len(calls):
                break
            call = waiting.popleft()
            if call.over:
                continue
            calls.append(call)
            most = min(most, together)
        return calls

    def _ship(self, calls: list[Call]) -> None:
        job_id = self._manifest.new_id()
        shipment = self._packing.ship(job_id, calls)
        for call, error in shipment.refused:
            self._finish(call, failed(error))
        with self._wakeup:
            if all(call.over for call in shipment.calls):
                return
            self._manifest.add(job_id, shipment)
        options = shipment.calls[0].task.options
        self._cluster.ship(job_id, shipment.payload, options, shipment.references)
        shipment.payload = b""
        shipment.references.clear()

    # What comes back -----------------------------------------------------------------------

    def reported(self, job_id: str, report: bytes, reference: object) -> None:
        """The job was performed, or given up."""
        arrived = monotonic()
        kept = (reference, len(report)) if len(report) > LARGE_BYTES else None
        self._events.put(lambda: self._take_in(job_id, pickle.loads(report), arrived, kept))

    def told(self, job_id: str, message: Message, question: object = None) -> None:
        """A body said something."""
        self._events.put(lambda: self._listen(job_id, message, question))

    def died(self, job_id: str, how: str) -> None:
        """The worker that had the job was lost."""
        self._events.put(lambda: self._end_all(job_id, lambda call: _death(call, how)))

    def refused(self, job_id: str, error: BaseException) -> None:
        """The cluster could not take the job up."""
        self._events.put(lambda: self._end_all(job_id, lambda call: _refusal(call, error)))

    def lost(self, reason: str) -> None:
        """The cluster itself was lost."""
        with self._wakeup:
            if self._closed or self._lost is not None:
                return
            self._lost = error = ClusterLostError(
                f"The cluster was lost: {reason}; what was completed is kept in the state store, "
                "if there is one: execute again, on any executor, to go on from there."
            )
            self._wakeup.notify()
        # Queued behind what arrived before the loss, which counts.
        self._events.put(lambda: self._host.lost(error))

    def _see_to_events(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                event()
            except Exception as error:
                self.lost(f"what came from it can't be read ({type(error).__name__}: {error})")

    def _take_in(
        self, job_id: str, report: Report, arrived: float, kept: tuple[object, int] | None
    ) -> None:
        with self._wakeup:
            shipment = self._forget(job_id)
        if shipment is None:
            return
        for call, message in zip(shipment.calls, report.messages, strict=False):
            if message[0] == "refused":
                self._try_otherwise(shipment, call, *message[1:])
            else:
                died, told = message
                call.worker = report.worker
                outcome = _outcome(call, told, report.ended, arrived)
                outcome.died = died
                if kept is not None and len(report.messages) == 1:
                    self._shelf.note(outcome, *kept)
                self._finish(call, outcome)
        with self._wakeup:
            for call in reversed(shipment.calls[len(report.messages) :]):
                self._waiting.appendleft(call)
            self._wakeup.notify()

    def _try_otherwise(
        self, shipment: Shipment, call: Call, missing: str | None, failure: Failure
    ) -> None:
        packing: Packing | None = self._packing
        if packing is shipment.packing:
            packing = None if missing is None else packing.adapted(call, missing)
        if packing is None:
            error = FlowWeaverError(f"{failure}")
            self._finish(call, _refusal(call, error, failure.trace))
            return
        self._packing = packing
        with self._wakeup:
            self._waiting.appendleft(call)
            self._wakeup.notify()

    def _end_all(self, job_id: str, outcome_of: Callable[[Call], Outcome]) -> None:
        with self._wakeup:
            shipment = self._forget(job_id)
        for call in shipment.calls if shipment is not None else ():
            self._finish(call, outcome_of(call))

    def _finish(self, call: Call, outcome: Outcome) -> None:
        with self._wakeup:
            if call.over:
                return
            call.finished = True
        outcome.put_into(call)
        if outcome.started is not None:
            self._pace.note(call)
        self._host.done(call)

    def _listen(self, job_id: str, message: Message, question: object) -> None:
        shipment = self._manifest.shipment(job_id)
        if shipment is None:
            self._cluster.give_up(job_id)  # it began at the moment when it was given up
            return
        verb, number, *details = message
        call = shipment.calls[number]
        if verb == "began":
            call.worker, since = details
            call.started = monotonic() - since
        elif verb == "beat":
            call.scope.link.beat(call)
        else:
            self._cluster.answer(job_id, question, _answer(call, *details))

    def _forget(self, job_id: str) -> Shipment | None:
        """Take a job off the books, which makes room for another. Called with the lock held."""
        shipment = self._manifest.take_off(job_id)
        self._wakeup.notify()
        return shipment


def _answer(call: Call, verb: str, *details: Any) -> tuple[bool, Any]:
    try:
        return True, getattr(call.scope.link, verb)(call, *details)
    except Exception as error:
        text = FlowWeaverError(f"{type(error).__name__}: {error}")
        return False, pack_error(error) or pack(text)


def _outcome(call: Call, message: Message, ended: float, arrived: float) -> Outcome:
    outcome = hear(message, call)
    if outcome.started is not None:
        # From another machine's clock only the length of time since then means something here.
        outcome.started = arrived - (ended - outcome.started)
    return outcome


def _death(call: Call, how: str) -> Outcome:
    error = TaskExitError(f"The worker that had task {call.name!r} was lost: {how}.")
    outcome = died(call, Failure("WorkerDied", str(error), ""), error)
    outcome.started = call.started
    return outcome


def _refusal(call: Call, error: BaseException, trace: str = "") -> Outcome:
    refusal = UnsendableError(
        f"Task {call.name!r} can't be taken up by a worker of the cluster: "
        f"{type(error).__name__}: {error}; workers need the same FlowWeaver and Python as the "
        "runner, and what tasks and arguments refer to must be importable or picklable there."
    )
    return failed(refusal, trace=trace)

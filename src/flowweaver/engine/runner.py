"""The runner: the one loop that joins scheduler, executor, store and observers.

It is a generator that says what has to be waited for: a number of seconds (or None, for ever)
until something arrives in the inbox, or changes to be committed. Who drives it, blocking or
awaiting, does the waiting. So there is one loop, with a sync and an async face.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from time import monotonic, time
from typing import Any

from flowweaver.engine.call import Call, CallScope
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.protocols import Backend
from flowweaver.engine.results import NoResultError
from flowweaver.engine.reuse import FactMaker, History, ReuseMode, fingerprint_of
from flowweaver.engine.run import Run
from flowweaver.errors import TaskTimeoutError, UndecodableError
from flowweaver.events import Event, EventKind, Notifier
from flowweaver.records import AttemptRecord, Changes, Failure, RunRecord, TaskRecord
from flowweaver.status import Origin, RunStatus, TaskStatus

Step = float | Changes | None

# How long an attempt may run before its start is committed on its own; shorter ones are
# committed once, with their end.
_SHOWN_AFTER_SECONDS = 0.1
# How many calls beyond its places a backend may hold: enough that short bodies never wait for
# the runner, and none at all as soon as bodies are long enough to come in one by one.
_MOST_AHEAD = 64


class Reuse:
    """What a run with a store needs to know of earlier ones."""

    __slots__ = ("digests", "facts", "history", "maker", "mode")

    def __init__(self, history: History, maker: FactMaker, mode: ReuseMode, count: int) -> None:
        self.history = history
        self.maker = maker
        self.mode = mode
        self.digests: list[str | None] = [None] * count
        self.facts: dict[int, str] = {}


class Runner:
    """Runs one execution of a run; see the module's words on `steps`."""

    def __init__(
        self,
        run: Run,
        scope: CallScope,
        inbox: Inbox,
        *,
        reuse: Reuse | None,
        notifier: Notifier | None,
        drop_results: bool,
        grace: float,
    ) -> None:
        self.run = run
        self._wiring = run._wiring
        self._scheduler = run._scheduler
        self._results = run._results
        self._ledger = run._ledger
        self._scope = scope
        self._inbox = inbox
        self._reuse = reuse
        self._notifier = notifier
        self._grace = grace
        self._backend: Backend | None = None
        self._window = 0
        self._in_flight: dict[int, Call] = {}
        self._unrecorded: set[int] = set()
        self._changes = Changes()
        self._committing: list[int] = []
        self._told: list[Event] = []
        self._takers = [len(succs) for succs in self._wiring.succs] if drop_results else None
        self._stop_requested = False
        self._give_up_at: float | None = None
        self.pressed = False
        self.error: BaseException | None = None

    def open(self, backend: Backend) -> None:
        """Take the backend that calls are submitted to."""
        self._backend = backend
        self._window = backend.capacity

    def stop(self) -> None:
        """Start nothing more, as after one Ctrl-C. From any thread or signal handler."""
        self._stop_requested = True
        self._inbox.put(None)

    def give_up(self) -> None:
        """Don't wait for running bodies any longer, as after a second Ctrl-C."""
        self._stop_requested = True
        self._grace = 0.0
        self._give_up_at = monotonic()
        self._inbox.put(None)

    def press(self) -> None:
        """Ctrl-C was pressed: stop kindly the first time, give up what runs the second."""
        if self.pressed:
            self.give_up()
        self.pressed = True
        self.stop()

    def steps(self) -> Iterator[Step]:
        """Run until all tasks are final, yielding what has to be waited for.

        Can be called again to go on where an interrupt left off.
        """
        assert self._backend is not None
        scheduler, inbox, inline = self._scheduler, self._inbox, self._backend.inline
        while scheduler.unfinished:
            if self._stop_requested:
                self._stop()
            if not (inline and self._changes):
                self._start_ready()
            if scheduler.settled:
                self._record_settled()
            if self._changes:
                yield self._changes
                self._committed()
            elif scheduler.unfinished:
                if not inbox:
                    yield self._patience()
                self._collect(inbox.drain())
                self._look_at_clock()
        yield from self._finish()

    # Starting ------------------------------------------------------------------------------

    def _start_ready(self) -> None:
        scheduler, window, reuse = self._scheduler, self._window, self._reuse
        while scheduler.running < window:
            node = scheduler.take()
            if node is None:
                return
            if reuse is None or not self._restore(node, reuse):
                self._start(node)

    def _start(self, node: int) -> None:
        task = self._wiring.tasks[node]
        attempt = self._scheduler.attempts[node]
        call = Call(self._scope, node, task, "", attempt, {})
        self._in_flight[node] = call
        if task._options.timeout is not None:
            self._scheduler.limit(node, monotonic() + task._options.timeout)
        if self._reuse is not None:
            self._unrecorded.add(node)
        if self._notifier is not None:
            self._tell(EventKind.TASK_STARTED, node, TaskStatus.RUNNING)
        try:
            call.kwargs = self._arguments(node)
        except (NoResultError, UndecodableError) as error:
            call.fail(error)
            call.retryable = False
            self._inbox.put(call)
        else:
            self._backend.submit(call)  # type: ignore[union-attr]  # open before the first step

    def _arguments(self, node: int) -> dict[str, Any]:
        get = self._results.get
        arguments = {name: get(source) for name, source in self._wiring.takes[node]}
        for name, parameter in self._wiring.uses.get(node, ()):
            if parameter in self.run.params:
                arguments[name] = self.run.params[parameter]
        return arguments

    def _restore(self, node: int, reuse: Reuse) -> bool:
        """Decide about a node that is about to start; return whether it need not."""
        name = self._wiring.tasks[node]._name
        if node in self._ledger.reasons:
            return False  # a retry: decided before
        facts = reuse.facts[node] = reuse.maker.facts(node, reuse.digests)
        own = reuse.history.own.get((name, ""))
        decision = reuse.history.decide(name, "", facts, reuse.mode)
        self._ledger.reasons[node] = decision.reason
        record = decision.record
        if record is None or record.digest is None:
            return self._take_up(node, own)
        self._ledger.restored[node] = record
        self._results.put_stored(node, record.digest)
        reuse.digests[node] = record.digest
        if record is not own:
            self._changes.tasks.append(_restored(record, self.run.id, facts, decision.reason))
        self._scheduler.restored(node, own.attempts if own else 0)
        self._released(node)
        self._tell(EventKind.TASK_FINISHED, node, TaskStatus.COMPLETED)
        return True

    def _take_up(self, node: int, own: TaskRecord | None) -> bool:
        """Go on with the attempts of a node that an earlier execution began."""
        if own is None:
            return False
        scheduler = self._scheduler
        scheduler.attempts[node] = own.attempts + 1
        if own.status in (TaskStatus.RETRYING, TaskStatus.RUNNING) and own.failures:
            scheduler.failures[node] = own.failures
            if own.retry_at is not None and (rest := own.retry_at - time()) > 0:
                scheduler.put_off(node, monotonic() + min(rest, _longest_wait(self, node)))
                return True
        return False

    # Ending --------------------------------------------------------------------------------

    def _collect(self, batch: list[Call | None]) -> None:
        scheduler, ledger = self._scheduler, self._ledger
        for call in batch:
            if call is None or call.over:
                continue
            node = call.node
            del self._in_flight[node]
            scheduler.running -= 1
            ledger.started[node] = call.started
            ledger.durations[node] = call.duration
            if call.failure is not None:
                if call.interrupted:
                    self.press()
                self._failed(call)
            elif self._reuse is not None:
                self._succeeded(call, self._reuse)
            else:
                self._results.values[node] = call.value
                scheduler.completed(node)
                if self._takers is not None:
                    self._released(node)
                if self._notifier is not None:
                    self._tell(EventKind.TASK_FINISHED, node, TaskStatus.COMPLETED)
        if self._backend.prefetch:  # type: ignore[union-attr]
            capacity = self._backend.capacity  # type: ignore[union-attr]
            self._window = capacity + min(max(0, len(batch) - 1) * 2, _MOST_AHEAD * capacity)

    def _succeeded(self, call: Call, reuse: Reuse) -> None:
        """Have a completion committed; what waits for it is released after."""
        node = call.node
        assert call.encoded is not None
        result = self._results.put(node, call.value, call.encoded)
        reuse.digests[node] = result.encoded.digest
        self._changes.results.append(result)
        record = self._record(node, TaskStatus.COMPLETED)
        record.origin = Origin.EXECUTED
        record.digest = result.encoded.digest
        self._changes.tasks.append(record)
        self._committing.append(node)

    def _committed(self) -> None:
        """What was yielded is on disk: release dependents, tell observers."""
        self._changes = Changes()
        committing, self._committing = self._committing, []
        for node in committing:
            self._scheduler.completed(node)
            self._released(node)
            self._tell(EventKind.TASK_FINISHED, node, TaskStatus.COMPLETED)
        told, self._told = self._told, []
        if self._notifier is not None:
            for event in told:
                self._notifier.tell(event)

    def _failed(self, call: Call) -> None:
        node, failure, now = call.node, call.failure, monotonic()
        assert failure is not None
        self._ledger.failures[node] = failure
        if call.interrupted:
            self._scheduler.cancelled(node)
            due = None
        else:
            due = self._scheduler.failed(node, retryable=call.retryable, now=now)
        status = self._scheduler.status[node]
        if status is TaskStatus.FAILED and self.error is None:
            self.error = call.error
        delay = None if due is None else max(0.0, due - now)
        if self._reuse is not None:
            record = self._record(node, status)
            record.failure = failure
            record.retry_at = None if delay is None else time() + delay
            self._changes.tasks.append(record)
            self._changes.attempts.append(self._attempt_record(call))
        kind = EventKind.TASK_FINISHED if due is None else EventKind.TASK_RETRYING
        self._tell(kind, node, status, failure=failure, delay=delay, after_commit=True)
        if due is None:
            self._released(node)

    def _record_settled(self) -> None:
        """Record what became final without an attempt: skipped, upstream failed, cancelled."""
        settled, self._scheduler.settled = self._scheduler.settled, []
        for node in settled:
            status = self._scheduler.status[node]
            if status is TaskStatus.UPSTREAM_FAILED:
                self._ledger.failures[node] = self._upstream_failure(node)
            if self._reuse is not None:
                record = self._record(node, status)
                record.failure = self._ledger.failures.get(node)
                self._changes.tasks.append(record)
            self._released(node)
            self._tell(EventKind.TASK_FINISHED, node, status, after_commit=True)

    def _upstream_failure(self, node: int) -> Failure:
        causes: dict[str, None] = {}
        for pred in self._wiring.preds[node]:
            failure = self._ledger.failures.get(pred)
            if self._scheduler.status[pred] is TaskStatus.FAILED:
                causes[self._wiring.tasks[pred].name] = None
            elif failure is not None and failure.causes:
                causes.update(dict.fromkeys(failure.causes))
        names = tuple(causes)[:_MOST_CAUSES]
        return Failure("UpstreamFailed", "because of " + ", ".join(names), causes=names)

    def _released(self, node: int) -> None:
        """A node is final: let go of results that nobody will take any more."""
        if self._takers is None:
            return
        for pred in self._wiring.preds[node]:
            self._takers[pred] -= 1
            if not self._takers[pred]:
                self._results.drop(pred)

    # Time ----------------------------------------------------------------------------------

    def _patience(self) -> float | None:
        """Return how many seconds the runner can sleep if nothing arrives."""
        moments = [self._scheduler.next_due(), self._give_up_at]
        if self._unrecorded:
            moments.append(monotonic() + _SHOWN_AFTER_SECONDS)
        known = [moment for moment in moments if moment is not None]
        return max(0.0, min(known) - monotonic()) if known else None

    def _look_at_clock(self) -> None:
        due = self._scheduler.next_due()
        if due is None and self._give_up_at is None and not self._unrecorded:
            return
        now = monotonic()
        if due is not None and due <= now:
            for node in self._scheduler.wake(now):
                self._over_limit(node, now)
        if self._give_up_at is not None and self._give_up_at <= now:
            self._give_up_running()
        if self._unrecorded:
            self._record_running(now)

    def _over_limit(self, node: int, now: float) -> None:
        call = self._in_flight.get(node)
        if call is None:
            return
        limit = call.task._options.timeout
        assert limit is not None
        if call.started is None or call.started + limit > now:
            # It waited for a free place, and that time is not its own.
            self._scheduler.limit(node, (call.started or now) + limit)
            return
        error = TaskTimeoutError(f"attempt {call.attempt} was over its limit of {limit:g} s")
        self._end_by_force(call, error, now)

    def _give_up_running(self) -> None:
        self._give_up_at = None
        now = monotonic()
        for call in list(self._in_flight.values()):
            call.interrupted = True
            self._end_by_force(call, InterruptedError("the run was stopped"), now)

    def _end_by_force(self, call: Call, error: Exception, now: float) -> None:
        self._backend.cancel(call)  # type: ignore[union-attr]
        if not call.over:
            return  # it ended at this very moment, and its outcome counts
        del self._in_flight[call.node]
        self._scheduler.running -= 1
        self._ledger.started[call.node] = call.started
        self._ledger.durations[call.node] = now - (call.started or now)
        call.fail(error)
        self._failed(call)

    def _record_running(self, now: float) -> None:
        """Have the start of attempts that take long committed, for whoever looks at the store."""
        for node in list(self._unrecorded):
            call = self._in_flight.get(node)
            if call is None:
                self._unrecorded.discard(node)
            elif call.started is not None and now - call.started >= _SHOWN_AFTER_SECONDS:
                self._unrecorded.discard(node)
                self._ledger.started[node] = call.started
                self._changes.tasks.append(self._record(node, TaskStatus.RUNNING))

    def _stop(self) -> None:
        self._stop_requested = False
        self._scheduler.stop()
        if self._give_up_at is None:
            self._give_up_at = monotonic() + self._grace

    # Records and events --------------------------------------------------------------------

    def _finish(self) -> Iterator[Step]:
        run = self.run
        counts = run.counts()
        if counts.get(TaskStatus.FAILED) or counts.get(TaskStatus.UPSTREAM_FAILED):
            status = RunStatus.FAILED
        elif counts.get(TaskStatus.CANCELLED):
            status = RunStatus.CANCELLED
        else:
            status = RunStatus.COMPLETED
        run._finished = monotonic()
        finished_at = self._ledger.wall(run._finished)
        record = _changed(run._record, status, finished_at)
        self._record_settled()
        self._changes.run = record
        yield self._changes
        self._committed()
        run._record = record
        if self._notifier is not None:
            self._notifier.tell(Event(EventKind.RUN_FINISHED, run))

    def _record(self, node: int, status: TaskStatus) -> TaskRecord:
        ledger, reuse = self._ledger, self._reuse
        assert reuse is not None
        self._unrecorded.discard(node)
        started, duration = ledger.started[node], ledger.durations[node]
        facts = reuse.facts.get(node, "")
        begun = None if started is None else ledger.wall(started)
        ended = None
        if begun is not None and duration is not None and status is not TaskStatus.RUNNING:
            ended = begun + duration
        return TaskRecord(
            self.run.id,
            self._wiring.tasks[node]._name,
            "",
            status,
            self._scheduler.attempts[node],
            self._scheduler.failures.get(node, 0),
            fingerprint=fingerprint_of(facts) if facts else None,
            started_at=begun,
            finished_at=ended,
            duration=duration,
            facts=facts,
            reason=ledger.reasons.get(node, ""),
        )

    def _attempt_record(self, call: Call) -> AttemptRecord:
        started = self._ledger.began if call.started is None else call.started
        return AttemptRecord(
            self.run.id,
            call.task.name,
            call.element,
            call.attempt,
            self._ledger.wall(started),
            call.duration,
            call.failure,
        )

    def _tell(
        self,
        kind: EventKind,
        node: int,
        status: TaskStatus,
        *,
        failure: Failure | None = None,
        delay: float | None = None,
        after_commit: bool = False,
    ) -> None:
        if self._notifier is None:
            return
        name = self._wiring.tasks[node].name
        attempt = self._scheduler.attempts[node]
        event = Event(kind, self.run, name, "", status, attempt, failure, delay)
        if after_commit and self._reuse is not None:
            self._told.append(event)
        else:
            self._notifier.tell(event)


_MOST_CAUSES = 10


def _longest_wait(runner: Runner, node: int) -> float:
    """A clock that was set back must not make a retry wait longer than its backoff ever asks."""
    backoff = runner._wiring.tasks[node]._options.backoff
    return sys.float_info.max if backoff.cap is None else backoff.cap


def _restored(record: TaskRecord, run_id: str, facts: str, reason: str) -> TaskRecord:
    return TaskRecord(
        run_id,
        record.task,
        record.element,
        TaskStatus.COMPLETED,
        0,
        origin=Origin.RESTORED,
        fingerprint=fingerprint_of(facts),
        digest=record.digest,
        source_run=record.source_run or record.run_id,
        started_at=record.started_at,
        finished_at=record.finished_at,
        duration=record.duration,
        facts=facts,
        reason=reason,
    )


def _changed(record: RunRecord, status: RunStatus, finished_at: float) -> RunRecord:
    return RunRecord(
        record.id,
        record.workflow,
        record.key,
        status,
        record.created_at,
        record.claimed_at,
        finished_at,
        record.token,
        record.runner,
        record.params,
        record.info,
    )

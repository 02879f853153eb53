"""The runner: the one loop that joins scheduler, executor, store and observers.

It is a generator that says what has to be waited for: a number of seconds (or None, for ever)
until something arrives in the inbox, or changes to be committed. Who drives it, blocking or
awaiting, does the waiting. So there is one loop, with a sync and an async face.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from flowweaver.definitions.options import NO_OPTIONS, TaskOptions
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.body.failures import failure_of
from flowweaver.engine.body.logs import LogBuffer
from flowweaver.engine.files import MadeFiles, put_back
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.live import LiveRun
from flowweaver.engine.pressure import Pressure
from flowweaver.engine.protocols import Backend
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.resolution import is_unresolved, unresolved
from flowweaver.engine.retention import Retention
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.engine.setting import Setting
from flowweaver.errors import FileConflictError, TaskTimeoutError, UndecodableError
from flowweaver.records import Changes, Failure, TaskRecord
from flowweaver.run import Run
from flowweaver.status import RunStatus, TaskStatus

Step = float | Changes | None
Rank = Callable[[int], Sequence[float] | None]

# How long an attempt may run before its start is committed on its own; shorter ones are
# committed once, with their end.
_SHOWN_AFTER_SECONDS = 0.1
# How many calls beyond its places a backend may hold: enough that short bodies never wait for
# the runner, and none at all as soon as bodies are long enough to come in one by one.
_MOST_AHEAD = 64
_MOST_CAUSES = 10
# No clock can be asked to wait for ever, so the runner wakes up now and then.
_LONGEST_SLEEP = 3600.0


class Runner:
    """Runs one execution of a run; see the module's words on `steps`.

    Args:
        run: The run as its users see it.
        live: What is known of the run, kept up to date here and nowhere else.
        setting: The parts that walk through its workflow.
        scope: What all calls of the run share.
        inbox: Where finished calls arrive.
        recorder: Keeps store and observers up to date.
        reuse: Decides what is restored; None without a store.
        retention: Drops results that nobody takes any more, if they are to be dropped.
        rank: Gives the tasks' priorities for so many places, if there is anything to go by;
            asked once something has to be executed.
        pressure: Weighs results held in memory, if they are to keep to a limit.
        grace: Seconds that running bodies get when the run is stopped.
    """

    def __init__(
        self,
        run: Run,
        live: LiveRun,
        setting: Setting,
        scope: CallScope,
        inbox: Inbox,
        *,
        recorder: Recorder,
        reuse: Reuse | None,
        retention: Retention | None,
        rank: Rank | None,
        pressure: Pressure | None,
        grace: float,
    ) -> None:
        self.run = run
        self._graph = setting.graph
        self._tasks = setting.graph.tasks
        self._scheduler = setting.scheduler
        self._settling = setting.settling
        self._results = setting.results
        self._ledger = live.ledger
        self._clock = live.ledger.clock
        self._scope = scope
        self._inbox = inbox
        self._inputs = setting.inputs
        self._recorder = recorder
        self._reuse = reuse
        self._retention = retention
        self._rank = rank
        self._ranks: Sequence[float] | None = None
        self._pressure = pressure
        self._grace = grace
        self._static = len(self._tasks)
        self._is_silent = recorder.is_silent
        self._made = MadeFiles()
        self._window = 0
        self._in_flight: dict[int, Call] = {}
        self._unshown: set[int] = set()
        self._show_due = 0.0
        self._committing: list[int] = []
        self._durable: list[int] = []
        self._held: list[Call] = []
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
        self._give_up_at = 0.0
        self.stop()

    def press(self) -> None:
        """Ctrl-C was pressed: stop kindly the first time, give up what runs the second."""
        if self.pressed:
            self.give_up()
        self.pressed = True
        self.stop()

    def abandon(self) -> None:
        """Cancel all that neither is final nor runs: an interrupt has torn what was being done.

        What was about to be committed is dropped, so it is done again when the run is continued;
        but an effect that must happen only once waits for a person.
        """
        running = self._running_elsewhere()
        unresolved_ones = self._begun_once() - running.keys()
        for node in unresolved_ones:
            cause = f"attempt {self._scheduler.attempts[node]} was torn by an interrupt"
            self._ledger.failures[node] = unresolved(cause)
        durable, self._durable, self._committing, self._held = self._durable, [], [], []
        for call in list(self._in_flight.values()):
            if call.node not in running:
                self._backend.cancel(call)
            elif call.finished:
                self._inbox.put(call)  # it may have been taken out, to no avail
        self._in_flight = running
        self._unshown &= running.keys()
        self._recorder.forget()
        self._scheduler.abandon(durable, unresolved_ones, running.keys())

    def _running_elsewhere(self) -> dict[int, Call]:
        """Return the calls whose bodies an interrupt in this thread does not touch."""
        if self._backend.inline:
            return {}
        calls = list(self._in_flight.values())
        return {call.node: call for call in calls if call.started is not None and not call.over}

    def _begun_once(self) -> set[int]:
        """Return the nodes of effects that must happen only once and may have."""
        scheduler = self._scheduler
        known = {*self._durable, *(call.node for call in self._held)}
        return {
            node
            for node, status in enumerate(scheduler.status)
            if status is TaskStatus.RUNNING
            and node not in known
            and self._graph.options(node).effect == "once"
            and not self._is_done_already(node)
        }

    def _is_done_already(self, node: int) -> bool:
        own = None if self._reuse is None else self._reuse.own(node)
        return own is not None and own.status is TaskStatus.COMPLETED

    def steps(self) -> Generator[Step, None, None]:
        """Run until all tasks are final, yielding what has to be waited for.

        Can be called again to go on where an interrupt left off: as it is if that fell into the
        waiting, after `abandon` if not.
        """
        scheduler, recorder, inbox = self._scheduler, self._recorder, self._inbox
        while scheduler.unfinished:
            if self._stop_requested:
                self._stop()
            # No place is given away to what is less urgent than what the commit makes ready.
            if not scheduler.awaits(self._committing):
                self._start_ready()
            if (changes := recorder.changes) is not None:
                yield changes
                self._committed()
            elif scheduler.stopped and not self._in_flight and not inbox:
                break  # an interrupt has come in between, and what is missing will never come
            elif scheduler.unfinished and not self._stop_requested:
                if not inbox:
                    scheduler.rest()
                    yield self._patience()
                self._collect(inbox.drain())
                self._look_at_clock()
        yield from self._finish()

    # Starting ------------------------------------------------------------------------------

    def _start_ready(self) -> None:
        scheduler, reuse, is_gated = self._scheduler, self._reuse, self._scheduler.is_gated
        while True:
            # What was settled has values to be noted before those who take them can start.
            if scheduler.news:
                self._settle()
            if len(self._in_flight) >= self._window or self._stop_requested:
                return
            node = scheduler.take(self._clock.monotonic() if is_gated else 0.0)
            if node is None:
                return
            if reuse is not None and self._restore(node, reuse):
                continue
            if self._rank is None:
                self._start(node)
            else:
                scheduler.put_back(node)
                self._learn(self._rank)

    def _start(self, node: int) -> None:
        scheduler = self._scheduler
        if node < self._static:
            task, element = self._tasks[node], ""
        else:
            task, element = self._graph.task(node), self._graph.element(node)
        call = Call(self._scope, node, task, element, scheduler.attempts[node], {})
        self._in_flight[node] = call
        options = task.options
        if options is not NO_OPTIONS:
            self._limit(node, options)
        try:
            call.kwargs = self._inputs.arguments(node)
            if options.when is not None:
                call.condition = self._inputs.condition_arguments(node, call.kwargs)
        except UndecodableError as error:
            call.fail(error)
            call.retryable = False
            self._inbox.put(call)
            return
        if not self._is_silent:
            self._recorder.started(node)
            if self._reuse is not None:
                call.log = LogBuffer()
                self._unshown.add(node)
                if options.effect == "once":
                    self._recorder.running(node)
                # A start that must be known for certain waits for its commit; and a body that
                # runs right here must not keep what is done before it from being committed.
                if options.effect == "once" or (self._committing and self._backend.inline):
                    self._held.append(call)
                    return
        if self._backend.submit(call):
            self._ended(call)

    def _limit(self, node: int, options: TaskOptions) -> None:
        limits = [limit for limit in (options.timeout, options.idle_timeout) if limit]
        if limits:
            self._scheduler.limit(node, self._clock.monotonic() + min(limits))

    def _learn(self, rank: Rank) -> None:
        """Order what is ready, once something is to be executed."""
        self._rank = None
        self._ranks = rank(self._backend.capacity)
        if self._ranks is not None:
            self._scheduler.prioritize(self._ranks)

    def _reorder(self, pressure: Pressure) -> None:
        """Memory has become short, or is so no longer: start by depth, or as before."""
        calm = self._ranks if self._ranks is not None else [0.0] * self._static
        self._scheduler.prioritize(pressure.ranks if pressure.is_on else calm)

    def _restore(self, node: int, reuse: Reuse) -> bool:
        """Decide about a node that is about to start; return whether it is not to, now."""
        if node in self._ledger.reasons:
            return False  # a retry: decided before
        decision = reuse.decide(node)
        self._ledger.reasons[node] = decision.reason
        record = decision.record
        if record is None:
            self._ledger.facts[node] = decision.facts
            left = reuse.own(node)
            return left is not None and self._take_up(node, left)
        self._ledger.restored[node] = record
        if record.digest is not None:
            self._results.put_stored(node, record)
        if record.files:
            self._made.claim(self._graph.name(node), record.files)
            for file in decision.put_back:
                put_back(file, self._results.encoded(file.kept))
        self._recorder.restored(node, record, decision.facts)
        own = record.run_id == self.run.id
        self._scheduler.restored(node, record.attempts if own else 0)
        self._final(node)
        return True

    def _take_up(self, node: int, own: TaskRecord) -> bool:
        """Go on where an earlier execution left a node; return whether it is not to start now."""
        scheduler = self._scheduler
        task = self._graph.task(node)
        if task.options.effect == "once" and is_unresolved(own):
            scheduler.resumed(node, own.attempts - 1)  # that attempt is what the node just took
            call = Call(self._scope, node, task, own.element, own.attempts, {})
            call.failure = unresolved(own.failure or f"attempt {own.attempts} was cut short")
            self._in_flight[node] = call
            self._inbox.put(call)
            return True
        failures = 0 if own.status is TaskStatus.FAILED else own.failures
        scheduler.resumed(node, own.attempts, failures)
        if failures:
            rest = 0.0 if own.retry_at is None else own.retry_at - self._clock.wall()
            if rest > 0:
                # A clock that was set back must not make it wait longer than it was to.
                longest = task.options.backoff.longest
                scheduler.put_off(node, self._clock.monotonic() + min(rest, longest))
                return True
        return False

    # Ending --------------------------------------------------------------------------------

    def _collect(self, batch: list[Call | None]) -> None:
        for call in batch:
            # What is not in flight was given up, or is handed in a second time.
            if call is not None and self._in_flight.get(call.node) is call:
                self._ended(call)
        if self._backend.prefetch:
            ahead = min(2 * max(0, len(batch) - 1), _MOST_AHEAD * self._backend.capacity)
            self._window = self._backend.capacity + ahead

    def _ended(self, call: Call) -> None:
        """See to a call whose outcome is here."""
        node, ledger = call.node, self._ledger
        del self._in_flight[node]
        self._scheduler.ended(node)
        if call.started is not None:
            ledger.started[node] = call.started
            ledger.durations[node] = call.duration
        if call.failure is not None:
            if call.interrupted:
                self.press()
            self._failed(call)
            return
        if ledger.failures:
            ledger.failures.pop(node, None)  # of an attempt before this one
        if call.skipped:
            self._skipped(call)
        elif self._reuse is None:
            self._results.put_value(node, call.value)
            if self._pressure is not None and self._pressure.hold(node, call.value):
                self._reorder(self._pressure)
            self._scheduler.completed(node)
            if not self._is_silent:
                self._recorder.completed(node, None)
            if self._retention is not None:  # asked here too: the hottest path there is
                self._final(node)
        else:
            self._succeeded(call, self._reuse)

    def _succeeded(self, call: Call, reuse: Reuse) -> None:
        """With a store, it is done, and what waits for it released, once it is committed."""
        node = call.node
        assert call.encoded is not None
        if call.files and (conflict := self._made.claim(call.name, call.files)) is not None:
            call.fail(FileConflictError(conflict))
            call.retryable = False
            self._failed(call)
            return
        if call.files and call.task.options.keep:
            call.files = self._recorder.keep(call.files)
        result = self._results.put(node, call)
        self._unshown.discard(node)
        self._recorder.completed(node, result, call)
        task = call.task
        if task.options.version is None and (code := reuse.code.unkept(task)) is not None:
            self._recorder.code(*code)
        self._committing.append(node)

    def _committed(self) -> None:
        """What was yielded is on disk: release those who wait, then tell observers."""
        self._durable, self._committing = self._committing, []
        for node in self._durable:
            self._scheduler.completed(node)
            self._final(node)
        self._durable = []
        self._recorder.committed()
        held, self._held = self._held, []
        for call in held:
            if self._backend.submit(call):
                self._ended(call)

    def _failed(self, call: Call) -> None:
        node, now = call.node, self._clock.monotonic()
        assert call.failure is not None
        cut_short = call.died or call.over or call.interrupted
        if cut_short and call.task.options.effect == "once":
            call.failure = unresolved(call.failure)
            call.retryable = False
        self._ledger.failures[node] = call.failure
        self._unshown.discard(node)
        due = None
        if call.interrupted:
            self._scheduler.finish(node, TaskStatus.CANCELLED)
        else:
            due = self._scheduler.failed(node, retryable=call.retryable, died=call.died, now=now)
        if self._scheduler.status[node] is TaskStatus.FAILED:
            if self.error is None:
                self.error = call.error
            if call.task.options.allow_failures and call.element:
                self._results.put_failure(node, call.failure)
        self._recorder.failed(call, None if due is None else max(0.0, due - now))
        if due is None:
            self._final(node)

    def _skipped(self, call: Call) -> None:
        node = call.node
        when = call.task.options.when
        name = getattr(when, "__name__", type(when).__name__)
        self._ledger.reasons[node] = f"its condition {name} was not met"
        self._unshown.discard(node)
        self._scheduler.skipped(node)
        self._recorder.settled(node)
        self._final(node)

    def _settle(self) -> None:
        """See to what became final without an attempt of its own ending."""
        for node, error in self._settling.settle():
            if error is not None:
                self._ledger.failures[self._graph.owner(node)] = failure_of(error)
                continue
            status = self._scheduler.status[node]
            if status in (TaskStatus.FAILED, TaskStatus.UPSTREAM_FAILED):
                self._ledger.failures.setdefault(node, self._upstream_failure(node))
            elif status is TaskStatus.SKIPPED:
                self._ledger.reasons.setdefault(node, self._skip_reason(node))
            if self._graph.is_shown(node):
                if status is TaskStatus.COMPLETED:
                    self._recorder.completed(node, None)
                else:
                    self._recorder.settled(node, written=not self._stays_known(node, status))
            self._final(node)

    def _skip_reason(self, node: int) -> str:
        scheduler = self._scheduler
        is_alarm = self._graph.trigger(node) == "any_failed"
        if is_alarm and not self._graph.children.get(node):
            return "nothing that it depends on failed"
        if TaskStatus.SKIPPED in {scheduler.status[pred] for pred in self._graph.preds(node)}:
            return "what it depends on was skipped"
        return "all its elements were skipped"

    def _stays_known(self, node: int, status: TaskStatus) -> bool:
        """Whether there is more to know of a node than that it was not come to this time."""
        own = None if self._reuse is None else self._reuse.own(node)
        if own is None or status not in (TaskStatus.CANCELLED, TaskStatus.UPSTREAM_FAILED):
            return False
        return own.attempts > 0 or own.status is TaskStatus.COMPLETED

    def _upstream_failure(self, node: int) -> Failure:
        """Say because of which tasks or elements a node has no result."""
        scheduler, graph, failures = self._scheduler, self._graph, self._ledger.failures
        causes: dict[str, None] = {}
        for pred in (*graph.preds(node), *graph.children.get(node, ())):
            if scheduler.status[pred] is TaskStatus.COMPLETED:
                continue
            failure = failures.get(pred)
            if failure is not None and failure.causes:
                causes.update(dict.fromkeys(failure.causes))
            elif failure is not None and graph.is_shown(pred):
                causes[graph.name(pred)] = None
            if len(causes) > _MOST_CAUSES:
                break
        shown = tuple(causes)[:_MOST_CAUSES]
        told = [f"{name}: {self.run.tasks[name].error}" for name in shown]
        return Failure("UpstreamFailed", "because of " + "; ".join(told), causes=shown)

    def _final(self, node: int) -> None:
        if self._retention is None:
            return
        for dropped in self._retention.final(node):
            if self._pressure is not None and self._pressure.drop(dropped):
                self._reorder(self._pressure)

    # Time ----------------------------------------------------------------------------------

    def _patience(self) -> float | None:
        """Return how many seconds the runner can sleep if nothing arrives."""
        moments = [self._scheduler.next_due(), self._give_up_at]
        if self._unshown:
            moments.append(self._clock.monotonic() + _SHOWN_AFTER_SECONDS)
        known = [moment for moment in moments if moment is not None]
        if not known:
            return None
        return min(max(0.0, min(known) - self._clock.monotonic()), _LONGEST_SLEEP)

    def _look_at_clock(self) -> None:
        due = self._scheduler.next_due()
        if due is None and self._give_up_at is None and not self._unshown:
            return
        now = self._clock.monotonic()
        if due is not None and due <= now:
            for node in self._scheduler.wake(now):
                self._check_limits(node, now)
        if self._give_up_at is not None and self._give_up_at <= now:
            self._give_up_running(now)
        # Not at every look: where there are thousands of places, going through them takes a while.
        if self._unshown and now >= self._show_due:
            self._show_due = now + _SHOWN_AFTER_SECONDS / 2
            self._show_running(now)

    def _check_limits(self, node: int, now: float) -> None:
        call = self._in_flight.get(node)
        if call is None:
            return
        options = call.task.options
        # What waited for a free place did so in no time of its own.
        started = now if call.started is None else call.started
        limits = []
        if options.timeout is not None:
            limits.append((started + options.timeout, "was over its limit", options.timeout))
        if options.idle_timeout is not None:
            alive = max(started, call.beat or started)
            limits.append(
                (alive + options.idle_timeout, "gave no sign of life in", options.idle_timeout)
            )
        due, verb, seconds = min(limits)
        if due > now:
            self._scheduler.limit(node, due)
            return
        of = " of" if verb.endswith("limit") else ""
        error = TaskTimeoutError(f"attempt {call.attempt} {verb}{of} {seconds:g} s")
        self._end_by_force(call, error, now)

    def _give_up_running(self, now: float) -> None:
        self._give_up_at = None
        for call in list(self._in_flight.values()):
            call.interrupted = True
            self._end_by_force(call, InterruptedError("the run was stopped"), now)

    def _end_by_force(self, call: Call, error: Exception, now: float) -> None:
        self._backend.cancel(call)
        if not call.over:
            self._ended(call)  # it ended at this very moment, and its outcome counts
            return
        del self._in_flight[call.node]
        self._scheduler.ended(call.node)
        if call.started is not None:
            self._ledger.started[call.node] = call.started
            self._ledger.durations[call.node] = call.duration = now - call.started
        call.fail(error)
        self._failed(call)

    def _show_running(self, now: float) -> None:
        """Have the start of attempts that take long committed, for whoever looks at the store."""
        for node in list(self._unshown):
            call = self._in_flight.get(node)
            if call is None:
                self._unshown.discard(node)
            elif call.started is not None and now - call.started >= _SHOWN_AFTER_SECONDS:
                self._unshown.discard(node)
                self._ledger.started[node] = call.started
                self._recorder.running(node)

    def _stop(self) -> None:
        self._stop_requested = False
        self._scheduler.stop()
        if self._give_up_at is None:
            self._give_up_at = self._clock.monotonic() + self._grace

    def _finish(self) -> Generator[Step, None, None]:
        if self._scheduler.news:
            self._settle()
        statuses = set(self._scheduler.status[: self._static])
        if statuses & {TaskStatus.FAILED, TaskStatus.UPSTREAM_FAILED}:
            status = RunStatus.FAILED
        elif TaskStatus.CANCELLED in statuses or self._scheduler.unfinished:
            status = RunStatus.CANCELLED
        else:
            status = RunStatus.COMPLETED
        self._recorder.finished(status)
        yield self._recorder.changes
        self._committed()

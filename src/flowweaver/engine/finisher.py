"""What comes of an attempt that has ended, and of nodes that never got one."""

from __future__ import annotations

from flowweaver.definitions.task import name_of
from flowweaver.engine.abandoning import abandon
from flowweaver.engine.attempts import log_failed
from flowweaver.engine.body.call import Call
from flowweaver.engine.body.failures import failure_of
from flowweaver.engine.body.quoting import without_secrets
from flowweaver.engine.carried import Carried
from flowweaver.engine.files import MadeFiles
from flowweaver.engine.flight import Flight
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.precedence import Precedence
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.resolution import unresolved
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.engine.setting import Setting
from flowweaver.engine.starts import Starts
from flowweaver.engine.stopping import Stopping
from flowweaver.engine.upstream import Upstream
from flowweaver.errors import FileConflictError, FlowWeaverError, UnstorableError
from flowweaver.reasons import ReasonKind, because
from flowweaver.status import TaskStatus


class Finisher:
    """Sees to the nodes of one run that have come to something.

    Args:
        setting: The parts that walk through the workflow.
        ledger: What is noted of the nodes.
        recorder: Keeps store and observers up to date.
        reuse: Decides what is restored; None without a store.
        flight: What is under way.
        starts: Has starts committed.
        precedence: Orders what is ready, and lets go of results.
        made: The files that the run's tasks have made.
        upstream: Tells why nodes never started.
        stopping: Is told of a Ctrl-C that a body was interrupted by.

    Attributes:
        error: What the first attempt raised that made its task fail.
    """

    __slots__ = (
        "_flight", "_is_gated", "_ledger", "_made", "_precedence", "_recorder", "_reuse",
        "_setting", "_starts", "_stopping", "_upstream", "error",
    )  # fmt: skip

    def __init__(
        self,
        setting: Setting,
        ledger: Ledger,
        recorder: Recorder,
        reuse: Reuse | None,
        flight: Flight,
        starts: Starts,
        precedence: Precedence,
        made: MadeFiles,
        upstream: Upstream,
        stopping: Stopping,
    ) -> None:
        self._setting = setting
        self._is_gated = setting.scheduler.is_gated
        self._ledger = ledger
        self._recorder = recorder
        self._reuse = reuse
        self._flight = flight
        self._starts = starts
        self._precedence = precedence
        self._made = made
        self._upstream = upstream
        self._stopping = stopping
        self.error: BaseException | None = None

    def ended(self, call: Call) -> None:
        """See to a call whose outcome is here."""
        node, ledger, setting = call.node, self._ledger, self._setting
        del self._flight.calls[node]
        if self._is_gated:
            setting.scheduler.ended(node)
        if call.started is not None:
            ledger.ran.note(node, call.started, call.duration, call.worker)
        if call.fault is not None:
            if call.interrupted:
                self._stopping.press()
            self._failed(call)
            return
        if ledger.failures:
            ledger.failures.pop(node, None)  # of an attempt before this one
        if call.skipped:
            self._skipped(call)
        elif self._reuse is None:
            setting.results.put_value(node, call.value)
            if self._precedence.drops:  # asked here too: the hottest path there is
                self._precedence.hold(node, call.value)
            setting.scheduler.completed(node)
            if not self._recorder.is_silent:
                self._recorder.completed(node, None)
            if self._precedence.drops:
                self._precedence.final(node)
        else:
            self._succeeded(call, self._reuse)

    def given(self, call: Call) -> None:
        """See to a value that is given in place of what a task would return."""
        node, ledger = call.node, self._ledger
        ledger.overridden.add(node)
        ledger.reasons[node] = because(ReasonKind.OVERRIDDEN)
        self._setting.scheduler.withdraw(node)
        self._flight.calls[node] = call
        self.ended(call)

    def _succeeded(self, call: Call, reuse: Reuse) -> None:
        """With a store, it is done, and what waits for it is released, once it is committed."""
        node = call.node
        assert call.encoded is not None
        if call.files and (conflict := self._made.claim(call.name, call.files)) is not None:
            call.fail(FileConflictError(conflict), for_good=True)
            self._failed(call)
            return
        if call.files and call.task.options.keep:
            try:
                call.files = self._recorder.keep(call.files)
            except UnstorableError as error:
                call.fail(error, for_good=True)
                self._failed(call)
                return
        result = self._setting.results.put(node, call)
        self._starts.discard(call)
        self._recorder.completed(node, result, call)
        graph = self._setting.graph
        # That of the call may have hooks around its body.
        task = graph.tasks[node if node < graph.size else graph.owner(node)]
        if task.options.version is None and (code := reuse.code.unkept(task)) is not None:
            self._recorder.code(*code)
        self._flight.committing.append(node)

    def committed(self) -> None:
        """What was to be committed is on disk: release those who wait, then tell observers."""
        flight = self._flight
        flight.durable, flight.committing = flight.committing, []
        for node in flight.durable:
            self._setting.scheduler.completed(node)
            if self._precedence.drops:
                self._precedence.final(node)
        flight.durable = []
        self._recorder.committed()
        held, flight.held = flight.held, []
        objections = self._objections(held) if held else {}
        for call in held:
            if (objection := objections.get(call)) is not None:
                call.fail(FlowWeaverError(objection), for_good=True)
                self.ended(call)
            elif flight.backend.submit(call):
                self.ended(call)

    def _objections(self, held: list[Call]) -> dict[Call, str]:
        """Return why calls must not be made now: others have had their effects, or may have."""
        facts, reasons, effects = self._ledger.facts, self._ledger.reasons, {}
        for call in held:
            is_wanted = reasons[call.node].kind is ReasonKind.FORCED
            if call.task.options.effect == "once_ever" and not is_wanted:
                effects[call] = call.task.name, facts[call.node].fingerprint
        if not effects or self._reuse is None:
            return {}
        found = self._reuse.effects.objections(set(effects.values()))
        return {call: found[effect] for call, effect in effects.items() if effect in found}

    def end_by_force(self, call: Call, error: Exception, now: float) -> None:
        """End an attempt that has had its time, whether its body can be stopped or not."""
        self._flight.backend.cancel(call)
        if not call.over:
            self.ended(call)  # it ended at this very moment, and its outcome counts
            return
        del self._flight.calls[call.node]
        self._setting.scheduler.ended(call.node)
        if call.started is not None:
            call.duration = now - call.started
            self._ledger.ran.note(call.node, call.started, call.duration, call.worker)
        call.fail(error)
        self._failed(call)

    def _failed(self, call: Call) -> None:
        node, now, scheduler = call.node, self._ledger.clock.monotonic(), self._setting.scheduler
        fault = call.fault
        assert fault is not None
        cut_short = call.died or call.over or call.interrupted
        if cut_short and call.task.options.acts_once:
            fault.failure = unresolved(fault.failure)
            fault.retryable = False
        self._ledger.failures[node] = fault.failure
        self._starts.discard(call)
        graph, due = self._setting.graph, None
        if call.element and node not in graph.labels:
            graph.label_by(node, call.kwargs)
        if call.interrupted:
            scheduler.finish(node, TaskStatus.CANCELLED)
        else:
            due = scheduler.failed(
                node, retryable=fault.retryable, died=call.died, wait=fault.wait, now=now
            )
            log_failed(
                call,
                fault.failure,
                graph.shown_name(node),
                None if due is None else max(0.0, due - now),
            )
        if scheduler.status[node] is TaskStatus.FAILED:
            if self.error is None:
                self.error = without_secrets(fault.error)
            if graph.tolerates(node):
                self._setting.results.put_failure(node, fault.failure)
        self._recorder.failed(call, None if due is None else max(0.0, due - now))
        if due is None:
            self._precedence.final(node)

    def _skipped(self, call: Call) -> None:
        node = call.node
        self._starts.discard(call)
        if call.skip_reason is None:
            condition = name_of(call.task.options.when)
            self._ledger.reasons[node] = because(ReasonKind.CONDITION_NOT_MET, condition)
            self._setting.scheduler.skipped(node)
            self._recorder.settled(node)
        else:
            told = f": {call.skip_reason}" if call.skip_reason else ""
            self._ledger.reasons[node] = because(ReasonKind.BODY_SKIPPED, told)
            self._setting.scheduler.finish(node, TaskStatus.SKIPPED)
            self._recorder.skipped(call)
        self._precedence.final(node)

    def settle(self) -> None:
        """See to what became final without an attempt of its own ending."""
        graph, ledger = self._setting.graph, self._ledger
        if ledger.carried is not None:
            self._pass_over(ledger.carried)
        for node, error in self._setting.settling.settle():
            if error is not None:
                ledger.failures[graph.owner(node)] = failure_of(error)
                continue
            status = self._setting.scheduler.status[node]
            if status in (TaskStatus.FAILED, TaskStatus.UPSTREAM_FAILED):
                failure = ledger.failures.setdefault(node, self._upstream.of_failure(node))
                if graph.tolerates(node):
                    self._setting.results.put_failure(node, failure)
            elif status is TaskStatus.SKIPPED:
                ledger.reasons.setdefault(node, self._upstream.of_skip(node))
            if graph.is_shown(node):
                if status is TaskStatus.COMPLETED:
                    self._recorder.completed(node, None)
                else:
                    self._recorder.settled(node, written=not self._stays_known(node, status))
            self._precedence.final(node)

    def _pass_over(self, carried: Carried) -> None:
        """Leave alone what was taken over: there is nothing to see to but what observers hear."""
        scheduler, fresh = self._setting.scheduler, carried.fresh
        if self._recorder.tells:
            for node in scheduler.news:
                if node not in fresh:
                    self._recorder.taken_over(node)
        scheduler.news = [node for node in scheduler.news if node in fresh]

    def abandon(self, inbox: Inbox) -> None:
        """Cancel all that neither is final nor runs: an interrupt has torn what was being done."""
        abandon(self._flight, self._setting, self._ledger, inbox, self._reuse)
        self._recorder.forget()

    def _stays_known(self, node: int, status: TaskStatus) -> bool:
        """Whether there is more to know of a node than that it was not come to this time."""
        own = None if self._reuse is None else self._reuse.own(node)
        if own is None or status not in (TaskStatus.CANCELLED, TaskStatus.UPSTREAM_FAILED):
            return False
        return own.attempts > 0 or own.status is TaskStatus.COMPLETED

"""How a TaskRun begins: restored, taken up where an earlier execution left it, or started."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flowweaver.definitions.options import NO_OPTIONS
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.body.faults import Fault
from flowweaver.engine.body.logs import LogBuffer
from flowweaver.engine.deadlines import Deadlines
from flowweaver.engine.files import MadeFiles
from flowweaver.engine.flight import Flight
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.kept_files import put_back
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.precedence import Precedence
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.resolution import is_unresolved, unresolved
from flowweaver.engine.reuse.decide import Decision, Reuse
from flowweaver.engine.setting import Setting
from flowweaver.engine.starts import Starts
from flowweaver.errors import FlowWeaverError, SecretError, UndecodableError
from flowweaver.facts import Facts
from flowweaver.reasons import ReasonKind, because
from flowweaver.records import TaskRecord
from flowweaver.status import TaskStatus

# How long a node waits for another that is having the same effect, before it looks again.
_TWIN_SECONDS = 0.05
_NOTHING: Mapping[str, Any] = {}


class Starter:
    """Sees to the nodes of one run whose turn has come.

    Args:
        setting: The parts that walk through the workflow.
        scope: What all calls of the run share.
        inbox: Where finished calls arrive.
        ledger: What is noted of the nodes.
        recorder: Keeps store and observers up to date.
        reuse: Decides what is restored; None without a store.
        flight: What is under way.
        starts: Has starts committed.
        deadlines: Limits how long attempts take.
        precedence: Orders what is ready.
        made: The files that the run's tasks have made.
    """

    __slots__ = (
        "_acting", "_deadlines", "_flight", "_inbox", "_is_gated", "_ledger", "_made",
        "_precedence", "_recorder", "_reuse", "_scope", "_setting", "_starts",
    )  # fmt: skip

    def __init__(
        self,
        setting: Setting,
        scope: CallScope,
        inbox: Inbox,
        ledger: Ledger,
        recorder: Recorder,
        reuse: Reuse | None,
        flight: Flight,
        starts: Starts,
        deadlines: Deadlines,
        precedence: Precedence,
        made: MadeFiles,
    ) -> None:
        self._setting = setting
        self._is_gated = setting.scheduler.is_gated
        self._scope = scope
        self._inbox = inbox
        self._ledger = ledger
        self._recorder = recorder
        self._reuse = reuse
        self._flight = flight
        self._starts = starts
        self._deadlines = deadlines
        self._precedence = precedence
        self._made = made
        self._acting: dict[tuple[str, str], int] = {}

    def begin(self, node: int) -> Call | None:
        """See to a node just taken; return the call to be submitted, if there is one by now."""
        if self._reuse is not None and self._restore(node, self._reuse):
            return None
        if self._precedence.is_unknown and self._learn(node):
            return None
        if self._is_gated and not self._setting.scheduler.admit(
            node, self._ledger.clock.monotonic()
        ):
            return None
        # The hottest path there is: all that follows is done here for every attempt.
        setting, graph = self._setting, self._setting.graph
        if node < graph.size:
            task, element = graph.tasks[node], ""
        else:
            task, element = graph.task(node), graph.element(node)
        call = Call(self._scope, node, task, element, setting.scheduler.attempts[node], _NOTHING)
        self._flight.calls[node] = call
        options = task.options
        if options is not NO_OPTIONS:
            self._deadlines.set(node, options)
        try:
            call.kwargs = setting.inputs.arguments(node)
            if element and not (self._recorder.is_silent and options.element_name is None):
                graph.label_by(node, call.kwargs)
            if options.when is not None:
                call.condition = setting.inputs.condition_arguments(node, call.kwargs)
        except (UndecodableError, SecretError) as error:
            call.fail(error, for_good=True)
            self._inbox.put(call)
            return None
        return call if self._recorder.is_silent or self._announce(call) else None

    def _learn(self, node: int) -> bool:
        """Ask for priorities, if need be; return whether it may be another node's turn now."""
        slots = self._flight.backend.capacity
        if not self._precedence.is_due(slots - len(self._flight.calls)):
            return False
        self._setting.scheduler.put_back(node)
        self._precedence.learn(slots)
        return True

    def _announce(self, call: Call) -> bool:
        """Tell of a start; return whether it may go ahead before anything is committed."""
        if self._recorder.tells:
            self._recorder.started(call.node)
        if self._reuse is None:
            return True
        call.log = LogBuffer()
        options, flight = call.task.options, self._flight
        is_once = options is not NO_OPTIONS and options.acts_once
        if is_once:
            self._recorder.running(call)
        else:
            self._starts.add(call)
        # A start that must be known for certain waits for its commit; and a body that runs right
        # here must not keep what is done before it from being committed.
        if is_once or (flight.committing and flight.backend.inline):
            flight.held.append(call)
            return False
        return True

    def _restore(self, node: int, reuse: Reuse) -> bool:
        """Decide about a node that is about to start; return whether it is not to, now."""
        ledger, setting = self._ledger, self._setting
        if node in ledger.reasons:
            return False  # a retry: decided before
        decision = self._with_files(reuse.decide(node))
        ledger.reasons[node] = decision.reason
        record = decision.record
        if record is None:
            options = setting.graph.options(node)
            if options.effect == "once_ever" and self._waits_for_twin(node, decision.facts):
                return True
            ledger.facts[node] = decision.facts
            left = reuse.own(node)
            return left is not None and self._take_up(node, left)
        ledger.restored[node] = record
        self._name_restored(node, record)
        if record.digest is not None:
            setting.results.put_stored(node, record)
        if record.files:
            self._made.claim(setting.graph.name(node), record.files)
        self._recorder.restored(node, record, decision.facts)
        own = record.run_id == self._scope.run_id
        setting.scheduler.restored(node, record.attempts if own else 0)
        self._precedence.final(node)
        return True

    def _with_files(self, decision: Decision) -> Decision:
        """Put back the files of a result; where that can't be done, it is to be made again."""
        for file in decision.put_back:
            try:
                put_back(file, self._setting.results.encoded(file.kept))
            except OSError as error:
                why = f"the file `{file.path}` can't be put back ({error.strerror or error})"
                reason = because(ReasonKind.FILE_CHANGED, why)
                return Decision(decision.facts, reason, before=decision.record)
        return decision

    def _name_restored(self, node: int, record: TaskRecord) -> None:
        """Name a restored element that was made before its task gave names."""
        graph = self._setting.graph
        if node < graph.size or record.label or graph.options(node).element_name is None:
            return
        with suppress(FlowWeaverError):  # what it was given is gone
            graph.label_by(node, self._setting.inputs.arguments(node))

    def _waits_for_twin(self, node: int, facts: Facts) -> bool:
        """Have a node wait while another of the run has the effect that may happen only once."""
        task = self._setting.graph.task(node)
        scheduler, ledger = self._setting.scheduler, self._ledger
        twin = self._acting.setdefault((task.name, facts.fingerprint), node)
        if twin == node or scheduler.status[twin].is_final:
            self._acting[task.name, facts.fingerprint] = node
            return False
        del ledger.reasons[node]  # it is decided anew
        scheduler.put_off(node, ledger.clock.monotonic() + _TWIN_SECONDS)
        return True

    def _take_up(self, node: int, own: TaskRecord) -> bool:
        """Go on where an earlier execution left a node; return whether it is not to start now."""
        scheduler, clock = self._setting.scheduler, self._ledger.clock
        task = self._setting.graph.task(node)
        if task.options.acts_once and is_unresolved(own):
            scheduler.resumed(node, own.attempts - 1)  # that attempt is what the node just took
            call = Call(self._scope, node, task, own.element, own.attempts, {})
            cause = own.failure or f"attempt {own.attempts} was cut short"
            call.fault = Fault(unresolved(cause))
            self._flight.calls[node] = call
            self._inbox.put(call)
            return True
        failures = 0 if own.status is TaskStatus.FAILED else own.failures
        scheduler.resumed(node, own.attempts, failures)
        if failures and own.retry_at is not None and (rest := own.retry_at - clock.wall()) > 0:
            # A clock that was set back must not make it wait longer than it was to.
            longest = max(task.options.backoff.longest, wait_of(own, own.retry_at))
            scheduler.put_off(node, clock.monotonic() + min(rest, longest))
            return True
        return False


def wait_of(record: TaskRecord, retry_at: float) -> float:
    """Return how long a TaskRun was to wait after its last attempt; 0.0 if nobody knows."""
    if record.started_at is None or record.duration is None:
        return 0.0
    return retry_at - record.started_at - record.duration

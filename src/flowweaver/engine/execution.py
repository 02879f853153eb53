"""One execution of a run: checked, claimed, wired up, and let go again."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Collection
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial

from flowweaver.blueprint import GRAPH_KEY
from flowweaver.definitions import last_runs
from flowweaver.definitions.blueprints import blueprint_digest
from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.body.call import CallScope, call_here
from flowweaver.engine.body.link import LocalLink
from flowweaver.engine.carried import Carried
from flowweaver.engine.claimed import Claimed
from flowweaver.engine.clock import SYSTEM_CLOCK, Clock
from flowweaver.engine.ending import Ending, beyond
from flowweaver.engine.gates import Entrance, Gates
from flowweaver.engine.history.past import run_of
from flowweaver.engine.hooks import hook_observer
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.invocation import Invocation
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.live import LiveRun, Remembered
from flowweaver.engine.precedence import Precedence
from flowweaver.engine.pressure import Pressure
from flowweaver.engine.priorities import rank_by
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.retention import Retention
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.engine.runner import Runner
from flowweaver.engine.setting import Setting
from flowweaver.engine.starts import Starts
from flowweaver.engine.telling import Teller
from flowweaver.engine.unchanged import RecalledWhole, Unchanged, restore_whole, tell_whole
from flowweaver.engine.watching import observers_of
from flowweaver.events import Notifier, Observer
from flowweaver.forks import leave_if_copied
from flowweaver.records import FORK_KEY, OVERRIDES_KEY, TARGETS_KEY, Changes, RunRecord
from flowweaver.run import Run, WorkflowFailed
from flowweaver.state_store import StateStore, spool_of
from flowweaver.status import RunStatus, TaskStatus, came_to
from flowweaver.version import __version__

_log = logging.getLogger("flowweaver")
WAITING = "flowweaver.waiting"
"""The logger that is told what a run waits for; the command's progress tells of it itself."""
_waiting_log = logging.getLogger(WAITING)


class Execution:
    """Everything one execution needs, from the claim to the outcome.

    Nothing is touched before `open`; `close` lets go of all of it, whatever happened.
    """

    def __init__(
        self,
        workflow: Workflow,
        invocation: Invocation,
        *,
        store: StateStore | None,
        observers: tuple[Observer, ...],
        gates: Gates,
        unstoppable: Collection[str],
        grace: float,
        description: str,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._invocation = invocation
        self._workflow = workflow
        self._store = store
        self._gates = gates
        self._unstoppable = unstoppable
        self._grace = grace
        self._observers = observers + observers_of(invocation.options.observers)
        self._description = description
        self._clock = clock
        self._claimed: Claimed | None = None
        self._told_by: Teller | None = None
        self._closing = ExitStack()
        self.pid = os.getpid()

    @property
    def wiring(self) -> Wiring:
        """What is executed."""
        return self._invocation.wiring

    @property
    def is_stored(self) -> bool:
        """Whether there is a store to wait for."""
        return self._store is not None

    def open(self, inbox: Inbox) -> Runner | Run:
        """Claim the run and return its runner; the run itself if it was restored as a whole."""
        self._invocation.check_secrets(self._store)
        unchanged = None if self._store is None else self._claim(self._store)
        if unchanged is not None and (whole := self._whole(unchanged)) is not None:
            return whole
        runner = self._runner(inbox, unchanged)
        if self._invocation.options.stop is not None:
            self._invocation.options.stop.attach(runner)
        return runner

    def _claim(self, store: StateStore) -> Unchanged:
        """Claim the run; return what tells whether anything has changed since the one before."""
        invocation = self._invocation
        invocation.signer.check_key()  # before any body, not after one that took hours
        info = self._info(blueprint_digest(invocation.wiring))
        self._claimed = claimed = Claimed(store, invocation.request(info))
        self._closing.callback(claimed.release)
        return Unchanged(invocation, store, claimed.lease)

    def _info(self, graph: str) -> dict[str, object]:
        overrides = self._invocation.digests_of_overrides()
        return {
            "executor": self._description,
            "flowweaver": __version__,
            "python": platform.python_version(),
            "tasks": len(self._invocation.wiring.tasks),
            GRAPH_KEY: graph,
            TARGETS_KEY: list(self._invocation.targets),
            **({OVERRIDES_KEY: overrides} if overrides else {}),
            **({FORK_KEY: fork_of} if (fork_of := self._invocation.options.fork_of) else {}),
        }

    def _whole(self, unchanged: Unchanged) -> Run | None:
        """Restore the run as a whole, if it has just begun and nothing has changed."""
        claimed, stop, began = self._claimed, self._invocation.options.stop, self._clock.wall()
        if claimed is None or (stop is not None and stop.is_set):
            return None
        store, base = claimed.store, unchanged.since()
        if base is None:
            return None
        record = restore_whole(store, claimed.lease, base, self._clock)
        if record is None:
            return None
        if record.info.get(GRAPH_KEY) != base.info.get(GRAPH_KEY):  # its docstrings count, too
            claimed.keep_graph(self.wiring)
        run = run_of(self.wiring, store, record)
        if (notifier := self._notifier()) is not None:
            tell_whole(run, store.tasks(record.id), notifier, began)
        recalled = RecalledWhole(run, self._workflow, store)
        last_runs.note(self._workflow, recalled, run, self.wiring)
        return run

    def _runner(self, inbox: Inbox, unchanged: Unchanged | None) -> Runner:
        invocation, entrance = self._invocation, self._enter(inbox)
        setting = Setting.of(invocation, self._store, entrance)
        carried = None if unchanged is None else unchanged.carried()
        record, reuse = self._begin(setting, unchanged, carried)
        if entrance is not None:
            entrance.run_id = record.id
        ledger = Ledger(self._clock)
        ledger.carried = carried
        live = LiveRun(
            record, setting.graph, setting.scheduler, setting.results, ledger, invocation.params
        )
        run = Run(live)
        remembered = Remembered(run, live)
        self._closing.callback(remembered.rest)
        last_runs.note(self._workflow, remembered, run, self.wiring)
        recorder = Recorder(
            live, setting.graph, self._teller(run, live, setting), storing=self.is_stored
        )
        lease = None if self._claimed is None else self._claimed.lease
        missing = [] if lease is None else beyond(invocation, lease)
        scope = self._scope(record)
        runner = Runner(
            run,
            setting,
            scope,
            inbox,
            ledger,
            recorder=recorder,
            reuse=reuse,
            precedence=self._precedence(setting, record.id, carried),
            ending=Ending(run, setting, recorder, unchanged, carried, missing),
            grace=self._grace,
            unstoppable=self._unstoppable,
        )
        for node, override in invocation.overrides.items():
            runner.give(override.as_call(scope, node, setting.graph.task(node)))
        return runner

    def _enter(self, inbox: Inbox) -> Entrance | None:
        """Let the run come in where the limits of executor and workflow are kept."""
        workflow, own = self._workflow, None
        if workflow.limits or workflow.rate:
            own = workflow.name, workflow.limits, workflow.rate
        if own is None and self._gates.bounds_nothing:
            return None
        outer = call_here()
        lends = None if outer is None else (outer.scope.run_id, outer.task.options.tags)
        entrance = self._gates.open(partial(inbox.put, None), lends, own)
        self._closing.callback(entrance.close)
        return entrance

    def _begin(
        self, setting: Setting, unchanged: Unchanged | None, carried: Carried | None
    ) -> tuple[RunRecord, Reuse | None]:
        """Return the run that was claimed, where there is a store, and what is done of it."""
        invocation, claimed = self._invocation, self._claimed
        if claimed is None or unchanged is None:
            return self._unstored_record(), None
        if claimed.lease.run.targets != invocation.targets:
            claimed.widen(invocation.scope_of(claimed.lease.run))
        else:
            claimed.keep_graph(invocation.wiring)
        store, run, tasks = claimed.store, claimed.lease.run, claimed.lease.tasks
        reuse = setting.reuse(invocation, store, run.id, tasks, unchanged.code, carried)
        if (words := reuse.warning()) is not None:
            _log.warning(words)
        return run, reuse

    def _unstored_record(self) -> RunRecord:
        invocation, now = self._invocation, self._clock.wall()
        run_id = invocation.options.run_id or os.urandom(6).hex()
        return RunRecord(run_id, invocation.wiring.name, "", RunStatus.RUNNING, now, now)

    def _teller(self, run: Run, live: LiveRun, setting: Setting) -> Teller | None:
        """Return who tells observers, if there are any; they hear of the start at once."""
        notifier = self._notifier()
        if notifier is None:
            return None
        self._told_by = teller = Teller(run, live, setting.graph, notifier, storing=self.is_stored)
        teller.run_started()
        if live.ledger.carried is not None:
            for node in live.ledger.carried.nodes:
                teller.finished(node, TaskStatus.COMPLETED)
        return teller

    def _notifier(self) -> Notifier | None:
        """Return what tells observers, if there are any."""
        observers = self._observers + hook_observer(self.wiring)
        if not observers:
            return None
        notifier = Notifier(observers)
        self._closing.callback(notifier.close)
        return notifier

    def _precedence(self, setting: Setting, run_id: str, carried: Carried | None) -> Precedence:
        options, rank, retention = self._invocation.options, None, None
        if options.schedule == "learned":
            rank = rank_by(self.wiring, self._store, run_id, carried)
        limit = options.memory_limit
        if options.drop_results or limit is not None:
            retention = Retention(setting.graph, setting.elements, setting.results, setting.inputs)
        return Precedence(
            setting.scheduler,
            setting.graph.size,
            rank=rank,
            retention=retention,
            pressure=None if limit is None else Pressure(self.wiring, limit),
            is_late=carried is not None,
        )

    def _scope(self, record: RunRecord) -> CallScope:
        lease = None if self._claimed is None else self._claimed.lease
        return CallScope(
            record.workflow,
            record.id,
            LocalLink(self._store, lease),
            storing=self.is_stored,
            context=copy_context(),
            spool=spool_of(self._store),
        )

    def commit(self, changes: Changes) -> None:
        """Write what the runner wants written, if there is a store."""
        leave_if_copied(self.pid)
        if self._claimed is not None:
            self._claimed.commit(changes)

    def commit_starts(self, starts: Starts) -> None:
        """Write the starts of attempts that last, if there is a store; see `Claimed`."""
        if self._claimed is not None:
            self._claimed.commit_starts(starts, self._clock.monotonic())

    def waiting(self, words: str) -> None:
        """Say what tasks wait for that may never come. From any thread."""
        _waiting_log.warning("%s", words)
        if self._told_by is not None:
            self._told_by.waiting(words)

    def close(self) -> None:
        """Let go of the run and of the observers."""
        leave_if_copied(self.pid)
        self._closing.close()

    def outcome(self, runner: Runner) -> Run:
        """Return the run, or raise what it came to, as far as it was asked for."""
        run = runner.run
        if came_to(run.counts()) is RunStatus.FAILED and self._invocation.options.raise_on_failure:
            raise WorkflowFailed(_story(run), run) from runner.error
        return run


def _story(run: Run) -> str:
    failed = [name for name, task in run.tasks.items() if task.status is TaskStatus.FAILED]
    counts = run.counts()
    first = failed[0] if failed else next(iter(run.tasks))
    text = f"workflow {run.workflow!r} failed at task {first!r}: {run.tasks[first].error}"
    if len(failed) > 1:
        shown = ", ".join(map(repr, failed[1:4])) + (", ..." if len(failed) > 4 else "")
        text += f"; {len(failed) - 1} more failed: {shown}"
    stopped = counts.get(TaskStatus.UPSTREAM_FAILED, 0) + counts.get(TaskStatus.CANCELLED, 0)
    if stopped:
        text += f"; {stopped} did not start because of it"
    return f"{text} (run {run.id})"

"""One execution of a run: checked, claimed, wired up, and let go again."""

from __future__ import annotations

import logging
import os
import platform
import secrets
import threading
from collections.abc import Collection
from contextvars import copy_context
from dataclasses import replace
from functools import partial

from flowweaver.blueprint import GRAPH_KEY
from flowweaver.definitions import last_runs
from flowweaver.definitions.blueprints import blueprint_digest, blueprint_text
from flowweaver.definitions.part import part_again
from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.body.call import CallScope, call_here
from flowweaver.engine.body.link import LocalLink
from flowweaver.engine.carried import Carried
from flowweaver.engine.clock import SYSTEM_CLOCK, Clock
from flowweaver.engine.gates import Entrance, Gates
from flowweaver.engine.history.past import run_of
from flowweaver.engine.hooks import hook_observer
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.invocation import Invocation
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.live import LiveRun, Remembered
from flowweaver.engine.precedence import Rank
from flowweaver.engine.pressure import Pressure
from flowweaver.engine.priorities import durations_told, learned_durations, ranks
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.retention import Retention
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.runner import Runner
from flowweaver.engine.setting import Setting
from flowweaver.engine.starts import Starts
from flowweaver.engine.telling import Teller
from flowweaver.engine.unchanged import RecalledWhole, Unchanged, restore_whole, tell_whole
from flowweaver.engine.watching import observers_of
from flowweaver.events import Notifier, Observer
from flowweaver.fingerprint import settle_values
from flowweaver.forks import leave_if_copied
from flowweaver.records import FORK_KEY, OVERRIDES_KEY, TARGETS_KEY, Changes, Lease, RunRecord
from flowweaver.run import Run, WorkflowFailed
from flowweaver.state_store import StateStore, spool_of
from flowweaver.status import RunStatus, TaskStatus, came_to
from flowweaver.version import __version__

_log = logging.getLogger("flowweaver")

# How long a commit of starts waits for one that is under way.
_MOMENT_SECONDS = 0.1


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
        self._entrance: Entrance | None = None
        self._unstoppable = unstoppable
        self._grace = grace
        self._observers = observers + observers_of(invocation.options.observers)
        self._description = description
        self._clock = clock
        self._lease: Lease | None = None
        self._unchanged: Unchanged | None = None
        self._remembered: Remembered | None = None
        self.pid = os.getpid()
        self._notifier: Notifier | None = None
        # An interrupt may leave it locked: then this thread can go on, and starts stay unnoted.
        self._committing = threading.RLock()
        self._broken: Exception | None = None

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
        invocation, options = self._invocation, self._invocation.options
        invocation.check_secrets(self._store)
        self._claim()
        if (whole := self._whole()) is not None:
            return whole
        setting = Setting.of(invocation, self._store, self._enter(inbox))
        carried = self._carried()
        record, reuse = self._begin(setting, carried)
        if self._entrance is not None:
            self._entrance.run_id = record.id
        ledger = Ledger(self._clock)
        ledger.carried = carried
        live = LiveRun(
            record, setting.graph, setting.scheduler, setting.results, ledger, invocation.params
        )
        run = Run(live)
        teller = self._teller(run, live, setting.graph)
        self._remembered = Remembered(run, live)
        last_runs.note(self._workflow, self._remembered, run, self.wiring)
        if teller is not None and carried is not None:
            for node in carried.nodes:
                teller.finished(node, TaskStatus.COMPLETED)
        limit, retention = options.memory_limit, None
        if options.drop_results or limit is not None:
            retention = Retention(setting.graph, setting.elements, setting.results, setting.inputs)
        runner = Runner(
            run,
            live,
            setting,
            self._scope(record),
            inbox,
            recorder=Recorder(live, setting.graph, teller, storing=self.is_stored),
            reuse=reuse,
            unchanged=self._unchanged,
            retention=retention,
            rank=self._ranks(record.id, carried),
            pressure=None if limit is None else Pressure(invocation.wiring, limit),
            beyond=self._beyond(),
            overrides=invocation.overrides,
            grace=self._grace,
            unstoppable=self._unstoppable,
        )
        if options.stop is not None:
            options.stop.attach(runner)
        return runner

    def _claim(self) -> None:
        """Claim the run, where there is a store."""
        if self._store is not None:
            invocation = self._invocation
            invocation.signer.check_key()  # before any body, not after one that took hours
            info = self._info(blueprint_digest(invocation.wiring))
            self._lease = lease = self._store.claim(invocation.request(info))
            self._unchanged = Unchanged(invocation, continued=lease.continued)

    def _whole(self) -> Run | None:
        """Restore the run as a whole, if it has just begun and nothing has changed."""
        store, lease, unchanged = self._store, self._lease, self._unchanged
        stop, began = self._invocation.options.stop, self._clock.wall()
        is_stopped = stop is not None and stop.is_set
        if store is None or lease is None or unchanged is None or is_stopped:
            return None
        base = unchanged.since(store, lease.run.id)
        if base is None:
            return None
        record = restore_whole(store, lease, base, self._clock)
        if record is None:
            return None
        if record.info.get(GRAPH_KEY) != base.info.get(GRAPH_KEY):  # its docstrings count, too
            self._keep_graph(store, lease, self.wiring)
        run = run_of(self._invocation.wiring, store, record)
        if (notifier := self._notify()) is not None:
            tell_whole(run, store.tasks(record.id), notifier, began)
        recalled = RecalledWhole(run, self._workflow, store)
        last_runs.note(self._workflow, recalled, run, self.wiring)
        return run

    def _keep_graph(self, store: StateStore, lease: Lease, wiring: Wiring) -> None:
        """Have the store keep the graph of what the run does, if it does not yet."""
        graph = blueprint_digest(wiring)
        if store.code(graph) is None:
            store.commit(lease, Changes(code={graph: blueprint_text(wiring)}))

    def _carried(self) -> Carried | None:
        """Return what the run takes over from the one before as a whole, if it does."""
        if self._store is None or self._lease is None or self._unchanged is None:
            return None
        return self._unchanged.carried(self._store, self._lease.run.id)

    def _begin(self, setting: Setting, carried: Carried | None) -> tuple[RunRecord, Reuse | None]:
        """Return the run that was claimed, where there is a store, and what is done of it."""
        invocation, store, lease, unchanged = (
            self._invocation, self._store, self._lease, self._unchanged
        )  # fmt: skip
        if store is None or lease is None or unchanged is None:
            return self._unstored_record(), None
        if lease.run.targets != invocation.targets:
            self._lease = lease = self._widened(store, lease)
        else:
            self._keep_graph(store, lease, invocation.wiring)
        reuse = setting.reuse(invocation, store, lease.run.id, lease.tasks, unchanged.code, carried)
        if (words := reuse.warning()) is not None:
            _log.warning(words)
        return lease.run, reuse

    def _widened(self, store: StateStore, lease: Lease) -> Lease:
        """Have a run that is more than what is asked for this time keep the graph of all of it."""
        wiring = self._scope_of(lease.run)
        graph = blueprint_digest(wiring)
        info = {**lease.run.info, GRAPH_KEY: graph, "tasks": len(wiring.tasks)}
        run = replace(lease.run, info=info)
        self._keep_graph(store, lease, wiring)
        store.commit(lease, Changes(run=run))
        return replace(lease, run=run)

    def _scope_of(self, run: RunRecord) -> Wiring:
        """Return all that a run was ever asked for."""
        return part_again(self._invocation.whole, run.targets, run.overrides)

    def _beyond(self) -> list[TaskStatus]:
        """Return where those tasks of the run stand that are not asked for this time."""
        invocation, lease = self._invocation, self._lease
        if lease is None or lease.run.targets == invocation.targets:
            return []
        known = {record.task: record.status for record in lease.tasks if not record.element}
        names = self._scope_of(lease.run).index
        asked = invocation.wiring.index
        return [known.get(name, TaskStatus.PENDING) for name in names if name not in asked]

    def _unstored_record(self) -> RunRecord:
        invocation, now = self._invocation, self._clock.wall()
        run_id = invocation.options.run_id or secrets.token_hex(6)
        return RunRecord(run_id, invocation.wiring.name, "", RunStatus.RUNNING, now, now)

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

    def _enter(self, inbox: Inbox) -> Entrance | None:
        """Let the run come in where the limits of executor and workflow are kept."""
        workflow, own = self._workflow, None
        if workflow.limits or workflow.rate:
            own = workflow.name, workflow.limits, workflow.rate
        if own is not None or not self._gates.bounds_nothing:
            outer = call_here()
            lends = None if outer is None else (outer.scope.run_id, outer.task.options.tags)
            self._entrance = self._gates.open(partial(inbox.put, None), lends, own)
        return self._entrance

    def _ranks(self, run_id: str, carried: Carried | None) -> Rank | None:
        """Return what gives the tasks' priorities, if there is anything to go by."""
        wiring, store = self._invocation.wiring, self._store
        by_hand = any(wiring.tasks[node].options.priority for node in wiring.optioned)
        if self._invocation.options.schedule == "fifo" or (store is None and not by_hand):
            return None

        def rank(places: int) -> list[float] | None:
            expected = None
            if carried is not None:
                if len(carried.fresh) > places > 1:
                    expected = durations_told(wiring, carried.earlier)
            elif store is not None and places > 1:
                expected = learned_durations(wiring, store, run_id)
            return ranks(wiring, expected) if by_hand or expected else None

        return rank

    def _teller(self, run: Run, live: LiveRun, graph: RunGraph) -> Teller | None:
        """Return who tells observers, if there are any; they hear of the start at once."""
        notifier = self._notify()
        if notifier is None:
            return None
        teller = Teller(run, live, graph, notifier, storing=self.is_stored)
        teller.run_started()
        return teller

    def _notify(self) -> Notifier | None:
        """Return what tells observers, if there are any."""
        observers = self._observers + hook_observer(self._invocation.wiring)
        self._notifier = Notifier(observers) if observers else None
        return self._notifier

    def _scope(self, record: RunRecord) -> CallScope:
        return CallScope(
            record.workflow,
            record.id,
            LocalLink(self._store, self._lease),
            storing=self.is_stored,
            context=copy_context(),
            spool=spool_of(self._store),
        )

    def commit(self, changes: Changes) -> None:
        """Write what the runner wants written, if there is a store."""
        leave_if_copied(self.pid)
        if self._store is not None and self._lease is not None:
            with self._committing:
                if self._broken is not None:
                    raise self._broken
                self._store.commit(self._lease, changes)

    def commit_starts(self, starts: Starts) -> None:
        """Write the starts of attempts that last, from any thread; `commit` fails once this does.

        Nothing is written while a commit goes on: the next look will do.
        """
        if not self._committing.acquire(timeout=_MOMENT_SECONDS):
            return
        try:
            changes = starts.lasting(self._clock.monotonic())
            if changes is not None and self._store is not None and self._lease is not None:
                self._store.commit(self._lease, changes)
        except Exception as error:
            self._broken = error
            raise
        finally:
            self._committing.release()

    def close(self) -> None:
        """Let go of the run and of the observers."""
        leave_if_copied(self.pid)
        if self._entrance is not None:
            self._entrance.close()
        if self._notifier is not None:
            self._notifier.close()
        if self._remembered is not None:
            self._remembered.rest()
        if self._store is not None and self._lease is not None:
            settle_values()
            self._store.release(self._lease)

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

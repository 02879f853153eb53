"""One execution of a run: checked, claimed, wired up, and let go again."""

from __future__ import annotations

import logging
import os
import platform
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextvars import copy_context
from typing import Any, Literal, TypedDict

from flowweaver.blueprint import GRAPH_KEY, blueprint_digest
from flowweaver.definitions import last_runs
from flowweaver.definitions.blueprints import blueprint_text
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.body.call import CallScope
from flowweaver.engine.body.link import LocalLink
from flowweaver.engine.clock import SYSTEM_CLOCK, Clock
from flowweaver.engine.gates import Gates
from flowweaver.engine.hooks import hook_observer
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.live import LiveRun, Remembered
from flowweaver.engine.parameters import check_parameters, encode_parameters, key_of
from flowweaver.engine.pressure import Pressure
from flowweaver.engine.priorities import learned_durations, ranks
from flowweaver.engine.proofs import signature_of
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.retention import Retention
from flowweaver.engine.reuse.decide import REUSE_MODES, History, Reuse, Wish, forced
from flowweaver.engine.runner import Rank, Runner
from flowweaver.engine.setting import Setting
from flowweaver.errors import DefinitionError, near_matches
from flowweaver.events import Event, EventKind, Notifier, Observer
from flowweaver.forks import leave_if_copied
from flowweaver.planned import ReuseMode
from flowweaver.records import Changes, ClaimRequest, Lease, ResultRecord, RunRecord
from flowweaver.run import Run, WorkflowFailed
from flowweaver.serialize import Encoded, Signer
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.version import __version__

_log = logging.getLogger("flowweaver")

OnFailure = Literal["continue", "stop"]
ON_FAILURE = ("continue", "stop")
Schedule = Literal["learned", "fifo"]
SCHEDULES = ("learned", "fifo")


class Stop:
    """Asks a run to stop from outside: from another thread or a signal handler.

    Given to `execute(stop=...)`. The first `set` is like one Ctrl-C: nothing more is started and
    what runs gets the executor's grace. The second gives up what still runs.
    """

    def __init__(self) -> None:
        self._runner: Runner | None = None
        self._asked = 0

    def set(self) -> None:
        """Ask, once or again."""
        self._asked += 1
        if self._runner is not None:
            self._pass_on(self._runner)

    def attach(self, runner: Runner) -> None:
        """Pass on to `runner` what was and what will be asked."""
        self._runner = runner
        if self._asked:
            self._pass_on(runner)

    def _pass_on(self, runner: Runner) -> None:
        if self._asked > 1:
            runner.give_up()
        else:
            runner.stop()


class ExecuteArguments(TypedDict, total=False):
    """The keyword arguments of `execute`; `Executor.execute` says what they mean."""

    run_id: str | None
    new_run: bool
    reuse: ReuseMode
    force: Iterable[str]
    force_downstream: bool
    on_failure: OnFailure
    raise_on_failure: bool
    drop_results: bool
    memory_limit: int | str | None
    schedule: Schedule
    observers: tuple[Observer, ...]
    progress: bool | None
    wait: float | None
    take_over: bool
    stop: Stop | None


class Execution:
    """Everything one execution needs, from the claim to the outcome.

    Nothing is touched before `open`; `close` lets go of all of it, whatever happened.
    """

    def __init__(
        self,
        workflow: Workflow,
        params: Mapping[str, Any] | None,
        arguments: ExecuteArguments,
        *,
        store: StateStore | None,
        observers: tuple[Observer, ...],
        gates: Gates | None,
        warnings: Sequence[str],
        grace: float,
        description: str,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if params is not None and not isinstance(params, Mapping):
            raise TypeError(f"params maps parameters to values by name, not {params!r}")
        _check_arguments(arguments)
        self._workflow = workflow
        self._wiring = workflow.compile()
        self._params = check_parameters(self._wiring, dict(params or {}))
        self._arguments = arguments
        self._wish = Wish(
            arguments.get("reuse", "unchanged"),
            forced(
                self._wiring,
                arguments.get("force", ()),
                downstream=arguments.get("force_downstream", False),
            ),
        )
        self._store = store
        self._gates = gates
        self._warnings = warnings
        self._grace = grace
        self._observers = observers + tuple(arguments.get("observers", ()))
        self._description = description
        self._clock = clock
        self._signer = Signer()
        self._lease: Lease | None = None
        self._remembered: Remembered | None = None
        self.pid = os.getpid()
        self._notifier: Notifier | None = None

    @property
    def is_stored(self) -> bool:
        """Whether there is a store to wait for."""
        return self._store is not None

    def open(self, inbox: Inbox) -> Runner:
        """Claim the run and return its runner."""
        wiring, arguments = self._wiring, self._arguments
        setting = Setting(
            wiring,
            self._params,
            self._store,
            self._signer,
            stop_on_failure=arguments.get("on_failure") == "stop",
            gates=self._gates,
        )
        graph = setting.graph
        reuse = None
        if self._store is None:
            record = self._unstored_record()
        else:
            encoded = encode_parameters(self._params)
            blueprint = blueprint_text(wiring)
            digest = blueprint_digest(blueprint)
            self._signer.check_key()  # before any body, not after one that took hours
            self._lease = lease = self._store.claim(self._request(encoded, digest))
            if self._store.code(digest) is None:
                self._store.commit(lease, Changes(code={digest: blueprint}))
            record = lease.run
            names = wiring.index
            reuse = Reuse(
                graph,
                setting.inputs,
                params={name: value.digest for name, value in encoded.items()},
                history=History(self._store, record.workflow, record.id, lease.tasks, names),
                wish=self._wish,
                is_signed_here=setting.results.is_signed_here,
            )
        live = LiveRun(
            record, graph, setting.scheduler, setting.results, Ledger(self._clock), self._params
        )
        run = Run(live)
        self._notify(run)
        for warning in self._warnings:
            _log.warning(warning)
        self._remembered = Remembered(run, live)
        last_runs.note(self._workflow, self._remembered)
        limit = arguments.get("memory_limit")
        retention = None
        if arguments.get("drop_results", False) or limit is not None:
            retention = Retention(graph, setting.elements, setting.results, setting.inputs)
        runner = Runner(
            run,
            live,
            setting,
            self._scope(record),
            inbox,
            recorder=Recorder(run, live, graph, self._notifier, storing=self.is_stored),
            reuse=reuse,
            retention=retention,
            rank=self._ranks(record.id),
            pressure=None if limit is None else Pressure(wiring, limit),
            grace=self._grace,
        )
        stop = arguments.get("stop")
        if stop is not None:
            stop.attach(runner)
        return runner

    def _ranks(self, run_id: str) -> Rank | None:
        """Return what gives the tasks' priorities, if there is anything to go by."""
        wiring, store = self._wiring, self._store
        by_hand = any(wiring.tasks[node].options.priority for node in wiring.optioned)
        if self._arguments.get("schedule") == "fifo" or (store is None and not by_hand):
            return None

        def rank(places: int) -> list[float] | None:
            expected = None
            if store is not None and places > 1:
                expected = learned_durations(wiring, store, run_id)
            return ranks(wiring, expected) if by_hand or expected else None

        return rank

    def _notify(self, run: Run) -> None:
        observers = self._observers + hook_observer(self._wiring)
        if observers:
            self._notifier = Notifier(observers)
            self._notifier.tell(Event(EventKind.RUN_STARTED, run))

    def _scope(self, record: RunRecord) -> CallScope:
        return CallScope(
            record.workflow,
            record.id,
            LocalLink(self._store, self._lease),
            storing=self.is_stored,
            context=copy_context(),
        )

    def _unstored_record(self) -> RunRecord:
        now = self._clock.wall()
        run_id = self._arguments.get("run_id") or secrets.token_hex(6)
        return RunRecord(run_id, self._workflow.name, "", RunStatus.RUNNING, now, now)

    def _request(self, encoded: Mapping[str, Encoded], graph: str) -> ClaimRequest:
        arguments = self._arguments
        return ClaimRequest(
            workflow=self._workflow.name,
            key=key_of(encoded),
            run_id=arguments.get("run_id"),
            new_run=arguments.get("new_run", False),
            wait=arguments.get("wait", 0.0),
            take_over=arguments.get("take_over", False),
            params={name: value.digest for name, value in encoded.items()},
            results=tuple(
                ResultRecord(value, signature_of(value, self._signer)) for value in encoded.values()
            ),
            info={
                "executor": self._description,
                "flowweaver": __version__,
                "python": platform.python_version(),
                "tasks": len(self._wiring.tasks),
                GRAPH_KEY: graph,
            },
        )

    def commit(self, changes: Changes) -> None:
        """Write what the runner wants written, if there is a store."""
        leave_if_copied(self.pid)
        if self._store is not None and self._lease is not None:
            self._store.commit(self._lease, changes)

    def close(self) -> None:
        """Let go of the run and of the observers."""
        leave_if_copied(self.pid)
        if self._notifier is not None:
            self._notifier.close()
        if self._remembered is not None:
            self._remembered.rest()
        if self._store is not None and self._lease is not None:
            self._store.release(self._lease)

    def outcome(self, runner: Runner) -> Run:
        """Return the run, or raise what it came to."""
        run = runner.run
        if run.status is RunStatus.FAILED and self._arguments.get("raise_on_failure", True):
            raise WorkflowFailed(_story(run), run) from runner.error
        return run


_LONGEST_RUN_ID = 255
_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("reuse", REUSE_MODES),
    ("on_failure", ON_FAILURE),
    ("schedule", SCHEDULES),
)


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


def _check_arguments(arguments: ExecuteArguments) -> None:
    known = ExecuteArguments.__annotations__
    for name in arguments:
        if name not in known:
            raise TypeError(f"execute() has no argument {name!r}{near_matches(name, known)}")
    for name, choices in _CHOICES:
        if name in arguments and arguments[name] not in choices:  # type: ignore[literal-required]
            given = arguments[name]  # type: ignore[literal-required]
            raise DefinitionError(f"{name} must be one of {', '.join(choices)}, not {given!r}")
    if arguments.get("run_id") is not None:
        _check_run_id(arguments["run_id"])
    wait = arguments.get("wait", 0.0)
    if wait is not None and (not isinstance(wait, int | float) or not wait >= 0):
        raise DefinitionError(f"wait is a number of seconds, or None for ever, not {wait!r}")
    stop = arguments.get("stop")
    if stop is not None and not isinstance(stop, Stop):
        raise TypeError(f"stop takes a flowweaver.Stop, not {stop!r}")


def _check_run_id(run_id: object) -> None:
    # An id is printed, typed at a prompt and part of idempotency keys; "last" is the command's.
    fits = isinstance(run_id, str) and run_id.isprintable() and len(run_id) <= _LONGEST_RUN_ID
    if not fits or not str(run_id).strip() or run_id == "last":
        raise DefinitionError(
            f"a run's id is printable text of at most {_LONGEST_RUN_ID} characters, but not 'last' "
            f"(which means the last run): {run_id!r}"
        )

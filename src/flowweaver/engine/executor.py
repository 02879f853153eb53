"""What every executor does alike: execute a workflow, blocking or awaiting."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Self, TypedDict, Unpack

from flowweaver.definitions.bounds import check_limits, check_rate
from flowweaver.definitions.part import part_of
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.body.around import Around, surrounded
from flowweaver.engine.clock import SYSTEM_CLOCK
from flowweaver.engine.execution import Execution
from flowweaver.engine.gates import Gates
from flowweaver.engine.hosting import RunnerHost, noted
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.invocation import Invocation
from flowweaver.engine.limits import unenforced_limits, unstoppable
from flowweaver.engine.loop_thread import LoopThread
from flowweaver.engine.options import GRACE_SECONDS, ExecuteArguments, ExecuteOptions
from flowweaver.engine.protocols import Backend, Host
from flowweaver.engine.runner import Runner
from flowweaver.engine.watching import observers_of, watched
from flowweaver.errors import DefinitionError
from flowweaver.events import Observer
from flowweaver.forks import leave_if_copied
from flowweaver.records import Changes
from flowweaver.run import Run
from flowweaver.state_store import StateStore, check_store

Parameters = Mapping[str, Any] | None

_ARGUMENTS = tuple(ExecuteArguments.__annotations__)


class ExecutorOptions(TypedDict, total=False):
    """The options that all executors take; `Executor` says what they mean."""

    state_store: StateStore | None
    observers: tuple[Observer | str, ...]
    around: tuple[Around, ...]
    limits: Mapping[str, int] | None
    rate: Mapping[str, str] | None
    grace: float


class Executor(ABC):
    """Where attempts run. A subclass says where by `open_backend`; all else is here.

    Args:
        state_store: Where runs are kept; in memory if not given.
        observers: Told of every event of every run; text names those that are installed.
        around: Called with the `CurrentTask` before each attempt; give the context manager that its
            body is to run inside.
        limits: At most how many tasks of a tag run at once, in all its runs: ``{"db": 2}``.
        rate: How often tasks of a tag may start, in all its runs: ``{"api": "10/s"}``; evenly
            spaced.
        grace: Seconds running tasks get to finish after the first Ctrl-C.
    """

    def __init__(
        self,
        *,
        state_store: StateStore | None = None,
        observers: tuple[Observer | str, ...] = (),
        around: tuple[Around, ...] = (),
        limits: Mapping[str, int] | None = None,
        rate: Mapping[str, str] | None = None,
        grace: float = GRACE_SECONDS,
    ) -> None:
        if state_store is not None:
            check_store(state_store, "state_store")
        if not isinstance(grace, int | float) or not grace >= 0:
            raise DefinitionError(f"grace is a number of seconds, not {grace!r}.")
        self.state_store = state_store
        self.observers = observers_of(observers)
        self.around = tuple(around)
        self.limits = check_limits(limits)
        self.rate = check_rate(rate)
        self.grace = grace
        self._gates = Gates(self.limits, self.rate)

    # Whether the bodies of plain functions can be stopped when a limit is over.
    stops_threads = False
    # What its runs go by; a simulation gives a clock of its own.
    clock = SYSTEM_CLOCK

    def unenforced_limits(
        self,
        workflow: Workflow,
        targets: Iterable[str] | None = None,
        from_: Iterable[str] = (),
    ) -> list[str]:
        """Return a sentence for each task, of those asked for, whose limit can't stop its body.

        Nothing is printed of it when a run starts: `flowweaver plan` shows it, and so does the
        error once a limit is over. `targets` and `from_` ask for a part, as in `execute`.
        """
        wiring = part_of(workflow.compile(), targets, from_).wiring
        return unenforced_limits(wiring, type(self).__name__, stops_threads=self.stops_threads)

    @abstractmethod
    def open_backend(self, host: Host) -> Backend:
        """Start what performs the calls of one run."""

    def close(self) -> None:  # noqa: B027 - most hold nothing between runs
        """Let go of what is kept warm between runs; also at the end of a ``with`` block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def execute(
        self,
        workflow: Workflow,
        params: Parameters = None,
        **arguments: Unpack[ExecuteArguments],
    ) -> Run:
        """Run the workflow and return its run once all of it is done.

        With a store, an unfinished run of the same workflow and parameters is continued under
        its id; otherwise a new run restores from earlier ones what is unchanged.

        Args:
            workflow: What to run.
            params: The workflow's parameters by name.
            **arguments: `run_id`: the run's id, for a new run or to continue that one.
                `new_run`: give up an unfinished run and start another.
                `targets`: do these tasks and what they need, instead of all; see
                [Reuse](reuse.md#a-part-of-a-workflow). `from_`: execute these tasks and all behind
                them afresh, whatever there is of them, and nothing that neither needs.
                `overrides`: values taken in place of what tasks would return, by name; what only
                those tasks need is not run. `fork_of`: noted as the run that this one is made
                of; see `fork`.
                `reuse`: "unchanged" (default) restores results whose code, parameters and
                inputs are as they were; "completed" goes by the task's name alone; "never" runs
                all but what this very run has done.
                `cache_scope`: "store" takes results of the same code with the same inputs from
                other tasks and workflows, too, and "workflow" does not; if not said, it is as
                the workflow says, whose default is "store".
                `force`: tasks to be executed come what may; `force_downstream`: and all that
                depend on them.
                `on_failure`: "continue" (default) finishes what does not depend on a failed
                task; "stop" starts nothing more.
                `trust`: vouches for what can't be seen of the code in any task, by names.
                `raise_on_failure`: False returns a failed run instead of raising.
                `schedule`: "learned" (default) starts first, of what is ready, what the rest of
                the run waits for longest, by the durations of earlier runs; "fifo" does not.
                `drop_results`: let go of a result when its last consumer is done.
                `memory_limit`: bytes, or text like "2GB": drops results too, and while those
                held in memory take more, starts what lets go of them first.
                `observers`: told of the events of this run. `around`: see `Executor`.
                `progress`: show how the run goes on, on a terminal or in a notebook; in a
                notebook that is the default.
                `wait`: seconds to wait for another process that works on the run (None: for
                ever; default 0). `take_over`: supersede it.
                `stop`: a `Stop` by which others can end the run.

        Raises:
            WorkflowFailed: (a `RuntimeError`) A task failed; it carries the run.
            ParameterError: (a `ValueError`) The parameters don't fit; nothing was run.
            RunLockedError: Another process works on the run.
            StoreError: The store can't be read or written; nothing more was started.
            ClusterLostError: (a `ConnectionError`) What tasks ran on is gone; the run can be
                continued, on any executor.
            KeyboardInterrupt: Ctrl-C was pressed; the run can be continued.
        """
        with watched(ExecuteOptions.of(arguments, "execute", _ARGUMENTS)) as options:
            return self._executed(workflow, params, options)

    def _executed(self, workflow: Workflow, params: Parameters, options: ExecuteOptions) -> Run:
        execution = self._execution(workflow, params, options)
        loop = LoopThread()
        inbox = Inbox()
        try:
            runner = execution.open(inbox)
            if isinstance(runner, Run):
                return runner
            host = RunnerHost(loop, inbox, execution, blocking=True)
            backend = self._opened(host, options=options)
            try:
                runner.open(backend)
                with noted(runner, execution, inbox):
                    _drive(runner, execution, inbox)
            finally:
                backend.close()
        finally:
            loop.close()
            execution.close()
        if runner.pressed:
            raise KeyboardInterrupt
        return execution.outcome(runner)

    async def execute_async(
        self,
        workflow: Workflow,
        params: Parameters = None,
        **arguments: Unpack[ExecuteArguments],
    ) -> Run:
        """Run the workflow from within a running event loop; see `execute`.

        Async functions run in that loop; commits and sync functions don't block it. Cancelling
        the awaiting task stops the run as Ctrl-C would.
        """
        with watched(ExecuteOptions.of(arguments, "execute_async", _ARGUMENTS)) as options:
            return await self._executed_async(workflow, params, options)

    async def _executed_async(
        self, workflow: Workflow, params: Parameters, options: ExecuteOptions
    ) -> Run:
        from flowweaver.engine.awaiting import executed

        execution = self._execution(workflow, params, options)
        return await executed(execution, partial(self._opened, options=options))

    def _opened(self, host: Host, *, options: ExecuteOptions) -> Backend:
        return surrounded(self.open_backend(host), (*self.around, *options.around))

    def _execution(
        self, workflow: Workflow, params: Parameters, options: ExecuteOptions
    ) -> Execution:
        if not isinstance(workflow, Workflow):
            raise TypeError(f"execute() runs a Workflow, not {workflow!r}.")
        invocation = Invocation(workflow.compile(), params, options, self.clock)
        return Execution(
            workflow,
            invocation,
            store=self.state_store,
            observers=self.observers,
            gates=self._gates,
            unstoppable=unstoppable(invocation.wiring, stops_threads=self.stops_threads),
            grace=self.grace,
            description=repr(self),
            clock=self.clock,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _drive(runner: Runner, execution: Execution, inbox: Inbox) -> None:
    """Take the runner's steps, blocking. Ctrl-C stops it kindly at first, then at once."""
    while True:
        steps = runner.steps()
        try:
            for step in steps:
                leave_if_copied(execution.pid)
                if isinstance(step, Changes):
                    execution.commit(step)
                else:
                    inbox.wait(step)
                del step  # the values that were committed are let go of before the next are made
            return
        except KeyboardInterrupt:
            if inspect.getgeneratorstate(steps) == inspect.GEN_CLOSED:
                runner.abandon()  # it fell into the runner's own work, not into its waiting
            runner.press()

"""Run workflows in tests: with fakes, in a store of their own, without waiting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.executor import Executor
from flowweaver.engine.options import ExecuteArguments
from flowweaver.engine.plan.plan import make_plan
from flowweaver.executors.local import SequentialExecutor
from flowweaver.planned import Plan, PlanArguments
from flowweaver.run import Run
from flowweaver.state_store import StateStore
from flowweaver.testing.clock import JumpingClock


class Flow:
    """Runs workflows in one store, one task after the other, by a clock that jumps.

    Args:
        store: Where runs are kept, so that a second one restores what the first one did.
        clock: The clock of the runs, by which waits for retries are over at once.
    """

    def __init__(self, store: StateStore, clock: JumpingClock | None = None) -> None:
        self.store = store
        self.clock = clock or JumpingClock()

    def run(
        self,
        workflow: Workflow,
        params: Mapping[str, Any] | None = None,
        *,
        fakes: Mapping[str, Any] | None = None,
        executor: Executor | None = None,
        **arguments: Unpack[ExecuteArguments],
    ) -> Run:
        """Execute a workflow and return its run.

        Args:
            workflow: What to run.
            params: Its parameters by name.
            fakes: Values in place of what tasks would return, by name: the tasks are not run, nor
                is what only they need.
            executor: Where it runs; here, one task after the other, if not given. It gets this
                store if it has none, and this clock.
            **arguments: As for `Executor.execute`.
        """
        executor = executor if executor is not None else SequentialExecutor()
        if executor.state_store is None:
            executor.state_store = self.store
        executor.clock = self.clock.for_run()
        arguments["overrides"] = {**(arguments.get("overrides") or {}), **(fakes or {})}
        return executor.execute(workflow, params, **arguments)

    def plan(
        self,
        workflow: Workflow,
        params: Mapping[str, Any] | None = None,
        *,
        fakes: Mapping[str, Any] | None = None,
        **wish: Unpack[PlanArguments],
    ) -> Plan:
        """Return what `run` would do, task by task, and why."""
        wish["overrides"] = {**(wish.get("overrides") or {}), **(fakes or {})}
        clock = self.clock.for_run()
        return make_plan(workflow.compile(), dict(params or {}), self.store, clock, **wish)

"""The parts that walk through a workflow: the same for runs, plans, accepting and looking back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.carried import Carried
from flowweaver.engine.cutoff import Cutoff
from flowweaver.engine.elements import Elements
from flowweaver.engine.gated import GatedScheduler
from flowweaver.engine.gates import Entrance
from flowweaver.engine.inputs import Inputs
from flowweaver.engine.invocation import Invocation
from flowweaver.engine.results import Results
from flowweaver.engine.reuse.code import CodeBook
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.engine.reuse.earlier import History
from flowweaver.engine.reuse.effects import Effects
from flowweaver.engine.reuse.sharing import Sharing
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.engine.settling import Settling
from flowweaver.records import TaskRecord
from flowweaver.serialize import Signer
from flowweaver.state_store import StateStore


class Setting:
    """The graph of one run and what works on it.

    Args:
        wiring: The workflow.
        params: Its parameters.
        store: Where results are kept; in memory if None.
        signer: Signs and verifies what is kept.
        stop_on_failure: Start nothing more once a task has failed.
        copied: The parameters of which each body gets a copy of its own.
        gates: What bounds how many tasks of a tag run at once, and how often they start.
    """

    def __init__(
        self,
        wiring: Wiring,
        params: Mapping[str, Any],
        store: StateStore | None,
        signer: Signer,
        *,
        stop_on_failure: bool = False,
        copied: Iterable[str] = (),
        gates: Entrance | None = None,
    ) -> None:
        self.graph = RunGraph(wiring)
        if gates is None:
            self.scheduler = Scheduler(self.graph, stop_on_failure=stop_on_failure)
        else:
            self.scheduler = GatedScheduler(self.graph, gates, stop_on_failure=stop_on_failure)
        self.elements = Elements(self.graph, self.scheduler)
        self.results = Results(self.graph, store, signer)
        self.inputs = Inputs(
            self.graph,
            self.results,
            self.elements,
            params,
            copying=store is not None,
            copied=copied,
        )
        self.settling = Settling(self.scheduler, self.elements, self.results, self.inputs)

    @classmethod
    def of(
        cls, invocation: Invocation, store: StateStore | None, gates: Entrance | None = None
    ) -> Setting:
        """Return the parts that walk through what is asked for."""
        return cls(
            invocation.wiring,
            invocation.params,
            store,
            invocation.signer,
            stop_on_failure=invocation.options.on_failure == "stop",
            copied=() if store is None else invocation.copied,
            gates=gates,
        )

    def reuse(
        self,
        invocation: Invocation,
        store: StateStore,
        run_id: str,
        own: Iterable[TaskRecord],
        code: CodeBook,
        carried: Carried | None = None,
    ) -> Reuse:
        """Return what decides which results are there already.

        Args:
            invocation: What is asked for.
            store: Where earlier runs are.
            run_id: The run that is gone on with; "" for one that is yet to be made.
            own: The records it has.
            code: The tasks' code as it is now.
            carried: What the run takes over as a whole.
        """
        wiring, sharing = self.graph.wiring, None
        if invocation.wish.scope == "store" and invocation.wish.mode == "unchanged":
            sharing = Sharing(store, wiring.name, run_id, invocation.signer)
        cutoff = None
        if carried is not None:
            cutoff = Cutoff(carried, self.graph, self.results, self.scheduler.status)
            self.scheduler.carried(carried.fresh, cutoff.takes_over)
        return Reuse(
            self.graph,
            self.inputs,
            params=invocation.known_by,
            history=History(store, wiring, run_id, own, sharing, cutoff),
            wish=invocation.wish,
            is_signed_here=self.results.is_signed_here,
            lacks=self.results.lacks,
            names=self.results.names,
            code=code,
            effects=Effects(store, wiring.name, run_id),
        )

"""The parts that walk through a workflow together: for a run, a plan, and a look back alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.elements import Elements
from flowweaver.engine.gates import Gates
from flowweaver.engine.inputs import Inputs
from flowweaver.engine.results import Results
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.engine.settling import Settling
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
        gates: Gates | None = None,
    ) -> None:
        self.graph = RunGraph(wiring)
        self.scheduler = Scheduler(self.graph, stop_on_failure=stop_on_failure, gates=gates)
        self.elements = Elements(self.graph, self.scheduler)
        self.results = Results(self.graph, store, signer)
        self.inputs = Inputs(
            self.graph, self.results, self.elements, params, copying=store is not None
        )
        self.settling = Settling(self.scheduler, self.elements, self.results, self.inputs)

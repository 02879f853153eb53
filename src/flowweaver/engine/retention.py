"""Retention: letting go of results once all who take them are done."""

from __future__ import annotations

from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.elements import Elements
from flowweaver.engine.inputs import Inputs
from flowweaver.engine.results import Results
from flowweaver.engine.run_graph import RunGraph


class Retention:
    """Drops each result when the last task that takes it is final.

    Results nobody takes stay: they are what the run was for. The elements of a mapped task go
    together, when those who take their list are done; where others only take them pairwise, each
    goes on its own.
    """

    def __init__(
        self, graph: RunGraph, elements: Elements, results: Results, inputs: Inputs
    ) -> None:
        self._graph = graph
        self._wiring = wiring = graph.wiring
        self._elements = elements
        self._results = results
        self._inputs = inputs
        self._taken: dict[int, int] = {}
        self._pairwise = {
            node
            for node in wiring.mapped
            if all(_takes_pairwise(wiring, succ, node) for succ in wiring.succs[node])
        }

    def final(self, node: int) -> list[int]:
        """Note that a node is final and takes nothing any more; return what was let go of."""
        dropped: list[int] = []
        task = self._graph.owner(node)
        if node == task:
            for pred in self._wiring.preds[node]:
                dropped += self._take(pred, pred)
        elif self._graph.is_shown(node):
            for taken in self._wiring.mapped[task].inputs:
                if taken.node in self._pairwise:
                    source = self._elements.source_of(taken, self._graph.key(node))
                    assert source is not None
                    dropped += self._take(source, taken.node)
        return dropped

    def _take(self, node: int, task: int) -> list[int]:
        taken = self._taken[node] = self._taken.get(node, 0) + 1
        if taken < len(self._wiring.succs[task]):
            return []
        self._inputs.forget(node)
        dropped = [node, *self._graph.elements(node)]
        for held in dropped:
            self._results.drop(held)
        return dropped


def _takes_pairwise(wiring: Wiring, node: int, source: int) -> bool:
    """Whether each element of `node` takes one of `source`, and nothing else does."""
    mapped = wiring.mapped.get(node)
    if mapped is None or source in wiring.take_nodes[node]:
        return False
    return all(
        taken.depth == taken.levels == mapped.key_length
        for taken in mapped.inputs
        if taken.node == source
    )

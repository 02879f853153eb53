"""Why a plan leaves TaskRuns open or out: what has to be known first, and what never comes."""

from __future__ import annotations

from collections.abc import Iterable

from flowweaver.definitions.task import name_of
from flowweaver.engine.plan.foresight import DONE, Fate, Foresight
from flowweaver.engine.run_graph import RunGraph
from flowweaver.reasons import Reason, ReasonKind, because
from flowweaver.status import TaskStatus


class Doubts:
    """Tells why the nodes of one plan are not sure to run, or sure not to."""

    def __init__(self, graph: RunGraph, foresight: Foresight) -> None:
        self._graph = graph
        self._foresight = foresight

    def left_out(self, node: int, fate: Fate) -> Reason:
        """Return why a node would not start in any case."""
        foresight, graph = self._foresight, self._graph
        if fate == {TaskStatus.SKIPPED} and graph.trigger(node) == "any_failed":
            return because(ReasonKind.NOTHING_FAILS)
        lost = [
            pred for pred in graph.preds(node) if TaskStatus.COMPLETED not in foresight.fate(pred)
        ]
        return because(ReasonKind.NOTHING_COMES, self._names(lost) if lost else "its elements")

    def open(self, node: int, *, may_skip: bool) -> Reason:
        """Return what it is that has to be known first."""
        preds = self._graph.preds(node)
        waits = self._names([pred for pred in preds if self._foresight.fate(pred) != DONE] or preds)
        if not may_skip:
            return because(ReasonKind.AWAITS_RESULT, waits)
        if self._graph.options(node).trigger == "any_failed":
            return because(ReasonKind.AWAITS_FAILURE, waits)
        return because(ReasonKind.AWAITS_FATE, waits)

    def conditional(self, node: int, why: Reason) -> Reason:
        """Return a reason with what is to be said of the node's condition, if it has one."""
        when = self._graph.options(node).when
        if when is None:
            return why
        return why.with_remark(because(ReasonKind.CONDITION_DECIDES, name_of(when)))

    def _names(self, nodes: Iterable[int]) -> str:
        """Return the names of a few nodes; a help to count elements goes by its task's."""
        names = dict.fromkeys(f"`{self._graph.name(node)}`" for node in nodes)
        return ", ".join(list(names)[:3])

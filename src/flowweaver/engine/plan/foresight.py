"""Foresight: what may become of TaskRuns whose inputs are not all there yet.

What is to be executed may complete or fail, and nobody knows which. What follows from either is
worked out by the scheduler's own rule, so that what is sure in any case is known beforehand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from flowweaver.definitions.options import Trigger
from flowweaver.engine.run_graph import Role, RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.engine.verdicts import is_handed_on, verdict
from flowweaver.status import TaskStatus

Fate = frozenset[TaskStatus]
# How a node may go on once its predecessors are final; None: it starts.
Verdicts = frozenset[TaskStatus | None]

DONE: Fate = frozenset({TaskStatus.COMPLETED})
TRIED: Fate = DONE | {TaskStatus.FAILED}
OPEN: Fate = TRIED | {TaskStatus.SKIPPED}
_ENDED: dict[TaskStatus, Fate] = {status: frozenset({status}) for status in TaskStatus}
_HURT: Fate = frozenset({TaskStatus.FAILED, TaskStatus.UPSTREAM_FAILED})


class Foresight:
    """What the nodes of one plan may come to.

    Asked in the order of the workflow: what a node may come to is worked out from what has been
    noted of those before it.
    """

    def __init__(self, graph: RunGraph, scheduler: Scheduler) -> None:
        self._graph = graph
        self._scheduler = scheduler
        self._fates: dict[int, Fate] = {}

    def note(self, node: int, fate: Fate) -> None:
        """Keep what a node may come to."""
        self._fates[node] = fate

    def fate(self, node: int) -> Fate:
        """Return what a node may come to."""
        status = self._scheduler.status[node]
        if status.is_final:
            return _ENDED[status]
        known = self._fates.get(node)
        if known is None:
            known = self._fates[node] = self._of_helper(node)
        return known

    def verdicts(self, node: int) -> Verdicts:
        """Return how a node may go on, by all its predecessors may come to."""
        graph = self._graph
        preds = graph.preds(node)
        fates = [self._fate_for(pred, node) for pred in preds]
        if any(TaskStatus.SKIPPED in fate for fate in set(fates)):
            spared = graph.dispensable(node)
            kinds = Counter(
                (fate, graph.owner(pred) in spared) for fate, pred in zip(fates, preds, strict=True)
            )
        else:
            kinds = Counter((fate, True) for fate in fates)
        shares = frozenset((*kind, min(count, len(kind[0]))) for kind, count in kinds.items())
        return _verdicts(graph.trigger(node), shares)

    def _fate_for(self, pred: int, node: int) -> Fate:
        """Return what a predecessor may come to, as the node behind it sees it."""
        fate = self.fate(pred)
        if fate & _HURT and is_handed_on(self._graph, pred, node):
            return fate - _HURT | DONE
        return fate

    def _of_helper(self, node: int) -> Fate:
        """Return what a node may come to that stands for others."""
        if self._graph.role(node) is Role.GROWTH:
            verdicts = self.verdicts(node)
            ends = ends_of(verdicts)
            return ends | TRIED if None in verdicts else ends
        if growing := self._growing(node):
            return self._of_unknown_elements(node, growing)
        return self._of_elements(node, self._graph.children[node])

    def is_growing(self, node: int) -> bool:
        """Whether it is not known yet which elements a node stands for."""
        return bool(self._growing(node))

    def _growing(self, node: int) -> list[int]:
        """Return the growth nodes of a node that have not added anything, or never will."""
        return [
            child
            for child in self._graph.children[node]
            if self._graph.role(child) is Role.GROWTH
            and self._scheduler.status[child] is not TaskStatus.COMPLETED
        ]

    def _of_unknown_elements(self, node: int, growing: Iterable[int]) -> Fate:
        grown: Fate = frozenset().union(*map(self.fate, growing))
        if TaskStatus.COMPLETED not in grown:
            return grown
        graph = self._graph
        task = graph.owner(node)
        can_skip = graph.options(task).when is not None or any(
            TaskStatus.SKIPPED in self.fate(each)
            for pred in graph.preds(task)
            if pred in graph.children
            for each in (pred, *graph.children[pred])
        )
        return grown | (OPEN if can_skip else TRIED) | ends_of(self.verdicts(task))

    def _of_elements(self, node: int, children: Iterable[int]) -> Fate:
        fates = {self.fate(child) for child in children if self._graph.is_shown(child)}
        if not fates:
            return DONE
        found: Fate = frozenset().union(*fates)
        passed_over = {TaskStatus.SKIPPED}
        if self._graph.options(node).allow_failures:
            passed_over |= _HURT
            found = found - _HURT | DONE if found & _HURT else found
        elif any(fate <= _HURT for fate in fates):
            found &= _HURT
        can_skip = TaskStatus.SKIPPED in found and all(fate & passed_over for fate in fates)
        return found if can_skip else found - {TaskStatus.SKIPPED}


@lru_cache(maxsize=4096)
def _verdicts(trigger: Trigger, kinds: frozenset[tuple[Fate, bool, int]]) -> Verdicts:
    """Return all verdicts there can be, given how many predecessors have which fate.

    A fate comes with whether its predecessor could be done without. As many of a kind as there are
    statuses in its fate bring about all that any number can.
    """
    possible: set[tuple[Fate, bool]] = {(frozenset(), True)}
    for fate, spared, count in kinds:
        for _ in range(count):
            possible = {
                (before | {status}, tolerable and (spared or status is not TaskStatus.SKIPPED))
                for before, tolerable in possible
                for status in fate
            }
    return frozenset(verdict(trigger, before, tolerable=ok) for before, ok in possible)


def ends_of(verdicts: Verdicts) -> Fate:
    """Return what a node may come to without being started."""
    return frozenset(status for status in verdicts if status is not None)

"""What becomes of a node whose predecessors are all final: the rule that runs and plans share."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from flowweaver.definitions.options import Trigger
from flowweaver.engine.run_graph import RunGraph
from flowweaver.status import TaskStatus

_COMPLETED, _FAILED = TaskStatus.COMPLETED, TaskStatus.FAILED
_SKIPPED, _UPSTREAM_FAILED = TaskStatus.SKIPPED, TaskStatus.UPSTREAM_FAILED
_CANCELLED = TaskStatus.CANCELLED


def verdict(
    trigger: Trigger, before: AbstractSet[TaskStatus], *, tolerable: bool
) -> TaskStatus | None:
    """Return what becomes of a node whose predecessors came to `before`; None if it can start.

    `tolerable` says whether it can do without the results of those that were skipped.
    """
    hurt = _FAILED in before or _UPSTREAM_FAILED in before
    if trigger == "all_success":
        if hurt:
            return _UPSTREAM_FAILED
        if _CANCELLED in before:
            return _CANCELLED
        return None if tolerable else _SKIPPED
    if trigger == "any_failed":
        return None if hurt else _SKIPPED
    if trigger == "any_success" and before and _COMPLETED not in before:
        return _UPSTREAM_FAILED if hurt else _SKIPPED
    return None


def verdict_on(graph: RunGraph, status: Sequence[TaskStatus], node: int) -> TaskStatus | None:
    """Return what becomes of a node, given the status of all it waits for; None if it can start."""
    skipped, before = [], set()
    for pred in graph.preds(node):
        hurt = status[pred] is _FAILED or status[pred] is _UPSTREAM_FAILED
        before.add(_COMPLETED if hurt and is_handed_on(graph, pred, node) else status[pred])
        if status[pred] is _SKIPPED:
            skipped.append(graph.owner(pred))
    tolerable = not skipped or graph.dispensable(node).issuperset(skipped)
    return verdict(graph.trigger(node), before, tolerable=tolerable)


def is_handed_on(graph: RunGraph, pred: int, node: int) -> bool:
    """Whether a node takes the failure of a predecessor, should it fail, in place of its result.

    What is to be mapped over a list takes none: a failure has no elements.
    """
    return graph.tolerates(pred) and graph.role(node) is None


def sum_of(graph: RunGraph, status: Sequence[TaskStatus], node: int) -> TaskStatus:
    """Return what a mapped or group node comes to, given the status of all it stands for."""
    growths: set[TaskStatus] = set()
    elements: set[TaskStatus] = set()
    for child in graph.children[node]:
        (elements if graph.is_shown(child) else growths).add(status[child])
    if graph.options(node).allow_failures:
        elements -= {_FAILED, _UPSTREAM_FAILED}
    for worst in (_FAILED, _UPSTREAM_FAILED, _CANCELLED):
        if worst in growths or worst in elements:
            return worst
    nothing = _SKIPPED in growths or elements == {_SKIPPED}
    return _SKIPPED if nothing else _COMPLETED

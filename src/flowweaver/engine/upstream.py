"""Why a node that never started came to what it came to."""

from __future__ import annotations

from flowweaver.engine.ledger import Ledger
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.reasons import Reason, ReasonKind, because
from flowweaver.records import Failure
from flowweaver.run import Run
from flowweaver.status import TaskStatus

_MOST_CAUSES = 10


class Upstream:
    """Tells why nodes of one run were skipped, or have no result, because of those before them."""

    __slots__ = ("_graph", "_ledger", "_run", "_scheduler")

    def __init__(self, run: Run, graph: RunGraph, scheduler: Scheduler, ledger: Ledger) -> None:
        self._run = run
        self._graph = graph
        self._scheduler = scheduler
        self._ledger = ledger

    def of_skip(self, node: int) -> Reason:
        """Return why a node was skipped."""
        graph, status = self._graph, self._scheduler.status
        if graph.trigger(node) == "any_failed" and not graph.children.get(node):
            return because(ReasonKind.NOTHING_FAILED)
        if TaskStatus.SKIPPED in {status[pred] for pred in graph.preds(node)}:
            return because(ReasonKind.SKIPPED_BEFORE)
        return because(ReasonKind.ALL_SKIPPED)

    def of_failure(self, node: int) -> Failure:
        """Return because of which tasks or elements a node has no result."""
        graph, status, failures = self._graph, self._scheduler.status, self._ledger.failures
        causes: dict[str, None] = {}
        for pred in (*graph.preds(node), *graph.children.get(node, ())):
            if status[pred] is TaskStatus.COMPLETED:
                continue
            failure = failures.get(pred)
            if failure is not None and failure.causes:
                causes.update(dict.fromkeys(failure.causes))
            elif failure is not None and graph.is_shown(pred):
                causes[graph.name(pred)] = None
            if len(causes) > _MOST_CAUSES:
                break
        shown = tuple(causes)[:_MOST_CAUSES]
        tasks = [self._run.tasks[name] for name in shown]
        told = [f"{task.shown_name}: {task.error}" for task in tasks]
        return Failure("UpstreamFailed", "because of " + "; ".join(told), causes=shown)

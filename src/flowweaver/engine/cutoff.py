"""Early cutoff: where a change comes to nothing, what is behind it is as it was.

A run that is taken over in part decides about what differs by itself. Once all that another node
waits for is completed, that node is taken over too if none of them is known by anything else than
in the run before: then its facts are what they were, all else that counts in them being the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowweaver.engine.carried import Carried
from flowweaver.engine.files import digest_with
from flowweaver.engine.results import Results
from flowweaver.engine.run_graph import RunGraph
from flowweaver.records import TaskRecord
from flowweaver.status import TaskStatus


class Cutoff:
    """Follows what has changed through a run, and says where it comes to nothing.

    Args:
        carried: What is taken over from the run before; it grows.
        graph: The graph of the run.
        results: Its results.
        status: Where its nodes stand; the scheduler's own list.
    """

    __slots__ = (
        "_at_hand", "_carried", "_changed", "_fresh", "_graph", "_known_by", "_preds", "_results",
        "_status",
    )  # fmt: skip

    def __init__(
        self, carried: Carried, graph: RunGraph, results: Results, status: Sequence[TaskStatus]
    ) -> None:
        self._carried = carried
        self._changed, self._fresh = carried.changed, carried.fresh
        self._graph = graph
        self._preds = graph.wiring.preds  # no node is added to such a run
        self._results = results
        self._status = status
        # What the results of nodes were known by that have been decided about.
        self._known_by: dict[int, str] = {}
        self._at_hand: set[int] = set()

    def open(self, node: int) -> TaskRecord:
        """Have at hand what a node takes of what was taken over; return what it was before.

        Raises:
            NoResultError: The run before is not as it was any more.
        """
        carried, at_hand = self._carried, self._at_hand
        for pred in self._preds[node]:
            if pred not in at_hand and carried.has(pred):
                self._results.put_stored(pred, carried.earlier(pred))
                at_hand.add(pred)
        before = carried.earlier(node)
        if before.digest is not None:
            self._known_by[node] = digest_with(before.likeness or before.digest, before.files)
        return before

    def takes_over(self, node: int) -> bool:
        """Whether a node is taken over, now that all that it waits for are final."""
        if node in self._changed:
            return False
        decided = self._fresh.intersection(self._preds[node])
        if decided and not all(map(self._is_as_before, decided)):
            return False
        self._fresh.discard(node)  # from now on the run has it
        return True

    def earlier(self) -> Iterator[TaskRecord]:
        """Yield all records of the run before."""
        return self._carried.all_earlier()

    def _is_as_before(self, node: int) -> bool:
        if self._status[node] is not TaskStatus.COMPLETED:
            return False
        known_by = self._known_by.get(node)
        return known_by is not None and known_by == self._graph.digest(node)

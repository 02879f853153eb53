"""Moments at which something is to be done about a node, unless it has moved on by then."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from heapq import heappop, heappush

from flowweaver.status import TaskStatus


class Timers:
    """Timers by the moment they go off, and those of one moment by age."""

    __slots__ = ("_heap", "_number")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, int, TaskStatus]] = []
        self._number = 0

    def set(self, due: float, node: int, attempt: int, status: TaskStatus) -> None:
        """Go off at `due`, if the node is at the same attempt and has the same status then."""
        self._number += 1
        heappush(self._heap, (due, self._number, node, attempt, status))

    def next_due(self) -> float | None:
        """Return when the next timer goes off, or None if there is none."""
        return self._heap[0][0] if self._heap else None

    def gone_off(self, now: float) -> Iterator[tuple[int, int, TaskStatus]]:
        """Take out those whose moment has come, as (node, attempt, status)."""
        while self._heap and self._heap[0][0] <= now:
            yield heappop(self._heap)[2:]

    def keep(self, nodes: Container[int]) -> None:
        """Take out all but those of some nodes."""
        self._heap = sorted(timer for timer in self._heap if timer[2] in nodes)

    def waiting(self, status: Sequence[TaskStatus]) -> list[int]:
        """Return the nodes, in order, that do nothing but wait for their timer."""
        return [
            node
            for _, _, node, _, expected in sorted(self._heap)
            if expected is not TaskStatus.RUNNING and status[node] is expected
        ]

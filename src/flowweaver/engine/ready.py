"""Nodes that are ready to start, in the order in which they are to be started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush


class ByRank:
    """Ready nodes, the one with the largest rank first, then by age; as much deque as is needed."""

    __slots__ = ("_age", "_heap", "_rank")

    def __init__(self, nodes: Iterable[int], rank: Callable[[int], float]) -> None:
        self._rank = rank
        self._heap: list[tuple[float, int, int]] = []
        self._age = 0
        for node in nodes:
            self.append(node)

    def append(self, node: int) -> None:
        """Add a node."""
        self._age += 1
        heappush(self._heap, (-self._rank(node), self._age, node))

    def extendleft(self, nodes: Iterable[int]) -> None:
        """Add nodes that were here before."""
        for node in nodes:
            self.append(node)

    def popleft(self) -> int:
        """Take out the first node."""
        return heappop(self._heap)[2]

    def clear(self) -> None:
        """Forget all nodes."""
        self._heap.clear()

    def comes_first(self, node: int) -> bool:
        """Whether a node, were it here, would be taken out before all that is."""
        return not self._heap or -self._rank(node) < self._heap[0][0]

    def __iter__(self) -> Iterator[int]:
        return (node for _, _, node in sorted(self._heap))

    def __len__(self) -> int:
        return len(self._heap)

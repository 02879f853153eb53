"""A scheduler whose nodes come in through gates before they are executed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable

from flowweaver.engine.gates import Entrance
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.status import TaskStatus


class GatedScheduler(Scheduler):
    """Decides what runs when, where tags have limits or rates.

    What is drawn has to be admitted before it is executed; what is restored takes no slot of
    anybody.

    Args:
        graph: The graph; it grows by `add`.
        gates: What bounds how many tasks of a tag run at once, and how often they start.
        stop_on_failure: Start nothing more once a task has failed.
        rng: The source of jitter.
    """

    __slots__ = ("_gates", "_inside")

    is_gated = True

    def __init__(
        self,
        graph: RunGraph,
        gates: Entrance,
        *,
        stop_on_failure: bool = False,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(graph, stop_on_failure=stop_on_failure, rng=rng)
        self._gates: Entrance | None = gates
        self._inside: set[int] = set()

    def draw(self) -> int | None:
        """Start the next ready node; other runs may have left room for those that wait."""
        if self._gates is not None:
            self._come_back(self._gates.vacant())
        return super().draw()

    def admit(self, node: int, now: float) -> bool:
        """Have the node just drawn come in through the gates; return whether it may start now.

        If not, it will be drawn again. `now` matters only where rates are to be kept.
        """
        if self._gates is None:
            return True
        due = self._gates.enter(node, self._graph.options(node).tags, now)
        if due is None:
            self._inside.add(node)
            return True
        self.attempts[node] -= 1
        self.status[node] = TaskStatus.PENDING
        if due != float("inf"):
            self._timers.set(due, node, self.attempts[node], TaskStatus.PENDING)
        return False

    def rest(self) -> None:
        """Nothing more is drawn for now: other runs may have the slots this one did not use."""
        if self._gates is not None:
            self._gates.rest()

    def ended(self, node: int) -> None:
        """An attempt is over, whatever came of it: its slots are free."""
        if self._gates is not None and node in self._inside:
            self._inside.discard(node)
            self._come_back(self._gates.leave(self._graph.options(node).tags))

    def stop(self) -> None:
        """Start nothing more: what waits at the gates is cancelled, too."""
        if self.stopped:
            return
        super().stop()
        if self._gates is not None:
            self._cancel(self._gates.clear())

    def abandon(
        self, completed: Iterable[int], failed: Collection[int], running: Collection[int]
    ) -> None:
        """Cancel all that is not final; the gates may be torn, and are left alone from now on."""
        self._gates = None
        super().abandon(completed, failed, running)

    def _come_back(self, nodes: list[int]) -> None:
        self._ready.extendleft(reversed(nodes))

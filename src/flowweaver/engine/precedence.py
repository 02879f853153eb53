"""What is started first, by priority or to save memory, and which results are let go of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flowweaver.engine.pressure import Pressure
from flowweaver.engine.retention import Retention
from flowweaver.engine.scheduler import Scheduler

Rank = Callable[[int], Sequence[float] | None]


class Precedence:
    """Orders what is ready in one run.

    Args:
        scheduler: Keeps the order.
        size: How many tasks there are.
        rank: Gives the tasks' priorities for so many slots, if there is anything to go by.
        is_late: Whether to ask for them only when more are ready than can start: little of the run
            may have to be executed.
        retention: Drops results that nobody takes any more, if they are to be dropped.
        pressure: Weighs results held in memory, if they are to keep to a limit.

    Attributes:
        is_unknown: Whether the priorities have yet to be asked for: once something has to be
            executed, and not before.
        drops: Whether there is anything to be done about a node that is final.
    """

    __slots__ = (
        "_is_late", "_pressure", "_rank", "_ranks", "_retention", "_scheduler", "_size", "drops",
        "is_unknown",
    )  # fmt: skip

    def __init__(
        self,
        scheduler: Scheduler,
        size: int,
        *,
        rank: Rank | None,
        retention: Retention | None,
        pressure: Pressure | None,
        is_late: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._size = size
        self._rank = rank
        self._ranks: Sequence[float] | None = None
        self._retention = retention
        self._pressure = pressure
        self._is_late = is_late
        self.is_unknown = rank is not None
        self.drops = retention is not None

    def is_due(self, free: int) -> bool:
        """Whether to ask for priorities that are unknown, given how many slots are free."""
        return not self._is_late or self._scheduler.ready >= free

    def learn(self, slots: int) -> None:
        """Order what is ready by priority, given how many tasks run at once."""
        self.is_unknown = False
        self._ranks = None if self._rank is None else self._rank(slots)
        if self._ranks is not None:
            self._scheduler.prioritize(self._ranks)

    def hold(self, node: int, value: Any) -> None:
        """A result is held in memory from now on."""
        if self._pressure is not None and self._pressure.hold(node, value):
            self._reorder(self._pressure)

    def final(self, node: int) -> None:
        """A node is final and takes nothing any more: let go of what only it has waited for."""
        if self._retention is None:
            return
        for dropped in self._retention.final(node):
            if self._pressure is not None and self._pressure.drop(dropped):
                self._reorder(self._pressure)

    def _reorder(self, pressure: Pressure) -> None:
        """Memory has become short, or is so no longer: start by depth, or as before."""
        calm = self._ranks if self._ranks is not None else [0.0] * self._size
        self._scheduler.prioritize(pressure.ranks if pressure.is_on else calm)

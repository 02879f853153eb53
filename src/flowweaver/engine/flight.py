"""What is under way in a run: attempts that go on, and results that are not on disk yet."""

from __future__ import annotations

from flowweaver.engine.body.call import Call
from flowweaver.engine.protocols import Backend

# How many calls beyond its slots a backend may hold: enough that short bodies never wait for
# the runner, and none at all as soon as bodies are long enough to come in one by one.
_MOST_AHEAD = 64


class Flight:
    """The attempts of one run from their start to their commit.

    Attributes:
        backend: Where they run.
        window: How many may go on at once.
        calls: By node, those that go on.
        held: Those among them that are to start once the next commit is through.
        committing: Nodes whose results the next commit writes.
        durable: Nodes whose results are on disk and whose completion is being told.
    """

    __slots__ = ("backend", "calls", "committing", "durable", "held", "window")

    backend: Backend

    def __init__(self) -> None:
        self.window = 0
        self.calls: dict[int, Call] = {}
        self.held: list[Call] = []
        self.committing: list[int] = []
        self.durable: list[int] = []

    def open(self, backend: Backend) -> None:
        """Take the backend that calls are submitted to."""
        self.backend = backend
        self.window = backend.capacity

    def arrived(self, count: int) -> None:
        """So many calls came in at once: the more they are, the more may wait at the backend."""
        if self.backend.prefetch:
            ahead = min(2 * max(0, count - 1), _MOST_AHEAD * self.backend.capacity)
            self.window = self.backend.capacity + ahead

    def elsewhere(self) -> dict[int, Call]:
        """Return the calls whose bodies an interrupt in the runner's thread does not touch."""
        if self.backend.inline:
            return {}
        calls = list(self.calls.values())
        return {call.node: call for call in calls if call.started is not None and not call.over}

"""When the attempts that count ran, for how long, and who performed them."""

from __future__ import annotations

# Room is made for so many nodes more at once, and for an eighth of those there are.
_LEAST_ROOM = 64


class Timings:
    """Of each node the last attempt that came to an end, by the monotonic clock.

    Kept in lists side by side: a tuple for each would be one more object for the garbage collector
    to go through, and arrays of numbers take a third of the memory but three times as long.
    """

    __slots__ = ("_seconds", "_started", "_workers")

    def __init__(self) -> None:
        self._started: list[float | None] = []
        self._seconds: list[float] = []
        self._workers: list[str] = []

    def note(self, node: int, started: float, seconds: float, worker: str) -> None:
        """Take it that an attempt has come to an end."""
        # With no calls, as every attempt comes by here.
        try:
            self._seconds[node] = seconds
        except IndexError:
            self._make_room(node)
            self._seconds[node] = seconds
        self._workers[node] = worker
        # The last, also where an interrupt falls in between: what has a start has all.
        self._started[node] = started

    def get(self, node: int) -> tuple[float | None, float | None, str]:
        """Return start, seconds and worker; None, None and "" where no attempt has ended."""
        started = self._started[node] if node < len(self._started) else None
        if started is None:
            return None, None, ""
        return started, self._seconds[node], self._workers[node]

    def _make_room(self, node: int) -> None:
        size = node + max(_LEAST_ROOM, node // 8)
        # Each by what it lacks: an interrupt may have come between two of them.
        self._started += [None] * (size - len(self._started))
        self._workers += [""] * (size - len(self._workers))
        # The last, as it is what is looked at to know whether there is room.
        self._seconds += [0.0] * (size - len(self._seconds))

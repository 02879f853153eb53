"""When the attempts that count ran, for how long, and who performed them."""

from __future__ import annotations

from array import array
from math import isnan, nan

# Room is made for so many nodes more at once, and for an eighth of those there are.
_LEAST_ROOM = 64


class Timings:
    """Of each node the last attempt that came to an end, by the monotonic clock.

    Kept as numbers side by side: a tuple for each would be one more object for the garbage
    collector to go through, and takes ten times as much memory.
    """

    __slots__ = ("_names", "_numbers", "_seconds", "_started", "_workers")

    def __init__(self) -> None:
        self._started = array("d")
        self._seconds = array("d")
        self._workers = array("I")
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}

    def note(self, node: int, started: float, seconds: float, worker: str) -> None:
        """Take it that an attempt has come to an end."""
        # With few calls, as every attempt comes by here.
        number = self._numbers.get(worker)
        if number is None:
            number = self._numbers[worker] = len(self._names)
            self._names.append(worker)
        try:
            self._seconds[node] = seconds
        except IndexError:
            self._make_room(node)
            self._seconds[node] = seconds
        self._workers[node] = number
        # The last, also where an interrupt falls in between: what has a start has all.
        self._started[node] = started

    def get(self, node: int) -> tuple[float | None, float | None, str]:
        """Return start, seconds and worker; None, None and "" where no attempt has ended."""
        started = self._started[node] if node < len(self._started) else nan
        if isnan(started):
            return None, None, ""
        return started, self._seconds[node], self._names[self._workers[node]]

    def _make_room(self, node: int) -> None:
        size = node + max(_LEAST_ROOM, node // 8)
        # Each by what it lacks: an interrupt may have come between two of them.
        self._started.extend(array("d", [nan]) * (size - len(self._started)))
        self._workers.extend(array("I", [0]) * (size - len(self._workers)))
        # The last, as it is what is looked at to know whether there is room.
        self._seconds.extend(array("d", [nan]) * (size - len(self._seconds)))

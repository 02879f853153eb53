"""How many short calls go together, judged by how long earlier ones took."""

from __future__ import annotations

from flowweaver.plugins import Call

# A body of this length or longer goes alone.
_LONG_SECONDS = 1e-3
_WEIGHT_OF_LAST = 0.2
_UNKNOWN_SECONDS = 1.0


class Pace:
    """Learns from calls that have ended how long calls of the same function take.

    Args:
        batch_seconds: For about how long the calls that go together are to last.
        shortest_seconds: A body shorter than this can't be told from the overhead around it.
    """

    def __init__(self, batch_seconds: float, shortest_seconds: float) -> None:
        self._batch_seconds = batch_seconds
        self._shortest_seconds = shortest_seconds
        self._seconds: dict[int, float] = {}
        self._latest = _UNKNOWN_SECONDS

    def note(self, call: Call) -> None:
        """Learn from a call that ended."""
        key, seconds = id(call.task.fn), call.duration
        before = self._seconds.get(key)
        if before is not None and seconds < _LONG_SECONDS:
            seconds = before + _WEIGHT_OF_LAST * (seconds - before)
        self._seconds[key] = self._latest = seconds

    def together(self, call: Call) -> int:
        """Return how many calls like this one can go together; 1 if none was seen yet."""
        return self._count(self._seconds.get(id(call.task.fn), _UNKNOWN_SECONDS))

    @property
    def most(self) -> int:
        """How many calls like those that ended lately can go together."""
        return self._count(self._latest)

    @property
    def latest(self) -> float:
        """How many seconds calls like those that ended lately take, overhead included."""
        return max(self._latest, self._shortest_seconds)

    def _count(self, seconds: float) -> int:
        if seconds >= _LONG_SECONDS:
            return 1
        return int(self._batch_seconds / max(seconds, self._shortest_seconds))

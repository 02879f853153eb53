"""How much a cluster is given: many short calls as one task of its, and some more tasks ahead."""

from __future__ import annotations

from flowweaver.plugins import Call, TaskOptions

# A job of short calls is to take about so long; by then it is far from being mostly overhead.
_JOB_SECONDS = 0.01
# A body shorter than this can't be told from the overhead around it.
_SHORTEST_SECONDS = 1e-4
# A body of this length or longer goes alone.
_LONG_SECONDS = 1e-3
_WEIGHT_OF_LAST = 0.2
# What a place is given ahead is to last so long that it never waits for the runner; and no more,
# as what is urgent comes after it.
_AHEAD_SECONDS = 0.1
_FEWEST_JOBS, _MOST_JOBS = 4, 16


class Pace:
    """Learns from the calls that ended how long those of the same function take."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}
        self._latest = 1.0

    def note(self, call: Call) -> None:
        """Learn from a call that ended."""
        key, seconds = id(call.task.fn), call.duration
        before = self._seconds.get(key)
        if before is not None and seconds < _LONG_SECONDS:
            seconds = before + _WEIGHT_OF_LAST * (seconds - before)
        self._seconds[key] = self._latest = seconds

    def together(self, call: Call) -> int:
        """Return how many calls like this one can go together; 1 if it is to go alone."""
        if call.attempt > 1 or goes_alone(call.task.options):
            return 1
        return _count(self._seconds.get(id(call.task.fn), 1.0))

    @property
    def jobs(self) -> int:
        """How many tasks of its a place of the cluster is given."""
        ahead = int(_AHEAD_SECONDS / (max(self._latest, _SHORTEST_SECONDS) * self.most))
        return min(max(ahead, _FEWEST_JOBS), _MOST_JOBS)

    @property
    def most(self) -> int:
        """How many calls like those that ended lately can go together."""
        return _count(self._latest)


def goes_alone(options: TaskOptions) -> bool:
    """Whether giving up or losing a call of these options must not touch another."""
    return (
        options.isolate
        or options.effect == "once"
        or options.timeout is not None
        or options.idle_timeout is not None
        or bool(options.resources)
    )


def _count(seconds: float) -> int:
    if seconds >= _LONG_SECONDS:
        return 1
    return int(_JOB_SECONDS / max(seconds, _SHORTEST_SECONDS))

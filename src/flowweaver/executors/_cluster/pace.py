"""How much a cluster is given: how many calls make a job, and how many jobs a slot has ahead."""

from __future__ import annotations

from flowweaver.executors._pace import Pace
from flowweaver.plugins import Call, TaskOptions

# For about how long a job of short calls is to last: long enough not to be mostly overhead.
_JOB_SECONDS = 0.01
_SHORTEST_SECONDS = 1e-4
# How long the jobs that a slot has ahead are to last: enough that it never waits for the runner,
# and no more, since urgent calls come after them.
_AHEAD_SECONDS = 0.1
_FEWEST_JOBS, _MOST_JOBS = 4, 16


class JobPace(Pace):
    """Learns how many calls make a job, and how many jobs a slot of the cluster is given."""

    def __init__(self) -> None:
        super().__init__(_JOB_SECONDS, _SHORTEST_SECONDS)

    def together(self, call: Call) -> int:
        """Return how many calls like this one can go together; 1 if it is to go alone."""
        if call.attempt > 1 or goes_alone(call.task.options):
            return 1
        return super().together(call)

    @property
    def jobs(self) -> int:
        """How many jobs a slot of the cluster is given."""
        ahead = int(_AHEAD_SECONDS / (self.latest * self.most))
        return min(max(ahead, _FEWEST_JOBS), _MOST_JOBS)


def goes_alone(options: TaskOptions) -> bool:
    """Whether giving up or losing a call of these options must not touch another."""
    return (
        options.isolate
        or options.acts_once
        or options.timeout is not None
        or options.idle_timeout is not None
        or bool(options.resources)
    )

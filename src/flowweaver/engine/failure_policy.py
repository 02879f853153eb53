"""What a failed attempt comes to: another one, the end of its task, or the end of the run."""

from __future__ import annotations

import random

from flowweaver.definitions.options import TaskOptions

_MOST_DEATHS = 3


class FailurePolicy:
    """Keeps the retry budgets of one run. Pure: the source of jitter is given.

    Attributes:
        stops_run: Whether nothing more is to start once a task has failed.
        used: How much of its budget each node has used, of those that have used some.
    """

    __slots__ = ("_deaths", "_rng", "stops_run", "used")

    def __init__(self, *, stops_run: bool, rng: random.Random | None) -> None:
        self.stops_run = stops_run
        self.used: dict[int, int] = {}
        self._deaths: dict[int, int] = {}
        self._rng = rng or random.Random()

    def delay(
        self,
        node: int,
        options: TaskOptions,
        *,
        retryable: bool,
        died: bool,
        wait: float | None = None,
    ) -> float | None:
        """Return the seconds until a node's next attempt, or None if it gets none.

        `wait` is what the attempt itself asks for, instead of the backoff. An attempt whose process
        `died` under it costs none of the retry budget, but the third such death is taken to be the
        task's own doing.
        """
        if died and not options.acts_once:
            self._deaths[node] = self._deaths.get(node, 0) + 1
            if self._deaths[node] < _MOST_DEATHS:
                return 0.0
            retryable = False
        used = self.used[node] = self.used.get(node, 0) + 1
        if not retryable or used > options.retries:
            return None
        return options.backoff.delay(used, self._rng) if wait is None else wait

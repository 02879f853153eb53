"""What is done in a run because its time has come, whatever arrives or doesn't."""

from __future__ import annotations

from flowweaver.engine.clock import Clock
from flowweaver.engine.deadlines import Deadlines
from flowweaver.engine.finisher import Finisher
from flowweaver.engine.flight import Flight
from flowweaver.engine.scheduler import Scheduler
from flowweaver.engine.stopping import Stopping

# No clock can be asked to wait for ever, so the runner wakes up now and then.
_LONGEST_SLEEP = 3600.0


class Alarms:
    """Wakes what has waited long enough, and ends attempts that have had their time.

    Args:
        scheduler: Keeps the timers of nodes.
        clock: What the run goes by.
        flight: What is under way.
        deadlines: Says which attempts have taken too long.
        stopping: Says until when what runs is waited for.
        finisher: Sees to attempts that are ended.
    """

    __slots__ = ("_clock", "_deadlines", "_finisher", "_flight", "_scheduler", "_stopping")

    def __init__(
        self,
        scheduler: Scheduler,
        clock: Clock,
        flight: Flight,
        deadlines: Deadlines,
        stopping: Stopping,
        finisher: Finisher,
    ) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._flight = flight
        self._deadlines = deadlines
        self._stopping = stopping
        self._finisher = finisher

    def patience(self) -> float | None:
        """Return how many seconds the runner can sleep if nothing arrives; None for ever."""
        moments = (self._scheduler.next_due(), self._stopping.give_up_at)
        known = [moment for moment in moments if moment is not None]
        if not known:
            return None
        return min(max(0.0, min(known) - self._clock.monotonic()), _LONGEST_SLEEP)

    def skip(self, seconds: float | None) -> bool:
        """Let the clock skip a time in which no body runs; return whether it can be skipped."""
        if self._clock.skip is None or seconds is None or self._flight.calls:
            return False
        self._clock.skip(seconds)
        return True

    def ring(self) -> None:
        """Do what is to be done by now."""
        due, give_up_at = self._scheduler.next_due(), self._stopping.give_up_at
        if due is None and give_up_at is None:
            return
        now = self._clock.monotonic()
        if due is not None and due <= now:
            for call, error in self._deadlines.passed(now):
                self._finisher.end_by_force(call, error, now)
        if give_up_at is not None and give_up_at <= now:
            self._give_up_running(now)

    def _give_up_running(self, now: float) -> None:
        self._stopping.give_up_at = None
        for call in list(self._flight.calls.values()):
            call.interrupted = True
            self._finisher.end_by_force(call, InterruptedError("the run was stopped"), now)

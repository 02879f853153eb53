"""How long attempts may take, and which have taken too long."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from flowweaver.definitions.options import TaskOptions
from flowweaver.engine.body.call import Call
from flowweaver.engine.clock import Clock
from flowweaver.engine.flight import Flight
from flowweaver.engine.scheduler import Scheduler
from flowweaver.errors import TaskTimeoutError

_GOES_ON = (
    "; its body goes on, since a thread can't be stopped (isolate=True gives it a process that can)"
)


class Deadlines:
    """The time limits of the attempts of one run; `unstoppable` names tasks whose bodies go on."""

    __slots__ = ("_clock", "_flight", "_scheduler", "_unstoppable")

    def __init__(
        self, scheduler: Scheduler, clock: Clock, flight: Flight, unstoppable: Collection[str]
    ) -> None:
        self._unstoppable = unstoppable
        self._scheduler = scheduler
        self._clock = clock
        self._flight = flight

    def set(self, node: int, options: TaskOptions) -> None:
        """An attempt begins: look at it again when its first limit may be over."""
        limits = [limit for limit in (options.timeout, options.idle_timeout) if limit]
        if limits:
            self._scheduler.limit(node, self._clock.monotonic() + min(limits))

    def passed(self, now: float) -> Iterator[tuple[Call, TaskTimeoutError]]:
        """Return the attempts that are over a limit, and over which; wake what has waited."""
        for node in self._scheduler.wake(now):
            call = self._flight.calls.get(node)
            if call is not None and (error := self._checked(call, now)) is not None:
                yield call, error

    def _checked(self, call: Call, now: float) -> TaskTimeoutError | None:
        options = call.task.options
        # The wait for a free slot is not part of an attempt's time.
        started = now if call.started is None else call.started
        limits = []
        if options.timeout is not None:
            limits.append((started + options.timeout, "was over its limit of", options.timeout))
        if options.idle_timeout is not None:
            alive = max(started, call.beat or started)
            limits.append(
                (alive + options.idle_timeout, "gave no sign of life in", options.idle_timeout)
            )
        due, words, seconds = min(limits)
        if due > now:
            self._scheduler.limit(call.node, due)
            return None
        rest = _GOES_ON if call.task.name in self._unstoppable else ""
        return TaskTimeoutError(f"Attempt {call.attempt} {words} {seconds:g} s{rest}.")

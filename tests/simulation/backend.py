"""The simulated executor: bodies take simulated time, and what comes of them gets lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from flowweaver.engine.body.call import Call, perform
from flowweaver.engine.body.faults import Fault
from flowweaver.engine.executor import Executor
from flowweaver.engine.protocols import Host
from flowweaver.records import Failure
from flowweaver.state_store import StateStore
from tests.simulation.workflows import Body
from tests.simulation.world import Setting, World

_BEAT_SECONDS = 1.0
_LONG_SECONDS = 60.0

Began = Callable[[Call], None]


class SimulatedExecutor(Executor):
    """An executor in a simulated world; its runs are driven by hand, step by step."""

    stops_threads = True

    def __init__(
        self, world: World, setting: Setting, store: StateStore | None, began: Began
    ) -> None:
        super().__init__(state_store=store, limits=setting.limits, rate=setting.rate)
        self.clock = world.clock
        self._world = world
        self._setting = setting
        self._began = began

    def open_backend(self, host: Host) -> SimulatedBackend:
        """Open a backend in the world."""
        return self.backend(host.done)

    def backend(self, done: Callable[[Call], None]) -> SimulatedBackend:
        """Return a backend that hands in finished calls to `done`."""
        return SimulatedBackend(self._world, self._setting, done, self._began)


class SimulatedBackend:
    """Performs the calls of one run in simulated time.

    Args:
        world: Time and faults.
        setting: How many bodies run at once, and where.
        done: Takes finished calls.
        began: Told of each body that starts.

    Attributes:
        lost_at: When a call was last lost that the runner may wait for for ever; None if none was.
    """

    def __init__(
        self,
        world: World,
        setting: Setting,
        done: Callable[[Call], None],
        began: Began,
    ) -> None:
        self._world = world
        self._setting = setting
        self._done = done
        self._began = began
        self._queue: deque[Call] = deque()
        self._busy: set[Call] = set()
        self._closed = False
        self.lost_at: float | None = None

    @property
    def capacity(self) -> int:
        """How many bodies run at once."""
        return self._setting.capacity

    @property
    def prefetch(self) -> bool:
        """Whether calls may wait here."""
        return self._setting.prefetch

    @property
    def inline(self) -> bool:
        """Whether `submit` performs calls itself."""
        return self._setting.inline

    def submit(self, call: Call) -> bool:
        """Perform the call now or in a while."""
        options = call.task.options
        if self._setting.inline and options.timeout is options.idle_timeout is None:
            self._begin(call)
            self._world.now += self._seconds(call)
            self._end(call)
            return True
        self._queue.append(call)
        self._fill_slots()
        return False

    def cancel(self, call: Call) -> None:
        """Give the call up unless it is over already; its body goes on for nothing."""
        if call.finished:
            return
        call.over = True
        self._busy.discard(call)
        if call in self._queue:
            self._queue.remove(call)
        self._fill_slots()

    def close(self) -> None:
        """Let go of everything."""
        self._closed = True

    def _fill_slots(self) -> None:
        while self._queue and len(self._busy) < self._setting.capacity:
            call = self._queue.popleft()
            self._busy.add(call)
            self._begin(call)
            self._plan_end(call)

    def _begin(self, call: Call) -> None:
        call.started = self._world.now
        self._began(call)

    def _plan_end(self, call: Call) -> None:
        world = self._world
        hangs = world.happens(world.faults.hang)
        seconds = _LONG_SECONDS if hangs else self._seconds(call)
        if call.task.options.idle_timeout is not None and not hangs:
            seconds *= 10
            beats = int(seconds / _BEAT_SECONDS)
            for number in range(1, beats + 1):
                world.at(world.now + number * _BEAT_SECONDS, lambda: self._beat(call))
        world.at(world.now + seconds, lambda: self._finish(call))

    def _seconds(self, call: Call) -> float:
        assert isinstance(call.task.fn, Body)
        return call.task.fn.nature.seconds * self._world.rng.random()

    def _beat(self, call: Call) -> None:
        call.beat = self._world.now

    def _finish(self, call: Call) -> None:
        """A body ends: hand in what came of it, unless a fault comes in between."""
        if self._closed:
            return
        world, faults = self._world, self._world.faults
        self._end(call)
        if call.over:
            if world.happens(faults.double):
                self._done(call)  # what was given up must not count even if it is handed in
            return
        if world.happens(faults.lose):
            self.lost_at = world.now
            return
        late = world.rng.random() * 10 if world.happens(faults.delay) else 0.0
        world.at(world.now + late, lambda: self._hand_in(call))

    def _hand_in(self, call: Call) -> None:
        if call.over or self._closed:
            return
        call.finished = True
        self._busy.discard(call)
        self._done(call)
        if self._world.happens(self._world.faults.double):
            late = self._world.rng.choice((0.0, 0.0, 5.0))
            self._world.at(self._world.now + late, lambda: self._done(call))
        self._fill_slots()

    def _end(self, call: Call) -> None:
        """Do what the body does at its end, and note how it went."""
        started, world = call.started, self._world
        assert started is not None
        if world.happens(world.faults.die):
            call.died = True
            what = Failure("flowweaver.TaskExitError", "simulated: it was killed")
            call.fault = Fault(what)
        else:
            perform(call, _await_nothing)
        call.started, call.duration = started, world.now - started


def _await_nothing(awaitable: Awaitable[Any]) -> Any:
    raise AssertionError(f"simulated bodies return nothing to await, but here is {awaitable!r}")

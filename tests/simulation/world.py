"""A simulated world: its time, what is to happen when, and which faults it has.

All chance comes from one generator, so a seed tells the whole story and replays it exactly.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from heapq import heappop, heappush

from flowweaver.engine.clock import Clock
from flowweaver.engine.options import ExecuteArguments

# How likely a fault is, each time it could happen, where a world has it at all.
_SHARES = (0.02, 0.1, 0.3)


@dataclass(frozen=True, slots=True)
class Faults:
    """How likely each fault is, from 0 to 1, each time it could happen.

    Attributes:
        kill: A process is killed: before a step, or before, in or after a commit.
        refuse: A commit fails and nothing is written.
        doubt: A commit fails, but all was written.
        press: Ctrl-C is pressed.
        rival: Another process executes the same workflow, or takes the run over.
        jump: The wall clock is set forth or back before a process starts.
        double: A finished call is handed in twice.
        delay: A finished call is handed in late.
        hang: A body takes far longer than it should.
        lose: A finished call is never handed in.
        die: The process that a body runs in dies under it.
    """

    kill: float = 0.0
    refuse: float = 0.0
    doubt: float = 0.0
    press: float = 0.0
    rival: float = 0.0
    jump: float = 0.0
    double: float = 0.0
    delay: float = 0.0
    hang: float = 0.0
    lose: float = 0.0
    die: float = 0.0

    @property
    def cost_attempts(self) -> bool:
        """Whether a task may fail that would not have failed undisturbed."""
        return bool(self.delay or self.hang or self.lose or self.die or self.press)


NO_FAULTS = Faults()


def random_faults(rng: random.Random) -> Faults:
    """Return a world's faults: some of them, each more or less likely."""
    return Faults(
        **{
            fault.name: rng.choice(_SHARES) if rng.random() < 0.4 else 0.0
            for fault in fields(Faults)
        }
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """How one process executes the workflow.

    Attributes:
        capacity: How many bodies run at once.
        inline: Whether calls without a limit are performed by the runner's own thread.
        prefetch: Whether calls may wait in the backend.
        limits: See `Executor`.
        rate: See `Executor`.
        arguments: Those of `execute`.
    """

    capacity: int = 4
    inline: bool = False
    prefetch: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    rate: Mapping[str, str] = field(default_factory=dict)
    arguments: ExecuteArguments = field(default_factory=ExecuteArguments)


class World:
    """Time and chance.

    Attributes:
        rng: The source of all chance.
        faults: What goes wrong.
        now: Seconds; never goes back.
        offset: By how many seconds the wall clock is ahead.
    """

    def __init__(self, rng: random.Random, faults: Faults = NO_FAULTS) -> None:
        self.rng = rng
        self.faults = faults
        self.now = 1000.0
        self.offset = 1_700_000_000.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now + self.offset)

    def happens(self, share: float) -> bool:
        """Whether something of this likelihood happens now."""
        return share > 0 and self.rng.random() < share

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Have something done at a moment."""
        self._order += 1
        heappush(self._agenda, (moment, self._order, action))

    def next_moment(self) -> float | None:
        """Return when something is next to be done; None if nothing is."""
        return self._agenda[0][0] if self._agenda else None

    def pass_until(self, moment: float) -> None:
        """Let time pass, and what is due by then happen."""
        while self._agenda and self._agenda[0][0] <= moment:
            due, _, action = heappop(self._agenda)
            self.now = max(self.now, due)
            action()
        self.now = max(self.now, moment)

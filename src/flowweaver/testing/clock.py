"""A clock that jumps over the time in which nothing happens."""

from __future__ import annotations

import time

from flowweaver.definitions.units import is_number, parse_duration
from flowweaver.engine.clock import Clock
from flowweaver.errors import DefinitionError


class JumpingClock:
    """Runs as the system's clock does, and jumps over waits for retries and when it is told to.

    Attributes:
        ahead: By how many seconds it is ahead of the system's clock.
    """

    def __init__(self) -> None:
        self.ahead = 0.0

    def for_run(self) -> Clock:
        """Return the clock of one execution: ``executor.clock = clock.for_run()``.

        Waits are over at once while no body runs. Its monotonic time begins at that of the system's
        clock, which bodies see.
        """
        before = self.ahead
        return Clock(
            monotonic=lambda: time.monotonic() + self.ahead - before,
            wall=lambda: time.time() + self.ahead,
            skip=self.advance,
        )

    def advance(self, by: float | str) -> None:
        """Jump forward by seconds, or by text like "90s", "12h" or "1d".

        Raises:
            DefinitionError: It can't be read, or is negative.
        """
        seconds = parse_duration(by, "advance") if isinstance(by, str) else by
        if not is_number(seconds) or seconds < 0:
            raise DefinitionError(f"advance takes seconds, or text like '12h', not {by!r}.")
        self.ahead += seconds

    def __repr__(self) -> str:
        return f"<JumpingClock: {self.ahead:g} s ahead>"

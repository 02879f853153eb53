"""When a failed attempt is repeated: how often, after which errors, and after how long a wait."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowweaver.errors import DefinitionError

if TYPE_CHECKING:
    import random

AskBackoff = Callable[[BaseException, int], float | None]
RetryOn = type[BaseException] | tuple[type[BaseException], ...] | Callable[[BaseException], bool]

# A year: nothing is waited for longer, and no clock can be asked to wait much longer.
LONGEST_WAIT = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next attempt.

    The wait before attempt n+1 is ``initial * factor ** (n - 1)`` seconds, at most `cap`, and
    then up to `jitter` (a share between 0 and 1) shorter at random, so that many tasks failing
    together don't come back together.
    """

    initial: float = 0.0
    factor: float = 1.0
    cap: float | None = None
    jitter: float = 0.0

    def __post_init__(self) -> None:
        cap = 0.0 if self.cap is None else self.cap
        given = (self.initial, self.factor, self.jitter, cap)
        # Written so that NaN, for which no comparison holds, is refused too.
        if not all(isinstance(number, int | float) for number in given) or not (
            self.initial >= 0 and self.factor >= 1 and 0 <= self.jitter <= 1 and cap >= 0
        ):
            raise DefinitionError(
                f"{self} is no backoff: initial and cap must be at least 0 seconds, factor at "
                "least 1, and jitter between 0 and 1."
            )

    @property
    def longest(self) -> float:
        """The longest wait there can be, in seconds."""
        if self.factor == 1:
            return min(self.initial, LONGEST_WAIT)
        return LONGEST_WAIT if self.cap is None else min(self.cap, LONGEST_WAIT)

    def delay(self, attempt: int, rng: random.Random) -> float:
        """Return the seconds to wait after failed attempt number `attempt` (from 1)."""
        if not self.initial:
            return 0.0
        try:
            wait = self.initial * self.factor ** (attempt - 1)
        except OverflowError:  # of the factor's power; a small enough start makes it bearable again
            grown = math.log(self.initial) + (attempt - 1) * math.log(self.factor)
            wait = math.exp(min(grown, 700.0))
        cap = LONGEST_WAIT if self.cap is None else min(self.cap, LONGEST_WAIT)
        return min(wait, cap) * (1 - self.jitter * rng.random())


@dataclass(frozen=True, slots=True)
class AskedBackoff(Backoff):
    """A wait that a function tells, given the exception and the number of the attempt."""

    ask: AskBackoff | None = None

    @property
    def longest(self) -> float:
        """The longest wait there can be, in seconds."""
        return LONGEST_WAIT

    def told(self, error: BaseException, attempt: int) -> float | None:
        """Return the seconds that the function asks for; None if it asks for no wait.

        Raises:
            ValueError: It returned what is no number of seconds.
        """
        assert self.ask is not None
        wait = self.ask(error, attempt)
        if wait is None:
            return None
        if not isinstance(wait, int | float) or not wait >= 0:
            raise ValueError(f"backoff returned {wait!r}, which is no number of seconds from 0.")
        return min(float(wait), LONGEST_WAIT)


NO_WAIT = Backoff()


def fixed(seconds: float, *, jitter: float = 0.0) -> Backoff:
    """Wait the same number of seconds before each retry."""
    return Backoff(seconds, jitter=jitter)


def exponential(
    initial: float = 1.0, *, factor: float = 2.0, cap: float | None = 60.0, jitter: float = 0.1
) -> Backoff:
    """Wait `initial` seconds, then `factor` times longer before each further retry, up to `cap`."""
    return Backoff(initial, factor, cap, jitter)

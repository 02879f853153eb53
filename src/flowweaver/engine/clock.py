"""The clocks that a run goes by: the system's, or those of a simulation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Clock(NamedTuple):
    """Two ways to tell the time, in seconds.

    Attributes:
        monotonic: Never goes back; for limits, waits and durations.
        wall: Since the epoch, as people and other processes have it; may be set forth and back.
        skip: Lets time pass in which a run waits and no body runs; None where it passes by itself.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    skip: Callable[[float], None] | None = None


SYSTEM_CLOCK = Clock()

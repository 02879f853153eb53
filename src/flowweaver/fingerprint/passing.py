"""Know what installed code keeps of the process that it runs in: moments, addresses, hashes."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Set as AbstractSet

_CLOCKS = (time.time, time.monotonic, time.perf_counter)
_STARTED = tuple(clock() - time.process_time() - 60 for clock in _CLOCKS)
# Where Python is no position-independent program, as Debian's, classes stand at low addresses.
# Those of others, and the hashes that are made of addresses, are not much lower.
_SMALLEST = min(1 << 32, id(type("SomeClass", (), {})) >> 5)
_LONG_NUMBER = re.compile(rf"\d{{{len(str(_SMALLEST))},}}")


def is_moment(value: float) -> bool:
    """Whether a number can't but be a time at which this process has run.

    Those that people write have few digits.
    """
    if round(value, 3) == value:
        return False
    return any(start <= value <= clock() for start, clock in zip(_STARTED, _CLOCKS, strict=True))


def is_number_of_process(value: object) -> bool:
    """Whether it is the number of this process, of this thread or of the main one."""
    numbers = (os.getpid(), threading.get_ident(), threading.main_thread().ident)
    return type(value) is int and value in numbers


class Passing:
    """Finds, in numbers and texts, the addresses of some objects and the hashes of some texts.

    `suspects` are the numbers met that may prove to be the address of an object met later.
    """

    def __init__(self, addresses: AbstractSet[int]) -> None:
        self._addresses = addresses
        self._hashes: set[int] = set()
        self.suspects: set[int] = set()

    def without(self, value: object) -> object:
        """Return a literal without what is of this process alone."""
        if type(value) is float:
            return "(a moment)" if is_moment(value) else value
        if type(value) is int:
            return "(an address)" if self._is_of_process(value) else value
        if type(value) is str:
            self._hashes.add(hash(value))
            return _LONG_NUMBER.sub(self._shortened, value)
        return value

    def _shortened(self, found: re.Match[str]) -> str:
        return "#" if self._is_of_process(int(found[0])) else found[0]

    def _is_of_process(self, value: int) -> bool:
        if -_SMALLEST < value < _SMALLEST:
            return False
        # An object's own hash is its address, turned by four bits.
        self.suspects |= {value, value << 4}
        return value in self._addresses or value << 4 in self._addresses or value in self._hashes

"""Gates: how many tasks of a tag run at once, and how often they start. Pure, no clock."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence

from flowweaver.definitions.units import SECONDS
from flowweaver.errors import DefinitionError

_RATE = re.compile(r"\s*(\d+)\s*/\s*(s|min|h|d|w)\s*")


class Gates:
    """What executors' `limits` and `rate` ask for, by tag.

    Args:
        limits: At most so many tasks of a tag at once.
        rate: At most so many starts of a tag in a time: ``"10/s"``, ``"100/min"``, ``"5/h"``.
            Starts are spaced evenly, so that they never come in bursts.

    Raises:
        DefinitionError: A limit or rate can't be read.
    """

    def __init__(self, limits: Mapping[str, int], rate: Mapping[str, str]) -> None:
        for tag, limit in limits.items():
            if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
                raise DefinitionError(f"limits[{tag!r}] must be a whole number from 1: {limit!r}")
        self._free = dict(limits)
        self._spacing = {tag: _spacing(tag, text) for tag, text in rate.items()}
        self._next_start: dict[str, float] = {}
        self._parked: dict[str, deque[int]] = {tag: deque() for tag in limits}

    def enter(self, node: int, tags: Sequence[str], now: float) -> float | None:
        """Let a node in: None if it may start now, else the time to ask again.

        A node that has to wait for another to end is kept, and comes back from `leave`; the time
        to ask again is then infinite.
        """
        for tag in tags:
            if self._free.get(tag) == 0:
                self._parked[tag].append(node)
                return float("inf")
        due = max((self._next_start.get(tag, now) for tag in tags), default=now)
        if due > now:
            return due
        for tag in tags:
            if tag in self._free:
                self._free[tag] -= 1
            if tag in self._spacing:
                self._next_start[tag] = now + self._spacing[tag]
        return None

    def leave(self, tags: Sequence[str]) -> list[int]:
        """A node that was let in is done: return those that may ask again."""
        back = []
        for tag in tags:
            if tag in self._free:
                self._free[tag] += 1
                if self._parked[tag]:
                    back.append(self._parked[tag].popleft())
        return back

    def vacant(self) -> list[int]:
        """Return nodes that wait for a tag there is room in: those ahead of them can't use it."""
        back = []
        for tag, parked in self._parked.items():
            for _ in range(min(self._free[tag], len(parked))):
                back.append(parked.popleft())
        return back

    def clear(self) -> list[int]:
        """Return all nodes that wait here; they won't come back any more."""
        waiting = [node for parked in self._parked.values() for node in parked]
        for parked in self._parked.values():
            parked.clear()
        return waiting


def _spacing(tag: str, text: str) -> float:
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None or not int(match[1]):
        raise DefinitionError(
            f"rate[{tag!r}] must be like '10/s', '100/min', '5/h' or '20/d', not {text!r}"
        )
    return SECONDS[match[2]] / int(match[1])

"""Memory pressure: when results held in memory pass a limit, depth goes first."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from flowweaver.definitions.units import parse_size
from flowweaver.definitions.wiring import Wiring

# How far into containers a value is weighed.
_DEPTH = 3


class Pressure:
    """Weighs the results that are held and says whether they are over a limit.

    Args:
        wiring: The graph.
        limit: Bytes, or text like "2GB".

    Attributes:
        ranks: What to start by while there is pressure: those furthest from the beginning, as
            they are the ones that let earlier results go.
    """

    def __init__(self, wiring: Wiring, limit: int | str) -> None:
        self._limit = parse_size(limit, "memory_limit")
        self._weights: dict[int, int] = {}
        self._held = 0
        self.is_on = False
        self.ranks = [0.0] * len(wiring.tasks)
        for node in wiring.order:
            before = (self.ranks[pred] for pred in wiring.preds[node])
            self.ranks[node] = 1.0 + max(before, default=0.0)

    def hold(self, node: int, value: Any) -> bool:
        """A result is held from now on; return whether that changes what is to start first."""
        self._weights[node] = weight_of(value)
        self._held += self._weights[node]
        return self._look()

    def drop(self, node: int) -> bool:
        """A result is let go of; return whether that changes what is to start first."""
        self._held -= self._weights.pop(node, 0)
        return self._look()

    def _look(self) -> bool:
        was_on, self.is_on = self.is_on, self._held > self._limit
        return was_on is not self.is_on


def weight_of(value: Any, depth: int = _DEPTH) -> int:
    """Return about how many bytes a value takes: arrays exactly, containers some levels deep."""
    size = getattr(value, "nbytes", None)
    if isinstance(size, int):
        return size
    size = sys.getsizeof(value, 64)
    if depth and isinstance(value, Mapping):
        return size + sum(weight_of(item, depth - 1) for item in value.values())
    if depth and isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return size + sum(weight_of(item, depth - 1) for item in value)
    return size

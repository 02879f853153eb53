"""An order for the elements of a set that is the same in every process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

# Sets of one of these types are sorted as they are, which is far cheaper than by their bytes.
_SORTABLE = ({int}, {str}, {bytes})


def in_order(items: Collection[Any], encode: Callable[[Any], bytes]) -> list[Any]:
    """Return the elements sorted by themselves if simple, else by what `encode` makes of each."""
    return sorted(items, key=None if set(map(type, items)) in _SORTABLE else encode)

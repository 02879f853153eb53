"""Sweeps over boundaries, by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from tests.faults.boundaries import killing
from tests.faults.children import Victim
from tests.faults.kills import Damage, sweep
from tests.faults.migrations import compacting, later_schema, migrating

MIGRATION, COMPACTION = "migration", "compaction"

_MAKERS: dict[str, Callable[[Path], Victim]] = {MIGRATION: migrating, COMPACTION: compacting}


def sweep_of(what: str, how: str, *, every: int = 1, most: int | None = None) -> Damage:
    """Kill a run at each boundary in turn.

    Args:
        what: A store that begins empty, or "migration" or "compaction".
        how: "kill" before each boundary, or "half" within it.
        every: Take only every so many.
        most: Take no more than the first so many.
    """
    make = _MAKERS.get(what, lambda path: Victim(path, what, workflow="small"))
    with later_schema() if what == MIGRATION else nullcontext():
        return sweep(make, lambda number: killing(number, how), every=every, most=most)

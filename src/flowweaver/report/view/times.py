"""When things ran: worker lanes, pauses between executions, the critical path."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from flowweaver.blueprint import Blueprint

# A pause is cut out of the timeline when it is longer than this, and than all the work.
_SHORTEST_PAUSE = 5.0
# Clocks of one process don't go back, but rounding may make an end later than the next start.
_SLACK = 0.001
# Who waits for a worker starts when it is free, if not quite at once on a busy machine.
_HANDOVER = 0.5
_ENDLESS = float("inf")


class Spell(Protocol):
    """Something that took time: a row."""

    @property
    def task(self) -> int:
        """The place of its task."""
        ...

    @property
    def element(self) -> str:
        """Its element; "" for a whole task."""
        ...

    @property
    def lane(self) -> int:
        """Its lane; -1 where it has none."""
        ...

    @property
    def begun(self) -> float | None:
        """When it began."""
        ...

    @property
    def ended(self) -> float | None:
        """When it ended."""
        ...


S = TypeVar("S", bound=Spell)


class Lanes:
    """Gives each TaskRun a lane of the timeline: one of its worker that is free when it begins.

    A worker that does several things at once, such as an event loop, has several lanes. Where it
    is not known who performed what, there are as many lanes as TaskRuns ran at once. One that has
    a lane keeps it, unless its worker becomes known later.

    Attributes:
        workers: Whose lane each is; "" where that is not known.
    """

    def __init__(self) -> None:
        self.workers: list[str] = []
        self._ends: list[float] = []
        self._of: dict[str, list[int]] = {}
        self._lanes: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def lane(self, key: Hashable, begun: float | None, ended: float | None, worker: str) -> int:
        """Return the lane of a TaskRun, given by a key; -1 if it has not begun."""
        if begun is None:
            return -1
        known = self._lanes.get(key)
        if known is None or (worker and self.workers[known] != worker):
            if known is not None:
                self._ends[known] = min(begun, self._ends[known])
            known = self._lanes[key] = self._first_free(worker, begun)
        self._ends[known] = _ENDLESS if ended is None else max(ended, begun)
        return known

    def order(self) -> list[int]:
        """Return the lanes as people read them: "worker 2" before "worker 10"."""
        return sorted(
            range(len(self.workers)), key=lambda lane: (_natural(self.workers[lane]), lane)
        )

    def _first_free(self, worker: str, begun: float) -> int:
        own = self._of.setdefault(worker, [])
        for lane in own:
            if self._ends[lane] <= begun + _SLACK:
                return lane
        own.append(len(self._ends))
        self._ends.append(0.0)
        self.workers.append(worker)
        return own[-1]


def pauses(spells: Iterable[Spell]) -> list[tuple[float, float]]:
    """Return the long stretches in which nothing ran: a run was left and continued later."""
    spans = sorted(
        (spell.begun, spell.ended)
        for spell in spells
        if spell.begun is not None and spell.ended is not None
    )
    gaps, busy, reached = [], 0.0, None
    for begun, ended in spans:
        if reached is not None and begun > reached:
            gaps.append((reached, begun))
        start = begun if reached is None else max(begun, reached)
        busy += max(0.0, ended - start)
        reached = ended if reached is None else max(reached, ended)
    longest = max(_SHORTEST_PAUSE, busy)
    return [gap for gap in gaps if gap[1] - gap[0] > longest]


def critical_path(spells: Iterable[S], blueprint: Blueprint) -> list[S]:
    """Return the chain of TaskRuns that the end of the run waited for, first to last.

    From what ended last, the way leads back to what it waited for last: the predecessor that ended
    last or, if that was earlier, what held its lane until then, for a worker may be waited for too.
    Of a mapped predecessor, an element of the same key is taken where there is one: elements wait
    for their own sources only.
    """
    ended = [spell for spell in spells if spell.ended is not None]
    if not ended:
        return []
    waits = _Waits(ended, blueprint.preds)
    step: S | None = max(ended, key=_end)
    path: list[S] = []
    while step is not None:
        path.append(step)
        step = waits.before(step)
    return path[::-1]


class _Waits(Generic[S]):
    """Says of each TaskRun what it waited for last."""

    def __init__(self, ended: Sequence[S], preds: Sequence[Sequence[int]]) -> None:
        self._preds = preds
        self._by_key = {(spell.task, spell.element): spell for spell in ended}
        self._last_of: dict[int, S] = {}
        self._in_lane: dict[tuple[int, str], S] = {}
        held: dict[int, S] = {}
        for spell in sorted(ended, key=_begin):
            known = self._last_of.get(spell.task)
            if known is None or _end(spell) > _end(known):
                self._last_of[spell.task] = spell
            if spell.lane >= 0:
                earlier = held.get(spell.lane)
                if earlier is not None and _begin(spell) - _end(earlier) < _HANDOVER:
                    self._in_lane[spell.task, spell.element] = earlier
                held[spell.lane] = spell

    def before(self, spell: S) -> S | None:
        """Return what a TaskRun waited for last; None if for nothing."""
        key, preds = (spell.task, spell.element), self._preds
        before = preds[spell.task] if spell.task < len(preds) else ()
        found = [self._by_key.get((p, spell.element)) or self._last_of.get(p) for p in before]
        found.append(self._in_lane.get(key))
        latest = _begin(spell) + _SLACK
        # Strictly before: what took no time at all must not be come back to.
        known = [
            each
            for each in found
            if each is not None and _end(each) <= latest and _begin(each) < _begin(spell)
        ]
        return max(known, key=_end, default=None)


def _natural(name: str) -> tuple[bool, list[tuple[int, str]]]:
    parts = re.split(r"([0-9]+)", name)
    return not name, [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _end(spell: Spell) -> float:
    return spell.ended or 0.0


def _begin(spell: Spell) -> float:
    return spell.begun or 0.0

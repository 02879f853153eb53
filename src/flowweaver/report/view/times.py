"""When things ran: worker lanes, pauses between executions, the critical path."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Protocol, TypeVar

from flowweaver.blueprint import Blueprint

# A pause is cut out of the timeline when it is longer than this, and than all the work.
_SHORTEST_PAUSE = 5.0
# Clocks of one process don't go back, but rounding may make an end later than the next start.
_SLACK = 0.001
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
    def begun(self) -> float | None:
        """When it began."""
        ...

    @property
    def ended(self) -> float | None:
        """When it ended."""
        ...


S = TypeVar("S", bound=Spell)


class Lanes:
    """Gives each TaskRun a lane of the timeline: the first that is free when it begins.

    Which worker ran what is not kept. So many lanes are needed as TaskRuns ran at once, which is
    as many as there were workers busy. One that has a lane keeps it.
    """

    def __init__(self) -> None:
        self._ends: list[float] = []
        self._lanes: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def lane(self, key: Hashable, begun: float | None, ended: float | None) -> int:
        """Return the lane of a TaskRun, given by a key; -1 if it has not begun."""
        if begun is None:
            return -1
        known = self._lanes.get(key)
        if known is None:
            known = self._lanes[key] = self._first_free(begun)
        self._ends[known] = _ENDLESS if ended is None else max(ended, begun)
        return known

    def _first_free(self, begun: float) -> int:
        for lane, end in enumerate(self._ends):
            if end <= begun + _SLACK:
                return lane
        self._ends.append(0.0)
        return len(self._ends) - 1


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

    From what ended last, the way leads back to whichever predecessor ended last, and so on. Of a
    mapped predecessor, an element of the same key is taken where there is one: elements wait for
    their own sources only.
    """
    ended = [spell for spell in spells if spell.ended is not None]
    if not ended:
        return []
    last_of: dict[int, S] = {}
    for spell in ended:
        known = last_of.get(spell.task)
        if known is None or _end(spell) > _end(known):
            last_of[spell.task] = spell
    by_key = {(spell.task, spell.element): spell for spell in ended}
    step: S | None = max(last_of.values(), key=_end)
    path: list[S] = []
    while step is not None:
        path.append(step)
        step = _before(step, blueprint.preds, last_of, by_key)
    return path[::-1]


def _before(
    spell: S,
    preds: Sequence[Sequence[int]],
    last_of: dict[int, S],
    by_key: dict[tuple[int, str], S],
) -> S | None:
    before = preds[spell.task] if spell.task < len(preds) else ()
    found = [by_key.get((pred, spell.element)) or last_of.get(pred) for pred in before]
    latest = _begin(spell) + _SLACK
    known = [each for each in found if each is not None and _end(each) <= latest]
    return max(known, key=_end, default=None)


def _end(spell: Spell) -> float:
    return spell.ended or 0.0


def _begin(spell: Spell) -> float:
    return spell.begun or 0.0

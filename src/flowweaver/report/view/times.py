"""When things ran: worker lanes, pauses between executions, the critical path."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import isnan
from typing import Protocol

from flowweaver.blueprint import Blueprint

# A pause is cut out of the timeline when it is longer than this, and than all the work.
_SHORTEST_PAUSE = 5.0
# Clocks of one process don't go back, but rounding may make an end later than the next start.
_SLACK = 0.001
# Who waits for a worker starts when it is free, if not quite at once on a busy machine.
_HANDOVER = 0.5
_ENDLESS = float("inf")


class Spells(Protocol):
    """What took time, by number: the table of rows."""

    @property
    def task(self) -> Sequence[int]:
        """The place of the task of each."""
        ...

    @property
    def begun(self) -> Sequence[float]:
        """When each began; NaN where it did not."""
        ...

    @property
    def lane(self) -> Sequence[int]:
        """The lane of each; -1 where it has none."""
        ...

    def end(self, number: int, /) -> float:
        """Return when one ended; NaN where it did not."""
        ...

    def alike(self, task: int, number: int, /) -> int | None:
        """Return what another task did for the same element, if there is such."""
        ...

    def rows(self) -> Iterable[int]:
        """Return the numbers of all."""
        ...


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

    def __len__(self) -> int:
        return len(self._ends)

    def lane(self, known: int, begun: float, ended: float, worker: str) -> int:
        """Return the lane of a TaskRun; `known` is the one it has, -1 if it has none.

        `ended` is NaN as long as it runs.
        """
        if known < 0 or (worker and self.workers[known] != worker):
            if known >= 0:
                self._ends[known] = min(begun, self._ends[known])
            known = self._first_free(worker, begun)
        self._ends[known] = _ENDLESS if isnan(ended) else max(ended, begun)
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


def pauses(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the long stretches in which nothing ran: a run was left and continued later.

    `spans` are the beginnings and ends of what ran, in order.
    """
    gaps, busy, reached = [], 0.0, None
    for begun, ended in spans:
        if reached is not None and begun > reached:
            gaps.append((reached, begun))
        start = begun if reached is None else max(begun, reached)
        busy += max(0.0, ended - start)
        reached = ended if reached is None else max(reached, ended)
    longest = max(_SHORTEST_PAUSE, busy)
    return [gap for gap in gaps if gap[1] - gap[0] > longest]


def critical_path(spells: Spells, blueprint: Blueprint) -> list[int]:
    """Return the chain of TaskRuns that the end of the run waited for, first to last.

    From what ended last, the way leads back to what it waited for last: the predecessor that ended
    last or, if that was earlier, what held its lane until then, for a worker may be waited for too.
    Of a mapped predecessor, an element of the same key is taken where there is one: elements wait
    for their own sources only.
    """
    ended = [number for number in spells.rows() if not isnan(spells.end(number))]
    if not ended:
        return []
    waits = _Waits(spells, ended, blueprint.preds)
    step: int | None = max(ended, key=spells.end)
    path: list[int] = []
    while step is not None:
        path.append(step)
        step = waits.before(step)
    return path[::-1]


class _Waits:
    """Says of each TaskRun what it waited for last."""

    def __init__(
        self, spells: Spells, ended: Sequence[int], preds: Sequence[Sequence[int]]
    ) -> None:
        self._spells = spells
        self._preds = preds
        self._last_of: dict[int, int] = {}
        self._lanes: dict[int, array[int]] = {}
        for number in sorted(ended, key=spells.begun.__getitem__):
            task = spells.task[number]
            known = self._last_of.get(task)
            if known is None or spells.end(number) > spells.end(known):
                self._last_of[task] = number
            if spells.lane[number] >= 0:
                self._lanes.setdefault(spells.lane[number], array("I")).append(number)

    def before(self, number: int) -> int | None:
        """Return what a TaskRun waited for last; None if for nothing."""
        spells, begun = self._spells, self._spells.begun[number]
        task, latest = spells.task[number], begun + _SLACK
        before = self._preds[task] if task < len(self._preds) else ()
        found = [self._source(pred, number) for pred in before]
        found.append(self._in_lane(number))
        # Strictly before: what took no time at all must not be come back to.
        known = [
            each
            for each in found
            if each is not None and spells.end(each) <= latest and spells.begun[each] < begun
        ]
        return max(known, key=spells.end, default=None)

    def _source(self, pred: int, number: int) -> int | None:
        found = self._spells.alike(pred, number)
        has_ended = found is not None and not isnan(self._spells.end(found))
        return found if has_ended else self._last_of.get(pred)

    def _in_lane(self, number: int) -> int | None:
        """Return what held the worker of a TaskRun until it began."""
        spells, begun = self._spells, self._spells.begun[number]
        lane = self._lanes.get(spells.lane[number])
        place = 0 if lane is None else bisect_left(lane, begun, key=spells.begun.__getitem__)
        if lane is None or not place or begun - spells.end(lane[place - 1]) >= _HANDOVER:
            return None
        return lane[place - 1]


def _natural(name: str) -> tuple[bool, list[tuple[int, str]]]:
    parts = re.split(r"([0-9]+)", name)
    return not name, [(int(part), "") if part.isdigit() else (-1, part) for part in parts]

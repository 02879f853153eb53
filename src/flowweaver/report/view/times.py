"""When things ran: worker lanes, pauses between executions, the critical path."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

from flowweaver.blueprint import Blueprint
from flowweaver.report.view.rows import Row, Rows

# A pause is cut out of the timeline when it is longer than this, and than all the work.
_SHORTEST_PAUSE = 5.0
# Clocks of one process don't go back, but rounding may make an end later than the next start.
_SLACK = 0.001


def lanes_of(rows: Iterable[Row]) -> dict[int, int]:
    """Return the lane of each row by its identity: the first that is free when it starts.

    Which worker ran what is not kept. So many lanes are needed as ran at once, which is as many
    as there were workers busy.
    """
    lanes: dict[int, int] = {}
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    spans = [(row.begun, row.ended, row) for row in rows if row.begun is not None]
    count = 0
    for begun, ended, row in sorted(spans, key=lambda span: span[0]):
        while busy and busy[0][0] <= begun + _SLACK:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            lane = heapq.heappop(free)
        else:
            lane, count = count, count + 1
        lanes[id(row)] = lane
        heapq.heappush(busy, (float("inf") if ended is None else ended, lane))
    return lanes


def pauses(rows: Iterable[Row]) -> list[tuple[float, float]]:
    """Return the long stretches in which nothing ran: a run was left and continued later."""
    spans = sorted(
        (row.begun, row.ended) for row in rows if row.begun is not None and row.ended is not None
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


def critical_path(rows: Rows, blueprint: Blueprint) -> list[Row]:
    """Return the chain of rows that the end of the run waited for, first to last.

    From what ended last, the way leads back to whichever predecessor ended last, and so on. Of a
    mapped predecessor, an element of the same key is taken where there is one: elements wait for
    their own sources only.
    """
    by_task: dict[int, list[Row]] = {}
    for row in rows.rows:
        if row.ended is not None:
            by_task.setdefault(row.task, []).append(row)
    if not by_task:
        return []
    last_of = {task: max(found, key=_end) for task, found in by_task.items()}
    by_key = {(row.task, row.element): row for found in by_task.values() for row in found}
    step: Row | None = max(last_of.values(), key=_end)
    path: list[Row] = []
    while step is not None:
        path.append(step)
        step = _before(step, blueprint, last_of, by_key)
    return path[::-1]


def _before(
    row: Row,
    blueprint: Blueprint,
    last_of: dict[int, Row],
    by_key: dict[tuple[int, str], Row],
) -> Row | None:
    preds = blueprint.preds[row.task] if row.task < len(blueprint.preds) else ()
    found = [by_key.get((pred, row.element)) or last_of.get(pred) for pred in preds]
    known = [each for each in found if each is not None and _end(each) <= _begin(row) + _SLACK]
    return max(known, key=_end, default=None)


def _end(row: Row) -> float:
    return row.ended or 0.0


def _begin(row: Row) -> float:
    return row.begun or 0.0


def times(rows: Rows, blueprint: Blueprint, began: float, lanes: dict[int, int]) -> dict[str, Any]:
    """Return lanes, pauses and critical path; moments are seconds since `began`."""
    path = critical_path(rows, blueprint)
    return {
        "lanes": max(lanes.values(), default=-1) + 1,
        "pauses": [[round(a - began, 4), round(b - began, 4)] for a, b in pauses(rows.rows)],
        "critical_path": [rows.name(row) for row in path],
        "critical_seconds": round(sum(row.seconds or 0.0 for row in path), 4),
        "busy_seconds": round(_busy(rows.rows), 4),
    }


def _busy(rows: Sequence[Row]) -> float:
    """Return the seconds of work done in this run, over all workers."""
    return sum(row.seconds or 0.0 for row in rows if row.begun is not None)

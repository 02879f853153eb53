"""Priorities learned from history: what the rest of the run waits for longest goes first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flowweaver import graph
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.carried import Carried
from flowweaver.engine.precedence import Rank
from flowweaver.records import TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, TaskStatus

# How many finished runs the durations are learned from.
_RUNS_BACK = 5
# What a task takes, in seconds, when nothing at all is known.
_UNKNOWN_SECONDS = 1.0


def rank_by(
    wiring: Wiring, store: StateStore | None, run_id: str, carried: Carried | None
) -> Rank | None:
    """Return what gives the tasks' priorities for so many slots, if there is anything to go by.

    Args:
        wiring: What is executed.
        store: Where earlier runs are.
        run_id: The run.
        carried: What it has taken over from the one before, if it has as a whole.
    """
    by_hand = any(wiring.tasks[node].options.priority for node in wiring.optioned)
    if store is None and not by_hand:
        return None

    def rank(slots: int) -> list[float] | None:
        expected = None
        if carried is not None:
            if len(carried.fresh) > slots > 1:
                expected = durations_told(wiring, carried.some_earlier())
        elif store is not None and slots > 1:
            expected = learned_durations(wiring, store, run_id)
        return ranks(wiring, expected) if by_hand or expected else None

    return rank


def learned_durations(
    wiring: Wiring, store: StateStore, run_id: str, *, runs_back: int = _RUNS_BACK
) -> list[float] | None:
    """Return the seconds each task is expected to take; None where no run tells of any.

    They are the medians of what was executed in earlier runs; of a mapped task, of its elements.
    A task never seen takes the median of those with the same function, else of all.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    runs = [run for run in store.runs(wiring.name, limit=4 * runs_back) if run.id != run_id]
    for run in runs[:runs_back]:
        for record in store.tasks(run.id):
            executed = record.origin is Origin.EXECUTED and record.duration is not None
            if executed and record.status is TaskStatus.COMPLETED:
                seen[record.task].append(record.duration or 0.0)
    if not seen:
        return None
    known = {name: _median(durations) for name, durations in seen.items()}
    return _filled(wiring, known)


def durations_told(wiring: Wiring, records: Sequence[TaskRecord]) -> list[float]:
    """Return the seconds each task is expected to take, by one record of each that matters."""
    told = {record.task: record.duration for record in records if record.duration is not None}
    return _filled(wiring, told)


def _filled(wiring: Wiring, known: Mapping[str, float]) -> list[float]:
    by_function: dict[Any, list[float]] = defaultdict(list)
    for task in wiring.tasks:
        if task.name in known:
            by_function[id(task.fn)].append(known[task.name])
    overall = _median(known.values()) if known else _UNKNOWN_SECONDS
    like = {fn: _median(durations) for fn, durations in by_function.items()}
    return [
        known.get(task.name, like.get(id(task.fn), overall))  # of the same function, else of all
        for task in wiring.tasks
    ]


def ranks(wiring: Wiring, durations: Sequence[float] | None) -> list[float]:
    """Return the priority of each task, larger first.

    It is the length of the longest path from the task to the end of the workflow, plus the
    task's own `priority` in seconds. Without `durations` all tasks are taken to be alike.
    """
    if durations is None:
        durations = [_UNKNOWN_SECONDS] * len(wiring.tasks)
    upward = graph.upward_rank(wiring.succs, wiring.order, durations)
    return [rank + task.options.priority for rank, task in zip(upward, wiring.tasks, strict=True)]


def _median(seconds: Iterable[float]) -> float:
    from statistics import median  # long to load, and rarely asked for

    return median(seconds)

"""Upkeep of a store: which runs are let go of, and what goes with them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from flowweaver.engine.protocols import StateStore
from flowweaver.records import RunRecord


@dataclass(frozen=True, slots=True)
class Retain:
    """How much history is kept, by workflow.

    `age` is in seconds since a run was last claimed, `count` counts finished runs and `bytes`
    limits what their results take; None sets no limit. The newest finished run of a workflow and
    all unfinished ones are always kept.
    """

    age: float | None = None
    count: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was, or would be, let go of: runs by id, results and the bytes these take."""

    runs: tuple[str, ...]
    results: int
    bytes: int


def prune(store: StateStore, retain: Retain, *, dry_run: bool = False) -> Pruned:
    """Delete the runs that are not to be kept, then all results nothing refers to any more.

    Args:
        store: Where the runs are.
        retain: How much is kept.
        dry_run: Only say what would be deleted. The results that would become free with the runs
            are counted too.
    """
    runs = expendable(store, retain)
    if dry_run:
        kept = {run.id for run in store.runs()} - {run.id for run in runs}
        results, size = store.sweep(dry_run=True)
        freed = _only_in(store, [run.id for run in runs], kept)
        return Pruned(
            tuple(run.id for run in runs), results + len(freed), size + sum(freed.values())
        )
    if runs:
        store.delete([run.id for run in runs])
    results, size = store.sweep()
    return Pruned(tuple(run.id for run in runs), results, size)


def expendable(store: StateStore, retain: Retain) -> list[RunRecord]:
    """Return the runs that are not to be kept, oldest first."""
    by_workflow: dict[str, list[RunRecord]] = defaultdict(list)
    for run in store.runs():
        if not run.status.is_unfinished:
            by_workflow[run.workflow].append(run)
    found = [run for runs in by_workflow.values() for run in _beyond(store, runs[1:], retain)]
    return sorted(found, key=lambda run: run.created_at)


def _beyond(store: StateStore, older: Sequence[RunRecord], retain: Retain) -> list[RunRecord]:
    """Return those of a workflow's older finished runs, newest first, that are too much."""
    now, size = time.time(), 0
    found = []
    for place, run in enumerate(older, start=2):
        too_old = retain.age is not None and now - run.claimed_at > retain.age
        too_many = retain.count is not None and place > retain.count
        if retain.bytes is not None:
            size += sum(_sizes(store, run.id).values())
        too_large = retain.bytes is not None and size > retain.bytes
        if too_old or too_many or too_large:
            found.append(run)
    return found


def _sizes(store: StateStore, run_id: str) -> dict[str, int]:
    digests = {record.digest for record in store.tasks(run_id) if record.digest is not None}
    return {digest: len(store.result(digest).encoded.data) for digest in digests}


def _only_in(store: StateStore, runs: Sequence[str], kept: set[str]) -> dict[str, int]:
    """Return the results, with their sizes, that only these runs refer to."""
    others = {record.digest for run_id in kept for record in store.tasks(run_id)}
    found: dict[str, int] = {}
    for run_id in runs:
        for digest, size in _sizes(store, run_id).items():
            if digest not in others:
                found[digest] = size
    return found


def sizes_by_task(store: StateStore, run_id: str) -> dict[str, int]:
    """Return the bytes that the results of each task of a run take."""
    found: dict[str, int] = defaultdict(int)
    sizes = _sizes(store, run_id)
    for record in store.tasks(run_id):
        if record.digest is not None:
            found[record.task] += sizes[record.digest]
    return dict(found)

"""Upkeep of a store: which runs are let go of, and what goes with them."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest

from flowweaver.engine.history.pages import Pages
from flowweaver.facts import Facts
from flowweaver.records import RunRecord
from flowweaver.state_store import StateStore
from flowweaver.status import Origin

# Something a store keeps: "result" or "code", and its digest.
_Part = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Retain:
    """How much history is kept, by workflow.

    `age` is in seconds since a run was last claimed, `count` counts finished runs and `bytes`
    limits what their results take; None sets no limit. The newest finished run of a workflow, the
    newest that did all of it, all unfinished ones, and those that have had an effect which happens
    once for ever are always kept.
    """

    age: float | None = None
    count: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was, or would be, let go of: runs by id, results and code, and the bytes these take."""

    runs: tuple[str, ...]
    results: int
    bytes: int


def prune(store: StateStore, retain: Retain, *, dry_run: bool = False) -> Pruned:
    """Delete the runs that are not to be kept, then all that nothing refers to any more.

    While anybody works on a run, what these runs refer to stays until later.

    Args:
        store: Where the runs are.
        retain: How much is kept.
        dry_run: Only say what would be deleted, if nobody works on a run.
    """
    runs = expendable(store, retain)
    if not runs:
        return Pruned((), *store.sweep(dry_run=dry_run))
    ids = tuple(run.id for run in runs)
    # Counted the same way whether it is deleted or not: a store's own counts leave out what goes
    # along with the runs.
    unused, size = store.sweep(dry_run=True)
    freed = _freed(store, runs)
    if not dry_run:
        store.delete(ids)
        store.sweep()
        freed = {part: size for part, size in freed.items() if _size_of(store, *part) is None}
    return Pruned(ids, unused + len(freed), size + sum(freed.values()))


def let_go(store: StateStore, retain: Retain, workflow: str) -> tuple[str, ...]:
    """Delete the runs of one workflow that are not to be kept; return their ids.

    What they alone refer to goes with them, once nobody works on a run.
    """
    gone = tuple(run.id for run in expendable(store, retain, workflow))
    if gone:
        store.delete(gone)
        store.sweep()
    return gone


def expendable(store: StateStore, retain: Retain, workflow: str | None = None) -> list[RunRecord]:
    """Return the runs that are not to be kept, of one workflow or of all, oldest first."""
    by_workflow: dict[str, list[RunRecord]] = defaultdict(list)
    for run in store.runs(workflow):
        if not run.status.is_unfinished:
            by_workflow[run.workflow].append(run)
    found = [run for runs in by_workflow.values() for run in _beyond(store, runs, retain)]
    return sorted(found, key=lambda run: run.created_at)


def _beyond(store: StateStore, runs: Sequence[RunRecord], retain: Retain) -> list[RunRecord]:
    """Return those of a workflow's finished runs, newest first, that are beyond the limits."""
    now, size, older = time.time(), 0, runs[1:]
    kept = next((run for run in runs if not run.targets), None)
    found = []
    for place, run in enumerate(older, start=2):
        if run is kept:
            continue
        too_old = retain.age is not None and now - run.claimed_at > retain.age
        too_many = retain.count is not None and place > retain.count
        if retain.bytes is not None:
            size += sum(_sizes(store, run.id).values())
        too_large = retain.bytes is not None and size > retain.bytes
        if (too_old or too_many or too_large) and not _has_lasting_effect(store, run.id):
            found.append(run)
    return found


def _has_lasting_effect(store: StateStore, run_id: str) -> bool:
    """Whether a run has done what must never be done again, and so has to be known for ever."""
    return any(
        record.origin is Origin.EXECUTED and Facts(record.facts).are_of_lasting_effect
        for record in Pages(store, run_id)
    )


def _sizes(store: StateStore, run_id: str) -> dict[str, int]:
    digests = {digest for record in Pages(store, run_id) for digest in record.results}
    return dict(store.sizes(digests))


def _freed(store: StateStore, runs: Sequence[RunRecord]) -> dict[_Part, int]:
    """Return what is in the store because of these runs alone, with its sizes."""
    gone = {run.id for run in runs}
    freed = {part for run in runs for part in _parts(store, run)}
    for run in store.runs():
        if run.id not in gone:
            freed.difference_update(_parts(store, run))
    found: dict[_Part, int] = {}
    for part in freed:
        if (size := _size_of(store, *part)) is not None:
            found[part] = size
    return found


def _parts(store: StateStore, run: RunRecord) -> Iterator[_Part]:
    """Return what a run refers to."""
    yield from (("result", digest) for digest in run.params.values())
    for record in Pages(store, run.id):
        yield from (("result", digest) for digest in record.results)
        if (code := Facts(record.facts).code) is not None:
            yield "code", code


def _size_of(store: StateStore, kind: str, digest: str) -> int | None:
    """Return the bytes that a result or piece of code takes; None if it is not there."""
    if kind == "code":
        code = store.code(digest)
        return None if code is None else len(code.encode())
    return store.sizes([digest]).get(digest)


def sizes_by_task(store: StateStore, run_id: str, most: int) -> dict[str, int]:
    """Return the bytes that the results of a run's tasks take, of the `most` that take most."""
    tasks: list[tuple[int, str]] = []
    elements: Counter[str] = Counter()
    for records in Pages(store, run_id).pages():
        sizes = store.sizes({digest for record in records for digest in record.results})
        for record in records:
            size = sum(sizes.get(digest, 0) for digest in record.results)
            if record.element:
                elements[record.task] += size
            else:
                tasks.append((size, record.task))
        tasks = nlargest(most, tasks)
    found = Counter({task: size for size, task in tasks})
    found.update(elements)
    return dict(found.most_common(most))

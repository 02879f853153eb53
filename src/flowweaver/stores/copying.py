"""Copying runs from one store to another, with all that belongs to them.

A copy goes through what every store can do, so any two kinds will serve. Results go first, then
the rest in one commit; until that, the run in the target is marked as a copy under way. So a copy
that was cut short is found and finished, and one that is there already is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from flowweaver.errors import StoreCorruptError, StoreError, UnknownNameError
from flowweaver.plugins import Facts, StateStore
from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    Lease,
    ResultRecord,
    RunRecord,
    StateRecord,
    TaskRecord,
)
from flowweaver.stores.common import wire
from flowweaver.stores.common.bases import with_base
from flowweaver.stores.common.tables import words

_MARK = "copying"
_BATCH_BYTES = 16 * 1024 * 1024
_BATCH_RESULTS = 1000
_TIMES = {
    "claimed_at",
    "created_at",
    "duration",
    "finished_at",
    "retry_at",
    "started_at",
}


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one run: `already` if the target had it before; how much went over."""

    run: RunRecord
    already: bool
    tasks: int = 0
    results: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Content:
    """A run with all that belongs to it but the results, which are named by their digests."""

    run: RunRecord
    tasks: Sequence[TaskRecord]
    attempts: Sequence[AttemptRecord]
    state: list[StateRecord]

    @property
    def digests(self) -> list[str]:
        """The results that the run refers to, each once."""
        found = dict.fromkeys(self.run.params.values())
        for task in self.tasks:
            found.update(dict.fromkeys(task.results))
        return list(found)

    @property
    def mark(self) -> str:
        """What tells this content from any other: a digest over all of it but the token."""
        told = [
            {**_alike(wire.run_to_json(replace(self.run, base=None))), "token": 0},
            [_alike(wire.task_to_json(task)) for task in self.tasks],
            [_alike(wire.attempt_to_json(attempt)) for attempt in self.attempts],
            [wire.state_to_json(item) for item in self.state],
        ]
        return blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()


def copy_runs(
    source: StateStore,
    target: StateStore,
    run_ids: Sequence[str] | None = None,
    tell: Callable[[Copied], None] | None = None,
) -> list[Copied]:
    """Copy runs under their ids, oldest first, and check that they have arrived as they were.

    Can be done again: what has arrived is left alone, what was cut short is finished. A run that
    somebody works on meanwhile is not copied.

    Args:
        source: Is only read.
        target: Where the runs go to; other runs there are not touched.
        run_ids: Which runs (None: all).
        tell: Told of each run once it has arrived.

    Raises:
        UnknownNameError: There is no run of an id.
        StoreError: The target has another run of the same id, or one that has gone on since;
            or a store can't be read or written. What was copied before stays.
    """
    if run_ids is None:
        runs = list(reversed(source.runs()))
    else:
        wanted = {source.run(run_id).id for run_id in run_ids}
        runs = [run for run in reversed(source.runs()) if run.id in wanted]
    copied = []
    for run in runs:
        copied.append(_copied(source, target, run.id))
        if tell is not None:
            tell(copied[-1])
    return copied


def _copied(source: StateStore, target: StateStore, run_id: str) -> Copied:
    content = _content(source, run_id)
    if _has_arrived(target, content):
        return Copied(content.run, already=True)
    run = content.run
    lease = target.claim(
        ClaimRequest(run.workflow, run.key, run_id=run.id, info={_MARK: content.mark})
    )
    try:
        results, size = _copy_results(source, target, lease, content.digests)
        if _content(source, run_id).mark != content.mark:
            raise StoreError(
                f"Run {run_id} in {source.url} was worked on while it was copied; copy it again "
                "when nobody does. The copy was not finished."
            )
        target.commit(lease, _changes(source, target, content))
    finally:
        target.release(lease)
    _check(target, content)
    return Copied(run, False, len(content.tasks), results, size)


def _content(store: StateStore, run_id: str) -> _Content:
    tasks, attempts = store.tasks(run_id), store.attempts(run_id)
    state = sorted(store.states(run_id), key=lambda item: (item.task, item.element, item.name))
    return _Content(store.run(run_id), tasks, attempts, state)


def _has_arrived(target: StateStore, content: _Content) -> bool:
    """Return whether the target has the run; False if it has none, or a copy cut short."""
    try:
        there = target.run(content.run.id)
    except UnknownNameError:
        return False
    found = _content(target, content.run.id)
    if there.info.get(_MARK) == content.mark and not (found.tasks or found.attempts or found.state):
        return False
    if found.mark != content.mark:
        raise _different(target, content.run.id)
    return True


def _different(target: StateStore, run_id: str) -> StoreError:
    return StoreError(
        f"{target.url} has a run {run_id} that is not the same: another one, or it has gone on in "
        "one of the stores since it was copied. It was left as it is; delete the one you don't "
        "want, or copy other runs (--run)."
    )


def _copy_results(
    source: StateStore, target: StateStore, lease: Lease, digests: Sequence[str]
) -> tuple[int, int]:
    """Commit the results that the target has not; return how many and their bytes."""
    count = total = 0
    for batch in _batches(source, [digest for digest in digests if not _has(target, digest)]):
        target.commit(lease, Changes(results=batch))
        count += len(batch)
        total += sum(len(record.encoded.data) for record in batch)
    return count, total


def _batches(source: StateStore, digests: Sequence[str]) -> Iterator[list[ResultRecord]]:
    batch: list[ResultRecord] = []
    size = 0
    for digest in digests:
        record = source.result(digest)
        batch.append(record)
        size += len(record.encoded.data)
        if size > _BATCH_BYTES or len(batch) == _BATCH_RESULTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _has(store: StateStore, digest: str) -> bool:
    try:
        return store.result(digest).encoded.digest == digest
    except StoreCorruptError:
        return False  # it is missing, or damaged: writing it again heals it


def _changes(source: StateStore, target: StateStore, content: _Content) -> Changes:
    names = {named for task in content.tasks if (named := Facts(task.facts).code) is not None}
    names.update(words(str(content.run.info)))
    code = {name: text for name in sorted(names) if (text := source.code(name)) is not None}
    run, tasks = _beyond_base(target, content)
    return Changes(
        run=run,
        tasks=tasks,
        attempts=list(content.attempts),
        state=content.state,
        code=code,
    )


def _beyond_base(target: StateStore, content: _Content) -> tuple[RunRecord, list[TaskRecord]]:
    """Return a run and what it has beyond its base, if the target has just that; else all of it."""
    run, tasks = content.run, list(content.tasks)
    if run.base is not None:
        with suppress(UnknownNameError):
            base = target.run(run.base)
            if with_base(run, [], target.tasks(base.id)) == tasks:
                return run, []
    return replace(run, base=None), tasks


def _alike(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as every store gives it back: some keep times as floats, some as given."""
    return {
        name: value + 0.0 if name in _TIMES and value is not None else value
        for name, value in data.items()
    }


def _check(target: StateStore, content: _Content) -> None:
    """Raise unless all of a run can be read from the target as it was in the source."""
    run_id = content.run.id
    if _content(target, run_id).mark != content.mark:
        raise StoreCorruptError(f"Run {run_id} did not arrive in {target.url} as it was sent.")
    for digest in content.digests:
        target.result(digest)

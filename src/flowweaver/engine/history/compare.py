"""Two runs compared: what was different about them, task by task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol, cast

from flowweaver.engine.history.pages import Pages
from flowweaver.engine.reuse.code import parts_from
from flowweaver.engine.reuse.differences import differences
from flowweaver.facts import Change, Facts
from flowweaver.fingerprint import CodePart, diff_parts
from flowweaver.names import element_path, shown_name, task_run_name
from flowweaver.reasons import ReasonKind, kind_of
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, TaskStatus

# How many runs back to look for what a run went by.
_RUNS_BACK = 20

Key = tuple[str, str]
Placed = tuple[int, int, TaskRecord]
"""A record, with which run it is of, 0 or 1, and its place in that."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How one TaskRun differs between two runs.

    `changes` are the facts it depends on that differ, and `result_changed` says whether it
    returned something else. A TaskRun that only one run has is `only_in` that one. `label` is what
    an element is called for people.
    """

    task: str
    element: str
    changes: tuple[Change, ...] = ()
    diff: str = ""
    result_changed: bool = False
    only_in: str | None = None
    statuses: tuple[str, str] | None = None
    durations: tuple[float | None, float | None] = (None, None)
    label: str = ""

    @property
    def name(self) -> str:
        """The task's name, with the element: ``page[3]``."""
        return task_run_name(self.task, self.element)

    @property
    def shown_name(self) -> str:
        """The same for people, with what an element is called: ``page[3] (Oslo)``."""
        return shown_name(self.task, self.element, self.label)


class Codes(Protocol):
    """What keeps pieces of code: a store, or what stands for one."""

    def code(self, digest: str) -> str | None:
        """Return a piece of code kept under its digest."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """A TaskRun as two runs have it; None for one that does not have it."""

    task: str
    element: str
    old: TaskRecord | None
    new: TaskRecord | None


def compare_runs(store: StateStore, first: RunRecord, second: RunRecord) -> list[Difference]:
    """Return what differs between two runs; TaskRuns that don't differ are left out."""
    pairs = differing(Pages(store, first.id), Pages(store, second.id))
    found = (difference_of(store, pair, first.id, second.id) for pair in pairs)
    return [difference for difference in found if difference is not None]


def differing(first: Iterable[TaskRecord], second: Iterable[TaskRecord]) -> list[Pair]:
    """Return the TaskRuns that may differ between two runs, given by their records.

    Tasks come in the order of the records, elements by their keys. Where the runs did their tasks
    in about the same order, few records are held at a time.
    """
    # What only one run has come to so far; those of the first come first.
    lone: tuple[dict[Key, Placed], dict[Key, Placed]] = {}, {}
    found: list[tuple[Placed | None, Placed | None]] = []
    for place, both in enumerate(zip_longest(first, second)):
        for side, record in enumerate(both):
            if record is None:
                continue
            placed, key = (side, place, record), (record.task, record.element)
            other = lone[1 - side].pop(key, None)
            if other is None:
                lone[side][key] = placed
            elif _told(other[-1]) != _told(record):
                found.append((other, placed) if side else (placed, other))
    found += [(placed, None) for placed in lone[0].values()]
    found += [(None, placed) for placed in lone[1].values()]
    return _in_order(found)


def _in_order(found: Iterable[tuple[Placed | None, Placed | None]]) -> list[Pair]:
    pairs: list[Pair] = []
    places: dict[str, tuple[int, int]] = {}
    for old, new in found:
        side, place, record = cast(Placed, old or new)
        places[record.task] = min(places.get(record.task, (2, 0)), (side, place))
        records = (None if placed is None else placed[-1] for placed in (old, new))
        pairs.append(Pair(record.task, record.element, *records))
    return sorted(pairs, key=lambda pair: (places[pair.task], element_path(pair.element)))


def difference_of(codes: Codes, pair: Pair, first: str, second: str) -> Difference | None:
    """Return how a TaskRun differs between two runs of these ids; None if it does not."""
    if pair.old is not None and pair.new is not None:
        return _compare(codes, pair.old, pair.new)
    only_in, record = (first, pair.old) if pair.new is None else (second, pair.new)
    label = "" if record is None else record.label
    return Difference(pair.task, pair.element, only_in=only_in, label=label)


def _told(record: TaskRecord | None) -> tuple[object, ...]:
    return () if record is None else (record.status, record.digest, record.facts)


def changed_code(codes: Codes, before: TaskRecord, now: TaskRecord) -> str:
    """Return the lines of code that changed between two records of a task.

    One that did not start, or has a version instead, has no code to compare.
    """
    old, new = _code_digest(before), _code_digest(now)
    if old is None or new is None or old == new:
        return ""
    return diff_parts(_parts(codes, old), _parts(codes, new))


class Earlier:
    """The runs of a workflow before one of them, newest first; of each, only tasks asked for."""

    def __init__(self, store: StateStore, run: RunRecord) -> None:
        runs = store.runs(run.workflow)
        place = next(index for index, other in enumerate(runs) if other.id == run.id)
        self._store = store
        self._runs = [other.id for other in runs[place + 1 : place + 1 + _RUNS_BACK]]
        self._read: dict[tuple[str, str], dict[str, TaskRecord]] = {}

    def completed(self, record: TaskRecord) -> TaskRecord | None:
        """Return the last record before of the same TaskRun that says it was completed."""
        return next(self._same(record), None)

    def acceptance(self, record: TaskRecord) -> TaskRecord | None:
        """Return the record that says by whom the code of a restored result was accepted.

        None where that was not needed, as the result was made by the very code of the record.
        """
        if record.source_run is None or is_accepted(record):
            return None
        for found in self._same(record):
            if found.fingerprint == record.fingerprint:
                if is_accepted(found):
                    return found
                if found.origin is Origin.EXECUTED:
                    return None
        return None

    def _same(self, record: TaskRecord) -> Iterator[TaskRecord]:
        for run_id in self._runs:
            if (run_id, record.task) not in self._read:
                records = self._store.tasks(run_id, task=record.task)
                self._read[run_id, record.task] = {each.element: each for each in records}
            found = self._read[run_id, record.task].get(record.element)
            if found is not None and found.status is TaskStatus.COMPLETED:
                yield found


def is_accepted(record: TaskRecord) -> bool:
    """Whether a record says that somebody took the code for what had made the result."""
    return kind_of(record.cause, record.reason) is ReasonKind.ACCEPTED


def _compare(codes: Codes, old: TaskRecord, new: TaskRecord) -> Difference | None:
    changes: tuple[Change, ...] = ()
    if old.facts and new.facts and old.facts != new.facts:
        before, now = Facts(old.facts), Facts(new.facts)
        changes = differences(before, now, lambda digest: parts_from(codes.code(digest)))
    result_changed = old.digest != new.digest and old.known_by != new.known_by
    differs: dict[str, Any] = {}
    if old.status is not new.status:
        differs["statuses"] = (old.status.value, new.status.value)
    if not changes and not result_changed and not differs:
        return None
    return Difference(
        new.task,
        new.element,
        changes,
        changed_code(codes, old, new),
        result_changed=result_changed,
        durations=(old.duration, new.duration),
        label=new.label or old.label,
        **differs,
    )


def _code_digest(record: TaskRecord) -> str | None:
    return Facts(record.facts).code


def _parts(codes: Codes, digest: str) -> tuple[CodePart, ...]:
    return parts_from(codes.code(digest))

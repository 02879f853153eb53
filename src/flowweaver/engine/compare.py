"""Two runs compared: what was different about them, task by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowweaver.engine.code import parts_from
from flowweaver.engine.facts import differences
from flowweaver.engine.plan import code_in
from flowweaver.engine.protocols import StateStore
from flowweaver.fingerprint import CodePart, diff_parts
from flowweaver.records import RunRecord, TaskRecord


@dataclass(frozen=True, slots=True)
class Difference:
    """How one TaskRun differs between two runs.

    `changes` says in words what it depends on differed in, and `result_changed` whether it
    returned something else. A TaskRun that only one run has is `only_in` that one.
    """

    task: str
    element: str
    changes: tuple[str, ...] = ()
    diff: str = ""
    result_changed: bool = False
    only_in: str | None = None
    statuses: tuple[str, str] | None = None
    durations: tuple[float | None, float | None] = (None, None)

    @property
    def name(self) -> str:
        """The task's name, with the element: ``page[3]``."""
        return f"{self.task}[{self.element}]" if self.element else self.task


def compare_runs(store: StateStore, first: RunRecord, second: RunRecord) -> list[Difference]:
    """Return what differs between two runs; TaskRuns that don't differ are left out."""
    old, new = _by_key(store.tasks(first.id)), _by_key(store.tasks(second.id))
    found = []
    for key in dict.fromkeys([*old, *new]):
        if key not in new:
            found.append(Difference(*key, only_in=first.id))
        elif key not in old:
            found.append(Difference(*key, only_in=second.id))
        elif (difference := _compare(store, old[key], new[key])) is not None:
            found.append(difference)
    return found


def changed_code(store: StateStore, before: TaskRecord, now: TaskRecord) -> str:
    """Return the lines of code that changed between two records of a task."""
    return diff_parts(_code(store, before), _code(store, now))


def _compare(store: StateStore, old: TaskRecord, new: TaskRecord) -> Difference | None:
    changes: Sequence[str] = ()
    if old.facts and new.facts and old.facts != new.facts:
        changes = differences(old.facts, new.facts, lambda digest: parts_from(store.code(digest)))
    result_changed = old.digest != new.digest
    differs: dict[str, Any] = {}
    if old.status is not new.status:
        differs["statuses"] = (old.status.value, new.status.value)
    if not changes and not result_changed and not differs:
        return None
    return Difference(
        new.task,
        new.element,
        tuple(changes),
        changed_code(store, old, new),
        result_changed=result_changed,
        durations=(old.duration, new.duration),
        **differs,
    )


def _code(store: StateStore, record: TaskRecord) -> tuple[CodePart, ...]:
    digest = code_in(record.facts) if record.facts else None
    return () if digest is None else parts_from(store.code(digest))


def _by_key(records: Sequence[TaskRecord]) -> dict[tuple[str, str], TaskRecord]:
    return {(record.task, record.element): record for record in records}

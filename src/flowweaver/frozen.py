"""A run as a pickle takes it along: as it was, with the results that could be taken."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from flowweaver.blueprint import Blueprint
from flowweaver.errors import FlowWeaverError, NoResultError
from flowweaver.names import normal_name, split_name, task_run_name
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.run_source import Identity, RunSource
from flowweaver.serialize.aside import dumps_without_secrets
from flowweaver.status import TaskStatus, outcome_of

# How many bytes of results are taken along at most where a store has them anyway.
_MOST_BYTES = 64 * 1024 * 1024


class Luggage:
    """Values, each pickled by itself: one that can't be pickled, or not unpickled, costs no other.

    Args:
        limit: At most so many bytes are taken in; None sets no limit.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._left = float("inf") if limit is None else float(limit)
        self._pickles: dict[Hashable, bytes] = {}
        self._refused: dict[Hashable, str] = {}

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken in."""
        return self._left <= 0

    def put(self, key: Hashable, value: Any) -> None:
        """Take in a value, if it can be."""
        try:
            data = dumps_without_secrets(value)
        except Exception as error:  # a value's own code can raise anything
            self._refused[key] = f"it can't be pickled ({error})"
            return
        self._pickles[key] = data
        self._left -= len(data)

    def get(self, key: Hashable) -> Any:
        """Return a value that was taken in.

        Raises:
            KeyError: It was not; the argument says why, as far as that is known.
        """
        if key not in self._pickles:
            raise KeyError(self._refused.get(key, ""))
        try:
            return pickle.loads(self._pickles[key])
        except Exception as error:  # the classes of a value may be missing here
            raise KeyError(f"it can't be unpickled here ({error})") from error

    def contents(self) -> Mapping[Any, Any]:
        """Return all that was taken in and can be had."""
        found = {}
        for key in self._pickles:
            try:
                found[key] = self.get(key)
            except KeyError:
                continue
        return found


class FrozenRun(NamedTuple):
    """What was known of a run when it was pickled; the source of the copy's view."""

    record: RunRecord
    seconds: float
    blueprint: Blueprint
    records: Mapping[Identity, TaskRecord]
    keys: Mapping[str, Sequence[str]]
    mapped: frozenset[str]
    results: Luggage
    parameters: Luggage
    kept_at: str | None
    store: None = None

    @property
    def params(self) -> Mapping[str, Any]:
        """The run's parameters by name, those that could be taken along."""
        return self.parameters.contents()

    @property
    def names(self) -> Collection[str]:
        """The tasks' names, in the order of the workflow."""
        return self.keys.keys()

    def find(self, name: str) -> Identity | None:
        """Return whose name this is, ``page`` or ``page[3]``; None if nobody's."""
        name = normal_name(name)
        identity = (name, "") if name in self.keys else split_name(name)
        return identity if identity in self.records else None

    def task(self, identity: Identity) -> TaskRecord:
        """Return one TaskRun of the run."""
        return self.records[identity]

    def is_mapped(self, task: str) -> bool:
        """Return whether a task runs once per element."""
        return task in self.mapped

    def elements(self, task: str) -> Sequence[str]:
        """Return the elements of a mapped task in order."""
        return self.keys[task]

    def counts(self) -> Mapping[TaskStatus, int]:
        """Return how many tasks stand where."""
        return Counter(self.records[name, ""].status for name in self.keys)

    def outcomes(self, task: str | None = None) -> Mapping[str, int]:
        """Return how many elements of a task, or TaskRuns of the run, came out how."""
        if task is not None:
            counted = [(task, element) for element in self.keys[task]]
        else:
            counted = [(name, key) for name, keys in self.keys.items() for key in keys or ("",)]
        found = map(self.records.__getitem__, counted)
        return Counter(outcome_of(record.status, record.origin) for record in found)

    def result(self, identity: Identity) -> Any:
        """Return what a TaskRun returned; raises `NoResultError` if it was not taken along."""
        try:
            return self.results.get(identity)
        except KeyError as error:
            why, name = str(error.args[0]), task_run_name(*identity)
        if not why:
            record = self.records[identity]
            why = (
                f"{record.status.value}: {record.failure}" if record.failure else self._whereabouts
            )
        raise NoResultError(f"Task {name!r} of run {self.record.id} has no result here: {why}.")

    @property
    def _whereabouts(self) -> str:
        if self.kept_at is None:
            return "it had none when the run was pickled"
        return f"it was not taken along; load_run() reads it from {self.kept_at}"


def freeze(source: RunSource) -> FrozenRun:
    """Return a copy of what is known of a run that stays as it is and can be pickled."""
    if isinstance(source, FrozenRun):
        return source
    keys = {name: tuple(source.elements(name)) for name in source.names}
    identities = [(name, element) for name in keys for element in ("", *keys[name])]
    parameters = Luggage()
    for name, value in source.params.items():
        parameters.put(name, value)
    store = source.store
    return FrozenRun(
        source.record,
        source.seconds,
        source.blueprint,
        {identity: source.task(identity) for identity in identities},
        keys,
        frozenset(filter(source.is_mapped, keys)),
        _packed(source, identities, Luggage(None if store is None else _MOST_BYTES)),
        parameters,
        None if store is None else store.url,
    )


def _packed(source: RunSource, identities: Sequence[Identity], luggage: Luggage) -> Luggage:
    for identity in identities:
        if luggage.is_full:
            break
        try:
            luggage.put(identity, source.result(identity))
        except FlowWeaverError:
            continue
    return luggage

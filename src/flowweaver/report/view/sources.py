"""What a View is made from: the records of one run, and the means to look further."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from flowweaver.blueprint import GRAPH_KEY, Blueprint
from flowweaver.errors import StoreError, UndecodableError, UnstorableError
from flowweaver.records import AttemptRecord, RunRecord, TaskRecord
from flowweaver.report.typed import UntypableError, given_again
from flowweaver.serialize import decode, encode, preview
from flowweaver.serialize.describe import size_text
from flowweaver.state_store import StateStore

# Larger lists are not read to show an item of theirs.
_LARGEST_LIST = 1_000_000


@dataclass(frozen=True, slots=True)
class ShownValue:
    """A stored value as it can be shown without running any of its code."""

    text: str
    codec: str = ""
    size: int | None = None

    @property
    def size_text(self) -> str:
        """Its size as people write it."""
        return "" if self.size is None else size_text(self.size)


class Source(Protocol):
    """One run, and what is known beside it."""

    @property
    def run(self) -> RunRecord:
        """The run itself."""
        ...

    @property
    def tasks(self) -> Sequence[TaskRecord]:
        """Its TaskRuns, whole tasks and elements."""
        ...

    def record(self, place: int) -> TaskRecord:
        """Return the TaskRun that stands at a place among them."""
        ...

    @property
    def blueprint(self) -> Blueprint:
        """The graph of its workflow; an empty one where it was not kept."""
        ...

    @property
    def store_url(self) -> str | None:
        """Where it is kept, if it is."""
        ...

    @property
    def is_worked_on(self) -> bool:
        """Whether a process works on it at this moment."""
        ...

    def given_again(self) -> Sequence[str] | None:
        """Return what it was given as the command takes it; None if that can't be typed."""
        ...

    def attempts(self, task: str | None = None) -> Sequence[AttemptRecord]:
        """Return what was kept of its attempts."""
        ...

    def value(self, digest: str, limit: int) -> ShownValue | None:
        """Return a value to be shown in `limit` characters; None if it is not kept."""
        ...

    def item(self, whole: str, known_by: str, key: Sequence[int], limit: int) -> ShownValue | None:
        """Return an item of a stored list, given by what it is known by; None if it isn't there.

        `key` has the places to look at, among others: it is that of an element.
        """
        ...

    def code(self, digest: str) -> str | None:
        """Return the text of a piece of code."""
        ...

    def earlier(self, limit: int) -> Sequence[RunRecord]:
        """Return runs of the same workflow that began before, newest first."""
        ...

    def tasks_of(
        self, run_id: str, start: int = 0, stop: int | None = None
    ) -> Sequence[TaskRecord]:
        """Return the TaskRuns of one of those, or a slice of them."""
        ...


class StoredRun:
    """A run that a store keeps. All of its records are read only where `tasks` is asked for."""

    def __init__(self, store: StateStore, run: RunRecord) -> None:
        self._store = store
        self.run = run
        # Elements by the thousand share code and inputs.
        self._codes: dict[str, str | None] = {}
        self._values: dict[tuple[str, int], ShownValue | None] = {}
        self._lists: dict[str, Any] = {}

    def renew(self, run: RunRecord) -> None:
        """Go on with the run as it is now; what can't have changed is kept."""
        self.run = run
        for name in ("tasks", "is_worked_on"):
            self.__dict__.pop(name, None)

    def record(self, place: int) -> TaskRecord:
        """Return the TaskRun that stands at a place among them."""
        if "tasks" in self.__dict__:
            return self.tasks[place]
        return self._store.tasks(self.run.id, place, place + 1)[0]

    @cached_property
    def tasks(self) -> Sequence[TaskRecord]:
        """Its TaskRuns, whole tasks and elements."""
        return self._store.tasks(self.run.id)

    @cached_property
    def blueprint(self) -> Blueprint:
        """The graph of its workflow; what the records tell of it where it was not kept."""
        digest = self.run.info.get(GRAPH_KEY)
        text = self._store.code(digest) if isinstance(digest, str) else None
        if text is not None:
            return Blueprint.from_store(text)
        tasks = self._store.tasks(self.run.id)
        names = tuple(dict.fromkeys(record.task for record in tasks))
        mapped = {record.task for record in tasks if record.element}
        places = frozenset(place for place, name in enumerate(names) if name in mapped)
        return Blueprint(names, ((),) * len(names), places)

    @property
    def store_url(self) -> str:
        """Where it is kept."""
        return self._store.url

    @cached_property
    def is_worked_on(self) -> bool:
        """Whether a process works on it at this moment."""
        return self._store.is_held(self.run)

    def given_again(self) -> Sequence[str] | None:
        """Return what it was given as the command takes it; None if that can't be typed."""
        try:
            return given_again(self._store, self.run)
        except UntypableError:
            return None

    def attempts(self, task: str | None = None) -> Sequence[AttemptRecord]:
        """Return what was kept of its attempts."""
        return self._store.attempts(self.run.id, task)

    def value(self, digest: str, limit: int) -> ShownValue | None:
        """Return a value to be shown in `limit` characters; None if it is not kept."""
        key = (digest, limit)
        if key not in self._values:
            self._values[key] = self._shown(digest, limit)
        return self._values[key]

    def _shown(self, digest: str, limit: int) -> ShownValue | None:
        try:
            encoded = self._store.result(digest).encoded
        except StoreError:
            return None
        return ShownValue(preview(encoded, limit), encoded.codec, len(encoded.data))

    def item(self, whole: str, known_by: str, key: Sequence[int], limit: int) -> ShownValue | None:
        """Return an item of a stored list, given by what it is known by; None if it isn't there.

        `key` has the places to look at, among others: it is that of an element.
        """
        if whole not in self._lists:
            self._lists[whole] = self._read(whole)
        for found in items_at(self._lists[whole], key):
            try:
                encoded = encode(found, allow_pickle=False)
            except UnstorableError:
                continue
            if encoded.known_by == known_by:
                return ShownValue(preview(encoded, limit), encoded.codec, len(encoded.data))
        return None

    def _read(self, digest: str) -> Any:
        """Return a stored value that takes no code to read, and is not large; else None."""
        try:
            encoded = self._store.result(digest).encoded
            return decode(encoded) if len(encoded.data) <= _LARGEST_LIST else None
        except (StoreError, UndecodableError):
            return None

    def code(self, digest: str) -> str | None:
        """Return the text of a piece of code."""
        if digest not in self._codes:
            self._codes[digest] = self._store.code(digest)
        return self._codes[digest]

    def earlier(self, limit: int) -> Sequence[RunRecord]:
        """Return runs of the same workflow that began before, newest first."""
        # A run that was made meanwhile stands before it; so a few more are asked for.
        runs = self._store.runs(self.run.workflow, limit=2 * limit + 20)
        known = [run.id for run in runs]
        place = known.index(self.run.id) if self.run.id in known else None
        if place is None:
            runs = self._store.runs(self.run.workflow)
            place = [run.id for run in runs].index(self.run.id)
        return runs[place + 1 : place + 1 + limit]

    def tasks_of(
        self, run_id: str, start: int = 0, stop: int | None = None
    ) -> Sequence[TaskRecord]:
        """Return the TaskRuns of one of those, or a slice of them."""
        return self._store.tasks(run_id, start, stop)


@dataclass(slots=True)
class LooseRun:
    """A run that no store keeps: its records, made from what this process knows of it."""

    run: RunRecord
    tasks: Sequence[TaskRecord]
    blueprint: Blueprint
    values: dict[str, ShownValue] = field(default_factory=dict)
    store_url: str | None = None
    is_worked_on: bool = False

    def record(self, place: int) -> TaskRecord:
        """Return the TaskRun that stands at a place among them."""
        return self.tasks[place]

    def given_again(self) -> Sequence[str] | None:
        """Return None: only a store keeps it."""
        return None

    def attempts(self, task: str | None = None) -> Sequence[AttemptRecord]:  # noqa: ARG002
        """Return nothing: only a store keeps attempts."""
        return ()

    def value(self, digest: str, limit: int) -> ShownValue | None:
        """Return a value to be shown in `limit` characters; None if it is not kept."""
        found = self.values.get(digest)
        return None if found is None else ShownValue(found.text[:limit], found.codec, found.size)

    def item(self, whole: str, known_by: str, key: Sequence[int], limit: int) -> ShownValue | None:  # noqa: ARG002
        """Return None: only a store keeps lists."""
        return None

    def code(self, digest: str) -> str | None:  # noqa: ARG002
        """Return None: only a store keeps code."""
        return None

    def earlier(self, limit: int) -> Sequence[RunRecord]:  # noqa: ARG002
        """Return nothing: only a store knows of earlier runs."""
        return ()

    def tasks_of(
        self,
        run_id: str,  # noqa: ARG002
        start: int = 0,  # noqa: ARG002
        stop: int | None = None,  # noqa: ARG002
    ) -> Sequence[TaskRecord]:
        """Return nothing."""
        return ()


def items_at(value: Any, key: Sequence[int]) -> Iterator[Any]:
    """Yield what stands in nested lists at any of the paths that a key has in it."""
    for start in range(len(key)):
        found = value
        for place in key[start:]:
            if not isinstance(found, list | tuple) or place >= len(found):
                break
            found = found[place]
            yield found

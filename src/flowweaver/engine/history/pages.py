"""The TaskRuns of a stored run, by page or by task: what nobody looks at is not held."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from flowweaver.names import element_path
from flowweaver.records import TaskRecord
from flowweaver.run_source import Identity
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, TaskStatus, outcome_of

_PAGE_SIZE = 500
_PAGES_HELD = 8
# A store looks for one task faster than all are read, but not for many one after the other.
_TASKS_ASKED_FOR = 4


class Index:
    """Where the TaskRuns of a run stand among its records, and what they came to in number.

    Attributes:
        wholes: The places of whole tasks by name.
        elements: By task, the places of its elements by their keys, in order.
        standings: Where whole tasks stand by name, and how they came there.
        outcomes: By task, how many of its elements came out how.
        last_sign: When any of them was last heard of, in seconds since the epoch.
    """

    def __init__(self, records: Iterator[TaskRecord]) -> None:
        self.wholes: dict[str, int] = {}
        self.elements: dict[str, dict[str, int]] = {}
        self.standings: dict[str, tuple[TaskStatus, Origin | None]] = {}
        self.outcomes: dict[str, Counter[str]] = {}
        self.last_sign = 0.0
        for place, record in enumerate(records):
            self._take(place, record)
        for task, places in self.elements.items():
            self.elements[task] = dict(sorted(places.items(), key=_by_numbers))

    def place(self, identity: Identity) -> int | None:
        """Return where a TaskRun stands; None if it has no record."""
        task, element = identity
        return self.elements.get(task, {}).get(element) if element else self.wholes.get(task)

    def origin_of_elements(self, task: str) -> Origin | None:
        """Return how a completed mapped task came by its result; None if it has no elements.

        A store keeps what the last execution found; that it found all elements done does not mean
        that another run had made them.
        """
        found = self.outcomes.get(task)
        if found is None:
            return None
        is_restored = set(found) == {Origin.RESTORED.value}
        return Origin.RESTORED if is_restored else Origin.EXECUTED

    def _take(self, place: int, record: TaskRecord) -> None:
        self.last_sign = max(self.last_sign, record.finished_at or record.started_at or 0.0)
        if not record.element:
            self.wholes[record.task] = place
            self.standings[record.task] = record.status, record.origin
            return
        self.elements.setdefault(record.task, {})[record.element] = place
        outcomes = self.outcomes.setdefault(record.task, Counter())
        outcomes[outcome_of(record.status, record.origin)] += 1


@dataclass(frozen=True, slots=True)
class Part:
    """The TaskRuns of one task, and where each stands among them."""

    records: Sequence[TaskRecord]
    index: Index


class Pages:
    """The records of one run's TaskRuns; a few pages of them are held at a time, at `most`."""

    def __init__(self, store: StateStore, run_id: str, *, most: int = _PAGES_HELD) -> None:
        self._store = store
        self._run_id = run_id
        self._most = most
        self._held: OrderedDict[int, Sequence[TaskRecord]] = OrderedDict()
        self._parts: dict[str, Part] = {}
        self._is_read = False

    @cached_property
    def index(self) -> Index:
        """Where each of them stands; made by reading all of them once."""
        index = Index(iter(self))
        self._is_read = True
        return index

    def of_task(self, task: str) -> Index:
        """Return what is known of the TaskRuns of a task, and maybe of others.

        Of a long run only these are read, unless there are many of them, or many tasks were asked
        for already.
        """
        part = self._part(task)
        return self.index if part is None else part.index

    def __iter__(self) -> Iterator[TaskRecord]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[Sequence[TaskRecord]]:
        """Yield all of them, a page at a time."""
        number = 0
        while page := self._page(number):
            yield page
            number += 1

    def get(self, identity: Identity) -> TaskRecord | None:
        """Return the record of a TaskRun; None if it has none."""
        part = self._part(identity[0])
        place = (self.index if part is None else part.index).place(identity)
        if place is None:
            return None
        if part is not None:
            return part.records[place]
        number, offset = divmod(place, _PAGE_SIZE)
        return self._page(number)[offset]

    def has(self, task: str) -> bool:
        """Return whether any TaskRun of a task has a record."""
        index = self.of_task(task)
        return task in index.wholes or task in index.elements

    def look(self, identity: Identity, guess: int) -> TaskRecord | None:
        """Do as `get` does, for one that probably stands at a certain place."""
        number, offset = divmod(guess, _PAGE_SIZE)
        page = self._page(number)
        if offset < len(page) and (page[offset].task, page[offset].element) == identity:
            return page[offset]
        return self.get(identity)

    def _part(self, task: str) -> Part | None:
        """Return the TaskRuns of one task, if it is worth while to ask for them alone."""
        part = self._parts.get(task)
        if part is not None or self._is_read:
            return part
        if len(self._parts) == _TASKS_ASKED_FOR or len(self._page(0)) < _PAGE_SIZE:
            return None
        records = self._store.tasks(self._run_id, 0, _PAGE_SIZE, task=task)
        if len(records) == _PAGE_SIZE:
            return None
        part = self._parts[task] = Part(records, Index(iter(records)))
        return part

    def _page(self, number: int) -> Sequence[TaskRecord]:
        page = self._held.get(number)
        if page is None:
            start = number * _PAGE_SIZE
            page = self._held[number] = self._store.tasks(self._run_id, start, start + _PAGE_SIZE)
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        self._held.move_to_end(number)
        return page


def _by_numbers(item: tuple[str, int]) -> tuple[int, ...]:
    return element_path(item[0])

"""TaskRuns as columns of numbers, some 50 bytes each: so runs of any size can be followed."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from flowweaver.names import element_path

GONE = 255
"""The outcome of a row that there is no more."""

NEVER = float("nan")
"""Stands for a moment that has not come."""

# Elements by larger numbers are looked up as texts.
_LARGEST = 10_000_000


class _Elements:
    """The rows of one task by element. Those of a plain list are found by their number."""

    __slots__ = ("others", "plain")

    def __init__(self) -> None:
        self.plain = array("i")  # row and 1; 0 where there is none
        self.others: dict[str, int] = {}


class Table:
    """The rows, each known by its number; a number once given stays.

    Attributes:
        task: The place of the task.
        outcome: By its code; `GONE` where the row was dropped.
        begun: When the last attempt of this run began; `NEVER` if it has not.
        seconds: What it took; `NEVER` where that is not known.
        lane: Where it stands in the timeline; -1 where it does not.
        attempts: How often it was started.
        why: The place in `words` of why it was executed or not.
        place: Where its record stands in the run; -1 where there is none.
        words: Each text that is a reason once.
        labels: What elements are called for people, by row; only of those that are called so.
    """

    __slots__ = (
        "_by_task", "_key", "_texts", "_word_ids", "attempts", "begun", "labels", "lane", "outcome",
        "place", "seconds", "task", "why", "words",
    )  # fmt: skip

    def __init__(self) -> None:
        self.task = array("I")
        self.outcome = array("B")
        self.begun = array("d")
        self.seconds = array("d")
        self.lane = array("i")
        self.attempts = array("I")
        self.why = array("I")
        self.place = array("i")
        self.words = [""]
        self.labels: dict[int, str] = {}
        self._word_ids = {"": 0}
        self._key = array("i")  # an element's number; below 0, where its text stands
        self._texts: list[str] = []
        self._by_task: list[_Elements] = []

    def find(self, task: int, element: str) -> int | None:
        """Return the number of a row, if there is one."""
        if not 0 <= task < len(self._by_task):
            return None
        known = self._by_task[task]
        number = _plain(element)
        if number is None:
            return known.others.get(element)
        row = known.plain[number] if number < len(known.plain) else 0
        return row - 1 if row else None

    def add(self, task: int, element: str) -> int:
        """Add a row and return its number."""
        while len(self._by_task) <= task:
            self._by_task.append(_Elements())
        known, row, number = self._by_task[task], len(self.task), _plain(element)
        if number is None:
            known.others[element] = row
            self._texts.append(element)
            self._key.append(-len(self._texts))
        else:
            if number >= len(known.plain):
                known.plain.frombytes(bytes(4 * (number + 1 - len(known.plain))))
            known.plain[number] = row + 1
            self._key.append(number)
        self.task.append(task)
        self.outcome.append(GONE)
        self.begun.append(NEVER)
        self.seconds.append(NEVER)
        self.lane.append(-1)
        self.attempts.append(0)
        self.why.append(0)
        self.place.append(-1)
        return row

    def drop(self, row: int) -> None:
        """Take a row out; its number is not given again."""
        self.outcome[row] = GONE
        del self._by_task[self.task[row]].others[self.element(row)]

    def word(self, text: str) -> int:
        """Return the place of a text in `words`."""
        found = self._word_ids.get(text)
        if found is None:
            found = self._word_ids[text] = len(self.words)
            self.words.append(text)
        return found

    def element(self, row: int) -> str:
        """Return the element of a row; "" for a whole task."""
        key = self._key[row]
        return str(key) if key >= 0 else self._texts[-key - 1]

    def end(self, row: int) -> float:
        """Return when the last attempt of this run ended; `NEVER` if it has not."""
        return self.begun[row] + self.seconds[row]

    def alike(self, task: int, row: int) -> int | None:
        """Return the row of another task for the same element, if there is one."""
        return self.find(task, self.element(row))

    def rows(self) -> Iterator[int]:
        """Yield all rows, as they were added."""
        return (row for row, outcome in enumerate(self.outcome) if outcome != GONE)

    def in_order(self) -> Iterator[int]:
        """Yield all rows in the order of the workflow, elements by their keys."""
        for known in self._by_task:
            plain = (row - 1 for row in known.plain if row)
            if not known.others:
                yield from plain
                continue
            rows = [*plain, *known.others.values()]
            yield from sorted(rows, key=lambda row: element_path(self.element(row)))


def _plain(element: str) -> int | None:
    """Return the number of an element of a plain list; None for any other."""
    if not element.isdecimal() or not element.isascii() or (element[0] == "0" and element != "0"):
        return None
    number = int(element) if len(element) < 9 else _LARGEST
    return number if number < _LARGEST else None

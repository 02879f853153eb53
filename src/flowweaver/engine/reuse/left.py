"""What the tasks of a workflow left at which path, to tell their doing from other people's.

A file that a task read may be extended, moved or removed by one that comes later. It is not read
again for that: whoever ran the workflow from its beginning would find the file as it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property

from flowweaver import graph
from flowweaver.definitions.wiring import Wiring
from flowweaver.files.seen import is_left, left_status
from flowweaver.records import TaskRecord

_Left = tuple[str, str]
"""A task, and what the file system said of what it left."""


class LeftFiles:
    """Answers whether tasks that come after another made what is at a path now.

    Args:
        records: What is known of tasks; asked for when it is needed.
        wiring: The workflow.
    """

    def __init__(self, records: Callable[[], Iterable[TaskRecord]], wiring: Wiring) -> None:
        self._records = records
        self._wiring = wiring

    @cached_property
    def _by_path(self) -> dict[str, list[_Left]]:
        found: dict[str, list[_Left]] = {}
        for record in self._records():
            for each in filter(is_left, record.seen):
                found.setdefault(_full(each.path), []).append((record.task, left_status(each)))
        return found

    def explain(self, reader: str, path: str, status: str | None) -> bool:
        """Whether a task that `reader` does not wait for left this at a path.

        `status` is what the file system says now: nothing if nothing is there, None for anything.
        """
        before = self._upstream_of(reader)
        return any(
            task not in before and (not status if is_around else status in (left, left and None))
            for is_around, place in _places(path)
            for task, left in self._by_path.get(place, ())
        )

    def _upstream_of(self, task: str) -> set[str]:
        node, preds = self._wiring.index[task], self._wiring.preds
        return set(self._wiring.names(graph.reached(preds[node], preds)))


def _full(path: str) -> str:
    return os.path.abspath(path) + (os.sep if path.endswith(os.sep) else "")  # noqa: PTH100 - text


def _places(path: str) -> Iterable[tuple[bool, str]]:
    """Yield a path and the folders that it is in, and whether it is one of these."""
    full = _full(path)
    yield False, full
    at = full.rfind(os.sep)
    while at > 0:
        yield True, full[: at + 1]
        at = full.rfind(os.sep, 0, at)

"""Runs kept up to date, whoever works on them: read once, then only what has changed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.view.assemble import View
from flowweaver.report.view.past import Past
from flowweaver.report.view.rows import Rows
from flowweaver.report.view.sources import StoredRun
from flowweaver.state_store import StateStore

# Changes are remembered for so many revisions and rows; who is further behind gets all of it again.
_REVISIONS_KEPT = 200
_ROWS_KEPT = 20_000
# A run is read so many TaskRuns at a time, and lists so many as long as no more are asked for.
_PAGE = 2_000
_ROWS_LISTED = 10_000


class FollowedRun:
    """One run and its View, brought up to date when asked to.

    All methods may be called from any thread. A TaskRun that is final is not read again within
    one execution of the run: only those that are open, and those that were added. Held are about
    a hundred bytes of each; records are read page by page, and again where they are to be told in
    full.

    Attributes:
        revision: Grows with each change.
    """

    def __init__(self, store: StateStore, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._lock = threading.Lock()
        self._seen: Hashable = None
        self._source: StoredRun | None = None
        self._held = False
        self._count = 0
        self._open: set[int] = set()
        self._view: View | None = None
        self._past: Past | None = None
        self._changes: deque[tuple[int, list[int]]] = deque(maxlen=_REVISIONS_KEPT)
        self.revision = 0

    def refresh(self) -> int:
        """Look for what has changed; return the revision."""
        with self._lock:
            seen = self._store.revision()
            held = self._source is not None and self._is_held(self._source.run)
            if seen != self._seen or held != self._held:
                self._look()
                self._seen = seen
        return self.revision

    def whole(self) -> dict[str, Any]:
        """Return the whole View."""
        with self._lock:
            told = self._made().as_json(rows=_ROWS_LISTED, compare=False)
            return {**told, "revision": self.revision}

    def since(self, revision: int) -> dict[str, Any] | None:
        """Return what has changed since a revision; None where that is not known any more."""
        with self._lock:
            view = self._made()
            if not self._changes[0][0] <= revision <= self.revision:
                return None
            rows = (row for number, rows in self._changes for row in rows if number > revision)
            changed = list(dict.fromkeys(rows))
            return {
                "revision": self.revision,
                "tasks": view.tasks_of(changed),
                **view.changing(changed),
            }

    def summary(self) -> dict[str, Any]:
        """Return where the run stands, without its rows: its tasks, counts and what runs."""
        with self._lock:
            view = self._made()
            return {**view.changing(()), "tasks": view.tasks(), "running": view.running()}

    def page(self, start: int, stop: int) -> dict[str, Any]:
        """Return a page of the rows, for those that the whole View leaves out."""
        with self._lock:
            return self._made().page(start, stop)

    def detail(self, name: str) -> dict[str, Any] | None:
        """Return one TaskRun in full."""
        with self._lock:
            return self._made().detail(name)

    def _made(self) -> View:
        if self._view is None:
            self._look()
        assert self._view is not None
        return self._view

    def _look(self) -> None:
        run = self._store.run(self._run_id)
        self._held = self._is_held(run)
        changed: list[int] = []
        self.revision += 1
        if self._view is None or self._source is None or run.token != self._source.run.token:
            self._begin(StoredRun(self._store, run))
        else:
            self._source.renew(run)
            changed = self._read()
        self._changes.append((self.revision, changed))
        while len(self._changes) > 1 and sum(len(rows) for _, rows in self._changes) > _ROWS_KEPT:
            self._changes.popleft()

    def _begin(self, source: StoredRun) -> None:
        """Read all of a run: it is looked at for the first time, or was continued."""
        if self._past is None:
            self._past = Past(source)
        self._source = source
        self._view = View(source, self._past, Rows(source.blueprint))
        self._changes.clear()
        self._count, self._open = 0, set()
        # What a run has from another is not read by the page.
        page = _PAGE if source.run.base is None else None
        self._read_on(page)

    def _read(self) -> list[int]:
        """Read what was open or was not there when it was last looked at."""
        found: list[int] = []
        for first, last in _stretches(self._open):
            found += self._taken(first, self._store.tasks(self._run_id, first, last + 1))
        return found + self._read_on(_PAGE)

    def _read_on(self, page: int | None) -> list[int]:
        """Read what stands behind what was read before, so many TaskRuns at a time."""
        found: list[int] = []
        while True:
            first = self._count
            stop = None if page is None else first + page
            records = self._store.tasks(self._run_id, first, stop)
            found += self._taken(first, records)
            if page is None or len(records) < page:
                return found

    def _taken(self, first: int, records: Sequence[TaskRecord]) -> list[int]:
        assert self._view is not None
        self._note(first, records)
        return self._view.take(records, first)

    def _note(self, first: int, records: Sequence[TaskRecord]) -> None:
        for place, record in enumerate(records, first):
            if record.status.is_final:
                self._open.discard(place)
            else:
                self._open.add(place)
        self._count = max(self._count, first + len(records))

    def _is_held(self, run: RunRecord) -> bool:
        return run.finished_at is None and self._store.is_held(run)


def _stretches(places: Iterable[int]) -> list[tuple[int, int]]:
    """Return places as stretches, first and last; those that are near each other in one."""
    found: list[tuple[int, int]] = []
    for place in sorted(places):
        if found and place - found[-1][1] <= 8:
            found[-1] = (found[-1][0], place)
        else:
            found.append((place, place))
    return found


class Following:
    """The runs that somebody looks at, the most recent ones kept at hand."""

    def __init__(self, store: StateStore, most: int = 8) -> None:
        self._store = store
        self._most = most
        self._lock = threading.Lock()
        self._runs: dict[str, FollowedRun] = {}

    def run(self, run_id: str) -> FollowedRun:
        """Return a run that is kept up to date.

        Raises:
            UnknownNameError: There is none of that id.
        """
        self._store.run(run_id)
        with self._lock:
            followed = self._runs.pop(run_id, None) or FollowedRun(self._store, run_id)
            self._runs[run_id] = followed
            while len(self._runs) > self._most:
                del self._runs[next(iter(self._runs))]
            return followed

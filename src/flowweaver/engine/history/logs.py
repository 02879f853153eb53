"""What the bodies of a run printed and logged, though others may have run them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flowweaver.engine.history.pages import Pages
from flowweaver.errors import UnknownNameError
from flowweaver.names import shown_name
from flowweaver.records import AttemptRecord, RunRecord, TaskRecord
from flowweaver.run_source import Identity
from flowweaver.state_store import StateStore
from flowweaver.status import Origin


class Logs:
    """The attempts that left a log, of each TaskRun in the run that executed it.

    Iterated over, it gives each with what its TaskRun is called for people.

    Args:
        store: Where the run is.
        run: The run.
        wanted: Gives the TaskRuns of it whose logs are wanted, as often as it is called.

    Attributes:
        deleted: The runs that executed some of them and are no more, once all was given.
    """

    def __init__(
        self, store: StateStore, run: RunRecord, wanted: Callable[[], Iterable[TaskRecord]]
    ) -> None:
        self._store = store
        self._run = run
        self._wanted = wanted
        self.deleted: list[str] = []

    def __iter__(self) -> Iterator[tuple[str, AttemptRecord]]:
        sources = dict.fromkeys([self._run.id, *map(self._source, self._wanted())])
        for run_id in sources:
            attempts = self._store.attempts(run_id)
            if not attempts and not self._is_there(run_id):
                self.deleted.append(run_id)
            if any(attempt.log for attempt in attempts):
                names = self._names(run_id, {(each.task, each.element) for each in attempts})
                for attempt in attempts:
                    name = names.get((attempt.task, attempt.element))
                    if attempt.log and name is not None:
                        yield name, attempt

    def _is_there(self, run_id: str) -> bool:
        if run_id == self._run.id:
            return True
        try:
            self._store.run(run_id)
        except UnknownNameError:
            return False
        return True

    def _source(self, record: TaskRecord) -> str:
        return record.source_run or self._run.id

    def _names(self, run_id: str, attempted: set[Identity]) -> dict[Identity, str]:
        """Return what those are called that are wanted of a run, by where their attempts are."""
        found: dict[Identity, str] = {}
        lost: set[str] = set()
        for record in self._wanted():
            if self._source(record) != run_id:
                continue
            identity = record.task, record.element
            if identity in attempted:
                found[identity] = _name(record)
            elif record.origin is Origin.RESTORED and record.fingerprint is not None:
                lost.add(record.fingerprint)
        if lost:
            # What was taken over from another task is there under that one's name.
            for record in Pages(self._store, run_id):
                identity = record.task, record.element
                if record.fingerprint in lost and identity in attempted:
                    found.setdefault(identity, _name(record))
        return found


def _name(record: TaskRecord) -> str:
    return shown_name(record.task, record.element, record.label)

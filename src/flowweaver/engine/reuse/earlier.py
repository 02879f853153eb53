"""What earlier executions left that a TaskRun may take its result from, or is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowweaver.definitions.options import TaskOptions
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.cutoff import Cutoff
from flowweaver.engine.reuse.code import CodeBook, parts_from
from flowweaver.engine.reuse.left import LeftFiles
from flowweaver.engine.reuse.sharing import Sharing
from flowweaver.facts import Facts
from flowweaver.fingerprint import CodePart
from flowweaver.reasons import Reason
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus

# How many runs of a whole workflow back to look for the last time a task ran.
_RUNS_BACK = 20
_UNDONE = frozenset({TaskStatus.FAILED, TaskStatus.SKIPPED})


class History:
    """What earlier executions left: the records of this run and the last of each task's before.

    `cutoff` has the last ones of a run that is taken over in part, and gives them one by one.
    """

    def __init__(
        self,
        store: StateStore,
        wiring: Wiring,
        run_id: str,
        own: Iterable[TaskRecord],
        sharing: Sharing | None = None,
        cutoff: Cutoff | None = None,
    ) -> None:
        tasks = wiring.index
        self._cutoff = cutoff
        self._sharing = sharing
        self._store = store
        self._workflow = wiring.name
        self.left = LeftFiles(self._all, wiring)
        self._code: dict[str, tuple[CodePart, ...]] = {}
        self.own = {(record.task, record.element): record for record in own}
        self.last: dict[tuple[str, str], TaskRecord] = {}
        # What came to no result when it was last come to.
        self.undone: dict[tuple[str, str], TaskRecord] = {}
        if sharing is not None:
            sharing.note_own(self.own.values(), tasks)
        self._shares = sharing is not None and sharing.has_any()
        self.has_earlier = cutoff is not None
        if cutoff is not None:
            return
        missing = set(tasks)
        for run in _earlier(store, wiring.name, run_id):
            self.has_earlier = True
            for record in store.tasks(run.id):
                identity = (record.task, record.element)
                if record.status is TaskStatus.COMPLETED and record.fingerprint is not None:
                    self.last.setdefault(identity, record)
                    missing.discard(record.task)
                elif record.status in _UNDONE and identity not in self.last:
                    self.undone.setdefault(identity, record)
            if not missing:
                break

    def _all(self) -> Iterator[TaskRecord]:
        yield from self.own.values()
        yield from self.last.values() if self._cutoff is None else self._cutoff.earlier()

    def look_up(self, node: int) -> None:
        """Have at hand what there is of a node that is about to be decided about."""
        if self._cutoff is not None:
            record = self._cutoff.open(node)
            self.last[record.task, record.element] = record

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing that any task could take a result from, or be compared with."""
        return not (self.own or self.last or self.undone or self.has_earlier or self._shares)

    def find(self, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest completed TaskRun with this fingerprint in any run."""
        return self._store.find(self._workflow, task, fingerprint) if self.has_earlier else None

    def shared(
        self, key: tuple[str, str], options: TaskOptions, facts: Facts, code: CodeBook
    ) -> tuple[TaskRecord, Reason] | None:
        """Return the result of another task or workflow that has the same facts, as this one's."""
        if self._sharing is None or not self._shares:
            return None
        if not self._sharing.may_have(options, facts, code):
            return None
        return self._sharing.find(key, facts.fingerprint)

    def code(self, digest: str) -> tuple[CodePart, ...]:
        """Return the parts of code that an earlier run kept."""
        if digest not in self._code:
            self._code[digest] = parts_from(self._store.code(digest))
        return self._code[digest]


def _earlier(store: StateStore, workflow: str, run_id: str) -> Iterator[RunRecord]:
    """Yield earlier runs, newest first, back to one that was done with the whole workflow.

    Runs of a part say nothing of the rest, however many there are; of the others a few are enough.
    """
    seen, wholes, limit = 0, 0, _RUNS_BACK
    while len(runs := store.runs(workflow, limit=limit)) > seen:
        for run in runs[seen:]:
            wholes += not run.targets
            if run.id != run_id:
                yield run
                if not run.status.is_unfinished and not run.targets:
                    return
            if wholes >= _RUNS_BACK:
                return
        seen, limit = len(runs), 2 * limit

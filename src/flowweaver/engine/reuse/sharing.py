"""Results of other tasks and workflows: the same code with the same inputs gives the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import lru_cache

from flowweaver.definitions.options import TaskOptions
from flowweaver.engine.proofs import place_of, proof_of
from flowweaver.engine.reuse.code import CodeBook
from flowweaver.facts import Facts
from flowweaver.names import task_run_name
from flowweaver.reasons import Reason, ReasonKind, because
from flowweaver.records import TaskRecord
from flowweaver.serialize import Signer
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus

# What tells a body which task it is of: a result may then depend on the task's name.
_TELLS_WHOSE = "current_task"
# Elements by the thousand may take the same.
_MOST_REMEMBERED = 1024

Found = tuple[str, TaskRecord]
"""A completed TaskRun, and the workflow that it is of."""


class Sharing:
    """Finds results in a store whatever task of whatever workflow they are of.

    Tasks of one run don't take from each other: which of two ends first depends on the executor,
    and no run is to depend on that.

    Args:
        store: Where they are.
        workflow: The workflow that takes them.
        run_id: The run that takes them.
        signer: Tells whether what could run code was signed where it was made, and signs it for
            the task that takes it.
    """

    def __init__(self, store: StateStore, workflow: str, run_id: str, signer: Signer) -> None:
        self._store = store
        self._workflow = workflow
        self._run_id = run_id
        self._signer = signer
        self._may: dict[str, bool] = {}
        self._renamed: dict[str, TaskRecord] = {}
        self._elsewhere = lru_cache(_MOST_REMEMBERED)(self._look)

    def has_any(self) -> bool:
        """Whether there is anything to be found."""
        others = any(run.id != self._run_id for run in self._store.runs(limit=2))
        return others or bool(self._renamed)

    def note_own(self, records: Iterable[TaskRecord], tasks: Collection[str]) -> None:
        """Note what the run has done under names that none of its tasks has any more."""
        for record in records:
            if record.status is TaskStatus.COMPLETED and record.task not in tasks:
                self._renamed[record.fingerprint or ""] = record

    def may_have(self, options: TaskOptions, facts: Facts, code: CodeBook) -> bool:
        """Whether facts alone tell what a result is, whichever task it is of.

        A version says something only among the results of one task; files that a task names are
        its own; and code that asks whose task it is may give each its own.
        """
        digest = facts.code
        if digest is None or options.outputs:
            return False
        if digest not in self._may:
            self._may[digest] = not any(
                _TELLS_WHOSE in part.text or (part.is_cut and part.is_code)
                for part in code.parts_of(digest)
            )
        return self._may[digest]

    def find(self, key: tuple[str, str], fingerprint: str) -> tuple[TaskRecord, Reason] | None:
        """Return the newest result of a fingerprint as one of the task, and element, that takes it.

        With it comes why it is taken. What could run code is verified as what it is, and signed
        anew for its taker.
        """
        own = self._renamed.get(fingerprint)
        found = self._elsewhere(fingerprint) if own is None else (self._workflow, own)
        if found is None:
            return None
        workflow, record = found
        source, signature = record.source_run or record.run_id, record.signature
        if signature is not None:
            place, to = proof_of(workflow, record).place, place_of(self._workflow, source, *key)
            signature = self._signer.moved(record.digest or "", signature, place, to)
            if signature is None:
                return None
        name = task_run_name(record.task, record.element)
        reason = because(ReasonKind.SHARED, name, workflow, record.run_id)
        task, element = key
        # What the run itself has under another name is written anew, like what belongs to no run.
        run_id = "" if own is not None else record.run_id
        taken = replace(
            record,
            run_id=run_id,
            task=task,
            element=element,
            source_run=source,
            signature=signature,
        )
        return taken, reason

    def _look(self, fingerprint: str) -> Found | None:
        return self._store.find_anywhere(fingerprint, self._run_id)

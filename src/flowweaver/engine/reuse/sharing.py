"""Results of other tasks and workflows: the same code with the same inputs gives the same."""

from __future__ import annotations

from dataclasses import replace

from flowweaver.definitions.options import TaskOptions
from flowweaver.engine.proofs import place_of, proof_of
from flowweaver.engine.reuse.code import CodeBook
from flowweaver.facts import Facts
from flowweaver.records import TaskRecord
from flowweaver.serialize import Signer
from flowweaver.state_store import StateStore

# What tells a body whose it is: a result may then hang on the task's name.
_TELLS_WHOSE = "current_task"


class Sharing:
    """Finds results in a store whatever task of whatever workflow they are of.

    Args:
        store: Where they are.
        workflow: The workflow that takes them.
        signer: Tells whether what could run code was signed where it was made, and signs it for
            the task that takes it.
    """

    def __init__(self, store: StateStore, workflow: str, signer: Signer) -> None:
        self._store = store
        self._workflow = workflow
        self._signer = signer
        self._named: dict[str, bool] = {}

    def has_any(self, run_id: str) -> bool:
        """Whether there is any other run in the store."""
        return any(run.id != run_id for run in self._store.runs(limit=2))

    def may_have(self, options: TaskOptions, facts: Facts, code: CodeBook) -> bool:
        """Whether facts alone tell what a result is, whosever it is.

        A version says something only among the results of one task; files that a task names are
        its own; and code that asks whose task it is may give each its own.
        """
        digest = facts.code
        if digest is None or options.outputs:
            return False
        if digest not in self._named:
            self._named[digest] = any(
                _TELLS_WHOSE in (part.text or "") for part in code.parts_of(digest)
            )
        return not self._named[digest]

    def find(self, key: tuple[str, str], fingerprint: str) -> TaskRecord | None:
        """Return the newest result of a fingerprint as one of the task, and element, that takes it.

        What could run code is verified as what it is, and signed anew for its taker.
        """
        found = self._store.find_anywhere(fingerprint)
        if found is None:
            return None
        workflow, record = found
        source, signature = record.source_run or record.run_id, record.signature
        if signature is not None:
            place, to = proof_of(workflow, record).place, place_of(self._workflow, source, *key)
            signature = self._signer.moved(record.digest or "", signature, place, to)
            if signature is None:
                return None
        task, element = key
        return replace(record, task=task, element=element, source_run=source, signature=signature)

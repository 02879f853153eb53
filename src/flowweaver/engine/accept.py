"""Accepting an edit as harmless: the present code is taken to be what made the stored results."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowweaver.engine.facts import differences
from flowweaver.engine.parameters import check_parameters, encode_parameters, key_of
from flowweaver.engine.plan import Planner
from flowweaver.engine.protocols import StateStore
from flowweaver.engine.reuse import Decision, History, Wish
from flowweaver.errors import UnknownNameError, near_matches
from flowweaver.records import Changes, ClaimRequest, TaskRecord
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What came of accepting: the TaskRuns accepted, and why others were not, by name."""

    run_id: str
    accepted: tuple[str, ...]
    refused: Mapping[str, str]


def accept(
    wiring: Wiring,
    params: Mapping[str, Any],
    store: StateStore,
    tasks: Collection[str] = (),
) -> Acceptance:
    """Take the present code of tasks as equal to what produced their stored results.

    What is accepted is written down as restored, with who said so and when: in the unfinished
    run if there is one, else in a run of its own. Only code and version can be accepted; a task
    whose inputs or parameters changed is refused.

    Args:
        wiring: The workflow.
        params: Its parameters.
        store: Where the results are.
        tasks: Names of tasks; all of the workflow's if none are given.

    Raises:
        UnknownNameError: There is no task of a name.
        RunLockedError: A process is working on the run.
    """
    for name in tasks:
        if name not in wiring.index:
            raise UnknownNameError(
                f"workflow {wiring.name!r} has no task {name!r}{near_matches(name, wiring.index)}"
            )
    check_parameters(wiring, params)
    encoded = encode_parameters(params)
    digests = {name: value.digest for name, value in encoded.items()}
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    info = {"accepted_by": who}
    lease = store.claim(
        ClaimRequest(wiring.name, key_of(encoded), params=digests, info=info, wait=0.0)
    )
    try:
        history = History(store, wiring.name, lease.run.id, lease.tasks, wiring.index)
        acceptor = _Acceptor(wiring, params, store, digests, history, Wish())
        acceptor.wanted = frozenset(tasks) or frozenset(wiring.index)
        acceptor.run_id, acceptor.who = lease.run.id, who
        acceptor.plan(lease.run)
        status = RunStatus.CANCELLED if lease.continued else RunStatus.COMPLETED
        run = replace(lease.run, status=status, finished_at=time.time())
        store.commit(lease, Changes(run=run, tasks=acceptor.records, code=acceptor.code_texts))
    finally:
        store.release(lease)
    return Acceptance(lease.run.id, tuple(acceptor.accepted), acceptor.refused)


class _Acceptor(Planner):
    """Walks as a plan does, but takes what may be accepted as restored."""

    wanted: frozenset[str]
    run_id: str
    who: str

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.records: list[TaskRecord] = []
        self.code_texts: dict[str, str] = {}
        self.accepted: list[str] = []
        self.refused: dict[str, str] = {}

    def decision(self, node: int) -> Decision:
        """Decide as a run would, and then accept what is wanted and can be."""
        decision = super().decision(node)
        task = self._wiring.tasks[self._elements.task_of(node)]
        name = f"{task.name}[{element}]" if (element := self._elements.text_of(node)) else task.name
        before = decision.before
        if decision.record is not None:
            self._keep(decision, decision.record, decision.reason)
            return decision
        if task.name not in self.wanted:
            return decision
        if before is None or before.status is not TaskStatus.COMPLETED or before.digest is None:
            self.refused[name] = decision.reason
            return decision
        found = differences(before.facts, decision.facts.text, self._parts)
        if not all(words.startswith(("code changed", "version changed")) for words in found):
            self.refused[name] = decision.reason
            return decision
        reason = f"accepted by {self.who} as what it was in run {before.run_id}"
        self.accepted.append(name)
        if task._options.version is None and (code := self._reuse.code.unkept(task)) is not None:
            self.code_texts[code[0]] = code[1]
        return Decision(decision.facts, reason, self._keep(decision, before, reason))

    def _keep(self, decision: Decision, record: TaskRecord, reason: str) -> TaskRecord:
        kept = replace(
            record,
            run_id=self.run_id,
            origin=Origin.RESTORED,
            source_run=record.source_run or record.run_id,
            fingerprint=decision.facts.fingerprint,
            facts=decision.facts.text,
            reason=reason,
        )
        if record.run_id != self.run_id or record.fingerprint != kept.fingerprint:
            self.records.append(kept)
        return kept

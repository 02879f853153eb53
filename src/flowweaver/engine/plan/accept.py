"""Accepting an edit as harmless: the present code is taken to be what made the stored results."""

from __future__ import annotations

import getpass
import platform
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.invocation import Invocation
from flowweaver.engine.options import ExecuteOptions
from flowweaver.engine.plan.plan import Planner
from flowweaver.engine.reuse.decide import Decision
from flowweaver.engine.reuse.differences import differences
from flowweaver.errors import UnknownNameError, near_matches
from flowweaver.facts import FactKind, Facts
from flowweaver.names import split_name
from flowweaver.reasons import Reason, ReasonKind, because, words_of
from flowweaver.records import Changes, ClaimRequest, RunRecord, TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus

_HARMLESS = {FactKind.CODE, FactKind.VERSION}
"""What can be accepted."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What came of accepting: the TaskRuns accepted, and why others were not, by name.

    `run_id` is the run that says so, None if nothing was accepted.
    """

    run_id: str | None
    accepted: tuple[str, ...]
    refused: Mapping[str, Reason]


def accept(
    wiring: Wiring,
    params: Mapping[str, Any],
    store: StateStore,
    tasks: Collection[str] = (),
) -> Acceptance:
    """Take the present code of tasks as equal to what produced their stored results.

    What is accepted is written down as restored, with who said so and when: in the unfinished
    run if there is one, else in a run of its own, which the next execution continues if it lacks
    anything. Where there is nothing to accept, nothing is written. Only code and version can be
    accepted; a task whose inputs or parameters changed is refused.

    Args:
        wiring: The workflow.
        params: Its parameters.
        store: Where the results are.
        tasks: Names of tasks, or of elements (``page[3]``); all of the workflow's if none are
            given.

    Raises:
        UnknownNameError: There is no task or element of a name.
        RunLockedError: A process is working on the run.
    """
    for name in tasks:
        _check_name(wiring, name)
    invocation = Invocation(wiring, params, ExecuteOptions())
    who = f"{getpass.getuser()}@{platform.node()}"

    def walk(run: RunRecord | None, own: Sequence[TaskRecord]) -> _Acceptor:
        acceptor = _Acceptor(invocation, store, run, own)
        acceptor.wanted, acceptor.who = frozenset(tasks), who
        acceptor.run_id = "" if run is None else run.id
        acceptor.is_whole = all(task.action == "restore" for task in acceptor.plan())
        acceptor.check_wanted()
        return acceptor

    run = invocation.run_in(store)
    first = walk(run, () if run is None else store.tasks(run.id))
    if not first.accepted:
        return Acceptance(None, (), first.refused)
    info = {"accepted_by": who, "tasks": len(wiring.tasks)}
    return _write(store, invocation.request(info), walk)


def _check_name(wiring: Wiring, name: str) -> None:
    if name not in wiring.index and wiring.index.get(split_name(name)[0]) not in wiring.mapped:
        raise UnknownNameError(
            f"Workflow {wiring.name!r} has no task {name!r}{near_matches(name, wiring.index)}"
        )


def _write(
    store: StateStore,
    request: ClaimRequest,
    walk: Callable[[RunRecord, Sequence[TaskRecord]], _Acceptor],
) -> Acceptance:
    """Claim the run, and write down what is accepted now that nobody else works on it."""
    lease = store.claim(request)
    try:
        acceptor = walk(lease.run, lease.tasks)
        # What is not whole stays unfinished, so that earlier results are still looked for.
        is_done = acceptor.is_whole and not lease.continued
        status = RunStatus.COMPLETED if is_done else RunStatus.CANCELLED
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
    is_whole: bool

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.records: list[TaskRecord] = []
        self.code_texts: dict[str, str] = {}
        self.accepted: list[str] = []
        self.refused: dict[str, Reason] = {}
        self._met: set[str] = set()

    def check_wanted(self) -> None:
        """Refuse what was not come to, since something before it would run.

        Raises:
            UnknownNameError: There is no such element.
        """
        for name in sorted(self.wanted - self._met):
            whole = name if name in self._wiring.index else split_name(name)[0]
            task = self._wiring.index[whole]
            if name != whole and self._graph.elements(task):
                raise UnknownNameError(f"Task {whole!r} has no element {name!r}.")
            if self._planned[task].action != "restore":
                self.refused[name] = self._why_not(task)

    def _why_not(self, task: int) -> Reason:
        """Return why a task was not come to: its code says nothing of what it would take."""
        planned = self._planned[task]
        return planned.why if planned.action == "skip" else self._doubts.open(task, may_skip=False)

    def decision(self, node: int) -> Decision:
        """Decide as a run would, and then accept what is wanted and can be."""
        decision = super().decision(node)
        task, name = self._graph.task(node), self._graph.name(node)
        self._met |= {name, task.name}
        before = decision.before
        if decision.record is not None:
            self._keep(decision, decision.record, decision.reason)
            return decision
        if self.wanted and not {task.name, name} & self.wanted:
            return decision
        if before is None or before.status is not TaskStatus.COMPLETED or before.digest is None:
            self.refused[name] = decision.reason
            return decision
        changes = differences(Facts(before.facts), decision.facts, self._known.parts)
        if not {change.kind for change in changes} <= _HARMLESS:
            self.refused[name] = decision.reason
            return decision
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        reason = because(ReasonKind.ACCEPTED, self.who, when, before.run_id)
        self.accepted.append(name)
        if task.options.version is None and (code := self._reuse.code.unkept(task)) is not None:
            self.code_texts[code[0]] = code[1]
        return Decision(decision.facts, reason, self._keep(decision, before, reason))

    def _keep(self, decision: Decision, record: TaskRecord, reason: Reason) -> TaskRecord:
        kept = replace(
            record,
            run_id=self.run_id,
            origin=Origin.RESTORED,
            source_run=record.source_run or record.run_id,
            fingerprint=decision.facts.fingerprint,
            facts=decision.facts.text,
            reason=words_of(reason),
            cause=reason.packed() if reason.kind is ReasonKind.ACCEPTED else "",
        )
        if record.run_id != self.run_id or record.fingerprint != kept.fingerprint:
            self.records.append(kept)
        return kept

"""Attempts of an effect that must happen once, whose end nobody knows: a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flowweaver.engine.proofs import proof_of
from flowweaver.errors import ParameterError, UnknownNameError, near_matches
from flowweaver.names import task_run_name
from flowweaver.reasons import ReasonKind, because, words_of
from flowweaver.records import Changes, ClaimRequest, Failure, ResultRecord, TaskRecord
from flowweaver.serialize import Signer, encode, needs_signature
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, TaskStatus

# The kind of an unresolved failure; versions without a field for that went by this name.
_KIND = "Unresolved"


def unresolved(cause: Failure | str) -> Failure:
    """Return the failure of a task with ``effect="once"`` that may or may not have acted."""
    if isinstance(cause, Failure) and _is_open(cause):
        return cause
    return Failure(
        _KIND,
        f"{cause}; it may have acted, and its effect must happen only once. Find out, then say "
        "`flowweaver resolve RUN TASK --done` or `--retry`",
        unresolved=True,
    )


def is_unresolved(record: TaskRecord) -> bool:
    """Whether a record is of an attempt whose end nobody knows."""
    if record.status is TaskStatus.RUNNING:
        return True
    return record.failure is not None and _is_open(record.failure)


def _is_open(failure: Failure) -> bool:
    return failure.unresolved or (failure.kind == _KIND and not failure.trace)


def resolve(
    store: StateStore, run_id: str, task: str, *, done: bool, result: Any = None
) -> TaskRecord:
    """Say what became of an attempt whose end nobody knew; the next execution goes by it.

    Args:
        store: Where the run is.
        run_id: Which run.
        task: The task's name; of an element with its key, ``page[3]``.
        done: Whether it acted: then it is completed with `result`, else it will be run again.
        result: What the task is taken to have returned.

    Raises:
        UnknownNameError: There is no such run or task.
        ParameterError: Nothing is unresolved about it.
        RunLockedError: A process is working on the run.
    """
    run = store.run(run_id)
    _unresolved_one(store.tasks(run_id), task, run_id)  # what is in order is not even claimed
    lease = store.claim(ClaimRequest(run.workflow, run.key, run_id=run_id, wait=0.0))
    changes = Changes(run=replace(lease.run, status=run.status, finished_at=run.finished_at))
    try:
        try:
            record = _unresolved_one(lease.tasks, task, run_id)
            settled = _settled(lease.run.workflow, record, done, result, changes)
        finally:
            store.commit(lease, changes)  # a claim shows the run as running
    finally:
        store.release(lease)
    return settled


def _settled(
    workflow: str, record: TaskRecord, done: bool, result: Any, changes: Changes
) -> TaskRecord:
    """Return the record as decided, and add what is to be written to the changes."""
    settled = replace(record, failure=None, failures=0, retry_at=None)
    if done:
        encoded = encode(result)
        changes.results.append(ResultRecord(encoded))
        settled = replace(
            settled,
            status=TaskStatus.COMPLETED,
            origin=Origin.EXECUTED,
            digest=encoded.digest,
            likeness=encoded.likeness,
            reason=words_of(because(ReasonKind.RESOLVED_DONE)),
        )
        if needs_signature(encoded.codec):
            settled.signature = Signer().sign(encoded, proof_of(workflow, settled).place)
    else:
        settled = replace(
            settled, status=TaskStatus.PENDING, reason=words_of(because(ReasonKind.RESOLVED_RETRY))
        )
    changes.tasks.append(settled)
    return settled


def _unresolved_one(records: Sequence[TaskRecord], task: str, run_id: str) -> TaskRecord:
    record = _find(records, task, run_id)
    if not is_unresolved(record):
        raise ParameterError(
            f"Task {task!r} of run {run_id} is {record.status.value}; there is nothing to resolve."
        )
    return record


def _find(records: Sequence[TaskRecord], task: str, run_id: str) -> TaskRecord:
    by_name = {task_run_name(record.task, record.element): record for record in records}
    if task not in by_name:
        raise UnknownNameError(
            f"Run {run_id} has no task {task!r} that was started{near_matches(task, by_name)}"
        )
    return by_name[task]

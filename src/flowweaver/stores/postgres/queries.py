"""What can be asked of a store in Postgres. Every row is verified before it is believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowweaver.records import AttemptRecord, ResultRecord, RunRecord, StateRecord, TaskRecord
from flowweaver.serialize import Encoded
from flowweaver.stores.common import problems
from flowweaver.stores.common.bases import with_base
from flowweaver.stores.common.columns import DamagedRowError, Row
from flowweaver.stores.common.results import verified
from flowweaver.stores.postgres import rows
from flowweaver.stores.postgres import schema as sql
from flowweaver.stores.postgres.connections import Session
from flowweaver.stores.postgres.rows import restored, storable

_AT_A_TIME = 5_000


def runs(db: Session, workflow: str | None, limit: int | None) -> list[RunRecord]:
    """Return runs, newest first."""
    if workflow is None:
        found = db.all(sql.RUNS, [limit])
    else:
        found = db.all(sql.RUNS_BY_WORKFLOW, [storable(workflow), limit])
    return [rows.run_record(row)[1] for row in found]


def revision(db: Session) -> str:
    """Return what differs whenever a transaction has begun or ended since."""
    return str(db.column(sql.SNAPSHOT)[0])


def is_held(db: Session, run: RunRecord) -> bool:
    """Return whether a process works on a run."""
    return bool(db.column(sql.IS_HELD, [storable(run.workflow), storable(run.key)])[0])


def unfinished(db: Session, workflow: str, key: str) -> list[RunRecord]:
    """Return the unfinished runs of a workflow and key, newest first."""
    found = db.all(sql.UNFINISHED, [storable(workflow), storable(key)])
    return [rows.run_record(row)[1] for row in found]


def run(db: Session, run_id: str) -> tuple[int, RunRecord] | None:
    """Return a run and its number, if there is one."""
    row = db.first(sql.RUN_BY_ID, [storable(run_id)])
    return None if row is None else rows.run_record(row)


def own_tasks(db: Session, seq: int, run_id: str) -> list[TaskRecord]:
    """Return the TaskRuns that a run has rows of its own for."""
    return [rows.task_record(run_id, row) for row in db.all(sql.TASKS, [seq])]


def own_pages(db: Session, seq: int, run_id: str) -> Iterator[list[TaskRecord]]:
    """Yield the TaskRuns that a run has rows of its own for, some at a time."""
    start = 0
    while found := _slice(db, seq, run_id, start, start + _AT_A_TIME):
        yield found
        start += _AT_A_TIME


def all_tasks(db: Session, seq: int, found: RunRecord) -> list[TaskRecord]:
    """Return the TaskRuns of a run, those it has from its base included."""
    own, base = own_tasks(db, seq, found.id), base_of(db, found)
    return own if base is None else with_base(found, own, own_tasks(db, base[0], base[1].id))


def base_of(db: Session, found: RunRecord) -> tuple[int, RunRecord] | None:
    """Return the base that a run names and its number, if it names one."""
    if found.base is None:
        return None
    base = run(db, found.base)
    if base is None:
        raise DamagedRowError(f"the base of run {found.id} is missing")
    return base


def tasks(db: Session, run_id: str, start: int, stop: int | None) -> list[TaskRecord]:
    """Return the TaskRuns of a run, or a slice of them, in the order they were first written."""
    stored = run(db, run_id)
    if stored is None:
        return []
    seq, found = stored
    if found.base is None:
        return _slice(db, seq, run_id, start, stop)
    base = run(db, found.base)
    own = own_tasks(db, seq, run_id)
    inherited = [] if base is None else _slice(db, base[0], found.base, start, stop)
    if own and (stop is None or len(inherited) < stop - start):
        return all_tasks(db, seq, found)[start:stop]  # there may be some that the base has not
    return with_base(found, own, inherited)[: len(inherited)]


def _slice(db: Session, seq: int, run_id: str, start: int, stop: int | None) -> list[TaskRecord]:
    asked = {"run": seq, "start": start, "stop": stop}
    return [rows.task_record(run_id, row) for row in db.all(sql.SLICE, asked)]


def attempts(db: Session, run_id: str, task: str | None) -> list[AttemptRecord]:
    """Return the attempts of a run, or of one of its tasks, in the order they were written."""
    asked = {"run": storable(run_id), "task": None if task is None else storable(task)}
    return [rows.attempt_record(run_id, row) for row in db.all(sql.ATTEMPTS, asked)]


def find(db: Session, workflow: str, task: str, fingerprint: str) -> TaskRecord | None:
    """Return the newest completed TaskRun of a fingerprint, if there is one."""
    row = db.first(sql.COMPLETED, [*map(storable, (fingerprint, task, workflow))])
    return None if row is None else rows.task_record(restored(row[0]), row[1:])


def find_anywhere(db: Session, fingerprint: str, outside: str) -> tuple[str, TaskRecord] | None:
    """Return the newest completed TaskRun of a fingerprint with its workflow, if there is one."""
    row = db.first(sql.COMPLETED_ANYWHERE, [storable(fingerprint), storable(outside)])
    if row is None:
        return None
    workflow: str = restored(row[0])
    return workflow, rows.task_record(restored(row[1]), row[2:])


def begun(db: Session, workflow: str, task: str, fingerprint: str) -> list[TaskRecord]:
    """Return the TaskRuns of a fingerprint that are not completed, newest run first."""
    found = db.all(sql.BEGUN, [*map(storable, (fingerprint, task, workflow))])
    return [rows.task_record(restored(row[0]), row[1:]) for row in found]


def result(db: Session, digest: str) -> ResultRecord:
    """Return a stored value, its checksum verified.

    Raises:
        StoreCorruptError: It is missing or not as written.
    """
    row = db.first(sql.RESULT, [storable(digest)])
    if row is None:
        raise problems.result_lost(db.url, digest, "it is missing")
    codec, data, signature = row
    value = verified(db.url, digest, restored(codec), data)
    return ResultRecord(value, None if signature is None else restored(signature))


def sizes(db: Session, digests: Iterable[str]) -> dict[str, int]:
    """Return the bytes of results, as far as they are there."""
    found = db.all(sql.SIZES_OF, [[*map(storable, digests)]])
    return {restored(digest): size for digest, size in found}


def state(db: Session, run_id: str, task: str, element: str) -> dict[str, Encoded]:
    """Return what a task keeps for its next attempt."""
    found = db.all(sql.STATE, [*map(storable, (run_id, task, element))])
    return dict(state_item(db, row) for row in found)


def states(db: Session, run_id: str) -> list[StateRecord]:
    """Return what all tasks of a run keep."""
    found = db.all(sql.STATES, [storable(run_id)])
    return [
        StateRecord(run_id, restored(row[0]), restored(row[1]), *state_item(db, row[2:]))
        for row in found
    ]


def state_item(db: Session, row: Row) -> tuple[str, Encoded]:
    """Return name and value from the row of what a task keeps, verified."""
    name, codec, digest, data = row
    return restored(name), verified(db.url, digest, restored(codec), data)


def code(db: Session, digest: str) -> str | None:
    """Return a piece of source, if there is one."""
    row = db.first(sql.CODE, [storable(digest)])
    return None if row is None else source_of((storable(digest), *row))


def source_of(row: Row) -> str:
    """Return the source in a row of digest, source and checksum, verified."""
    return str(rows.opened(row, f"source {row[0]}")[1])

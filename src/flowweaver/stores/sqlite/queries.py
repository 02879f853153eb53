"""What can be asked of a store's SQLite file. Every row is verified before it is believed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from flowweaver.records import AttemptRecord, RunRecord, TaskRecord
from flowweaver.stores.common.bases import with_base
from flowweaver.stores.common.columns import DamagedRowError, Row, key_of
from flowweaver.stores.sqlite import rows, schema

RunsSeen = dict[Row, tuple[str, str]]
"""Id and workflow of runs by their rows, which were verified before."""


def runs(db: sqlite3.Connection, workflow: str | None, limit: int | None) -> list[RunRecord]:
    """Return runs, newest first."""
    most = -1 if limit is None else limit
    if workflow is None:
        found = db.execute(schema.RUNS, (most,))
    else:
        found = db.execute(schema.RUNS_BY_WORKFLOW, (rows.storable(workflow), most))
    return [rows.run_record(row).run for row in found.fetchall()]


def unfinished(db: sqlite3.Connection, workflow: str, key: str) -> list[RunRecord]:
    """Return the unfinished runs of a workflow and key, newest first."""
    found = db.execute(schema.UNFINISHED, (rows.storable(workflow), rows.storable(key))).fetchall()
    return [rows.run_record(row).run for row in found]


def stored_run(db: sqlite3.Connection, run_id: str) -> rows.StoredRun | None:
    """Return what the row of a run says, if there is one."""
    row = db.execute(schema.RUN_BY_ID, (rows.storable(run_id),)).fetchone()
    return None if row is None else rows.run_record(row)


def run(db: sqlite3.Connection, run_id: str) -> RunRecord | None:
    """Return a run, if there is one."""
    found = stored_run(db, run_id)
    return None if found is None else found.run


def number_of(db: sqlite3.Connection, run_id: str) -> int | None:
    """Return the number of a run, if there is one."""
    found = stored_run(db, run_id)
    return None if found is None else found.number


def own_tasks(db: sqlite3.Connection, stored: rows.StoredRun) -> list[TaskRecord]:
    """Return the TaskRuns that a run has rows of its own for."""
    number, run, places = stored
    found = db.execute(schema.TASKS, rows.span(number)).fetchall()
    if len(found) < places:
        raise DamagedRowError(f"{places - len(found)} TaskRuns of run {run.id} are missing")
    return rows.task_records(number, run.id, found)


def own_rows(db: sqlite3.Connection, stored: rows.StoredRun) -> Iterator[Row]:
    """Yield the rows that a run has of its own for TaskRuns, not held all at once."""
    first, end = rows.span(stored.number)
    count = 0
    for count, row in enumerate(db.execute(schema.TASKS, (first, end)), 1):
        if row[0] != first + count - 1:
            raise DamagedRowError(f"a TaskRun of run {stored.run.id} is missing")
        yield row
    if count < stored.places:
        missing = stored.places - count
        raise DamagedRowError(f"{missing} TaskRuns of run {stored.run.id} are missing")


def all_tasks(db: sqlite3.Connection, stored: rows.StoredRun) -> list[TaskRecord]:
    """Return the TaskRuns of a run, those it has from its base included."""
    own, base = own_tasks(db, stored), base_of(db, stored)
    return own if base is None else with_base(stored.run, own, own_tasks(db, base))


def base_of(db: sqlite3.Connection, stored: rows.StoredRun) -> rows.StoredRun | None:
    """Return the base that a run names, if it names one."""
    if stored.run.base is None:
        return None
    base = stored_run(db, stored.run.base)
    if base is None:
        raise DamagedRowError(f"the base of run {stored.run.id} is missing")
    return base


def tasks(db: sqlite3.Connection, run_id: str, start: int, stop: int | None) -> list[TaskRecord]:
    """Return the TaskRuns of a run, or a slice of them, in the order they were first written."""
    stored = stored_run(db, run_id)
    if stored is None:
        return []
    if start == 0 and stop is None:
        return all_tasks(db, stored)
    base = base_of(db, stored)
    if base is None:
        return _slice(db, stored.number, run_id, start, stop)
    own = own_tasks(db, stored) if stored.places else []
    if own and (stop is None or stop > base.places):  # there may be some that the base has not
        return all_tasks(db, stored)[start:stop]
    found = _slice(db, base.number, base.run.id, start, stop)
    return with_base(stored.run, own, found)[: len(found)]


def _slice(
    db: sqlite3.Connection, number: int, run_id: str, start: int, stop: int | None
) -> list[TaskRecord]:
    first, end = rows.span(number)
    last = end if stop is None else min(first + stop, end)
    found = db.execute(schema.TASKS, (first + start, last)).fetchall()
    if found and found[-1][0] != first + start + len(found) - 1:
        raise DamagedRowError(f"TaskRuns of run {run_id} are missing")
    return [rows.task_record(run_id, row) for row in found]


def revision(db: sqlite3.Connection) -> tuple[int, int]:
    """Return what differs whenever another connection, or this one, has committed."""
    (version,) = db.execute("PRAGMA data_version").fetchone()
    return version, db.total_changes


def attempts(db: sqlite3.Connection, run_id: str, task: str | None) -> list[AttemptRecord]:
    """Return the attempts of a run, or of one of its tasks, in the order they were written."""
    number = number_of(db, run_id)
    if number is None:
        return []
    if task is not None:
        asked = (*rows.span(number), rows.storable(task))
        found = db.execute(schema.ATTEMPTS_OF_TASK, asked).fetchall()
    else:
        found = db.execute(schema.ATTEMPTS, rows.span(number)).fetchall()
        rows.check_places(number, found, f"an attempt of run {run_id}")
    return [rows.attempt_record(run_id, row) for row in found]


def find(
    db: sqlite3.Connection, workflow: str, task: str, fingerprint: str, runs_seen: RunsSeen
) -> TaskRecord | None:
    """Return the newest completed TaskRun of a fingerprint, if there is one.

    Only the index is trusted to choose rows: a condition on a damaged column would pass over its
    row, and give an older one.
    """
    found = db.execute(schema.COMPLETED, (key_of(fingerprint), rows.storable(task)))
    try:
        owned = _owned(found, runs_seen)
        return next((record for owner, record in owned if owner == workflow), None)
    finally:
        found.close()


def find_anywhere(
    db: sqlite3.Connection, fingerprint: str, outside: str, runs_seen: RunsSeen
) -> tuple[str, TaskRecord] | None:
    """Return the newest completed TaskRun of a fingerprint with its workflow, if there is one."""
    found = db.execute(schema.COMPLETED_ANYWHERE, (key_of(fingerprint), rows.storable(outside)))
    try:
        return next(_owned(found, runs_seen), None)
    finally:
        found.close()


def begun(
    db: sqlite3.Connection, workflow: str, task: str, fingerprint: str, runs_seen: RunsSeen
) -> list[TaskRecord]:
    """Return the TaskRuns of a fingerprint that are not completed, newest run first."""
    found = db.execute(schema.BEGUN, (key_of(fingerprint), rows.storable(task))).fetchall()
    return [record for owner, record in _owned(found, runs_seen) if owner == workflow]


def _owned(found: Iterable[Row], runs_seen: RunsSeen) -> Iterator[tuple[str, TaskRecord]]:
    for row in found:
        task_row, run_row = row[: schema.TASK_WIDTH], row[schema.TASK_WIDTH :]
        run_id, owner = runs_seen.get(run_row) or _seen(run_row, runs_seen)
        yield owner, rows.task_record(run_id, task_row)


def _seen(run_row: Row, runs_seen: RunsSeen) -> tuple[str, str]:
    if run_row[0] is None:
        raise DamagedRowError("a run with TaskRuns is missing")
    run = rows.run_record(run_row).run
    runs_seen[run_row] = run.id, run.workflow
    return runs_seen[run_row]


def result(db: sqlite3.Connection, digest: str) -> tuple[str, int, bytes | None, str | None] | None:
    """Return codec, size, bytes (None if in a file) and signature of a result, if it is there.

    Whether the bytes are as written is seen by the digest.
    """
    row = db.execute(schema.RESULT, (key_of(digest),)).fetchone()
    return None if row is None else rows.result_parts(digest, row)


def sizes(db: sqlite3.Connection, digests: Iterable[str]) -> dict[str, int]:
    """Return the bytes of results, as far as they are there."""
    found: dict[str, int] = {}
    for digest in digests:
        row = db.execute(schema.RESULT_SIZE, (key_of(digest),)).fetchone()
        if row is not None:
            found[digest] = row[0]
    return found


def state(
    db: sqlite3.Connection, run_id: str, task: str, element: str
) -> list[tuple[str, str, bytes, str]]:
    """Return name, codec, bytes and digest of what a task keeps."""
    number = number_of(db, run_id)
    if number is None:
        return []
    found = db.execute(
        schema.STATE, (number, rows.storable(task), rows.storable(element))
    ).fetchall()
    return [rows.state_item(row) for row in found]


def states(db: sqlite3.Connection, run_id: str) -> list[tuple[str, str, str, str, bytes, str]]:
    """Return task, element, name, codec, bytes and digest of what all tasks of a run keep."""
    found = db.execute(schema.STATES, (number_of(db, run_id),)).fetchall()
    return [rows.state_parts(row) for row in found]


def code(db: sqlite3.Connection, digest: str) -> str | None:
    """Return a piece of source, if there is one."""
    row = db.execute(schema.CODE, (digest,)).fetchone()
    if row is None:
        return None
    return str(rows.opened((digest, *row), f"source {digest}")[1])

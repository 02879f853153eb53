"""What can be asked of a part of a run, in a store's SQLite file, without reading the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from heapq import nlargest

from flowweaver.records import Standing, Tally, TaskRecord
from flowweaver.status import TaskStatus
from flowweaver.stores.common.bases import restored_from, with_base
from flowweaver.stores.common.columns import DamagedRowError
from flowweaver.stores.common.shape import DAMAGE
from flowweaver.stores.common.tallies import tally_from
from flowweaver.stores.sqlite import queries, rows, schema


def some_tasks(
    db: sqlite3.Connection,
    run_id: str,
    start: int,
    stop: int | None,
    task: str | None,
    statuses: Collection[TaskStatus] | None,
) -> list[TaskRecord]:
    """Return a slice of the TaskRuns of a run that are of one task, or stand in one of statuses."""
    stored = queries.stored_run(db, run_id)
    if stored is None:
        return []
    limit = -1 if stop is None else max(0, stop - start)
    base = queries.base_of(db, stored)
    if base is None:
        return _selected(db, stored, task, statuses, limit, start)
    if not stored.places:
        found = _selected(db, base, task, statuses, limit, start)
        return with_base(stored.run, [], found)
    own = _selected(db, stored, task, None)
    # Each record of its own can take the place of one of these.
    enough = -1 if stop is None else stop + len(own)
    found = _selected(db, base, task, statuses, enough, but=stored)
    merged = with_base(stored.run, own, found)
    wanted = [record for record in merged if statuses is None or record.status in statuses]
    return wanted[start:stop]


def _selected(
    db: sqlite3.Connection,
    stored: rows.StoredRun,
    task: str | None,
    statuses: Collection[TaskStatus] | None,
    limit: int = -1,
    start: int = 0,
    but: rows.StoredRun | None = None,
) -> list[TaskRecord]:
    """Return the TaskRuns that a run has rows of its own for; those of `but` are among them."""
    by, also, values = "", "", [*rows.span(stored.number)]
    if task is not None:
        also += schema.OF_TASK
        values.append(rows.storable(task))
    if statuses is not None:
        codes = ", ".join(str(rows.TASK_CODES[status.value]) for status in statuses)
        if but is not None:
            condition = schema.OF_STATUS_OR_OWN
            values += rows.span(but.number)
        elif TaskStatus.COMPLETED in statuses or not statuses:
            condition = schema.OF_STATUS
        else:
            by, condition = schema.BY_STATUS, schema.OF_STATUS_NOT_COMPLETED
        also += condition.format(codes=codes)
    question = schema.SOME_TASKS.format(by=by, also=also)
    found = db.execute(question, (*values, limit, start)).fetchall()
    return [rows.task_record(stored.run.id, row) for row in found]


def slowest(db: sqlite3.Connection, run_id: str, limit: int) -> list[TaskRecord]:
    """Return the TaskRuns of a run that took longest, the longest first."""
    stored = queries.stored_run(db, run_id)
    if stored is None:
        return []
    found = _slowest(db, stored, "", (), limit)
    base = queries.base_of(db, stored)
    if base is not None:
        of_base = _slowest(db, base, schema.NOT_OWN, rows.span(stored.number), limit)
        found += [restored_from(base.run.id, run_id, record) for record in of_base]
    return nlargest(limit, found, key=lambda record: record.duration or 0.0)


def _slowest(
    db: sqlite3.Connection, stored: rows.StoredRun, also: str, values: tuple[int, ...], limit: int
) -> list[TaskRecord]:
    question = schema.SLOWEST.format(also=also)
    found = db.execute(question, (*rows.span(stored.number), *values, limit)).fetchall()
    return [rows.task_record(stored.run.id, row) for row in found]


def tally(db: sqlite3.Connection, run_id: str) -> Tally:
    """Count the TaskRuns of a run by where they stand."""
    stored = queries.stored_run(db, run_id)
    if stored is None:
        return Tally()
    base = queries.base_of(db, stored)
    first, end = rows.span(stored.number)
    base_first, base_end = (0, 0) if base is None else rows.span(base.number)
    spans = {"first": first, "end": end, "base_first": base_first, "base_end": base_end}
    wholes = db.execute(schema.COUNT_WHOLES, spans).fetchall()
    elements = db.execute(schema.COUNT_ELEMENTS, spans).fetchall()
    mapped = db.execute(schema.MAPPED, spans).fetchall() if elements else []
    text = rows.restored
    return tally_from(
        [(_standing(run_id, *codes), number, sign) for *codes, number, sign in wholes],
        [
            (text(task), _standing(run_id, *codes), number, sign)
            for task, *codes, number, sign in elements
        ],
        [(text(task), _standing(run_id, *codes)) for task, *codes in mapped],
    )


def _standing(run_id: str, status: object, origin: object) -> Standing:
    try:
        return rows.standing(status, origin)
    except DAMAGE as error:
        raise DamagedRowError(f"a TaskRun of run {run_id} stands nowhere") from error

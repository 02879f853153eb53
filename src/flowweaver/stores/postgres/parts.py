"""What can be asked of a part of a run, in a store in Postgres, without reading the rest."""

from __future__ import annotations

from collections.abc import Collection
from heapq import nlargest

from flowweaver.records import RunRecord, Standing, Tally, TaskRecord
from flowweaver.status import TaskStatus
from flowweaver.stores.common.bases import restored_from, with_base
from flowweaver.stores.common.columns import DamagedRowError
from flowweaver.stores.common.shape import DAMAGE
from flowweaver.stores.common.tallies import tally_from
from flowweaver.stores.postgres import queries, rows
from flowweaver.stores.postgres import schema as sql
from flowweaver.stores.postgres.connections import Session
from flowweaver.stores.postgres.rows import restored, storable

# The number of no run.
_NONE = -1


def some_tasks(
    db: Session,
    run_id: str,
    start: int,
    stop: int | None,
    task: str | None,
    statuses: Collection[TaskStatus] | None,
) -> list[TaskRecord]:
    """Return a slice of the TaskRuns of a run that are of one task, or stand in one of statuses."""
    stored = queries.run(db, run_id)
    if stored is None:
        return []
    seq, run = stored
    wanted: dict[str, object] = {
        "task": None if task is None else storable(task),
        "statuses": None if statuses is None else [status.value for status in statuses],
        "but": _NONE,
        "limit": None if stop is None else max(0, stop - start),
        "start": start,
    }
    base = queries.base_of(db, run)
    if base is None:
        return _selected(db, stored, wanted)
    whole = {**wanted, "start": 0, "limit": None}
    own = _selected(db, stored, {**whole, "statuses": None})
    if own:
        # Each record of its own can take the place of one of these.
        limit = None if stop is None else stop + len(own)
        wanted = {**wanted, "but": seq, "start": 0, "limit": limit}
    found = with_base(run, own, _selected(db, base, wanted))
    if not own:
        return found
    return [each for each in found if statuses is None or each.status in statuses][start:stop]


def _selected(
    db: Session, stored: tuple[int, RunRecord], wanted: dict[str, object]
) -> list[TaskRecord]:
    seq, run = stored
    found = db.all(sql.SOME_TASKS, {**wanted, "run": seq})
    return [rows.task_record(run.id, row) for row in found]


def slowest(db: Session, run_id: str, limit: int) -> list[TaskRecord]:
    """Return the TaskRuns of a run that took longest, the longest first."""
    stored = queries.run(db, run_id)
    if stored is None:
        return []
    seq, run = stored
    found = _slowest(db, stored, _NONE, limit)
    base = queries.base_of(db, run)
    if base is not None:
        of_base = _slowest(db, base, seq, limit)
        found += [restored_from(base[1].id, run_id, record) for record in of_base]
    return nlargest(limit, found, key=lambda record: record.duration or 0.0)


def _slowest(db: Session, stored: tuple[int, RunRecord], but: int, limit: int) -> list[TaskRecord]:
    seq, run = stored
    found = db.all(sql.SLOWEST, {"run": seq, "but": but, "limit": limit})
    return [rows.task_record(run.id, row) for row in found]


def tally(db: Session, run_id: str) -> Tally:
    """Count the TaskRuns of a run by where they stand."""
    stored = queries.run(db, run_id)
    if stored is None:
        return Tally()
    seq, run = stored
    base = queries.base_of(db, run)
    runs = {"run": seq, "base": _NONE if base is None else base[0]}
    wholes, elements = db.all(sql.COUNT_WHOLES, runs), db.all(sql.COUNT_ELEMENTS, runs)
    mapped = db.all(sql.MAPPED, runs) if elements else []
    return tally_from(
        [(_standing(run_id, *codes), number, sign) for *codes, number, sign in wholes],
        [
            (restored(task), _standing(run_id, *codes), number, sign)
            for task, *codes, number, sign in elements
        ],
        [(restored(task), _standing(run_id, *codes)) for task, *codes in mapped],
    )


def _standing(run_id: str, status: object, origin: object) -> Standing:
    try:
        return rows.standing(status, origin)
    except DAMAGE as error:
        raise DamagedRowError(f"a TaskRun of run {run_id} stands nowhere") from error

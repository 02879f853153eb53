"""What a claim and a commit write, inside one SQLite transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    Lease,
    ResultRecord,
    RunRecord,
    StateRecord,
    TaskRecord,
)
from flowweaver.stores.common import problems
from flowweaver.stores.common.leases import settle
from flowweaver.stores.common.locks import RunLock
from flowweaver.stores.common.results import Staged
from flowweaver.stores.sqlite import queries, rows, schema

_MOST_KNOWN = 4096


@dataclass(slots=True)
class Held:
    """A lease a store has given: the run's number and lock, and what of it is known to be there.

    Only the holder of the newest token adds TaskRuns to a run, so their places are known here and
    need no index on disk (None: to be looked up again). So are the results that were committed
    under the lease, by digest and signature: while somebody works on a run none is swept. All of
    it as seen through `connection`, since another may lead to another file.
    """

    run: int
    lock: RunLock
    connection: sqlite3.Connection | None = None
    places: rows.Places | None = None
    known: set[tuple[str, str | None]] = field(default_factory=set)

    def forget(self) -> None:
        """Look everything up again: it is not known what was written."""
        self.places, self.connection = None, None
        self.known.clear()

    def note(self, results: Sequence[ResultRecord]) -> None:
        """Keep in mind that results are in the store."""
        if len(self.known) > _MOST_KNOWN:
            self.known.clear()
        self.known.update((record.encoded.digest, record.signature) for record in results)

    def unknown(self, results: Sequence[ResultRecord]) -> list[ResultRecord]:
        """Return the results that may not be in the store."""
        known = self.known
        return [
            record for record in results if (record.encoded.digest, record.signature) not in known
        ]


def take(
    db: sqlite3.Connection, request: ClaimRequest, lock: RunLock, staged: Staged | None
) -> tuple[Lease, Held]:
    """Find or make the run asked for, with a new token."""
    unfinished = queries.unfinished(db, request.workflow, request.key)
    named = None if request.run_id is None else queries.run(db, request.run_id)
    settled = settle(request, unfinished, named, lambda run_id: queries.run(db, run_id) is not None)
    for run in settled.abandoned:
        given_up = queries.number_of(db, run.id) or 0
        _put_run(db, given_up, run, len(_places(db, given_up)))
    stored = queries.stored_run(db, settled.run.id)
    if stored is None:
        number, tasks = _next_number(db), []
    else:
        hand_on(db, stored)
        number, tasks = stored.number, take_over(db, stored)
    _put_run(db, number, settled.run, len(tasks))
    _put_results(db, request.results)
    if staged is not None:
        staged.settle()
    if request.take_over:
        lock.seize()
    places = {(record.task, record.element): place for place, record in enumerate(tasks)}
    return Lease(settled.run, settled.continued, tuple(tasks)), Held(number, lock, db, places)


def commit(
    db: sqlite3.Connection, lease: Lease, held: Held, changes: Changes, staged: Staged | None
) -> None:
    """Write what a commit holds, if the lease's token is still the newest."""
    run_id = lease.run.id
    is_one = len(changes.tasks) == 1 and changes.run is None
    if not (is_one and commit_row(db, lease, held, changes.tasks[0])):
        _check_token(db, lease, held)
        if held.connection is not db:
            held.forget()
        if changes.tasks or changes.run is not None:
            _put_tasks(db, held.run, run_id, _places_of(db, held), changes.tasks)
    if changes.results:
        _put_results(db, held.unknown(changes.results))
    if changes.run is not None:
        _check_run(changes.run.id, run_id)
        _put_run(db, held.run, replace(changes.run, token=lease.token), len(held.places or ()))
    if changes.attempts:
        _put_attempts(db, held.run, run_id, changes.attempts)
    if changes.state:
        _put_state(db, held.run, run_id, changes.state)
    if changes.code:
        db.executemany(schema.PUT_CODE, [rows.sealed(*item) for item in changes.code.items()])
    if staged is not None:
        staged.settle()


def is_one_row(held: Held, changes: Changes) -> bool:
    """Return whether all that a commit adds to what is known to be there is one TaskRun."""
    rest = changes.run or changes.attempts or changes.state or changes.code
    return len(changes.tasks) == 1 and not rest and not held.unknown(changes.results)


def commit_row(db: sqlite3.Connection, lease: Lease, held: Held, record: TaskRecord) -> bool:
    """Write one TaskRun in one statement, if the lease's token is still the newest.

    Returns:
        False if nothing was done, as not all is known that must be.
    """
    if held.places is None or held.connection is not db:
        return False
    run_id = lease.run.id
    row = rows.task_row(held.run, run_id, held.places, record)
    fence = (held.run, run_id, lease.token)
    try:
        written = db.execute(schema.PUT_TASK_IF_HELD, row + fence)
    except UnicodeEncodeError:
        written = db.execute(schema.PUT_TASK_IF_HELD, tuple(map(rows.storable, row)) + fence)
    if written.rowcount == 0:
        raise problems.superseded(run_id)
    return True


def _check_token(db: sqlite3.Connection, lease: Lease, held: Held) -> None:
    found = db.execute(schema.TOKEN, (held.run, lease.run.id)).fetchone()
    if found is None or found[0] != lease.token:
        raise problems.superseded(lease.run.id)


def _places_of(db: sqlite3.Connection, held: Held) -> rows.Places:
    if held.places is None:
        held.places, held.connection = _places(db, held.run), db
    return held.places


def _next_number(db: sqlite3.Connection) -> int:
    return int(db.execute(schema.NEXT_RUN).fetchone()[0])


def _places(db: sqlite3.Connection, run: int) -> rows.Places:
    found = db.execute(schema.PLACES_OF, rows.span(run)).fetchall()
    return {(task, element): place for place, (task, element) in enumerate(found)}


def hand_on(db: sqlite3.Connection, base: rows.StoredRun, but: Collection[str] = ()) -> None:
    """Have the runs that name a base do without it; those in `but` are left as they are."""
    found = db.execute(schema.RUNS_BY_BASE, (base.run.id,)).fetchall()
    heirs = [heir for heir in map(rows.run_record, found) if heir.run.id not in but]
    taker = next((heir for heir in heirs if heir.places == 0), None)
    for heir in heirs if taker is None else [taker]:
        count = len(take_over(db, heir))
        _put_run(db, heir.number, replace(heir.run, base=None), count)
    if taker is not None:
        for heir in heirs:
            if heir is not taker:
                _put_run(db, heir.number, replace(heir.run, base=taker.run.id), heir.places)


def take_over(db: sqlite3.Connection, stored: rows.StoredRun) -> list[TaskRecord]:
    """Give a run rows for all of its TaskRuns, if it has some from a base; return those."""
    records = queries.all_tasks(db, stored)
    if stored.run.base is not None:
        db.execute(schema.DELETE_TASKS, rows.span(stored.number))
        _put_tasks(db, stored.number, stored.run.id, {}, records)
    return records


def _put_run(db: sqlite3.Connection, number: int, run: RunRecord, places: int) -> None:
    if run.base is not None:
        run = replace(run, base=_base_of(db, run.base))
    db.execute(schema.PUT_RUN, rows.run_row(number, run, places))


def _base_of(db: sqlite3.Connection, run_id: str) -> str:
    """Return the base of a run that names one, which may have one itself."""
    found = queries.stored_run(db, run_id)
    if found is None or (found.run.base is not None and found.places):
        raise problems.no_base(run_id)
    return found.run.base or run_id


def _put_tasks(
    db: sqlite3.Connection,
    run: int,
    run_id: str,
    places: rows.Places,
    records: Sequence[TaskRecord],
) -> None:
    try:
        db.executemany(schema.PUT_TASK, rows.task_rows(run, run_id, places, records))
    except UnicodeEncodeError:
        again = rows.task_rows(run, run_id, places, records)
        db.executemany(schema.PUT_TASK, (tuple(map(rows.storable, row)) for row in again))


def _put_results(db: sqlite3.Connection, results: Sequence[ResultRecord]) -> None:
    db.executemany(schema.PUT_RESULT, [rows.result_row(record) for record in results])


def _put_attempts(
    db: sqlite3.Connection, run: int, run_id: str, records: Sequence[AttemptRecord]
) -> None:
    first, beyond = rows.span(run)
    (last,) = db.execute(schema.LAST_ATTEMPT, (first, beyond)).fetchone()
    ready = []
    for id_, record in enumerate(records, first if last is None else last + 1):
        _check_run(record.run_id, run_id)
        ready.append(rows.attempt_row(id_, record))
    db.executemany(schema.PUT_ATTEMPT, ready)


def _put_state(
    db: sqlite3.Connection, run: int, run_id: str, records: Sequence[StateRecord]
) -> None:
    for record in records:
        _check_run(record.run_id, run_id)
        if record.value is None:
            db.execute(schema.DROP_STATE, (run, record.task, record.element, record.name))
        else:
            db.execute(schema.PUT_STATE, rows.state_row(run, record, record.value))


def _check_run(found: str, run_id: str) -> None:
    if found != run_id:
        raise problems.wrong_run(found, run_id)

"""What a claim and a commit write, inside one Postgres transaction.

Both can be done again when nobody knows whether their COMMIT came through: the row of the lease
says who has it, and which commit was the last.
"""

from __future__ import annotations

import os
import platform
import secrets
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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
from flowweaver.stores.common.columns import Row
from flowweaver.stores.common.leases import Holder, settle
from flowweaver.stores.postgres import rows
from flowweaver.stores.postgres import schema as sql
from flowweaver.stores.postgres.connections import Session
from flowweaver.stores.postgres.queries import all_tasks
from flowweaver.stores.postgres.queries import run as run_of
from flowweaver.stores.postgres.rows import Places, restored, storable

LARGEST = 512 * 1024 * 1024
"""Results of more bytes than this are refused: the server takes no more than twice it at once."""

_BATCH_BYTES = 16 * 1024 * 1024
_BATCH_ROWS = 5000


def number() -> int:
    """Return a number that nobody else draws."""
    return secrets.randbits(62) + 1


@dataclass(slots=True)
class Held:
    """A lease a store has given.

    `owner` tells it from all others. Only its holder adds TaskRuns to the run, so where they stand
    is known here; None: to be looked up again. `turn` keeps commits of several threads apart.
    """

    workflow: str
    key: str
    run: int
    owner: int
    places: Places | None
    turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def where(self) -> tuple[str, str, int]:
        """What finds the lease's row."""
        return storable(self.workflow), storable(self.key), self.owner


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a claim got nothing: who has the run, and for how many seconds at least."""

    holder: Holder
    seconds: float


class Claim:
    """One claim: what each attempt at it does, up to the one that is known to be in."""

    def __init__(self, request: ClaimRequest, seconds: float) -> None:
        self._request = request
        self._seconds = seconds
        self._owner = number()
        self._taken: tuple[Lease, Held] | None = None

    def __call__(self, db: Session) -> tuple[Lease, Held] | Refusal:
        """Take the lease if nobody has it, and then find or make the run asked for."""
        request = self._request
        place = [storable(request.workflow), storable(request.key)]
        while True:
            found = db.first(sql.HOLDER, place)
            if found is not None:
                owner, host, pid, since, left = found
                if owner == self._owner and self._taken is not None:
                    return self._taken
                if left > 0 and not request.take_over:
                    return Refusal(Holder(restored(host), pid, since), left)
            if db.first(sql.CLAIM, self._lease_row(*place)) is not None:
                break
        self._taken = self._settled(db, place)
        return self._taken

    def _lease_row(self, workflow: str, key: str) -> Mapping[str, Any]:
        return {
            "workflow": workflow,
            "key": key,
            "owner": self._owner,
            "host": storable(platform.node()),
            "pid": os.getpid(),
            "seconds": self._seconds,
            "take_over": self._request.take_over,
        }

    def _settled(self, db: Session, place: list[str]) -> tuple[Lease, Held]:
        request = self._request
        found = [rows.run_record(row) for row in db.all(sql.UNFINISHED, place)]
        numbers = {run.id: seq for seq, run in found}
        named = None if request.run_id is None else run_of(db, request.run_id)
        if named is not None:
            numbers[named[1].id] = named[0]
        settled = settle(
            request,
            [run for _, run in found],
            None if named is None else named[1],
            lambda run_id: run_of(db, run_id) is not None,
        )
        for run in settled.abandoned:
            _put_run(db, numbers[run.id], run)
        tasks: list[TaskRecord] = []
        if settled.continued:
            stored = run_of(db, settled.run.id)
            assert stored is not None
            seq = stored[0]
            hand_on(db, stored[1])
            tasks = take_over(db, *stored)
            _put_run(db, seq, settled.run)
        else:
            seq = db.column(sql.MAKE_RUN, rows.run_row(settled.run))[0]
        db.run(sql.LEASE_OF_RUN, [seq, *place])
        _put_results(db, request.results)
        places = {(record.task, record.element): n for n, record in enumerate(tasks)}
        held = Held(request.workflow, request.key, seq, self._owner, places)
        return Lease(settled.run, settled.continued, tuple(tasks)), held


def commit(
    db: Session, lease: Lease, held: Held, changes: Changes, nth: int, seconds: float
) -> None:
    """Write what commit number `nth` holds, unless it is in already.

    The lease is renewed for so many seconds by it.
    """
    run_id = lease.run.id
    workflow, key, owner = held.where
    fence = {
        "number": nth,
        "seconds": seconds,
        "workflow": workflow,
        "key": key,
        "owner": owner,
        "run": held.run,
    }
    if db.first(sql.FENCE, fence) is None:
        if db.column(sql.LAST_COMMIT, held.where) != [nth]:
            raise problems.superseded(run_id)
        return
    if changes.tasks:
        if held.places is None:
            held.places = _places(db, held.run)
        _put_tasks(db, held.run, run_id, held.places, changes.tasks)
    _put_results(db, changes.results)
    if changes.run is not None:
        if changes.run.id != run_id:
            raise problems.wrong_run(changes.run.id, run_id)
        _put_run(db, held.run, replace(changes.run, token=lease.token))
    _put_attempts(db, held.run, run_id, changes.attempts)
    _put_state(db, held.run, run_id, changes.state)
    if changes.code:
        # In one order, as results are: whoever writes the same ones waits, and nobody in a circle.
        sealed = [rows.sealed(*item) for item in sorted(changes.code.items())]
        db.run(sql.PUT_CODE, _columns(sealed))


def _places(db: Session, run: int) -> Places:
    found = db.all(sql.PLACES, [run])
    return {(restored(task), restored(element)): n for n, (task, element) in enumerate(found)}


def hand_on(db: Session, base: RunRecord, but: Collection[str] = ()) -> None:
    """Have the runs that name a base do without it; those in `but` are left as they are."""
    found = map(rows.run_record, db.all(sql.RUNS_BY_BASE, [storable(base.id)]))
    heirs = [(seq, run) for seq, run in found if run.id not in but]
    taker = next((run for seq, run in heirs if not db.column(sql.HAS_TASKS, [seq])[0]), None)
    for seq, run in heirs:
        if taker is None or run is taker:
            take_over(db, seq, run)
            _put_run(db, seq, replace(run, base=None))
    if taker is not None:
        for seq, run in heirs:
            if run is not taker:
                _put_run(db, seq, replace(run, base=taker.id))


def take_over(db: Session, seq: int, run: RunRecord) -> list[TaskRecord]:
    """Give a run rows for all of its TaskRuns, if it has some from a base; return those."""
    records = all_tasks(db, seq, run)
    if run.base is not None:
        db.run(sql.DELETE_TASKS, [seq])
        _put_tasks(db, seq, run.id, {}, records)
    return records


def _put_run(db: Session, seq: int, run: RunRecord) -> None:
    if run.base is not None:
        run = replace(run, base=_base_of(db, run.base))
    db.run(sql.PUT_RUN, (*rows.run_row(run), seq))


def _base_of(db: Session, run_id: str) -> str:
    """Return the base of a run that names one, which may have one itself."""
    found = run_of(db, run_id)
    if found is None:
        raise problems.no_base(run_id)
    seq, run = found
    if run.base is not None and db.column(sql.HAS_TASKS, [seq])[0]:
        raise problems.no_base(run_id)
    return run.base or run_id


def _put_tasks(
    db: Session, run: int, run_id: str, places: Places, records: Sequence[TaskRecord]
) -> None:
    # One statement can't write a row twice: of several records of a TaskRun the last counts.
    ready = {row[1]: row for row in rows.task_rows(run, run_id, places, records)}
    values = list(ready.values())
    for start in range(0, len(values), _BATCH_ROWS):
        db.run(sql.PUT_TASKS, _columns(values[start : start + _BATCH_ROWS]))


def _put_results(db: Session, results: Sequence[ResultRecord]) -> None:
    ready = {record.encoded.digest: record for record in results}
    batch: list[Row] = []
    size = 0
    for digest in sorted(ready):
        length = len(ready[digest].encoded.data)
        if length > LARGEST:
            raise problems.too_large(db.url, digest, length, LARGEST)
        if batch and (size + length > _BATCH_BYTES or len(batch) == _BATCH_ROWS):
            db.run(sql.PUT_RESULTS, _columns(batch))
            batch, size = [], 0
        batch.append(rows.result_row(ready[digest]))
        size += length
    if batch:
        db.run(sql.PUT_RESULTS, _columns(batch))


def _put_attempts(db: Session, run: int, run_id: str, records: Sequence[AttemptRecord]) -> None:
    if records:
        ready = [rows.attempt_row(run_id, record) for record in records]
        db.run(sql.PUT_ATTEMPTS, [run, *_columns(ready)])


def _put_state(db: Session, run: int, run_id: str, records: Sequence[StateRecord]) -> None:
    for record in records:
        key = rows.state_key(run, run_id, record)
        db.run(sql.DROP_STATE, key)
        if record.value is not None:
            value = record.value
            db.run(sql.PUT_STATE, (*key, storable(value.codec), value.digest, value.data))


def _columns(table: Iterable[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*table, strict=True)]

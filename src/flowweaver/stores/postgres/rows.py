"""Records to Postgres rows and back; every row carries a checksum over all of its fields.

Postgres takes neither NUL nor lone surrogates in a text: those are written as SUB (U+001A) and
four hex digits, and so is SUB itself. All else stands in the tables as it is, to be read by people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from zlib import crc32

from flowweaver.records import AttemptRecord, ResultRecord, RunRecord, StateRecord, TaskRecord
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.stores.common import problems
from flowweaver.stores.sqlite.rows import DamagedRowError, Row, failure_from, failure_text

Places = dict[tuple[str, str], int]
"""Where the TaskRuns of a run stand, by task and element."""

_AWKWARD = re.compile("[\0\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")

_RUN_STATUS = {status.value: status for status in RunStatus}
_TASK_STATUS = {status.value: status for status in TaskStatus}
_ORIGIN: dict[str | None, Origin | None] = {None: None}
_ORIGIN.update((origin.value, origin) for origin in Origin)


def storable(text: str) -> str:
    """Return a text as Postgres takes it."""
    return _AWKWARD.sub(lambda found: f"\x1a{ord(found[0]):04x}", text)


def restored(text: str) -> str:
    """Return the text that `storable` was given."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\x1a" in text else text


def sealed(*values: Any) -> Row:
    """Return a row with its checksum, ready to be stored."""
    total = crc32(ascii(values).encode())
    return (*[storable(value) if isinstance(value, str) else value for value in values], total)


def opened(row: Row, what: str) -> Row:
    """Return a row without its checksum, verified; `what` names it if it is damaged."""
    values = tuple([restored(value) if isinstance(value, str) else value for value in row[:-1]])
    if crc32(ascii(values).encode()) != row[-1]:
        raise DamagedRowError(f"{what} fails its checksum")
    return values


def _number(value: float | None) -> float | None:
    # What is stored as a float comes back as one, even if it was an int.
    return None if value is None else float(value)


def run_row(run: RunRecord) -> Row:
    """Return the row of a run, without its number."""
    return sealed(
        run.id,
        run.workflow,
        run.key,
        run.status.value,
        float(run.created_at),
        float(run.claimed_at),
        _number(run.finished_at),
        run.token,
        run.runner,
        json.dumps(dict(run.params)),
        json.dumps(dict(run.info)),
    )


def run_record(row: Row) -> tuple[int, RunRecord]:
    """Return a run and its number."""
    id_, workflow, key, status, created, claimed, finished, token, runner, params, info = opened(
        row[1:], f"run {row[1]}"
    )
    run = RunRecord(
        id=id_,
        workflow=workflow,
        key=key,
        status=_RUN_STATUS[status],
        created_at=created,
        claimed_at=claimed,
        finished_at=finished,
        token=token,
        runner=runner,
        params=json.loads(params),
        info=json.loads(info),
    )
    return row[0], run


def task_rows(
    run: int, run_id: str, places: Places, records: Iterable[TaskRecord]
) -> Iterator[Row]:
    """Yield the rows of TaskRuns; new ones are added to `places` in order."""
    for record in records:
        _check_run(record.run_id, run_id)
        task, element, origin, failure = record.task, record.element, record.origin, record.failure
        yield sealed(
            run,
            places.setdefault((task, element), len(places)),
            task,
            element,
            record.status.value,
            record.attempts,
            record.failures,
            _number(record.retry_at),
            None if origin is None else origin.value,
            record.fingerprint,
            record.digest,
            record.source_run,
            _number(record.started_at),
            _number(record.finished_at),
            _number(record.duration),
            None if failure is None else failure_text(failure),
            record.facts,
            record.reason,
        )


def task_record(run_id: str, row: Row) -> TaskRecord:
    """Return a TaskRun from its row."""
    values = opened(row, f"a TaskRun of run {run_id}")
    failure = values[15]
    return TaskRecord(
        run_id,
        values[2],
        values[3],
        _TASK_STATUS[values[4]],
        values[5],
        values[6],
        values[7],
        _ORIGIN[values[8]],
        values[9],
        values[10],
        values[11],
        values[12],
        values[13],
        values[14],
        None if failure is None else failure_from(failure),
        values[16],
        values[17],
    )


def attempt_row(run_id: str, record: AttemptRecord) -> Row:
    """Return the row of an attempt, without its run's number."""
    _check_run(record.run_id, run_id)
    return sealed(
        record.task,
        record.element,
        record.number,
        float(record.started_at),
        float(record.duration),
        None if record.failure is None else failure_text(record.failure),
        record.log,
    )


def attempt_record(run_id: str, row: Row) -> AttemptRecord:
    """Return an attempt from its row."""
    values = opened(row, f"an attempt of run {run_id}")
    task, element, number, started_at, duration, failure, log = values
    return AttemptRecord(
        run_id,
        task,
        element,
        number,
        started_at,
        duration,
        None if failure is None else failure_from(failure),
        log,
    )


def state_key(run: int, run_id: str, record: StateRecord) -> Row:
    """Return what tells an item of a task's state from others."""
    _check_run(record.run_id, run_id)
    return (run, storable(record.task), storable(record.element), storable(record.name))


def result_row(record: ResultRecord) -> Row:
    """Return the row of a result; its digest is its checksum."""
    encoded, signature = record.encoded, record.signature
    return (
        storable(encoded.digest),
        storable(encoded.codec),
        encoded.data,
        None if signature is None else storable(signature),
    )


def _check_run(found: str, run_id: str) -> None:
    if found != run_id:
        raise problems.wrong_run(found, run_id)

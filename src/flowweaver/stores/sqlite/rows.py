"""Records to SQLite rows and back; every row carries a checksum over all of its fields.

A flipped bit anywhere in a row is found when the row is read: CRC-32 detects every error of up to
32 bits in a row. The functions for TaskRuns are written for speed: ten thousand of them are
written and read at a time.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any
from zlib import crc32

from flowweaver.records import (
    AttemptRecord,
    Failure,
    ResultRecord,
    RunRecord,
    StateRecord,
    TaskRecord,
)
from flowweaver.serialize import Encoded
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.stores.common import problems
from flowweaver.stores.common.results import LARGE
from flowweaver.stores.sqlite.schema import PLACES

Row = tuple[Any, ...]


class DamagedRowError(Exception):
    """A row is not as it was written; the message says which."""


# Statuses as small numbers. They are on disk: never renumber, only add.
_TASK_CODES = {
    TaskStatus.PENDING: 0,
    TaskStatus.RUNNING: 1,
    TaskStatus.RETRYING: 2,
    TaskStatus.COMPLETED: 3,
    TaskStatus.FAILED: 4,
    TaskStatus.SKIPPED: 5,
    TaskStatus.UPSTREAM_FAILED: 6,
    TaskStatus.CANCELLED: 7,
}
_RUN_CODES = {
    RunStatus.RUNNING: 0,
    RunStatus.COMPLETED: 1,
    RunStatus.FAILED: 2,
    RunStatus.CANCELLED: 3,
    RunStatus.ABANDONED: 4,
}
_ORIGIN_CODES = {Origin.EXECUTED: 1, Origin.RESTORED: 2}

# By the names, whose hashes are cached; that of an Enum member is computed in Python each time.
_CODE_OF_TASK = {status.value: code for status, code in _TASK_CODES.items()}
_CODE_OF_ORIGIN = {origin.value: code for origin, code in _ORIGIN_CODES.items()}
_TASK_OF_CODE = {code: status for status, code in _TASK_CODES.items()}
_RUN_OF_CODE = {code: status for status, code in _RUN_CODES.items()}
_ORIGIN_OF_CODE: dict[int | None, Origin | None] = {None: None}
_ORIGIN_OF_CODE.update((code, origin) for origin, code in _ORIGIN_CODES.items())

# What reading a damaged row raises.
_DAMAGE = (ValueError, TypeError, KeyError, OverflowError, struct.error)

_NAN = float("nan")
_NONE = b"none"
_numbers = struct.Struct("<qqqqqdddd").pack


def span(run: int) -> tuple[int, int]:
    """Return the first id of a run's TaskRuns (and attempts), and the first beyond them."""
    return run << PLACES, (run + 1) << PLACES


def key_of(digest: str) -> bytes | str:
    """Return a digest as it is stored: its bytes if it is hex, else the text itself."""
    try:
        raw = bytes.fromhex(digest)
    except ValueError:
        return digest
    return raw if raw.hex() == digest else digest


def digest_of(key: bytes | str) -> str:
    """Return the digest that is stored as `key`."""
    return key.hex() if isinstance(key, bytes) else key


def task_rows(
    run: int, run_id: str, places: dict[tuple[str, str], int], records: Iterable[TaskRecord]
) -> Iterator[Row]:
    """Yield the rows of TaskRuns; new ones are added to `places` in order."""
    first = run << PLACES
    for record in records:
        if record.run_id != run_id:
            raise problems.wrong_run(record.run_id, run_id)
        task, element, origin = record.task, record.element, record.origin
        fingerprint, digest, failure = record.fingerprint, record.digest, record.failure
        values = (
            first + places.setdefault((task, element), len(places)),
            task,
            element,
            _CODE_OF_TASK[record.status._value_],
            record.attempts,
            record.failures,
            record.retry_at,
            None if origin is None else _CODE_OF_ORIGIN[origin._value_],
            None if fingerprint is None else key_of(fingerprint),
            None if digest is None else key_of(digest),
            record.source_run,
            record.started_at,
            record.finished_at,
            record.duration,
            None if failure is None else failure_text(failure),
            record.facts,
            record.reason,
        )
        yield (*values, _task_sum(*values))


def task_records(run: int, run_id: str, rows: Sequence[Row]) -> list[TaskRecord]:
    """Return all TaskRuns of a run from their rows.

    Raises:
        DamagedRowError: A row is missing or not as it was written.
    """
    check_places(run, rows, f"a TaskRun of run {run_id}")
    return [task_record(run_id, row) for row in rows]


def check_places(run: int, rows: Sequence[Row], what: str) -> None:
    """Raise if rows of a run do not stand one after the other from the first place."""
    for place, row in enumerate(rows, run << PLACES):
        if row[0] != place:
            raise DamagedRowError(f"{what} is missing")


def task_record(run_id: str, row: Row) -> TaskRecord:
    """Return a TaskRun from its row, its checksum verified."""
    try:
        if _task_sum(*row) != row[17]:
            row = _restored(row, keep=(8, 9))
            if _task_sum(*row) != row[17]:
                raise ValueError
        fingerprint, digest, failure = row[8], row[9], row[14]
        # By position, which is half as long as by name.
        return TaskRecord(
            run_id,
            row[1],
            row[2],
            _TASK_OF_CODE[row[3]],
            row[4],
            row[5],
            row[6],
            _ORIGIN_OF_CODE[row[7]],
            fingerprint.hex() if fingerprint.__class__ is bytes else fingerprint,
            digest.hex() if digest.__class__ is bytes else digest,
            row[10],
            row[11],
            row[12],
            row[13],
            None if failure is None else failure_from(failure),
            row[15],
            row[16],
        )
    except _DAMAGE as error:
        raise DamagedRowError(f"a TaskRun of run {run_id} fails its checksum") from error


def _task_sum(
    id_: int,
    task: str,
    element: str,
    status: int,
    attempts: int,
    failures: int,
    retry_at: float | None,
    origin: int | None,
    fingerprint: bytes | str | None,
    digest: bytes | str | None,
    source_run: str | None,
    started_at: float | None,
    finished_at: float | None,
    duration: float | None,
    failure: str | None,
    facts: str,
    reason: str,
    _sum: int = 0,
) -> int:
    # A REAL column does not keep the sign of a zero: adding 0.0 takes it away.
    numbers = _numbers(
        id_,
        status,
        attempts,
        failures,
        origin or 0,
        _NAN if retry_at is None else retry_at + 0.0,
        _NAN if started_at is None else started_at + 0.0,
        _NAN if finished_at is None else finished_at + 0.0,
        _NAN if duration is None else duration + 0.0,
    )
    text = f"{task}\0{element}\0{source_run}\0{failure}\0{facts}\0{reason}"
    try:
        keys = (_NONE if fingerprint is None else fingerprint) + (  # type: ignore[operator]
            _NONE if digest is None else digest
        )
        return crc32(numbers + keys + text.encode())  # type: ignore[operator]
    except (TypeError, UnicodeEncodeError):
        # Digests that are not hex, texts with lone surrogates.
        return crc32(numbers + ascii((fingerprint, digest, text)).encode())


def storable(row: Row) -> Row:
    """Return a row whose texts SQLite takes: those with lone surrogates become bytes."""
    return tuple(_text_or_bytes(value) if isinstance(value, str) else value for value in row)


def _text_or_bytes(text: str) -> str | bytes:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def _restored(row: Row, keep: Sequence[int] = ()) -> Row:
    # The inverse of `storable`, but for the columns that hold bytes of their own.
    return tuple(
        value.decode("utf-8", "surrogatepass")
        if isinstance(value, bytes) and column not in keep
        else value
        for column, value in enumerate(row)
    )


def sealed(*values: Any) -> Row:
    """Return a row of a table other than `task`, with its checksum, ready to be stored."""
    return storable((*values, crc32(ascii(values).encode())))


def opened(row: Row, what: str) -> Row:
    """Return such a row without its checksum, verified; `what` names it if it is damaged."""
    try:
        values = _restored(row[:-1])
    except ValueError as error:
        raise DamagedRowError(f"{what} is not text") from error
    if crc32(ascii(values).encode()) != row[-1]:
        raise DamagedRowError(f"{what} fails its checksum")
    return values


def run_row(seq: int, run: RunRecord, places: int) -> Row:
    """Return the row of a run that has so many TaskRuns."""
    return sealed(
        seq,
        run.id,
        run.workflow,
        run.key,
        _RUN_CODES[run.status],
        run.created_at + 0.0,
        run.claimed_at + 0.0,
        None if run.finished_at is None else run.finished_at + 0.0,
        run.token,
        run.runner,
        json.dumps(dict(run.params)),
        json.dumps(dict(run.info)),
        places,
    )


def run_record(row: Row) -> tuple[int, RunRecord, int]:
    """Return a run's number, the run, and how many TaskRuns it has at least."""
    values = opened(row, f"run {row[1]}")
    seq, id_, workflow, key, status, created, claimed, finished, token, runner = values[:10]
    params, info, places = values[10:]
    run = RunRecord(
        id=id_,
        workflow=workflow,
        key=key,
        status=_RUN_OF_CODE[status],
        created_at=created,
        claimed_at=claimed,
        finished_at=finished,
        token=token,
        runner=runner,
        params=json.loads(params),
        info=json.loads(info),
    )
    return seq, run, places


def attempt_row(id_: int, record: AttemptRecord) -> Row:
    """Return the row of an attempt."""
    return sealed(
        id_,
        record.task,
        record.element,
        record.number,
        record.started_at + 0.0,
        record.duration + 0.0,
        None if record.failure is None else failure_text(record.failure),
        record.log,
    )


def attempt_record(run_id: str, row: Row) -> AttemptRecord:
    """Return an attempt from its row."""
    values = opened(row, f"an attempt of run {run_id}")
    _, task, element, number, started_at, duration, failure, log = values
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


def state_row(run: int, record: StateRecord, value: Encoded) -> Row:
    """Return the row of what a task keeps; its bytes have a digest of their own."""
    *key, total = sealed(run, record.task, record.element, record.name, value.codec, value.digest)
    return (*key, value.data, total)


def state_parts(row: Row) -> tuple[str, str, str, str, bytes, str]:
    """Return task, element, name, codec, bytes and digest from the row of what a task keeps."""
    *key, data, total = row
    _, task, element, name, codec, digest = opened((*key, total), "what a task keeps")
    return task, element, name, codec, data, digest


def state_item(row: Row) -> tuple[str, str, bytes, str]:
    """Return name, codec, bytes and digest from the row of what a task keeps."""
    _, _, name, codec, data, digest = state_parts(row)
    return name, codec, data, digest


def result_row(record: ResultRecord) -> Row:
    """Return the row of a result; its bytes have a digest of their own, and may be in a file."""
    encoded = record.encoded
    size = len(encoded.data)
    codec, _, signature, total = sealed(encoded.codec, size, record.signature)
    data = encoded.data if size <= LARGE else None
    return key_of(encoded.digest), codec, size, data, signature, total


def result_parts(digest: str, row: Row) -> tuple[str, bytes | None, str | None]:
    """Return codec, bytes (None if they are in a file) and signature from the row of a result."""
    codec, size, data, signature, total = row
    codec, _, signature = opened((codec, size, signature, total), f"result {digest}")
    if not isinstance(data, bytes | None):
        raise DamagedRowError(f"result {digest} has no bytes")
    return codec, data, signature


def failure_text(failure: Failure) -> str:
    """Return a failure as JSON."""
    return json.dumps(asdict(failure))


def failure_from(text: str) -> Failure:
    """Return the failure that was written as `text`."""
    values = json.loads(text)
    return Failure(**{**values, "causes": tuple(values["causes"])})

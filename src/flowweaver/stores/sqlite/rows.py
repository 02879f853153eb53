"""The rows of the SQLite file: what finds them, the columns of all SQL stores, a checksum.

A flipped bit anywhere in a row is found when the row is read: CRC-32 detects every error of up to
32 bits in a row. The functions for TaskRuns are written for speed: ten thousand of them are
written and read at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple
from zlib import crc32

from flowweaver.records import AttemptRecord, ResultRecord, RunRecord, StateRecord, TaskRecord
from flowweaver.serialize import Encoded
from flowweaver.stores.common import columns, problems
from flowweaver.stores.common.columns import (
    Columns,
    DamagedRowError,
    Row,
    Spelling,
    digest_of,
    key_of,
    read_more,
)
from flowweaver.stores.common.results import LARGE
from flowweaver.stores.common.shape import DAMAGE
from flowweaver.stores.sqlite.schema import PLACES

# Statuses as small numbers. They are on disk: never renumber, only add.
RUN_CODES = {"running": 0, "completed": 1, "failed": 2, "cancelled": 3, "abandoned": 4}
TASK_CODES = {
    "pending": 0,
    "running": 1,
    "retrying": 2,
    "completed": 3,
    "failed": 4,
    "skipped": 5,
    "upstream_failed": 6,
    "cancelled": 7,
}
ORIGIN_CODES = {"executed": 1, "restored": 2, "overridden": 3}

# Where in a TaskRun's row these columns are.
_DIGEST, _FACTS, _MORE = (1 + columns.TASK.index(name) for name in ("digest", "facts", "more"))

_NAN = float("nan")
_NONE = b"none"
_numbers = struct.Struct("<qqqqqdddd").pack
_DAMAGE = (*DAMAGE, struct.error)


Places = dict[tuple[str, str], int]
"""Where the TaskRuns of a run stand, by task and element."""


class StoredRun(NamedTuple):
    """A run's number, the run, and how many TaskRuns of its own it has at least."""

    number: int
    run: RunRecord
    places: int


def span(run: int) -> tuple[int, int]:
    """Return the first id of a run's TaskRuns (and attempts), and the first beyond them."""
    return run << PLACES, (run + 1) << PLACES


def storable(value: Any) -> Any:
    """Return a value as SQLite takes it: a text with lone surrogates becomes bytes."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    return value


def restored(value: Any) -> Any:
    """Return the text that `storable` was given."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


_columns = Columns(Spelling(RUN_CODES, TASK_CODES, ORIGIN_CODES, key_of, storable, restored))
sealed, opened = _columns.sealed, _columns.opened
standing = _columns.standing


def task_rows(
    run: int, run_id: str, places: Places, records: Iterable[TaskRecord]
) -> Iterator[Row]:
    """Yield the rows of TaskRuns; new ones are added to `places` in order.

    They are as SQLite takes them but for texts with lone surrogates (see `storable`).
    """
    for record in records:
        yield task_row(run, run_id, places, record)


def task_row(run: int, run_id: str, places: Places, record: TaskRecord) -> Row:
    """Return the row of one TaskRun; see `task_rows`."""
    if record.run_id != run_id:
        raise problems.wrong_run(record.run_id, run_id)
    place = places.setdefault((record.task, record.element), len(places))
    values = ((run << PLACES) + place, *_columns.of_task(record))
    return (*values, _task_sum(*values))


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
        return _columns.task(run_id, _verified(row)[1:-1])
    except _DAMAGE as error:
        raise _damaged_task(run_id) from error


def results_of(run_id: str, row: Row) -> Iterator[str]:
    """Return the digests of all results that the row of a TaskRun refers to, verified."""
    kept = kept_by(run_id, row)
    return chain(kept, () if row[_DIGEST] is None else (digest_of(row[_DIGEST]),))


def kept_by(run_id: str, row: Row) -> Sequence[str]:
    """Return the digests of results that hold content of files, from the row of a TaskRun.

    It is verified, and not made a record of: that takes three times as long.
    """
    try:
        more = _verified(row)[_MORE]
        return () if more is None else [file.kept for file in read_more(more)[0] if file.kept]
    except _DAMAGE as error:
        raise _damaged_task(run_id) from error


def facts_of(row: Row) -> str:
    """Return the facts in the row of a TaskRun."""
    return str(restored(row[_FACTS]))


def _verified(row: Row) -> Row:
    if _task_sum(*row) != row[-1]:
        row = tuple(
            value if place in (8, _DIGEST) else restored(value) for place, value in enumerate(row)
        )
        if _task_sum(*row) != row[-1]:
            raise ValueError
    return row


def _damaged_task(run_id: str) -> DamagedRowError:
    return DamagedRowError(f"a TaskRun of run {run_id} fails its checksum")


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
    more: str | None,
    worker: str | None,
    _sum: int = 0,
) -> int:
    numbers = _numbers(
        id_,
        status,
        attempts,
        failures,
        origin or 0,
        _NAN if retry_at is None else retry_at,
        _NAN if started_at is None else started_at,
        _NAN if finished_at is None else finished_at,
        _NAN if duration is None else duration,
    )
    text = f"{task}\0{element}\0{source_run}\0{failure}\0{facts}\0{reason}"
    if more is not None:  # rows of versions that had no such column are read as they are
        text += f"\0{more}"
    if worker is not None:
        text += f"\0\0{worker}"
    try:
        keys = (_NONE if fingerprint is None else fingerprint) + (  # type: ignore[operator]
            _NONE if digest is None else digest
        )
        return crc32(numbers + keys + text.encode())  # type: ignore[operator]
    except (TypeError, UnicodeEncodeError):
        # Digests that are not hex, texts with lone surrogates.
        return crc32(numbers + ascii((fingerprint, digest, text)).encode())


# Where in a run's row the columns seal and base are.
_LATER = slice(len(columns.RUN) - 1, len(columns.RUN) + 1)


def run_row(seq: int, run: RunRecord, places: int) -> Row:
    """Return the row of a run that has so many TaskRuns of its own."""
    return _columns.sealed_run(seq, *_columns.of_run(run), places, later=_LATER)


def run_record(row: Row) -> StoredRun:
    """Return what the row of a run says."""
    seq, *values, places = _columns.opened_run(row, f"run {row[1]}", _LATER)
    return StoredRun(seq, _columns.run(values), places)


def attempt_row(id_: int, record: AttemptRecord) -> Row:
    """Return the row of an attempt."""
    return _columns.sealed_attempt(id_, *_columns.of_attempt(record))


def attempt_record(run_id: str, row: Row) -> AttemptRecord:
    """Return an attempt from its row."""
    values = _columns.opened_attempt(row, f"an attempt of run {run_id}")
    return _columns.attempt(run_id, values[1:])


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
    """Return the row of a result, whose bytes may be in a file."""
    key, codec, data, signature = _columns.of_result(record)
    size = len(data)
    total = _result_sum(record.encoded.codec, size, record.signature)
    return key, codec, size, data if size <= LARGE else None, signature, total


@lru_cache(maxsize=256)
def _result_sum(codec: str, size: int, signature: str | None) -> int:
    *_, total = sealed(codec, size, signature)
    return int(total)


def result_parts(digest: str, row: Row) -> tuple[str, int, bytes | None, str | None]:
    """Return codec, size, bytes (None if they are in a file) and signature of a result."""
    codec, size, data, signature, total = row
    codec, size, signature = opened((codec, size, signature, total), f"result {digest}")
    if not isinstance(data, bytes | None):
        raise DamagedRowError(f"result {digest} has no bytes")
    return codec, size, data, signature

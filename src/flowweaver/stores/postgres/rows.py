"""The rows of the Postgres tables: what finds them, the columns of all SQL stores, a checksum.

Postgres takes neither NUL nor lone surrogates in a text: those are written as SUB (U+001A) and
four hex digits, and so is SUB itself. All else stands in the tables as it is, to be read by people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from flowweaver.records import AttemptRecord, ResultRecord, RunRecord, StateRecord, TaskRecord
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.stores.common import columns, problems
from flowweaver.stores.common.columns import Columns, Row, Spelling

Places = dict[tuple[str, str], int]
"""Where the TaskRuns of a run stand, by task and element."""

_AWKWARD = re.compile("[\0\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")


def storable(text: str) -> str:
    """Return a text as Postgres takes it."""
    return _AWKWARD.sub(lambda found: f"\x1a{ord(found[0]):04x}", text)


def restored(text: str) -> str:
    """Return the text that `storable` was given."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\x1a" in text else text


def _put(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


def _get(value: Any) -> Any:
    return restored(value) if isinstance(value, str) else value


_columns = Columns(
    Spelling(
        runs={status.value: status.value for status in RunStatus},
        tasks={status.value: status.value for status in TaskStatus},
        origins={origin.value: origin.value for origin in Origin},
        key=str,
        put=_put,
        get=_get,
    )
)
sealed, opened = _columns.sealed, _columns.opened
standing = _columns.standing


# Where in a run's row the columns seal and base are.
_LATER = slice(len(columns.RUN) - 2, len(columns.RUN))


def run_row(run: RunRecord) -> Row:
    """Return the row of a run, without its number."""
    return _columns.sealed_run(*_columns.of_run(run), later=_LATER)


def run_record(row: Row) -> tuple[int, RunRecord]:
    """Return a run and its number."""
    return row[0], _columns.run(_columns.opened_run(row[1:], f"run {row[1]}", _LATER))


def task_rows(
    run: int, run_id: str, places: Places, records: Iterable[TaskRecord]
) -> Iterator[Row]:
    """Yield the rows of TaskRuns; new ones are added to `places` in order."""
    for record in records:
        _check_run(record.run_id, run_id)
        place = places.setdefault((record.task, record.element), len(places))
        yield _columns.sealed_task(run, place, *_columns.of_task(record))


def task_record(run_id: str, row: Row) -> TaskRecord:
    """Return a TaskRun from its row."""
    return _columns.task(run_id, _columns.opened_task(row, f"a TaskRun of run {run_id}")[2:])


def attempt_row(run_id: str, record: AttemptRecord) -> Row:
    """Return the row of an attempt, without its run's number."""
    _check_run(record.run_id, run_id)
    return _columns.sealed_attempt(*_columns.of_attempt(record))


def attempt_record(run_id: str, row: Row) -> AttemptRecord:
    """Return an attempt from its row."""
    return _columns.attempt(run_id, _columns.opened_attempt(row, f"an attempt of run {run_id}"))


def state_key(run: int, run_id: str, record: StateRecord) -> Row:
    """Return what tells an item of a task's state from others."""
    _check_run(record.run_id, run_id)
    return (run, storable(record.task), storable(record.element), storable(record.name))


def result_row(record: ResultRecord) -> Row:
    """Return the row of a result."""
    key, *rest = _columns.of_result(record)
    return (storable(key), *rest)


def _check_run(found: str, run_id: str) -> None:
    if found != run_id:
        raise problems.wrong_run(found, run_id)

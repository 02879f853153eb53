"""Records as rows of SQLite, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver.records import AttemptRecord, RunRecord, TaskRecord
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.stores.common.columns import DamagedRowError
from flowweaver.stores.sqlite import rows
from tests.stores.records import ATTEMPTS, OTHERS, RUNS, TASKS


@given(TASKS, st.integers(0, 2**31 - 1))
def test_task_run_comes_back_equal(record: TaskRecord, run: int) -> None:
    (row,) = rows.task_rows(run, "r", {}, [record])
    assert rows.task_records(run, "r", [row]) == [record]
    assert rows.task_records(run, "r", [tuple(map(rows.storable, row))]) == [record]


@given(RUNS, st.integers(0, 2**31), st.integers(0, 2**31))
def test_run_comes_back_equal(run: RunRecord, seq: int, places: int) -> None:
    assert rows.run_record(rows.run_row(seq, run, places)) == (seq, run, places)


@given(ATTEMPTS)
def test_attempt_comes_back_equal(record: AttemptRecord) -> None:
    assert rows.attempt_record("r", rows.attempt_row(7, record)) == record


@given(TASKS, OTHERS, st.data())
def test_row_with_another_value_in_any_column_is_damaged(
    record: TaskRecord, other: object, data: st.DataObject
) -> None:
    (row,) = rows.task_rows(1, "r", {}, [record])
    column = data.draw(st.integers(0, len(row) - 1))
    try:
        found = rows.task_record("r", (*row[:column], other, *row[column + 1 :]))
    except DamagedRowError:
        return
    assert found == record


def test_missing_row_is_damage() -> None:
    made = list(rows.task_rows(1, "r", {}, [TaskRecord("r", name) for name in "abc"]))
    with pytest.raises(DamagedRowError):
        rows.task_records(1, "r", [made[0], made[2]])
    with pytest.raises(DamagedRowError):
        rows.task_records(2, "r", made)


def test_numbers_of_statuses_are_on_disk_and_must_not_change() -> None:
    assert rows.TASK_CODES == {
        "pending": 0,
        "running": 1,
        "retrying": 2,
        "completed": 3,
        "failed": 4,
        "skipped": 5,
        "upstream_failed": 6,
        "cancelled": 7,
    }
    assert rows.RUN_CODES == {
        "running": 0,
        "completed": 1,
        "failed": 2,
        "cancelled": 3,
        "abandoned": 4,
    }
    assert rows.ORIGIN_CODES == {"executed": 1, "restored": 2, "overridden": 3}
    assert set(rows.TASK_CODES) == {status.value for status in TaskStatus}
    assert set(rows.RUN_CODES) == {status.value for status in RunStatus}
    assert set(rows.ORIGIN_CODES) == {origin.value for origin in Origin}

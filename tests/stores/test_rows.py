from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver.records import Failure, TaskRecord
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.stores.sqlite import rows
from flowweaver.stores.sqlite.rows import DamagedRowError

TEXT = st.text(max_size=20)
SECONDS = st.none() | st.floats(allow_nan=False)
DIGESTS = st.none() | TEXT | st.binary(max_size=20).map(bytes.hex)
RECORDS = st.builds(
    TaskRecord,
    st.just("r"),
    TEXT,
    TEXT,
    st.sampled_from(TaskStatus),
    attempts=st.integers(0, 2**40),
    failures=st.integers(0, 2**40),
    retry_at=SECONDS,
    origin=st.sampled_from([None, *Origin]),
    fingerprint=DIGESTS,
    digest=DIGESTS,
    source_run=st.none() | TEXT,
    started_at=SECONDS,
    finished_at=SECONDS,
    duration=SECONDS,
    failure=st.none() | st.builds(Failure, TEXT, TEXT, TEXT, st.none() | st.integers()),
    facts=TEXT,
    reason=TEXT,
)


@given(RECORDS, st.integers(0, 2**31 - 1))
def test_task_run_comes_back_equal(record: TaskRecord, run: int) -> None:
    (row,) = rows.task_rows(run, "r", {}, [record])
    assert rows.task_records(run, "r", [row]) == [record]
    assert rows.task_records(run, "r", [rows.storable(row)]) == [record]


@given(RECORDS, st.data())
def test_row_with_another_value_in_any_column_is_damaged(
    record: TaskRecord, data: st.DataObject
) -> None:
    (row,) = rows.task_rows(1, "r", {}, [record])
    column = data.draw(st.integers(0, len(row) - 1))
    other = data.draw(
        st.one_of(st.none(), TEXT, st.integers(), st.floats(allow_nan=False), st.binary())
    )
    changed = (*row[:column], other, *row[column + 1 :])
    try:
        found = rows.task_record("r", changed)
    except DamagedRowError:
        return
    assert found == record


def test_missing_row_is_damage() -> None:
    made = list(rows.task_rows(1, "r", {}, [TaskRecord("r", name) for name in "abc"]))
    with pytest.raises(DamagedRowError):
        rows.task_records(1, "r", [made[0], made[2]])
    with pytest.raises(DamagedRowError):
        rows.task_records(2, "r", made)


@given(st.text(max_size=8) | st.binary(max_size=8).map(bytes.hex))
def test_digest_comes_back(digest: str) -> None:
    assert rows.digest_of(rows.key_of(digest)) == digest


def test_numbers_of_statuses_are_on_disk_and_must_not_change() -> None:
    assert {status.name: code for status, code in rows._TASK_CODES.items()} == {
        "PENDING": 0,
        "RUNNING": 1,
        "RETRYING": 2,
        "COMPLETED": 3,
        "FAILED": 4,
        "SKIPPED": 5,
        "UPSTREAM_FAILED": 6,
        "CANCELLED": 7,
    }
    assert {status.name: code for status, code in rows._RUN_CODES.items()} == {
        "RUNNING": 0,
        "COMPLETED": 1,
        "FAILED": 2,
        "CANCELLED": 3,
        "ABANDONED": 4,
    }
    assert set(rows._TASK_CODES) == set(TaskStatus)
    assert set(rows._RUN_CODES) == set(RunStatus)

"""Records as rows of Postgres, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowweaver.records import AttemptRecord, RunRecord, TaskRecord
from flowweaver.stores.common.columns import DamagedRowError
from flowweaver.stores.postgres import rows
from tests.stores.records import ATTEMPTS, OTHERS, RUNS, TASKS, TEXT


@given(TEXT)
def test_text_is_stored_without_what_postgres_refuses(text: str) -> None:
    stored = rows.storable(text)
    assert "\0" not in stored
    stored.encode()
    assert rows.restored(stored) == text


@given(TASKS)
def test_task_run_comes_back_equal(record: TaskRecord) -> None:
    (row,) = rows.task_rows(1, "r", {}, [record])
    assert rows.task_record("r", row) == record


@given(RUNS)
def test_run_comes_back_equal(run: RunRecord) -> None:
    assert rows.run_record((5, *rows.run_row(run))) == (5, run)


@given(ATTEMPTS)
def test_attempt_comes_back_equal(record: AttemptRecord) -> None:
    assert rows.attempt_record("r", rows.attempt_row("r", record)) == record


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

"""The rows of a View: one for each TaskRun, and what they add up to."""

from dataclasses import replace

from flowweaver.blueprint import Blueprint
from flowweaver.records import Failure, TaskRecord
from flowweaver.report.view.rows import Rows, rows_of
from flowweaver.status import Origin, TaskStatus

BLUEPRINT = Blueprint(("pages", "fetch", "total"), ((), (0,), (1,)), frozenset({1}))


def record(task, element="", status=TaskStatus.COMPLETED, **given):
    origin = Origin.EXECUTED if status is TaskStatus.COMPLETED else None
    return TaskRecord("r", task, element, status, 1, origin=origin, **given)


def shown(rows):
    return {rows.name(number): rows.row(number).outcome for number in rows.table.in_order()}


def test_tasks_without_a_record_are_pending():
    rows = Rows(BLUEPRINT)
    assert shown(rows) == {"pages": "pending", "fetch": "pending", "total": "pending"}
    assert rows.counts()["pending"] == 3


def test_elements_take_the_place_of_their_task():
    rows = Rows(BLUEPRINT)
    rows.take([record("fetch", "0"), record("fetch", "1", TaskStatus.FAILED)])
    assert shown(rows) == {
        "pages": "pending",
        "fetch[0]": "executed",
        "fetch[1]": "failed",
        "total": "pending",
    }
    assert rows.counts()["total"] == 4
    assert rows.counts_of(1) == {"executed": 1, "failed": 1}


def test_mapped_task_runs_until_its_whole_is_told():
    rows = Rows(BLUEPRINT)
    rows.take([record("fetch", "0")])
    assert rows.outcome_of(1) == "running"
    rows.take([record("fetch")])
    assert rows.outcome_of(1) == "executed"


def test_task_mapped_over_nothing_has_no_row():
    rows = rows_of([record("pages"), record("fetch")], BLUEPRINT)
    assert shown(rows) == {"pages": "executed", "total": "pending"}
    assert rows.outcome_of(1) == "executed"


def test_mapped_task_that_never_grew_is_a_row():
    rows = rows_of([record("fetch", status=TaskStatus.UPSTREAM_FAILED)], BLUEPRINT)
    assert shown(rows)["fetch"] == "upstream_failed"


def test_record_that_changes_is_counted_once():
    rows = Rows(BLUEPRINT)
    begun = record("pages", status=TaskStatus.RUNNING, started_at=5.0)
    rows.take([begun])
    (number,) = rows.take([replace(begun, status=TaskStatus.COMPLETED, duration=2.0)])
    row = rows.row(number)
    assert rows.counts()["total"] == 3
    assert rows.spent(0) == 2.0
    assert (row.begun, row.ended, row.lane) == (5.0, 7.0, 0)


def test_rows_told_one_by_one_are_those_told_at_once():
    records = [record("pages"), record("fetch", "1"), record("fetch", "0"), record("fetch")]
    one_by_one = Rows(BLUEPRINT)
    for each in records:
        one_by_one.take([each])
    assert shown(one_by_one) == shown(rows_of(records, BLUEPRINT))


def test_task_that_only_the_records_know_is_a_row():
    assert shown(rows_of([record("lost")], Blueprint())) == {"lost": "executed"}


def test_rows_are_found_by_name():
    rows = rows_of([record("fetch", "0.1")], BLUEPRINT)
    assert rows.find("fetch[0.1]").element == "0.1"
    assert rows.find("pages").task == 0
    assert rows.find("fetch") is None
    assert rows.find("nothing[3]") is None


def test_elements_are_found_and_ordered_whatever_their_keys():
    rows = Rows(BLUEPRINT)
    keys = ["10", "2", "0", "1.10", "1.2", "00", "12345678901"]
    rows.take([record("fetch", key) for key in keys])
    assert [rows.name(number) for number in rows.table.in_order()][1:-1] == [
        "fetch[0]", "fetch[00]", "fetch[1.2]", "fetch[1.10]", "fetch[2]", "fetch[10]",
        "fetch[12345678901]",
    ]  # fmt: skip
    for key in keys:
        assert rows.find(f"fetch[{key}]").element == key


def test_what_a_row_has_come_to_is_taken_back_when_it_changes():
    rows = Rows(BLUEPRINT)
    failure = Failure("E", "no")
    blocked = Failure("Upstream", "no", causes=("pages",))
    rows.take(
        [record("pages", status=TaskStatus.FAILED, failure=failure, started_at=1.0, duration=2.0)]
    )
    rows.take([record("total", status=TaskStatus.UPSTREAM_FAILED, failure=blocked)])
    assert [rows.name(number) for number in rows.roots(5)] == ["pages"]
    assert (rows.blocked["pages"], rows.busy) == (1, 2.0)
    rows.take([record("pages", started_at=5.0, duration=1.0), record("total")])
    assert rows.roots(5) == []
    assert (rows.blocked["pages"], rows.busy) == (0, 1.0)

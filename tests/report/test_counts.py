"""How the tasks of a run came out."""

import pytest

from flowweaver import Origin, TaskStatus
from flowweaver.records import TaskRecord
from flowweaver.report.counts import COUNTED, count_tasks, counts_in_words, display_name


def record(status: TaskStatus, origin: Origin | None = None, element: str = "") -> TaskRecord:
    return TaskRecord("run", "page", element, status, origin=origin)


def test_every_outcome_has_a_count_even_if_it_is_zero():
    assert set(count_tasks([])) == {"total", *COUNTED}


def test_completed_tasks_count_by_how_they_came_by_their_result():
    counts = count_tasks(
        [
            TaskRecord("run", "a", status=TaskStatus.COMPLETED, origin=Origin.EXECUTED),
            TaskRecord("run", "b", status=TaskStatus.COMPLETED, origin=Origin.RESTORED),
            TaskRecord("run", "c", status=TaskStatus.COMPLETED, origin=Origin.RESTORED),
        ]
    )
    assert (counts["executed"], counts["restored"], counts["total"]) == (1, 2, 3)


def test_of_a_mapped_task_the_elements_count():
    counts = count_tasks(
        [
            record(TaskStatus.COMPLETED, Origin.EXECUTED, "0"),
            record(TaskStatus.FAILED, element="1"),
            record(TaskStatus.FAILED),
        ],
        total=2,
    )
    assert (counts["executed"], counts["failed"]) == (1, 1)
    assert (counts["pending"], counts["total"]) == (1, 3)


@pytest.mark.parametrize(
    "status", sorted(set(TaskStatus) - {TaskStatus.COMPLETED}, key=lambda status: status.value)
)
def test_other_tasks_count_by_status(status):
    assert count_tasks([record(status)])[status.value] == 1


def test_tasks_without_a_record_are_pending():
    counts = count_tasks([record(TaskStatus.RUNNING)], total=5)
    assert (counts["pending"], counts["total"]) == (4, 5)


def test_counts_in_words_leave_out_what_there_is_none_of():
    counts = count_tasks([record(TaskStatus.FAILED), record(TaskStatus.UPSTREAM_FAILED)])
    assert counts_in_words(counts) == "2 tasks: 1 failed, 1 upstream failed"


def test_one_task_is_not_plural():
    assert counts_in_words(count_tasks([record(TaskStatus.SKIPPED)])) == "1 task: 1 skipped"


def test_an_element_of_a_fan_out_is_shown_with_its_key():
    assert display_name(record(TaskStatus.FAILED, element="3.1")) == "page[3.1]"

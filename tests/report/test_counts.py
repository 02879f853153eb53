"""How the tasks of a run came out."""

import pytest

from flowweaver import (
    MemoryStateStore,
    Run,
    SequentialExecutor,
    Task,
    TaskStatus,
    Workflow,
    each,
)
from flowweaver.records import TaskRecord
from flowweaver.report.counts import COUNTED, counts_in_words, counts_of, display_name


def fail(**_: int) -> None:
    raise ValueError("no")


@pytest.fixture
def run() -> Run:
    """Give a run that restored, executed, failed and did not come to something."""
    store, workflow = MemoryStateStore(), Workflow("w", [Task("a", lambda: [1, 2], version="1")])
    SequentialExecutor(state_store=store).execute(workflow)
    workflow.add_task(lambda x: x, name="m", inputs={"x": each("a")})
    workflow.add_task(lambda: None, name="none", when=lambda: False)
    workflow.add_task(fail, name="bad")
    workflow.add_task(lambda bad: bad, name="behind")
    return SequentialExecutor(state_store=store).execute(workflow, raise_on_failure=False)


def test_every_outcome_has_a_count_even_if_it_is_zero(run: Run) -> None:
    assert set(counts_of(run)) == {"total", *COUNTED}


def test_tasks_count_by_status_or_origin_and_of_a_mapped_one_its_elements(run: Run) -> None:
    assert {name: count for name, count in counts_of(run).items() if count} == {
        "total": 6,
        "executed": 2,
        "restored": 1,
        "failed": 1,
        "upstream_failed": 1,
        "skipped": 1,
    }


def test_counts_in_words_leave_out_what_there_is_none_of() -> None:
    told = counts_in_words({"total": 2, "failed": 1, "upstream_failed": 1, "skipped": 0})
    assert told == "2 tasks: 1 failed, 1 upstream failed"


def test_one_task_is_not_plural() -> None:
    assert counts_in_words({"total": 1, "skipped": 1}) == "1 task: 1 skipped"


def test_an_element_of_a_fan_out_is_shown_with_its_key() -> None:
    record = TaskRecord("run", "page", "3.1", TaskStatus.FAILED)
    assert display_name(record) == "page[3.1]"

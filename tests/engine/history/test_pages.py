"""Looking into long runs page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from flowweaver import MemoryStateStore, Run, SequentialExecutor, Task, TaskStatus, Workflow, each
from flowweaver.engine.history import pages
from flowweaver.engine.history.past import load_run
from flowweaver.engine.history.stored import StoredRun
from flowweaver.records import TaskRecord


class Asked(MemoryStateStore):
    """Notes which TaskRuns it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int | None]] = []

    def tasks(
        self, run_id: str, start: int = 0, stop: int | None = None, **wanted: Any
    ) -> Sequence[TaskRecord]:
        """Note the question, then answer it."""
        self.asked.append((start, stop))
        return super().tasks(run_id, start, stop, **wanted)


def fail_at_seven(x: int) -> int:
    if x == 7:
        raise ValueError("seven")
    return 10 * x


WORKFLOW = Workflow("long", [Task("xs", lambda: list(range(23)))])
WORKFLOW.add_task(fail_at_seven, name="m", inputs={"x": each("xs")}, allow_failures=True)
WORKFLOW.add_task(lambda m: len(m), name="count")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Give a store with a run of 26 TaskRuns, read in pages of five, of which two are held."""
    monkeypatch.setattr(pages, "_PAGE_SIZE", 5)
    monkeypatch.setattr(pages, "_PAGES_HELD", 2)
    kept = Asked()
    SequentialExecutor(state_store=kept).execute(WORKFLOW, run_id="one")
    kept.asked.clear()
    return kept


@pytest.fixture
def run(store: Asked) -> Run:
    return Run(StoredRun(store, store.run("one")))


def test_all_of_a_run_is_seen_though_little_of_it_is_held(store: Asked, run: Run) -> None:
    elements = run.tasks["m"].elements
    assert [element.element for element in elements] == [str(number) for number in range(23)]
    assert [element.status for element in elements].count(TaskStatus.FAILED) == 1
    assert elements[7].error is not None
    assert [element.result for element in elements[20:]] == [200, 210, 220]
    assert run.outcomes() == {"executed": 24, "failed": 1}
    assert run.counts() == {TaskStatus.COMPLETED: 3}
    assert run.tasks["m"].outcomes == {"executed": 22, "failed": 1}
    assert {stop - start for start, stop in store.asked if stop is not None} == {5}


def test_nothing_is_read_before_it_is_asked_for(store: Asked, run: Run) -> None:
    assert (run.id, run.workflow, run.status.value) == ("one", "long", "completed")
    assert store.asked == []


def test_what_is_looked_at_in_order_is_read_once_more_at_most(store: Asked, run: Run) -> None:
    for element in run.tasks["m"].elements:
        assert element.attempts == 1
    assert len(store.asked) <= 2 * (26 // 5 + 2)


def test_names_stand_in_the_order_of_the_workflow_without_it(run: Run) -> None:
    assert list(run.tasks) == ["xs", "m", "count"]


def test_lists_of_elements_need_the_workflow(store: Asked, run: Run) -> None:
    assert run["count"] == 23
    with pytest.raises(LookupError, match="put together by the workflow, which is not here"):
        run["m"]
    assert load_run(WORKFLOW, store, "one")["m"][22] == 220

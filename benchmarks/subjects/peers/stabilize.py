"""stabilize on SQLite, one stage a task."""

from __future__ import annotations

import logging

from stabilize import (
    Orchestrator,
    QueueProcessor,
    SqliteQueue,
    SqliteWorkflowStore,
    StageExecution,
    Task,
    TaskExecution,
    TaskRegistry,
    TaskResult,
    Workflow,
    WorkflowStatus,
)

from benchmarks.model import Unavailable
from benchmarks.subjects.clock import import_milliseconds, microseconds_each

logging.disable()
_SECONDS = 100.0


class Passing(Task):
    """Does nothing."""

    def execute(self, stage: StageExecution) -> TaskResult:
        """Return the stage's own name."""
        return TaskResult.success(outputs={"stage": stage.ref_id})


def _stage(number: int) -> StageExecution:
    body = TaskExecution.create(
        name="passing", implementing_class="passing", stage_start=True, stage_end=True
    )
    before = {f"t{number - 1}"} if number else set()
    return StageExecution(
        ref_id=f"t{number}",
        type="passing",
        name=f"t{number}",
        requisite_stage_ref_ids=before,
        tasks=[body],
    )


def chain(size: int) -> float:
    """A chain of stages, each step committed; SQLite's rollback journal, sync NORMAL."""
    store = SqliteWorkflowStore("sqlite:///stabilize.db", create_tables=True)
    queue = SqliteQueue("sqlite:///stabilize.db")
    queue._create_table()
    registry = TaskRegistry()
    registry.register("passing", Passing)
    stages = [_stage(number) for number in range(size)]
    workflow = Workflow.create(application="measured", name="chain", stages=stages)
    processor = QueueProcessor(queue, store=store, task_registry=registry)

    def work() -> None:
        store.store(workflow)
        Orchestrator(queue, store=store).start(workflow)
        processor.process_all(timeout=_SECONDS)

    taken = microseconds_each(work, size)
    status = store.retrieve(workflow.id).status
    if status != WorkflowStatus.SUCCEEDED:
        raise Unavailable(f"the workflow ended as {status}")
    return taken


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("from stabilize import Workflow", size)

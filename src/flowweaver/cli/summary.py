"""What is said at the end of a run: what failed and why, what was done, where the results are."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowweaver.cli.mapped import told
from flowweaver.cli.output import print_error
from flowweaver.cli.store import DEFAULT_STORE
from flowweaver.observers.style import block, one_line, seconds, why
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.counts import (
    count_tasks,
    counted,
    counts_in_words,
    display_name,
)
from flowweaver.report.view.loose import records_of as loose_records
from flowweaver.status import RunStatus, TaskStatus

if TYPE_CHECKING:
    from flowweaver.run import Run
    from flowweaver.state_store import StateStore

_MOST_FAILURES = 10


def records_of(run: Run, store: StateStore | None) -> tuple[RunRecord, list[TaskRecord]]:
    """Return a run and its tasks as records: those of the store, or their like."""
    if store is not None:
        return store.run(run.id), told(store.tasks(run.id))
    record, tasks = loose_records(run)
    return record, told(tasks)


def print_failures(tasks: Sequence[TaskRecord]) -> None:
    """Print message and traceback of tasks that failed to standard error, the first few whole.

    What failed because of others (a mapped task whose elements did) is not among them.
    """
    failed = [
        task
        for task in tasks
        if task.status is TaskStatus.FAILED and not (task.failure and task.failure.causes)
    ]
    for task in failed[:_MOST_FAILURES]:
        attempts = f" after {task.attempts} attempts" if task.attempts > 1 else ""
        failure = task.failure
        message = "" if failure is None else f": {why(failure)}"
        print_error(
            f"task {display_name(task)!r} failed{attempts}{message}",
            "" if failure is None else failure.trace,
        )
    if len(failed) > _MOST_FAILURES:
        print_error(
            f"{len(failed) - _MOST_FAILURES} more tasks failed; `flowweaver show` lists them"
        )


def summary(run: RunRecord, tasks: Sequence[TaskRecord], took: float, store_url: str | None) -> str:
    """Return what a run came to, in two lines or so."""
    name, done = one_line(run.workflow), counted(tasks)
    if run.status is RunStatus.COMPLETED and done and _all_restored(run, done):
        first = (
            f"{name}: nothing to do: {_all(len(done))} restored from {_sources(run.id, done)} "
            f"(run {run.id}, {seconds(took)})"
        )
    else:
        counts = counts_in_words(count_tasks(tasks))
        first = f"{name}: {run.status.value} in {seconds(took)}: {counts} (run {run.id})"
    return block("\n".join([first, *_what_next(run, store_url)]))


def _all_restored(run: RunRecord, tasks: Sequence[TaskRecord]) -> bool:
    return all(_was_restored(run, task) for task in tasks)


def _was_restored(run: RunRecord, task: TaskRecord) -> bool:
    """Whether this execution found the result: an earlier run's, or made before its own claim."""
    if task.status is not TaskStatus.COMPLETED:
        return False
    if task.source_run not in (None, run.id):
        return True
    return task.finished_at is not None and task.finished_at < run.claimed_at


def _sources(run_id: str, tasks: Sequence[TaskRecord]) -> str:
    sources = list(dict.fromkeys(task.source_run or run_id for task in tasks))
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return f"run {sources[0]}{more}"


def _all(count: int) -> str:
    return "its only task" if count == 1 else f"all {count} tasks"


def _what_next(run: RunRecord, store_url: str | None) -> list[str]:
    if store_url is None:
        return ["kept in memory only; without `--store memory:` its results would be kept"]
    option = "" if store_url == DEFAULT_STORE else f" --store {shlex.quote(store_url)}"
    lines = [f"results: flowweaver show {run.id}{option}"]
    if run.status is not RunStatus.COMPLETED:
        lines.append("the same command again continues it: what is completed is not run again")
    return lines

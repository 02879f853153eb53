"""``flowweaver show``: one run, or one task of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from flowweaver.cli.mapped import told
from flowweaver.cli.output import Problem, print_json, print_table
from flowweaver.cli.store import find_run, open_history, store_option
from flowweaver.errors import StoreError, near_matches
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.counts import count_tasks, counts_in_words, display_name
from flowweaver.report.standing import standing
from flowweaver.status import TaskStatus

if TYPE_CHECKING:
    from flowweaver.state_store import StateStore

_MOST_ROWS = 500
_LONGEST_VALUE = 2_000
_LONGEST_PARAMETER = 80


@click.command("show", short_help="Show a run, or one task of it.")
@click.argument("run_id", metavar="RUN")
@click.argument("task_name", metavar="[TASK]", required=False)
@store_option("Where the run is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show_command(run_id: str, task_name: str | None, store_url: str, as_json: bool) -> None:
    """Show a run with its tasks, or one TASK of it with its result, attempts and error.

    RUN is the run's id, the first characters of it, or "last". Values are shown without running
    any code that came with them.
    """
    store = open_history(store_url)
    run = find_run(store, run_id)
    tasks = told(store.tasks(run.id))
    if task_name is None:
        (_print_run_json if as_json else _print_run)(store, run, tasks)
    else:
        chosen = _tasks_named(task_name, run, tasks)
        (_print_tasks_json if as_json else _print_tasks)(store, run, chosen)


def _tasks_named(name: str, run: RunRecord, tasks: Sequence[TaskRecord]) -> list[TaskRecord]:
    """Return the TaskRuns of a task: all elements of a fan-out, or the one named ``page[3]``."""
    found = [task for task in tasks if name in (task.task, display_name(task))]
    if not found:
        known = dict.fromkeys(task.task for task in tasks)
        raise Problem(
            f"run {run.id} of {run.workflow!r} has no record of a task {name!r}"
            f"{near_matches(name, known)}"
        )
    return found


# A run ---------------------------------------------------------------------------------------


def _print_run_json(store: StateStore, run: RunRecord, tasks: Sequence[TaskRecord]) -> None:
    from flowweaver.cli.shapes import run_with_tasks

    print_json(
        {**run_with_tasks(run, tasks, standing(store, run)), "parameters": _parameters(store, run)}
    )


def _print_run(store: StateStore, run: RunRecord, tasks: Sequence[TaskRecord]) -> None:
    from flowweaver.observers.style import one_line
    from flowweaver.report.tables import runs_table, tasks_table

    print_table(runs_table([run], partial(standing, store)))
    for name, value in _parameters(store, run).items():
        click.echo(one_line(f"parameter {name} = {value}"))
    total = run.info.get("tasks")
    click.echo(counts_in_words(count_tasks(tasks, total if isinstance(total, int) else 0)))
    shown = _most_telling(tasks)
    if shown:
        print_table(tasks_table(shown))
    if len(shown) < len(tasks):
        click.echo(f"{len(tasks) - len(shown)} completed tasks more; --json lists all")


def _most_telling(tasks: Sequence[TaskRecord]) -> Sequence[TaskRecord]:
    """Return as many tasks as can be read, what is not completed before the rest."""
    if len(tasks) <= _MOST_ROWS:
        return tasks
    return sorted(tasks, key=lambda task: task.status is TaskStatus.COMPLETED)[:_MOST_ROWS]


def _parameters(store: StateStore, run: RunRecord) -> dict[str, str]:
    return {
        name: _preview(store, digest, _LONGEST_PARAMETER) for name, digest in run.params.items()
    }


def _preview(store: StateStore, digest: str, limit: int) -> str:
    from flowweaver.serialize import preview

    try:
        return preview(store.result(digest).encoded, limit)
    except StoreError as error:
        return f"(can't be shown: {error})"


# Tasks of a run ------------------------------------------------------------------------------


def _print_tasks_json(store: StateStore, run: RunRecord, tasks: Sequence[TaskRecord]) -> None:
    from flowweaver.cli.shapes import run_as_json, task_as_json

    print_json(
        {
            "run": run_as_json(run, standing(store, run)),
            "tasks": [
                {
                    **task_as_json(task),
                    "result": _result_as_json(store, task),
                    "failed_attempts": _attempts_as_json(store, task),
                }
                for task in tasks
            ],
        }
    )


def _result_as_json(store: StateStore, task: TaskRecord) -> dict[str, Any] | None:
    from flowweaver.serialize import preview

    if task.digest is None:
        return None
    encoded = store.result(task.digest).encoded
    return {
        "codec": encoded.codec,
        "bytes": len(encoded.data),
        "digest": task.digest,
        "preview": preview(encoded, _LONGEST_VALUE),
    }


def _attempts_as_json(store: StateStore, task: TaskRecord) -> list[dict[str, Any]]:
    from flowweaver.cli.shapes import attempt_as_json

    return [
        attempt_as_json(attempt)
        for attempt in store.attempts(task.run_id, task.task)
        if attempt.element == task.element
    ]


def _print_tasks(store: StateStore, run: RunRecord, tasks: Sequence[TaskRecord]) -> None:
    from flowweaver.report.tables import tasks_table

    click.echo(f"run {run.id} of {run.workflow}, {standing(store, run)}")
    print_table(tasks_table(tasks))
    for task in tasks:
        _print_task(store, task, heading=len(tasks) > 1)


def _print_task(store: StateStore, task: TaskRecord, *, heading: bool) -> None:
    from flowweaver.observers.style import block, why

    if heading:
        click.echo(block(f"{display_name(task)}:"))
    if task.digest is not None:
        click.echo(block(f"result: {_preview(store, task.digest, _LONGEST_VALUE)}"))
    attempts = [a for a in store.attempts(task.run_id, task.task) if a.element == task.element]
    for attempt in attempts:
        if attempt.failure is not None:
            click.echo(f"attempt {attempt.number}: {why(attempt.failure)}")
    if task.failure is not None and task.failure.trace:
        click.echo(block(task.failure.trace.rstrip()))

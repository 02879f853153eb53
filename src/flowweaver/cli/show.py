"""``flowweaver show``: one run, or one task of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from flowweaver.cli.asking import run_argument, task_argument
from flowweaver.cli.mapped import tasks_named, tasks_of, told
from flowweaver.cli.output import Problem, print_json, print_table, say, say_lines
from flowweaver.cli.store import COUNT, open_history, open_run, store_option
from flowweaver.errors import StoreError
from flowweaver.records import FORK_KEY, AttemptRecord, TaskRecord
from flowweaver.report.counts import counts_in_words, counts_of, display_name
from flowweaver.report.standing import standing
from flowweaver.status import TaskStatus

if TYPE_CHECKING:
    from flowweaver.run import Run
    from flowweaver.state_store import StateStore

_COMPLETED = TaskStatus.COMPLETED
_MOST_ROWS = 500
_SLOWEST = 20
_MOST_READ = 10
_LONGEST_VALUE = 2_000
_LONGEST_PARAMETER = 80


@click.command("show", short_help="Show a run, or one task of it.")
@run_argument()
@task_argument(metavar="[TASK]", required=False)
@store_option("Where the run is kept.")
@click.option(
    "--page",
    type=COUNT,
    metavar="N",
    help="List the N-th 500 TaskRuns that were begun, and nothing else.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show_command(
    run_id: str, task_name: str | None, store_url: str, page: int | None, as_json: bool
) -> None:
    """Show a run with its tasks, or one TASK of it: result, files read, attempts and error.

    RUN is the run's id, the first characters of it, or "last". TASK may be an element of a fan-out:
    'page[3]'. Elements are listed in their order, each with what it is called: page[3] (Oslo). Of a
    run with more than 500 TaskRuns, what is not completed is listed, and the slowest. Values are
    shown by field, without running any code that came with them.
    """
    store = open_history(store_url)
    run = open_run(store, run_id)
    if page is not None:
        if task_name is not None:
            raise Problem("--page lists TaskRuns of all tasks; leave TASK out.")
        _print_page(store, run, page, as_json=as_json)
    elif task_name is None:
        (_print_run_json if as_json else _print_run)(store, run)
    else:
        chosen = list(map(told, tasks_named(run, task_name)))
        (_print_tasks_json if as_json else _print_tasks)(store, run, chosen)


# A run ---------------------------------------------------------------------------------------


def _print_run_json(store: StateStore, run: Run) -> None:
    from flowweaver.cli.shapes import run_with_tasks

    shape = run_with_tasks(run, standing(store, run.record))
    print_json({**shape, "parameters": _parameters(store, run)})


def _print_run(store: StateStore, run: Run) -> None:
    from flowweaver.report.tables import RunsTable, TasksTable

    print_table(RunsTable([run.record], partial(standing, store)))
    for name, value in _parameters(store, run).items():
        say(f"parameter {name} = {value}")
    if isinstance(origin := run.record.info.get(FORK_KEY), str):
        say(f"fork of run {origin}")
    if run.targets:
        say(f"asked for {', '.join(run.targets)}")
    counts = counts_of(run)
    say(counts_in_words(counts))
    if counts["total"] > _MOST_ROWS:
        _print_most_telling(store, run, counts["total"])
    elif tasks := list(map(told, tasks_of(run))):
        print_table(TasksTable(sorted(tasks, key=lambda task: task.status is _COMPLETED)))


def _print_most_telling(store: StateStore, run: Run, total: int) -> None:
    """Print as many tasks of a long run as can be read: what is not completed, then the slowest."""
    from flowweaver.report.tables import TasksTable

    open_statuses = [status for status in TaskStatus if status is not _COMPLETED]
    unfinished = list(store.tasks(run.id, 0, _MOST_ROWS, statuses=open_statuses))
    if unfinished:
        print_table(TasksTable(unfinished))
    timed = store.slowest(run.id, _SLOWEST + len(unfinished))
    slowest = [task for task in timed if task.status is _COMPLETED]
    if slowest:
        say("the slowest:")
        print_table(TasksTable(slowest[:_SLOWEST]))
    pages = -(-total // _MOST_ROWS)
    say(f"--page 1 to --page {pages} list all {total}, {_MOST_ROWS} at a time")


def _print_page(store: StateStore, run: Run, number: int, *, as_json: bool) -> None:
    """Print a page of a run's TaskRuns, in the order in which they were begun."""
    from flowweaver.cli.shapes import task_as_json
    from flowweaver.report.tables import TasksTable

    start = (number - 1) * _MOST_ROWS
    found = store.tasks(run.id, start, start + _MOST_ROWS)
    if as_json:
        print_json({"page": number, "tasks": [task_as_json(task) for task in found]})
    elif found:
        print_table(TasksTable(found))
    else:
        say(f"run {run.id} has no page {number}")


def _parameters(store: StateStore, run: Run) -> dict[str, str]:
    params = run.record.params
    return {name: _preview(store, digest, _LONGEST_PARAMETER) for name, digest in params.items()}


def _preview(store: StateStore, digest: str, limit: int) -> str:
    from flowweaver.serialize import preview

    try:
        return preview(store.result(digest).encoded, limit)
    except StoreError as error:
        return f"(can't be shown: {error})"


# Tasks of a run ------------------------------------------------------------------------------


def _print_tasks_json(store: StateStore, run: Run, tasks: Sequence[TaskRecord]) -> None:
    from flowweaver.cli.shapes import attempt_as_json, read_as_json, run_as_json, task_as_json

    attempts = _attempts_of(store, tasks)
    print_json(
        {
            "run": run_as_json(run.record, standing(store, run.record)),
            "tasks": [
                {
                    **task_as_json(task),
                    "result": _result_as_json(store, task),
                    "read": read_as_json(task),
                    "failed_attempts": [
                        attempt_as_json(attempt) for attempt in attempts[task.task, task.element]
                    ],
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


def _attempts_of(
    store: StateStore, tasks: Sequence[TaskRecord]
) -> Mapping[tuple[str, str], list[AttemptRecord]]:
    """Return what is kept of the attempts of each TaskRun, asked for once a task."""
    found: dict[tuple[str, str], list[AttemptRecord]] = defaultdict(list)
    for run_id, name in dict.fromkeys((task.run_id, task.task) for task in tasks):
        for attempt in store.attempts(run_id, name):
            found[name, attempt.element].append(attempt)
    return found


def _print_tasks(store: StateStore, run: Run, tasks: Sequence[TaskRecord]) -> None:
    from flowweaver.report.tables import TasksTable

    say(f"run {run.id} of {run.workflow}, {standing(store, run.record)}")
    print_table(TasksTable(tasks))
    attempts = _attempts_of(store, tasks)
    for task in tasks:
        kept = attempts[task.task, task.element]
        _print_task(store, task, kept, heading=len(tasks) > 1)


def _print_task(
    store: StateStore, task: TaskRecord, attempts: Sequence[AttemptRecord], *, heading: bool
) -> None:
    from flowweaver.files.seen import read_in_words
    from flowweaver.observers.style import at_length, why

    if heading:
        say(f"{display_name(task)}:")
    if task.digest is not None:
        say_lines(f"result: {_preview(store, task.digest, _LONGEST_VALUE)}")
    if read := read_in_words(task.seen, _MOST_READ):
        say(f"seen to read: {', '.join(read)}")
    for attempt in attempts:
        if attempt.failure is not None:
            say(f"attempt {attempt.number}: {why(attempt.failure)}")
    if task.failure is not None and (more := at_length(task.failure)):
        say_lines(more.rstrip())

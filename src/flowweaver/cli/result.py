"""``flowweaver result``: what a task returned, whole, for other programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowweaver.cli.asking import run_argument, task_argument
from flowweaver.cli.formats import FORMATS, SUFFIXES, MisfitError, is_binary, written
from flowweaver.cli.output import Problem, print_bytes, say_lines
from flowweaver.cli.store import TARGET_KEY, find_run, open_history, store_option
from flowweaver.errors import NoResultError, UndecodableError

if TYPE_CHECKING:
    from flowweaver.records import RunRecord
    from flowweaver.run import Run, TaskRun
    from flowweaver.state_store import StateStore


@click.command("result", short_help="Print or write what a task returned.")
@run_argument()
@task_argument()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to a file, whole or not at all; its suffix says as what.",
)
@click.option(
    "--as", "form", type=click.Choice(FORMATS), help="As what, if not as suits it or FILE best."
)
@click.option("--target", help="Where its classes are, for what is stored as a pickle.")
@store_option("Where the run is kept.")
def result_command(
    run_id: str,
    task_name: str,
    output: Path | None,
    form: str | None,
    target: str | None,
    store_url: str,
) -> None:
    """Print what TASK returned in RUN, all of it; of a fan-out, all elements or 'page[3]'.

    Text is printed as it is, tables as CSV, all else as JSON: dataclasses, attrs classes, pydantic
    models and named tuples by field. A pickle is loaded only if its signature was made with the
    key that is here.

    \b
    flowweaver result last report
    flowweaver result last totals --as csv
    flowweaver result last 'page[3]' -o page.json
    """  # noqa: D301 - click takes what follows a backspace as it is
    store = open_history(store_url)
    run = _opened(store, find_run(store, run_id), target)
    value = _value(run, task_name)
    asked = form or ("" if output is None else SUFFIXES.get(output.suffix.lower(), ""))
    if output is None and is_binary(value, asked) and sys.stdout.isatty():
        raise Problem("This is binary, and nothing for a terminal; write it with -o FILE.")
    try:
        data = written(value, asked)
    except MisfitError as error:
        raise Problem(f"Task {task_name!r} of run {run.id}: {error}") from None
    if output is not None:
        _write(output, data)
    elif sys.stdout.isatty():
        say_lines(data.decode().removesuffix("\n"))
    else:
        print_bytes(data)


def _opened(store: StateStore, record: RunRecord, target: str | None) -> Run:
    from flowweaver.engine.history.past import load_run
    from flowweaver.engine.history.stored import StoredRun
    from flowweaver.run import Run

    if target is None:
        return Run(StoredRun(store, record))
    from flowweaver.cli.targets import load_workflow

    return load_run(load_workflow(target), store, record.id)


def _value(run: Run, name: str) -> Any:
    from flowweaver.cli.mapped import tasks_named

    task = tasks_named(run, name)[0]
    try:
        return _elements(task) if task.is_mapped and task.record.digest is None else task.result
    except UndecodableError as error:
        noted = run.record.info.get(TARGET_KEY)
        where = noted if isinstance(noted, str) else "pipeline.py"
        raise Problem(f"{error} If its classes are in {where}, say --target {where}.") from None


def _elements(task: TaskRun) -> Any:
    """Return the list of a fan-out's results; what was skipped is left out."""
    try:
        return task.result  # where the workflow is at hand, it knows all of the lists
    except NoResultError:
        keys = [element.element for element in task.elements]
        if task.status.value != "completed":
            raise
        if any("." in key for key in keys):
            raise Problem(
                f"{task.name!r} is a list of lists, which only its workflow can put together; say "
                "where that is with --target."
            ) from None
    return _in_order(task.elements)


def _in_order(elements: Sequence[TaskRun]) -> list[Any]:
    found = []
    for element in elements:
        if element.status.value == "completed":
            found.append(element.result)
        elif element.error is not None:
            found.append(element.error)
    return found


def _write(path: Path, data: bytes) -> None:
    from flowweaver.files.output import OutputFile

    try:
        OutputFile(path).write_bytes(data)
    except OSError as error:
        raise Problem(f"{path} can't be written: {error.strerror or error}.") from None

"""``flowweaver fork``: a past run again, with other values."""

from __future__ import annotations

import shlex
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TextIO

import click

from flowweaver.cli.asking import executor_options, override_option, param_options, run_argument
from flowweaver.cli.output import ExitCode, say, stdout_kept_clean, streams_kept
from flowweaver.cli.retention import keep_to_retention
from flowweaver.cli.store import Noting, find_run, open_history, refuse_nothing, store_option

if TYPE_CHECKING:
    from flowweaver.engine.options import ExecuteArguments


@click.command("fork", short_help="Run a past run again with other values.")
@run_argument()
@param_options
@override_option
@click.option("--target", help="Where the code is; if it is not said, you are asked.")
@executor_options("How many tasks run at once.")
@store_option("Where the run is kept, and the new one will be.")
@click.option("--json", "as_json", is_flag=True, help="Print the new run as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress and no summary.")
@click.option("-v", "--verbose", is_flag=True, help="Show a line for every start and end.")
def fork_command(as_json: bool, **asked: Any) -> int:
    """Make a new run of RUN with other parameters, or values in place of tasks.

    All else is as in RUN, and what does not depend on what differs is restored. RUN stays as it is.
    It says first what differs; `flowweaver diff` says what came of it. The same command, with the
    id of RUN, continues a fork that was interrupted.

    \b
    flowweaver fork last -p rate=0.1 --target pipeline.py
    flowweaver fork last --override threshold=0.8 --target pipeline.py
    """  # noqa: D301 - click takes what follows a backspace as it is
    clean: AbstractContextManager[TextIO | None] = stdout_kept_clean() if as_json else nullcontext()
    with streams_kept(), clean as output:
        return _fork(output, as_json=as_json, **asked)


def _fork(
    output: TextIO | None,
    *,
    run_id: str,
    params: tuple[str, ...],
    secrets: tuple[str, ...],
    overrides: tuple[str, ...] | None,
    target: str | None,
    executor_name: str,
    workers: int | None,
    store_url: str,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    from flowweaver.cli.executors import make_executor
    from flowweaver.cli.parameters import read_overrides, read_parameters
    from flowweaver.cli.run import report_outcome
    from flowweaver.cli.running import execute
    from flowweaver.cli.targets import load_workflow
    from flowweaver.cli.trust import agreed_target
    from flowweaver.engine.history.fork import forked

    store = open_history(store_url)
    refuse_nothing(store)
    run = find_run(store, run_id)
    target = target or agreed_target(run)
    workflow = load_workflow(target)
    values = read_parameters(params, workflow.compile(), secrets)
    given = read_overrides(overrides, workflow.compile())
    made = forked(workflow, store, run.id, values, given)
    if not quiet:
        say(f"fork of run {run.id}: {'; '.join(made.changes)}", err=as_json)
    executor = make_executor(executor_name, workers, state_store=Noting(store, target))
    asked: ExecuteArguments = {
        "overrides": made.overrides,
        "targets": made.targets,
        "fork_of": run.id,
    }
    with streams_kept():
        outcome = execute(executor, workflow, made.params, asked, quiet=quiet, verbose=verbose)
    again = "`flowweaver run` with its parameters and overrides"
    report_outcome(outcome, store, store_url, output, again, as_json=as_json, quiet=quiet)
    if outcome.code == ExitCode.DONE:
        keep_to_retention(store, workflow.name, quiet=quiet)
    if outcome.run is not None and not (quiet or as_json):
        say(f"compare: flowweaver diff {shlex.quote(run.id)} {shlex.quote(outcome.run.id)}")
    return outcome.code

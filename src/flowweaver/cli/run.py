"""``flowweaver run``: execute a workflow."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from math import isnan
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from flowweaver.cli.asking import (
    DEFAULTS,
    choice_option,
    executor_options,
    param_options,
    target_argument,
    targets_argument,
    wish_options,
)
from flowweaver.cli.output import (
    ExitCode,
    print_error,
    print_json,
    say_lines,
    stdout_kept_clean,
    streams_kept,
)
from flowweaver.cli.retention import keep_to_retention
from flowweaver.cli.store import Noting, open_for_run, store_option
from flowweaver.engine.options import GRACE_SECONDS
from flowweaver.stores.common.urls import DURABILITIES

if TYPE_CHECKING:
    from flowweaver.cli.running import Outcome
    from flowweaver.engine.options import ExecuteArguments
    from flowweaver.state_store import StateStore


class _Seconds(click.FloatRange):
    """A number of seconds: NaN is below no number, and above none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds: float = super().convert(value, param, ctx)
        if isnan(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


@click.command("run", short_help="Execute a workflow.")
@target_argument
@targets_argument
@param_options
@executor_options("How many tasks run at once.")
@store_option("Where the run is kept; memory: keeps nothing.")
@wish_options
@choice_option(
    "schedule",
    "What is ready starts by what the rest waits for longest, or first come, first served.",
)
@choice_option("on_failure", "Whether what does not depend on a failed task still runs.")
@click.option(
    "--wait",
    type=_Seconds(min=0),
    default=DEFAULTS.wait,
    metavar="SECONDS",
    help="How long to wait for another process that works on the same run.",
)
@click.option("--take-over", is_flag=True, help="Supersede another process that works on the run.")
@click.option(
    "--durability",
    type=click.Choice(DURABILITIES),
    help="What a completed task survives: full, power loss too (the default); process, any kill.",
)
@click.option(
    "--grace",
    type=_Seconds(min=0),
    default=GRACE_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long running tasks may take to finish after Ctrl-C or SIGTERM.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="TAG=N",
    help="At most so many tasks of a tag at once, besides what the workflow says: db=2. Repeat it "
    "for more.",
)
@click.option(
    "--rate",
    multiple=True,
    metavar="TAG=N/TIME",
    help="How often tasks of a tag may start, besides what the workflow says: api=10/s. Repeat it "
    "for more.",
)
@click.option(
    "--observer",
    "observers",
    multiple=True,
    metavar="NAME[://ADDRESS]",
    help="Who is told of what happens: log, or one that an installed package brings.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
@click.option(
    "-q", "--quiet", is_flag=True, help="Show no progress and no summary; errors are shown."
)
@click.option("-v", "--verbose", is_flag=True, help="Show a line for every start and end.")
def run_command(as_json: bool, **asked: Any) -> int:
    """Execute the workflow TARGET: pipeline.py, pipeline.py:etl or package.module:etl.

    With TASK only that task and what it needs is done; there can be several.
    An unfinished run of the same workflow and parameters is continued; otherwise a new run
    restores what is unchanged, from whole runs and parts alike. The same code with the same inputs
    is found under other names of task, workflow and file, too (--cache-scope). Ctrl-C once lets
    running tasks finish, twice ends them.

    \b
    flowweaver run pipeline.py -p day=2026-01-31 -e processes
    flowweaver run pipeline.py report              # that task and what it needs
    flowweaver run pipeline.py --from clean        # it and all behind it, afresh
    flowweaver run pipeline.py --override 'fetch=[1, 2]' --store memory:
    """  # noqa: D301 - click takes what follows a backspace as it is
    clean: AbstractContextManager[TextIO | None] = stdout_kept_clean() if as_json else nullcontext()
    with streams_kept(), clean as output:
        return _run(output, as_json=as_json, **asked)


def _run(
    output: TextIO | None,
    *,
    target: str,
    params: tuple[str, ...],
    secrets: tuple[str, ...],
    overrides: tuple[str, ...] | None,
    executor_name: str,
    workers: int | None,
    store_url: str,
    durability: str | None,
    grace: float,
    limits: tuple[str, ...],
    rate: tuple[str, ...],
    wait: float,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **arguments: Any,
) -> int:
    from flowweaver.cli.executors import make_executor
    from flowweaver.cli.parameters import by_tag, read_overrides, read_parameters
    from flowweaver.cli.running import execute
    from flowweaver.cli.targets import load_workflow

    workflow = load_workflow(target)
    values = read_parameters(params, workflow.compile(), secrets)
    store = open_for_run(store_url, durability)
    noting = None if store is None else Noting(store, target)
    executor = make_executor(
        executor_name,
        workers,
        state_store=noting,
        grace=grace,
        limits=by_tag("--limit", limits, int),
        rate=by_tag("--rate", rate, str),
    )
    given = read_overrides(overrides, workflow.compile())
    asked = cast("ExecuteArguments", {**arguments, "overrides": given})
    with streams_kept():
        outcome = execute(
            executor, workflow, values, asked, wait=wait, quiet=quiet, verbose=verbose
        )
    again = f"the same command {'without --new-run' if asked.get('new_run') else 'again'}"
    report_outcome(outcome, store, store_url, output, again, as_json=as_json, quiet=quiet)
    if outcome.code == ExitCode.DONE:
        keep_to_retention(store, workflow.name, quiet=quiet)
    return outcome.code


def report_outcome(
    outcome: Outcome,
    store: StateStore | None,
    store_url: str,
    output: TextIO | None,
    again: str,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Say what an execution came to, what failed, and what continues it."""
    from flowweaver.cli.shapes import run_with_tasks
    from flowweaver.cli.summary import print_allowed_failures, print_failures, summary

    if outcome.run is None:
        print_error("interrupted before the run began")
        return
    print_failures(outcome.run)
    if not quiet:
        print_allowed_failures(outcome.run)
    if as_json:
        where = None if store is None else store.url
        shape = {**run_with_tasks(outcome.run), "store": where, "exit_code": outcome.code}
        print_json(shape, output)
    elif not quiet:
        kept_at = None if store is None else store_url
        say_lines(summary(outcome.run, kept_at, again))

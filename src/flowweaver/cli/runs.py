"""``flowweaver runs``: the runs of a store."""

from __future__ import annotations

import click

from flowweaver.cli.output import print_json, print_table, say
from flowweaver.cli.store import COUNT, open_history, refuse_nothing, store_option, workflow_named


@click.command("runs", short_help="List the runs of a store.")
@click.option("--workflow", metavar="NAME", help="Only runs of this workflow.")
@click.option(
    "--limit",
    type=COUNT,
    default=20,
    show_default=True,
    help="At most how many, the newest first.",
)
@store_option("Where the runs are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def runs_command(workflow: str | None, limit: int, store_url: str, as_json: bool) -> None:
    """List the runs of a store, the newest first.

    A store that is not there is an error, and so is a workflow that has no run in it.
    """
    store = open_history(store_url)
    refuse_nothing(store)
    from functools import partial

    from flowweaver.report.standing import standing

    runs = store.runs(None if workflow is None else workflow_named(store, workflow), limit)
    if as_json:
        from flowweaver.cli.shapes import run_as_json

        print_json([run_as_json(run, standing(store, run)) for run in runs])
    elif runs:
        from flowweaver.report.tables import RunsTable

        print_table(RunsTable(runs, partial(standing, store)))
    else:
        say(f"no runs in {store.url}")

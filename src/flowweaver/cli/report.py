"""``flowweaver report`` and ``flowweaver trace``: a run as a file for others to look at."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flowweaver.cli.asking import run_argument
from flowweaver.cli.output import Problem, print_json, say
from flowweaver.cli.store import find_run, open_history, refuse_nothing, store_option


@click.command("report", short_help="Write a run as one HTML file.")
@run_argument(metavar="[RUN]", default="last")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="Where to write it.",
)
@click.option("--open", "to_open", is_flag=True, help="Open it in the browser.")
@store_option("Where the run is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print what the page shows as JSON instead.")
def report_command(run_id: str, output: Path, to_open: bool, store_url: str, as_json: bool) -> None:
    """Write RUN (the last one, if none is named) as one HTML file that opens anywhere.

    The file needs no network and no server: graph, timeline, table of tasks, failures, code that
    changed, inputs, results and logs are in it. Values are shown without running any of their code.
    """
    from flowweaver.report.page import report_page
    from flowweaver.report.view.assemble import DETAILS_IN_REPORT, View
    from flowweaver.report.view.sources import StoredRun

    store = open_history(store_url)
    refuse_nothing(store)
    run = find_run(store, run_id)
    view = View(StoredRun(store, run)).as_json(details=DETAILS_IN_REPORT)
    if as_json:
        print_json(view)
        return
    _write(output, report_page(view))
    say(f"report of run {run.id}: {output}")
    if to_open:
        click.launch(output.resolve().as_uri())


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{path} can't be written: {error.strerror or error}.") from None


@click.command("trace", short_help="Write when what ran, for trace viewers.")
@run_argument()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("trace.json"),
    show_default=True,
    help="Where to write it.",
)
@store_option("Where the run is kept.")
def trace_command(run_id: str, output: Path, store_url: str) -> None:
    """Write the timeline of RUN in Chrome's trace format, which Perfetto and speedscope open."""
    from flowweaver.report.trace import trace_json
    from flowweaver.report.view.assemble import View
    from flowweaver.report.view.sources import StoredRun

    store = open_history(store_url)
    refuse_nothing(store)
    run = find_run(store, run_id)
    source = StoredRun(store, run)
    view = View(source).as_json(rows=max(1, len(source.tasks)))
    _write(output, json.dumps(trace_json(view)))
    say(f"trace of run {run.id}: {output}; open it at https://ui.perfetto.dev or in speedscope")

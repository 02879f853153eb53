"""``flowweaver store``: what is done with whole stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowweaver.cli.output import Problem, print_json, say
from flowweaver.cli.store import find_run, open_history, refuse_nothing

if TYPE_CHECKING:
    from flowweaver.stores.copying import Copied


@click.group("store", short_help="Copy runs between stores.")
def store_command() -> None:
    """Work with whole stores."""


@store_command.command("copy", short_help="Copy runs from one store to another.")
@click.argument("source_url", metavar="SRC")
@click.argument("target_url", metavar="DST")
@click.option(
    "--run",
    "wanted",
    multiple=True,
    metavar="RUN",
    help="Only this run: its id, the beginning of it, or last. May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was copied as JSON.")
def copy_command(source_url: str, target_url: str, wanted: tuple[str, ...], as_json: bool) -> None:
    """Copy runs from the store SRC to the store DST (paths or URLs), with all that is theirs.

    Runs keep their ids, so an unfinished one is continued from DST. All that arrives is checked
    by its digest. What is there already is left alone, so a copy that was cut short is finished by
    doing it again; another run of the same id is never overwritten.
    """
    from flowweaver.stores.copying import copy_runs

    source, target = open_history(source_url), open_history(target_url)
    refuse_nothing(source)
    if not source.runs(limit=1):
        raise Problem(f"There is no run in {source.url}.")
    run_ids = [find_run(source, one).id for one in wanted] if wanted else None
    copied = copy_runs(source, target, run_ids, tell=None if as_json else _tell)
    if as_json:
        print_json({"source": source.url, "target": target.url, "runs": list(map(_shape, copied))})
        return
    new = [one for one in copied if not one.already]
    already = f", {len(copied) - len(new)} were there already" if len(new) < len(copied) else ""
    say(f"copied {len(new)} of {len(copied)} runs{already}")


def _tell(copied: Copied) -> None:
    from flowweaver.serialize.describe import size_text

    run = f"{copied.run.id} of {copied.run.workflow}, {copied.run.status.value}"
    what = f"{copied.tasks} tasks, {copied.results} new results, {size_text(copied.bytes)}"
    say(f"{run}: {'there already' if copied.already else what}")


def _shape(copied: Copied) -> dict[str, object]:
    return {
        "id": copied.run.id,
        "workflow": copied.run.workflow,
        "status": copied.run.status.value,
        "already_there": copied.already,
        "tasks": copied.tasks,
        "new_results": copied.results,
        "bytes": copied.bytes,
    }

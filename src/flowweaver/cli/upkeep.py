"""``flowweaver gc`` and ``doctor``: letting go of what is old, and looking at a store's health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from flowweaver.cli.output import print_json, say
from flowweaver.cli.settings import NAMES, Settings
from flowweaver.cli.store import COUNT, open_history, refuse_nothing, store_option

if TYPE_CHECKING:
    from flowweaver.state_store import StateStore


_MOST_TASKS = 1_000


@click.command("gc", short_help="Delete old runs and what nothing refers to.")
@click.option("--keep-age", metavar="AGE", help="Keep runs of that age: 12h, 30d, 8w.")
@click.option("--keep-runs", type=COUNT, help="Keep so many runs a workflow.")
@click.option("--keep-bytes", metavar="SIZE", help="Keep results of that size a workflow: 500MB.")
@store_option("Which store.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def gc_command(
    keep_age: str | None,
    keep_runs: int | None,
    keep_bytes: str | None,
    store_url: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Delete finished runs beyond what is to be kept, and results that nothing refers to.

    Unfinished runs and the newest finished run of each workflow are always kept. Without a
    --keep option no run is deleted. While anybody works on a run, results stay until a later gc.
    """
    from flowweaver.cli.retention import retain_from
    from flowweaver.engine.history.prune import prune
    from flowweaver.serialize.describe import size_text

    retain = retain_from(keep_age, keep_runs, keep_bytes)
    store = open_history(store_url)
    refuse_nothing(store)
    pruned = prune(store, retain, dry_run=dry_run)
    if as_json:
        print_json(
            {
                "runs": list(pruned.runs),
                "results": pruned.results,
                "bytes": pruned.bytes,
                "dry_run": dry_run,
            }
        )
        return
    would = "would delete" if dry_run else "deleted"
    say(
        f"{would} {len(pruned.runs)} runs, {pruned.results} results and pieces of code, "
        f"{size_text(pruned.bytes)}"
    )


@click.command("doctor", short_help="Look at a store's health.")
@store_option("Which store.")
@click.option("--quick", is_flag=True, help="Don't read every row and result.")
@click.option("--settings", "only_settings", is_flag=True, help="Only show which settings hold.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def doctor_command(
    ctx: click.Context, store_url: str, quick: bool, only_settings: bool, as_json: bool
) -> int:
    """Check a store deeply and say what it is: versions, journal mode, sizes by task.

    First it says which settings hold and where each was said: by an option, by a FLOWWEAVER_
    variable, in a profile, in flowweaver.toml or pyproject.toml. Exits with 1 if something is
    wrong. Nothing is changed.
    """
    import platform

    from flowweaver.version import __version__

    settings = _settings(ctx, store_url)
    if not as_json:
        for name, setting in settings.items():
            say(f"setting {name}: {setting['value']} ({setting['source']})")
    elif only_settings:
        print_json({"settings": settings})
    if only_settings:
        return 0
    store = open_history(store_url)
    facts: dict[str, object] = {
        "flowweaver": __version__,
        "python": platform.python_version(),
    }
    sizes: dict[str, int] = {}
    problems = store.check(not quick)
    if not problems:
        refuse_nothing(store)
        facts |= store.describe()
        sizes = _sizes(store)
    if as_json:
        told = {"facts": facts, "problems": problems, "bytes_by_task": sizes}
        print_json({**told, "settings": settings})
    else:
        _print(facts, problems, sizes)
    for problem in problems:
        say(f"problem: {problem}", err=True)
    return 1 if problems else 0


def _settings(ctx: click.Context, store_url: str) -> dict[str, dict[str, Any]]:
    """Return which settings hold, with the words for where each was said."""
    found = {
        name: {"value": setting.value, "source": setting.source}
        for name, setting in ctx.ensure_object(Settings).values.items()
    }
    source = ctx.get_parameter_source("store_url")
    if source is not ParameterSource.DEFAULT_MAP:
        words = "by default" if source is ParameterSource.DEFAULT else "command line"
        found["store"] = {"value": store_url, "source": words}
    return {name: found[name] for name in NAMES if name in found}


def _sizes(store: StateStore) -> dict[str, int]:
    """Return the bytes by task of the newest run of each workflow, of those that take most."""
    from flowweaver.engine.history.prune import sizes_by_task

    found: dict[str, int] = {}
    seen: set[str] = set()
    for run in store.runs():
        if run.workflow not in seen:
            seen.add(run.workflow)
            for task, size in sizes_by_task(store, run.id, _MOST_TASKS).items():
                found[f"{run.workflow}/{task}"] = size
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _print(facts: dict[str, Any], problems: list[str], sizes: dict[str, int]) -> None:
    from flowweaver.serialize.describe import size_text

    for name, value in facts.items():
        say(f"{name.replace('_', ' ')}: {value}")
    for task, size in list(sizes.items())[:20]:
        say(f"results of {task} (newest run): {size_text(size)}")
    if not problems:
        say("no problem found")

"""Retention, as the settings say: what is kept of a workflow's history once it has run again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from flowweaver.cli.output import print_error, say
from flowweaver.cli.settings import Settings

if TYPE_CHECKING:
    from flowweaver.engine.history.prune import Retain
    from flowweaver.state_store import StateStore


def retain_from(age: str | None, runs: int | None, size: str | None) -> Retain:
    """Return how much is kept, of what was said as text: "30d", 20, "5GB"."""
    from flowweaver.definitions.units import parse_duration, parse_size
    from flowweaver.engine.history.prune import Retain

    return Retain(
        None if age is None else parse_duration(age, "--keep-age"),
        runs,
        None if size is None else parse_size(size, "--keep-bytes"),
    )


def keep_to_retention(store: StateStore | None, workflow: str, *, quiet: bool) -> None:
    """Let go of what of a workflow's runs is beyond the setting, if there is one.

    What was done is done: that this fails is told, and changes nothing of it.
    """
    setting = click.get_current_context().ensure_object(Settings).values.get("retention")
    if store is None or setting is None:
        return
    from flowweaver.engine.history.prune import let_go
    from flowweaver.errors import FlowWeaverError

    kept: Mapping[str, Any] = setting.value
    try:
        retain = retain_from(kept.get("age"), kept.get("runs"), kept.get("bytes"))
        gone = let_go(store, retain, workflow)
    except FlowWeaverError as error:
        print_error(f"old runs could not be deleted: {error}")
        return
    if gone and not quiet:
        count = f"{len(gone)} old run{'' if len(gone) == 1 else 's'}"
        say(f"deleted {count} of {workflow}, beyond the retention in {setting.source}", err=True)

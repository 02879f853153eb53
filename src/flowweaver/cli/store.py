"""The store a command works with: what ``--store`` means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flowweaver.cli.output import Problem
from flowweaver.cli.settings import load_settings
from flowweaver.errors import UnknownNameError, near_matches

if TYPE_CHECKING:
    from flowweaver.records import ClaimRequest, Lease, RunRecord
    from flowweaver.run import Run
    from flowweaver.state_store import StateStore

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_STORE = ".flowweaver/state.db"
NO_STORE = "memory:"
# Where a run's `info` says what target it was started with.
TARGET_KEY = "target"


COUNT = click.IntRange(1, 10**12)
"""How many of what is in a store; no store has more."""


def store_option(help_text: str) -> Callable[[F], F]:
    """Return the options ``--store`` and ``--profile`` for a command; with them settings hold."""
    store = click.option(
        "--store",
        "store_url",
        metavar="PATH|URL",
        default=DEFAULT_STORE,
        show_default=True,
        help=help_text,
    )
    profile = click.option(
        "--profile",
        metavar="NAME",
        is_eager=True,
        expose_value=False,
        callback=_settle,
        help="Settings to take: a profile of flowweaver.toml or pyproject.toml.",
    )
    return lambda command: store(profile(command))


def _settle(ctx: click.Context, _: click.Parameter, profile: str | None) -> None:
    """Have what settings say hold for the options that are not given."""
    settings = load_settings(profile)
    ctx.default_map = settings.defaults()
    ctx.obj = settings


def open_history(store_url: str) -> StateStore:
    """Return a store to look into. Nothing is written."""
    from flowweaver.stores import open_store

    if store_url == NO_STORE:
        raise Problem(f"--store {NO_STORE} keeps nothing that could be looked at.")
    return open_store(store_url)


def refuse_nothing(store: StateStore) -> None:
    """Refuse a store whose file or database isn't there: a slip in its name, most likely.

    Raises:
        Problem: Names it.
    """
    if not store.exists():
        raise Problem(f"There is no store at {store.url}; `flowweaver run TARGET` makes one.")


def open_for_run(store_url: str, durability: str | None) -> StateStore | None:
    """Return the store to keep a run in, or None to keep it in memory; nothing is made yet."""
    from flowweaver.stores import open_store

    if store_url == NO_STORE:
        if durability is not None:
            raise Problem(
                f"--durability says how a store keeps a run; --store {NO_STORE} keeps none."
            )
        return None
    store = open_store(store_url)
    if durability is None:
        return store
    # A store's own URL leaves out a password, one that was given has it.
    url = store_url if "://" in store_url else store.url
    joint = "&" if "?" in url else "?"
    return open_store(f"{url}{joint}durability={durability}")


class Noting:
    """A store as an executor sees it, which notes of each run what target it was started with."""

    def __init__(self, store: StateStore, target: str) -> None:
        self._store = store
        self._target = target

    def claim(self, request: ClaimRequest) -> Lease:
        """Claim as the store does."""
        info = {**request.info, TARGET_KEY: self._target}
        return self._store.claim(replace(request, info=info))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def find_run(store: StateStore, wanted: str) -> RunRecord:
    """Return the run of that id, of the only id that begins so, or the newest for "last".

    Raises:
        Problem: There is no such run, or several.
    """
    if wanted == "last":
        newest = store.runs(limit=1)
        if newest:
            return newest[0]
        raise Problem(f"There is no run in {store.url}; `flowweaver run TARGET` makes one.")
    try:
        return store.run(wanted)
    except UnknownNameError:
        return _only_run(store, wanted)


def open_run(store: StateStore, wanted: str) -> Run:
    """Return a view of a run, found as by `find_run`."""
    from flowweaver.engine.history.stored import StoredRun
    from flowweaver.run import Run

    return Run(StoredRun(store, find_run(store, wanted)))


def workflow_named(store: StateStore, name: str) -> str:
    """Return the name of a workflow that has runs in the store.

    Raises:
        Problem: It has none of that name.
    """
    if store.runs(name, limit=1):
        return name
    known = dict.fromkeys(run.workflow for run in store.runs())
    raise Problem(f"There is no run of workflow {name!r} in {store.url}{near_matches(name, known)}")


def _only_run(store: StateStore, beginning: str) -> RunRecord:
    runs = list(store.runs())
    found = [run for run in runs if run.id.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    if not found:
        hint = near_matches(beginning, ["last", *(run.id for run in runs)])
        if any(run.workflow == beginning for run in runs):
            hint = f"; it is a workflow: `flowweaver runs --workflow {beginning}` lists its runs."
        elif hint == ".":
            hint = "; `flowweaver runs` lists what there is."
        raise Problem(f"There is no run {beginning!r} in {store.url}{hint}")
    shown = ", ".join(run.id for run in found[:5]) + (", ..." if len(found) > 5 else "")
    raise Problem(f"Run {beginning!r} could be any of {len(found)}: {shown}; give more of its id.")

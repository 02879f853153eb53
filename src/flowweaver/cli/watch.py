"""``flowweaver watch``: a run that another process works on, followed in the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from flowweaver.cli.asking import run_argument
from flowweaver.cli.output import ExitCode, say
from flowweaver.cli.store import find_run, open_history, refuse_nothing, store_option
from flowweaver.names import shown_name
from flowweaver.status import RunStatus

if TYPE_CHECKING:
    from flowweaver.observers.tally import Standing

_LOOK_SECONDS = 0.5
_MOST_RUNNING = 8
# Where there is no terminal: a line when something has changed, at intervals that grow.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Screen(Protocol):
    """Where it is shown how the run stands."""

    def show(self, standing: Standing) -> None:
        """Show it."""
        ...


@click.command("watch", short_help="Follow a run that another process works on.")
@run_argument(metavar="[RUN]", default="last")
@store_option("Where the run is kept.")
def watch_command(run_id: str, store_url: str) -> int:
    """Follow RUN (the last one, if none is named) until it ends; Ctrl-C ends the watching alone.

    Exits with 0 if the run was completed, with 1 if it was not.
    """
    from flowweaver.report.following import FollowedRun

    store = open_history(store_url)
    refuse_nothing(store)
    run = find_run(store, run_id)
    followed = FollowedRun(store, run.id)
    with _screen() as screen:
        while True:
            began = time.monotonic()
            followed.refresh()
            view = followed.summary()
            screen.show(_standing(view))
            if view["run"]["status"] != "running":
                break
            time.sleep(max(_LOOK_SECONDS, 10 * (time.monotonic() - began)))
    status = view["run"]["status"]
    say(f"run {run.id} of {view['run']['workflow']}: {status}")
    for failure in view["failures"][:5]:
        name = shown_name(failure["name"], "", failure.get("label", ""))
        say(f"  {name}: {failure['kind']}: {failure['message']}")
    return ExitCode.DONE if status == "completed" else ExitCode.FAILED


def _standing(view: dict[str, Any]) -> Standing:
    from flowweaver.observers.tally import Share, Standing

    run, counts = view["run"], view["counts"]
    done = counts["total"] - counts["pending"] - counts["running"] - counts["retrying"]
    now = view["made_at"]
    passed = max(0.0, (run.get("ended") or now) - (run.get("continued") or run["began"]))
    expected = run.get("expected_seconds")
    is_live = run["status"] == RunStatus.RUNNING.value
    shares = [
        Share(
            task["name"], _done(task["counts"]), task["elements"], task["counts"].get("failed", 0)
        )
        for task in view["tasks"]
        if task.get("elements")
    ]
    return Standing(
        title=f"{run['workflow']} {run['id']}",
        done=done,
        total=counts["total"],
        seconds=passed,
        counts=counts,
        shares=shares,
        running=[(name, max(0.0, now - since), tries) for name, since, tries in view["running"]],
        left=expected - passed if is_live and expected is not None and expected >= passed else None,
    )


def _done(counts: dict[str, int]) -> int:
    return sum(counts.values()) - counts.get("running", 0) - counts.get("retrying", 0)


@contextmanager
def _screen() -> Iterator[Screen]:
    if not sys.stdout.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _Display(live)


class _Lines:
    """Lines, as many as say something new."""

    def __init__(self) -> None:
        self._last = ""
        self._next, self._pause = 0.0, _FIRST_PAUSE

    def show(self, standing: Standing) -> None:
        from flowweaver.observers.lines import in_words

        text = in_words(standing)
        if text == self._last or time.monotonic() < self._next:
            return
        say(f"{standing.title}: {text}" if not self._last else text)
        self._last = text
        self._next = time.monotonic() + self._pause
        self._pause = min(1.5 * self._pause, _LONGEST_PAUSE)


class _Display:
    """A display that is redrawn in place."""

    def __init__(self, live: Any) -> None:
        self._live = live

    def show(self, standing: Standing) -> None:
        from flowweaver.observers.drawing import drawn

        console = self._live.console
        most = max(1, min(_MOST_RUNNING, console.height - 5))
        self._live.update(drawn(standing, console.width, most), refresh=True)

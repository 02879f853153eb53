"""Whose code the command loads: what a person has named, never what a store says.

A store may come from anybody. What its rows call the target of a run is data: it is shown, and
loaded only when a person agrees to it.
"""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from flowweaver.cli.output import Problem
from flowweaver.cli.store import TARGET_KEY

if TYPE_CHECKING:
    from flowweaver.records import RunRecord


def agreed_target(run: RunRecord) -> str:
    """Return what a run was started with, as its store says, if the person at the terminal agrees.

    Raises:
        Problem: They don't, nobody is there to be asked, or the store says nothing.
    """
    noted = run.info.get(TARGET_KEY)
    if not isinstance(noted, str) or not noted:
        raise Problem(
            f"Run {run.id} was not started by the command, so where its code is must be said: "
            "--target pipeline.py."
        )
    option = f"--target {shlex.quote(noted)}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Problem(
            f"The store says that run {run.id} was started with {noted!r}, but it is not trusted "
            f"with code: if you trust that file, say so with {option}."
        )
    if not click.confirm(_question(run, noted), err=True):
        raise Problem(f"Nothing was loaded; say where the code is, as with {option}.")
    return noted


def _question(run: RunRecord, noted: str) -> str:
    from flowweaver.observers.style import one_line

    return one_line(
        f"The store says that run {run.id} was started with {noted!r}. Load that and call its code?"
    )

"""Workflows that may be planned and started from the page: those that it was started with.

A store is never trusted with code, so what a run's record calls its target is not among them. They
are loaded by the command, each time in a new process, so that edits are seen and none of the user's
code runs in the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowweaver.report.typed import typed

# Loading a workflow imports its file, which may take long.
_LONGEST_LOOK_SECONDS = 120.0


class LookError(Exception):
    """A target can't be loaded; the message is the command's own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command's exit code and output."""

    code: int
    output: str
    errors: str


async def command(*arguments: str, limit: float = _LONGEST_LOOK_SECONDS) -> Outcome:
    """Run a command of FlowWeaver to its end in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "flowweaver",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), limit)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    code = process.returncode or 0
    return Outcome(code, output.decode(errors="replace"), errors.decode(errors="replace"))


async def signature_of(target: str) -> dict[str, Any]:
    """Return a workflow's name, parameters and tasks.

    Raises:
        LookError: It can't be loaded.
    """
    return await _json("graph", "--json", "--", target)


async def plan_of(target: str, store: str, params: Mapping[str, str]) -> dict[str, Any]:
    """Return what a run with these parameters would do.

    Raises:
        LookError: It can't be loaded, or the parameters don't fit.
    """
    return await _json("plan", "--json", "--store", store, *params_given(params), "--", target)


def params_given(params: Mapping[str, str]) -> Sequence[str]:
    """Return parameters as the command takes them, without those left empty."""
    return typed("-p", {name: text for name, text in params.items() if text})


def secrets_given(variables: Mapping[str, str]) -> Sequence[str]:
    """Return secrets as the command takes them, each by the name of an environment variable."""
    return [
        word for name, variable in variables.items() if variable
        for word in ("--secret", f"{name}={variable}")
    ]  # fmt: skip


async def _json(*arguments: str) -> dict[str, Any]:
    try:
        outcome = await command(*arguments)
    except TimeoutError:
        raise LookError(f"It took longer than {_LONGEST_LOOK_SECONDS:g} s to load.") from None
    if outcome.code:
        raise LookError(outcome.errors.strip().removeprefix("Error: ") or "It can't be loaded.")
    try:
        found: dict[str, Any] = json.loads(outcome.output)
    except ValueError:
        raise LookError(
            "What its file prints while it is imported gets in the way of the answer; print from "
            'bodies alone, or under `if __name__ == "__main__":`.'
        ) from None
    return found

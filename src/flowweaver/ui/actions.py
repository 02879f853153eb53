"""What can be done from the page, each by the very command that a person would type.

It takes `--allow-actions`. Runs that are started here are processes of their own, and go on when
the page is closed.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowweaver.records import RunRecord
from flowweaver.report.typed import UntypableError, as_typed, given_again
from flowweaver.state_store import StateStore
from flowweaver.ui.targets import command, params_given, secrets_given

# A run that could not even begin says why within this time.
_BEGINNING_SECONDS = 1.5
_LONGEST_STORY = 4_000


class ActionError(Exception):
    """An action was refused or failed; the message says why."""


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was taken: the command it was, and what became of it (`story`)."""

    command: str
    story: str


class Actions:
    """Takes actions on the runs of one store.

    Args:
        store: Where the runs are.
        store_url: The store as it was given to the command.
        targets: The workflows that may be started.
    """

    def __init__(self, store: StateStore, store_url: str, targets: Sequence[str]) -> None:
        self._store = store
        self._url = store_url
        self._targets = tuple(targets)

    async def start(
        self, target: str, params: Mapping[str, str], secrets: Mapping[str, str], *, new_run: bool
    ) -> Done:
        """Start a run of a target, or continue the unfinished one of these parameters.

        Secrets are taken from the environment of this process: they are given by the names of the
        variables, so that none goes through the page or stands in a command line.
        """
        if target not in self._targets:
            raise ActionError(
                f"Only what `flowweaver ui` was started with can be started here, not {target!r}."
            )
        words = ["run", "--store", self._url, *params_given(params), *secrets_given(secrets)]
        words += ["--new-run"] if new_run else []
        return await self._begin([*words, "--", target])

    async def retry(self, run_id: str) -> Done:
        """Continue an unfinished run: what failed is tried again."""
        run = self._store.run(run_id)
        if not run.status.is_unfinished:
            raise ActionError(f"Run {run_id} is {run.status.value}: there is nothing to retry.")
        target = run.info.get("target")
        if target not in self._targets:
            raise ActionError(
                "Its workflow is not among those that `flowweaver ui` was started with: name it "
                f"there, `flowweaver ui {shlex.quote(str(target or 'pipeline.py'))}`."
            )
        try:
            given = given_again(self._store, run)
        except UntypableError as error:
            raise ActionError(f"{error}; continue the run where it was started.") from error
        words = ["run", "--store", self._url, "--run-id", run.id, *given]
        return await self._begin([*words, "--", str(target), *run.targets])

    async def stop(self, run_id: str) -> Done:
        """Ask the process that works on a run to stop, as Ctrl-C would."""
        run = self._store.run(run_id)
        if not run.status.is_unfinished:  # though its process may not have ended yet
            raise ActionError(f"Run {run_id} is {run.status.value}: there is nothing to stop.")
        pid = self._pid(run)
        os.kill(pid, signal.SIGINT)
        return Done(f"kill -INT {pid}", "Asked to stop: what runs may finish, nothing more starts.")

    async def resolve(self, run_id: str, task: str, *, done: bool) -> Done:
        """Record what became of an attempt that may have acted."""
        how = "--done" if done else "--retry"
        words = ["resolve", "--store", self._url, how, "--", run_id, task]
        outcome = await command(*words)
        if outcome.code:
            raise ActionError(_told(outcome.errors))
        return Done(as_typed(words), _told(outcome.output))

    def _pid(self, run: RunRecord) -> int:
        host, _, pid = run.runner.rpartition(":")
        if sys.platform == "win32":
            raise ActionError("Windows has no way to ask another process to stop: press Ctrl-C.")
        if not self._store.is_held(run):
            raise ActionError(f"Nobody works on run {run.id}.")
        if host != platform.node() or not pid.isdigit() or int(pid) <= 1:
            raise ActionError(f"Run {run.id} is worked on by {run.runner}, which is not here.")
        return int(pid)

    async def _begin(self, words: Sequence[str]) -> Done:
        """Start a command that goes on by itself, and wait only until it has begun."""
        return await asyncio.to_thread(self._begun, words)

    def _begun(self, words: Sequence[str]) -> Done:
        # A file, not a pipe: the command goes on when the page is closed and nobody reads any more.
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "flowweaver", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            # Reap the process when it ends, however long that takes.
            threading.Thread(target=process.wait, daemon=True).start()
            try:
                code = process.wait(_BEGINNING_SECONDS)
            except subprocess.TimeoutExpired:
                return Done(as_typed(words), "Started.")
            errors.seek(0)
            told = errors.read().decode(errors="replace")
        if code not in (0, 1):
            raise ActionError(_told(told))
        return Done(as_typed(words), "Done." if code == 0 else _told(told))


def _told(text: str) -> str:
    return text.strip().removeprefix("Error: ")[-_LONGEST_STORY:] or "It failed without a word."

"""One execution as the command does it: watched, interruptible, patient with other runners."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from flowweaver.cli.output import ExitCode, Problem, say
from flowweaver.cli.signals import Interruption, interruptible
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.attempts import LOGGER
from flowweaver.engine.execution import WAITING
from flowweaver.engine.executor import Executor
from flowweaver.engine.options import ExecuteArguments
from flowweaver.engine.stop import Stop
from flowweaver.errors import FlowWeaverError, RunLockedError
from flowweaver.events import Observer
from flowweaver.executors.local import SequentialExecutor
from flowweaver.run import Run
from flowweaver.status import RunStatus, came_to

_POLL_SECONDS = 0.2
_SIGNAL_BASE = 128


class Outcome(NamedTuple):
    """What became of an execution; `run` is None if it was interrupted before it began."""

    run: Run | None
    code: int


def execute(
    executor: Executor,
    workflow: Workflow,
    params: Mapping[str, Any],
    arguments: ExecuteArguments,
    *,
    wait: float = 0.0,
    quiet: bool = False,
    verbose: bool = False,
) -> Outcome:
    """Execute a workflow; signals stop it, the terminal shows it.

    Args:
        executor: Where it runs.
        workflow: What runs.
        params: Its parameters.
        arguments: Those of `Executor.execute`.
        wait: Seconds to wait for another process that works on the same run.
        quiet: Show no progress.
        verbose: Where progress is lines, tell of every start and end.

    Raises:
        Problem: The store failed while the run went on.
        FlowWeaverError: Nothing was run.
    """
    earlier, stop = workflow.last_run, Stop()
    # What fails is shown, here and at the end; who configures logging has the log's lines, too.
    logging.getLogger(LOGGER).addHandler(logging.NullHandler())
    with _watching(quiet, verbose) as (observers, tell):
        interruption = Interruption(
            stop,
            grace=executor.grace,
            blocking=isinstance(executor, SequentialExecutor),
            tell=tell,
        )
        given: ExecuteArguments = {
            **arguments,
            "observers": (*arguments.get("observers", ()), *observers),
            "stop": stop,
            "raise_on_failure": False,
        }
        try:
            with interruptible(interruption):
                _patiently(
                    lambda: executor.execute(workflow, params, **given), wait, interruption, tell
                )
        except KeyboardInterrupt:
            pass  # the run says what was done until then
        except FlowWeaverError as error:
            if workflow.last_run is earlier and interruption.signum is None:
                raise
            if workflow.last_run is not earlier:
                raise Problem(str(error), code=ExitCode.FAILED) from error
    run = None if workflow.last_run is earlier else workflow.last_run
    return Outcome(run, _code(run, interruption.signum))


def _patiently(
    execute: Callable[[], Run],
    wait: float,
    interruption: Interruption,
    tell: Callable[[str], None],
) -> Run:
    """Execute as soon as no other holder has the run.

    The waiting is done here and not by the store, so that a signal ends it.
    """
    deadline = time.monotonic() + wait
    told = not wait
    while True:
        try:
            return execute()
        except RunLockedError as error:
            if not told:
                tell(f"waiting up to {wait:g} s: {error}")
                told = True
            if interruption.happened.wait(_POLL_SECONDS) or time.monotonic() >= deadline:
                raise


def _code(run: Run | None, signum: int | None) -> int:
    """Return the exit code. A run that a signal came too late for is done all the same."""
    # What counts is what was asked for this time, also where the run was begun with more.
    status = None if run is None else came_to(run.counts())
    if status is RunStatus.COMPLETED:
        return ExitCode.DONE
    if signum is not None:
        return _SIGNAL_BASE + signum
    return ExitCode.FAILED if status is RunStatus.FAILED else ExitCode.INTERRUPTED


@contextmanager
def _watching(
    quiet: bool, verbose: bool
) -> Iterator[tuple[tuple[Observer, ...], Callable[[str], None]]]:
    if quiet:
        yield (), partial(say, err=True)
        return
    from flowweaver.observers.progress import progress

    logging.getLogger(WAITING).addHandler(logging.NullHandler())
    with progress(verbose=verbose) as shown:
        yield (shown,), shown.note

"""An event loop for one run, which ends with the run whatever coroutines are left in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any

from flowweaver.plugins import Run, end_tasks


def run_to_the_end(made: Coroutine[Any, Any, Run]) -> Run:
    """Run in a new event loop; where one runs already (a notebook), on a thread of its own."""
    return _run_on_thread(made) if _has_running_loop() else _run_in_own_loop(made)


def _has_running_loop() -> bool:
    # Asked outside the run, so that what bodies raise is not shown "during handling" of this error.
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run_in_own_loop(made: Coroutine[Any, Any, Run]) -> Run:
    """Run to the end in a new event loop, as `asyncio.run` does, but leave nobody to wait for.

    `asyncio.run` waits for each coroutine that it has cancelled, and so for a body that swallows
    its cancellation, however long that takes.
    """
    with asyncio.Runner() as runner:
        try:
            return runner.run(made)
        finally:
            runner.run(_leave_behind())


async def _leave_behind() -> None:
    await end_tasks(asyncio.all_tasks())


def _run_on_thread(made: Coroutine[Any, Any, Run]) -> Run:
    outcome: list[Any] = [None, None]
    context = copy_context()

    def work() -> None:
        try:
            outcome[0] = context.run(_run_in_own_loop, made)
        except BaseException as error:
            outcome[1] = error

    thread = threading.Thread(target=work, name="flowweaver-run", daemon=True)
    thread.start()
    thread.join()
    if outcome[1] is not None:
        raise outcome[1]
    run: Run = outcome[0]
    return run

"""An event loop for one run, which ends with the run whatever coroutines are left in it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from flowweaver.plugins import Run, end_tasks


def run_in_own_loop(made: Coroutine[Any, Any, Run]) -> Run:
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

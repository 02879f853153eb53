"""Bodies that leave asyncio tasks behind."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

kept: set[asyncio.Task[None]] = set()


async def leaves_tasks(folder: str) -> int:
    """Leave a task behind, which leaves another one."""

    async def inner() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            Path(folder, "inner ended").touch()

    async def outer() -> None:
        kept.add(asyncio.create_task(inner()))
        try:
            await asyncio.sleep(3600)
        finally:
            Path(folder, "outer ended").touch()

    kept.add(asyncio.create_task(outer()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return 1


def leaves_tasks_by_an_awaitable(folder: str) -> Any:
    return leaves_tasks(folder)


async def leaves_one_that_stays() -> int:
    async def stays() -> None:
        for _ in range(600):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.1)

    kept.add(asyncio.create_task(stays()))
    await asyncio.sleep(0)
    return 2

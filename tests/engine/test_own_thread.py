"""What an execution awaits is done in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from pathlib import Path

import pytest

from flowweaver import AsyncExecutor, SQLiteStateStore, Task, Workflow
from flowweaver.engine.own_thread import OwnThread

where: ContextVar[str] = ContextVar("where", default="nowhere")


def test_things_are_done_one_after_the_other_in_the_callers_context() -> None:
    async def main() -> None:
        thread = OwnThread()
        where.set("here")
        names = [
            thread.submit(lambda n: (n, where.get(), threading.get_ident()), n) for n in (1, 2)
        ]
        (first, *_), (second, place, ident) = await asyncio.gather(*names)
        assert (first, second, place) == (1, 2, "here")
        assert ident != threading.get_ident()
        thread.close()

    asyncio.run(main())


def test_errors_are_raised_where_they_are_awaited() -> None:
    async def main() -> None:
        thread = OwnThread()
        with pytest.raises(ZeroDivisionError):
            await thread.submit(lambda: 1 // 0)
        thread.close()

    asyncio.run(main())


def test_what_is_cancelled_before_it_began_is_not_done() -> None:
    async def main() -> None:
        thread, go_on, done = OwnThread(), threading.Event(), []
        first = thread.submit(go_on.wait, 60)
        second = thread.submit(done.append, "second")
        third = thread.submit(done.append, "third")
        second.cancel()
        await asyncio.sleep(0)  # the loop hands the word on to the thread
        go_on.set()
        await first
        await third
        assert done == ["third"]
        thread.close()

    asyncio.run(main())


async def slow(seconds: float) -> int:
    await asyncio.sleep(seconds)
    return 1


class TestExecutions:
    def test_many_waiters_in_one_loop_keep_the_holder_from_nothing(self, tmp_path: Path) -> None:
        workflow = Workflow("w", [Task("slow", slow)])

        async def main() -> list[int]:
            executor = AsyncExecutor(state_store=SQLiteStateStore(tmp_path / "s.db"))
            runs = [executor.execute_async(workflow, {"seconds": 0.2}, wait=60) for _ in range(40)]
            return [run["slow"] for run in await asyncio.gather(*runs)]

        assert asyncio.run(main()) == [1] * 40

    def test_it_works_where_the_loops_own_pool_is_full(self, tmp_path: Path) -> None:
        workflow = Workflow("w", [Task("slow", slow)])
        free = threading.Event()

        async def main() -> int:
            full = [asyncio.to_thread(free.wait, 60) for _ in range(100)]
            waiting = asyncio.gather(*full)
            await asyncio.sleep(0)
            executor = AsyncExecutor(state_store=SQLiteStateStore(tmp_path / "s.db"))
            run = await executor.execute_async(workflow, {"seconds": 0})
            free.set()
            await waiting
            return int(run["slow"])

        assert asyncio.run(main()) == 1

    def test_who_is_cancelled_while_waiting_for_another_gives_up_at_once(
        self, tmp_path: Path
    ) -> None:
        go = threading.Event()

        async def waits() -> int:
            while not go.is_set():
                await asyncio.sleep(0.01)
            return 1

        workflow = Workflow("w", [Task("waits", waits).with_options(cache=False)])

        async def main() -> None:
            executor = AsyncExecutor(state_store=SQLiteStateStore(tmp_path / "s.db"))
            holder = asyncio.create_task(executor.execute_async(workflow))
            await asyncio.sleep(0.1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await executor.execute_async(workflow, wait=3600)
            assert not holder.done()
            go.set()
            await holder
            # What the one who gave up was still waiting for is given back, too.
            await executor.execute_async(workflow, wait=60)

        asyncio.run(main())

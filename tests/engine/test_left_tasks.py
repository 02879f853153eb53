"""asyncio tasks that bodies leave behind end with their run, whatever executes it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    Executor,
    ProcessExecutor,
    SequentialExecutor,
    Task,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.engine.body.call import CallScope
from flowweaver.engine.left_tasks import TaskNotes
from tests.engine.leaving import (
    leaves_one_that_stays,
    leaves_tasks,
    leaves_tasks_by_an_awaitable,
)

MAKING: list[Callable[[], Executor]] = [
    SequentialExecutor,
    ThreadedExecutor,
    AsyncExecutor,
    lambda: ProcessExecutor(1),
]
NAMES = ["sequential", "threads", "async", "processes"]
ALL = pytest.mark.parametrize("make", MAKING, ids=NAMES)


@ALL
@pytest.mark.parametrize("body", [leaves_tasks, leaves_tasks_by_an_awaitable])
@pytest.mark.parametrize("is_isolated", [False, True], ids=["", "isolated"])
def test_they_end_with_the_run(
    make: Callable[[], Executor], body: Callable[[str], Any], is_isolated: bool, tmp_path: Path
) -> None:
    task = Task("leaves", body, isolate=is_isolated)
    assert make().execute(Workflow("w", [task]), {"folder": str(tmp_path)})["leaves"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner ended", "outer ended"]


@ALL
def test_one_that_does_not_end_holds_up_nothing(make: Callable[[], Executor]) -> None:
    workflow = Workflow("w", [Task("leaves", leaves_one_that_stays)])
    assert make().execute(workflow)["leaves"] == 2


class TestInALoopOfTheCallers:
    def execute(self, *tasks: Task[..., Any], **params: Any) -> Any:
        return ThreadedExecutor(2).execute_async(Workflow("w", tasks), params)

    def test_tasks_of_others_go_on(self, tmp_path: Path) -> None:
        async def ticks(seen: list[int]) -> None:
            for number in itertools.count():
                seen.append(number)
                await asyncio.sleep(0.001)

        async def main() -> None:
            seen: list[int] = []
            mine = asyncio.create_task(ticks(seen))
            left = Task("leaves", leaves_tasks)
            late = Task("late", leaves_tasks_by_an_awaitable)
            await self.execute(left, late, folder=str(tmp_path))
            before = len(seen)
            await asyncio.sleep(0.05)
            assert len(seen) > before
            assert asyncio.all_tasks() == {mine, asyncio.current_task()}
            mine.cancel()

        asyncio.run(main())

    def test_those_of_another_run_go_on(self, tmp_path: Path) -> None:
        async def waits(folder: str) -> bool:
            await leaves_tasks(folder)
            while not Path(folder, "go").exists():
                await asyncio.sleep(0.001)
            return Path(folder, "outer ended").exists()

        async def main() -> None:
            first, second = tmp_path / "first", tmp_path / "second"
            first.mkdir()
            second.mkdir()
            longer = asyncio.create_task(self.execute(Task("waits", waits), folder=str(first)))
            await self.execute(Task("leaves", leaves_tasks), folder=str(second))
            assert (second / "outer ended").exists()
            (first / "go").touch()
            assert (await longer)["waits"] is False
            assert (first / "outer ended").exists()

        asyncio.run(main())

    def test_the_loop_is_left_as_it_was(self) -> None:
        made: list[object] = []

        def factory(loop: Any, coroutine: Any, **options: Any) -> Any:
            made.append(coroutine)
            return asyncio.Task(coroutine, loop=loop, **options)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert loop.get_task_factory() is None
            await self.execute(Task("leaves", leaves_one_that_stays))
            assert loop.get_task_factory() is None
            loop.set_task_factory(factory)
            await asyncio.gather(*[self.execute(Task("one", one)) for _ in range(3)])
            assert loop.get_task_factory() is factory
            assert made

        asyncio.run(main())


async def one() -> int:
    return 1


def test_notes_of_a_scope_are_ended_once() -> None:
    async def main() -> None:
        notes = TaskNotes.open(asyncio.get_running_loop())
        assert TaskNotes.open(asyncio.get_running_loop()) is notes
        scope: Any = object.__new__(CallScope)
        await notes.end(scope)
        notes.close()
        notes.close()

    asyncio.run(main())

"""When a task starts: as soon as its own inputs are there, and a slot is free."""

from __future__ import annotations

import asyncio
import threading

import pytest

from flowweaver.definitions.task import Task
from flowweaver.definitions.workflow import Workflow
from flowweaver.run import Run
from flowweaver.status import TaskStatus
from flowweaver.testing import bodies, failing_bodies
from flowweaver.testing.executor_parts.base import ExecutorKit, RunIt, needs, task_of


class Ordering(ExecutorKit):
    """Readiness, slots, and several runs at once."""

    def test_task_starts_after_all_it_depends_on(self, run: RunIt, folder: str) -> None:
        before = {n: [n // 2, n // 3, n - 1] if n % 7 else [n // 2] for n in range(1, 40)}
        before[0] = []
        tasks = [
            task_of(f"t{n}", bodies.pass_through, name=str(n), after=tuple(f"t{p}" for p in set(b)))
            for n, b in sorted(before.items(), reverse=True)
        ]
        run(Workflow("order", tasks), {"folder": folder})
        place = {line: at for at, line in enumerate(bodies.notes(folder))}
        assert all(place[f"-{p}"] < place[f"+{n}"] for n, preds in before.items() for p in preds)

    @needs("side_by_side")
    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_task_does_not_wait_for_others_of_its_layer(
        self, run: RunIt, folder: str, kind: str
    ) -> None:
        wait = bodies.wait_for_flag if kind == "sync" else bodies.wait_for_flag_async
        tasks = [
            task_of("slow", wait, flag="second is done"),
            Task("first", bodies.one),
            task_of("second", bodies.raise_the_flag, flag="second is done", after=("first",)),
        ]
        made = run(Workflow("ready", tasks), {"folder": folder})
        assert {task.status for task in made.tasks.values()} == {TaskStatus.COMPLETED}

    @needs("side_by_side")
    @pytest.mark.parametrize("kinds", [("sync",), ("async",), ("sync", "async")], ids="+".join)
    def test_as_many_run_at_once_as_there_are_slots(
        self, run: RunIt, folder: str, kinds: tuple[str, ...]
    ) -> None:
        meet = {"sync": bodies.meet, "async": bodies.meet_async}
        tasks = [
            task_of(f"t{n}", meet[kinds[n % len(kinds)]], name=f"t{n}", party=self.slots)
            for n in range(self.slots)
        ]
        made = run(Workflow("meeting", tasks), {"folder": folder})
        assert {task.status for task in made.tasks.values()} == {TaskStatus.COMPLETED}

    @pytest.mark.parametrize("kinds", [("sync",), ("async",), ("sync", "async")], ids="+".join)
    def test_no_more_run_at_once_than_there_are_slots(
        self, run: RunIt, folder: str, kinds: tuple[str, ...]
    ) -> None:
        through = {"sync": bodies.pass_through, "async": bodies.pass_through_async}
        tasks = [
            task_of(f"t{n}", through[kinds[n % len(kinds)]], name=str(n))
            for n in range(10 * self.slots)
        ]
        run(Workflow("slots", tasks), {"folder": folder})
        inside, most = 0, 0
        for line in bodies.notes(folder):
            inside += 1 if line.startswith("+") else -1
            most = max(most, inside)
        assert (inside, most <= self.slots) == (0, True)

    def test_waiting_for_a_retry_takes_no_slot(self, run: RunIt, folder: str) -> None:
        retried = {"retries": 1, "backoff": 0.05}
        fail = failing_bodies.fail_then_await
        tasks = [
            *(task_of(f"t{n}", fail, flag="other", options=retried) for n in range(self.slots)),
            task_of("other", bodies.raise_the_flag, flag="other"),
        ]
        made = run(Workflow("waiting", tasks), {"folder": folder})
        assert {task.status for task in made.tasks.values()} == {TaskStatus.COMPLETED}

    def test_two_threads_execute_one_workflow_at_once(self, folder: str) -> None:
        workflow = Workflow(
            "shared",
            [
                task_of("here", bodies.meet, folder, party=2),
                task_of("back", bodies.give, inputs={"value": "here"}),
            ],
        )
        made: dict[str, Run] = {}

        def work(name: str) -> None:
            made[name] = self.make_executor().execute(workflow, {"name": name})

        threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "other")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {name: run["back"] for name, run in made.items()} == {"one": "one", "other": "other"}
        assert made["one"].id != made["other"].id
        assert {task.attempts for run in made.values() for task in run.tasks.values()} == {1}

    def test_one_executor_serves_several_threads(self, folder: str) -> None:
        executor = self.make_executor()
        made: dict[int, Run] = {}

        def work(number: int) -> None:
            workflow = Workflow(f"w{number}", [task_of("t", bodies.meet, folder, str(number), 3)])
            made[number] = executor.execute(workflow)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {number: run["t"] for number, run in made.items()} == {0: "0", 1: "1", 2: "2"}

    def test_loop_goes_on_while_a_run_is_awaited(self, folder: str) -> None:
        workflow = Workflow(
            "awaited", [task_of("sync", bodies.wait_for_flag, folder, "from the loop", "sync")]
        )

        async def main() -> Run:
            running = asyncio.create_task(self.make_executor().execute_async(workflow))
            while bodies.notes(folder) != ["sync begins"]:
                await asyncio.sleep(0.005)
            bodies.raise_flag(folder, "from the loop")
            return await running

        assert asyncio.run(main())["sync"] == "sync"

    def test_several_runs_can_be_awaited_in_one_loop(self, folder: str) -> None:
        workflow = Workflow("awaited", [task_of("t", bodies.meet_async, folder, party=3)])

        async def main() -> list[Run]:
            return await asyncio.gather(
                *(self.make_executor().execute_async(workflow, {"name": n}) for n in "abc")
            )

        assert [made["t"] for made in asyncio.run(main())] == ["a", "b", "c"]

    def test_execute_works_in_a_thread_where_a_loop_runs(self) -> None:
        workflow = Workflow(
            "notebook",
            [
                Task("left", bodies.one_async),
                Task("right", bodies.one),
                Task("sum", bodies.add_later),
            ],
        )

        async def main() -> Run:
            return self.make_executor().execute(workflow)

        assert asyncio.run(main())["sum"] == 2

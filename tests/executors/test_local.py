"""The executors that run bodies in this process, against the kit and in what is their own."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    Event,
    EventKind,
    Executor,
    JSONStateStore,
    ParameterError,
    RunStatus,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Stop,
    Task,
    ThreadedExecutor,
    Workflow,
    current_task,
)
from flowweaver.testing import bodies, failing_bodies
from flowweaver.testing.executors import ExecutorContract


class TestSequential(ExecutorContract):
    slots = 1
    gives_up_bodies = False

    def make_executor(self, state_store: StateStore | None = None, **options: Any) -> Executor:
        return SequentialExecutor(state_store=state_store, **options)


class TestThreaded(ExecutorContract):
    def make_executor(self, state_store: StateStore | None = None, **options: Any) -> Executor:
        return ThreadedExecutor(self.slots, state_store=state_store, **options)


class TestAsync(ExecutorContract):
    def make_executor(self, state_store: StateStore | None = None, **options: Any) -> Executor:
        return AsyncExecutor(self.slots, state_store=state_store, **options)


EXECUTORS: dict[str, Callable[..., Executor]] = {
    "sequential": SequentialExecutor,
    "threaded": lambda **options: ThreadedExecutor(1, **options),
    "async": lambda **options: AsyncExecutor(1, **options),
}
STORES: dict[str, Callable[[Path], StateStore]] = {
    "json": lambda folder: JSONStateStore(folder / "state.json"),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db"),
}
each_executor = pytest.mark.parametrize("make", EXECUTORS.values(), ids=EXECUTORS)


def finished(code: str, *, within: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own, to its end."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


class TestLeftBehind:
    @pytest.mark.parametrize(
        "executor", ["SequentialExecutor()", "ThreadedExecutor(2)", "AsyncExecutor(2)"]
    )
    def test_thread_that_hangs_does_not_hold_up_the_interpreters_exit(self, executor: str) -> None:
        done = finished(f"""
            import threading
            from flowweaver import *
            from flowweaver import task

            @task(timeout=0.1)
            def hang():
                threading.Event().wait()

            run = {executor}.execute(Workflow("w", [hang]), raise_on_failure=False)
            print(run.tasks["hang"].error)
        """)
        assert done.returncode == 0
        assert "TaskTimeoutError: Attempt 1 was over its limit of 0.1 s" in done.stdout
        assert "its body goes on, since a thread can't be stopped" in done.stdout

    @pytest.mark.parametrize("executor", ["SequentialExecutor()", "ThreadedExecutor(2)"])
    def test_coroutine_that_blocks_its_loop_holds_up_neither_the_run_nor_the_exit(
        self, executor: str
    ) -> None:
        done = finished(f"""
            import threading
            from flowweaver import *
            from flowweaver import task

            @task(timeout=0.1)
            async def block():
                threading.Event().wait()

            @task
            def other():
                return "went on"

            run = {executor}.execute(Workflow("w", [block, other]), raise_on_failure=False)
            print(run.tasks["block"].status.value, run["other"])
        """)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False)
        assert done.stdout.strip() == "failed went on"

    @each_executor
    def test_threads_end_when_their_run_has(self, make: Callable[..., Executor]) -> None:
        before = set(threading.enumerate())
        make().execute(Workflow("w", [Task("sync", bodies.one), Task("async", bodies.one_async)]))
        left: set[threading.Thread] | None = None
        end = time.monotonic() + bodies.LIMIT_SECONDS
        while left != set() and time.monotonic() < end:
            left = set(threading.enumerate()) - before
        assert left == set()

    def test_time_in_the_queue_is_not_counted_against_a_limit(self) -> None:
        limit = 1.0
        last: list[float] = []

        def hold() -> None:
            while not last or time.monotonic() < last[0] + 1.5 * limit:
                last[:] = last or [time.monotonic()]
                time.sleep(0.01)

        quick = [Task(f"t{n}", bodies.one, timeout=limit) for n in range(50)]
        made = ThreadedExecutor(1).execute(Workflow("w", [Task("hold", hold), *quick]))
        assert made.status is RunStatus.COMPLETED


class TestNested:
    @each_executor
    @pytest.mark.parametrize("shared", [False, True], ids=["own executors", "one executor"])
    @pytest.mark.parametrize("kind", ["sync", "async", "blocking async"])
    def test_workflows_nest_five_deep_on_one_place(
        self, make: Callable[..., Executor], kind: str, shared: bool
    ) -> None:
        outermost = make()

        def nested(depth: int) -> Workflow:
            executor = outermost if shared else make()

            def sync_body() -> int:
                return 1 + executor.execute(nested(depth - 1))["t"] if depth else 0

            async def async_body() -> int:
                return 1 + (await executor.execute_async(nested(depth - 1)))["t"] if depth else 0

            async def blocking_body() -> int:
                return sync_body()

            body = {"sync": sync_body, "async": async_body, "blocking async": blocking_body}[kind]
            return Workflow(f"depth {depth}", [Task("t", body)])

        assert outermost.execute(nested(5))["t"] == 5

    @each_executor
    def test_current_task_is_that_of_the_innermost_body(
        self, make: Callable[..., Executor]
    ) -> None:
        def name() -> str:
            return current_task().name

        def outer() -> list[str]:
            inner = make().execute(Workflow("inner", [Task("inner", name)]))
            return [inner["inner"], current_task().name]

        assert make().execute(Workflow("outer", [outer]))["outer"] == ["inner", "outer"]


class TestAcrossExecutors:
    @pytest.mark.parametrize("open_store", STORES.values(), ids=STORES)
    @pytest.mark.parametrize("first", EXECUTORS.values(), ids=EXECUTORS)
    @pytest.mark.parametrize("then", EXECUTORS.values(), ids=EXECUTORS)
    def test_run_begun_on_one_executor_is_continued_on_any(
        self,
        tmp_path: Path,
        first: Callable[..., Executor],
        then: Callable[..., Executor],
        open_store: Callable[[Path], StateStore],
    ) -> None:
        folder = str(tmp_path)
        workflow = Workflow(
            "moved",
            [
                Task("sync", bodies.told),
                Task("async", bodies.told_async, depends_on=["sync"]),
                Task("away", failing_bodies.fail_while_away, depends_on=["async"]),
                Task("all", bodies.collect, depends_on=["sync", "async", "away"]),
            ],
        )
        params = {"folder": folder, "name": "here"}
        begun = first(state_store=open_store(tmp_path)).execute(
            workflow, params, raise_on_failure=False
        )
        bodies.raise_flag(folder, "here")
        ended = then(state_store=open_store(tmp_path)).execute(workflow, params)
        assert (ended.id, ended.status) == (begun.id, RunStatus.COMPLETED)
        assert ended["all"] == dict.fromkeys(["sync", "async", "away"], "here")
        assert bodies.notes(folder) == ["here"] * 4


class TestHookThatHangs:
    @each_executor
    def test_it_holds_up_neither_tasks_nor_the_end(
        self,
        make: Callable[..., Executor],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr("flowweaver.events._PATIENCE_SECONDS", 0.1)
        never = threading.Event()
        hangs = Task("t", bodies.one, on_status_change=lambda *_: never.wait())
        made = make().execute(Workflow("w", [hangs, Task("other", bodies.one)]))
        never.set()
        assert (made["t"], made["other"]) == (1, 1)
        assert "observer" in caplog.text


class TestArguments:
    @pytest.mark.parametrize("count", [0, -1, 1.5, "4", True], ids=repr)
    def test_number_of_slots_must_be_a_whole_number_from_1(self, count: Any) -> None:
        with pytest.raises(ValueError, match="max_workers"):
            ThreadedExecutor(count)
        with pytest.raises(ValueError, match="max_concurrency"):
            AsyncExecutor(count)

    @each_executor
    def test_unknown_argument_is_named_with_near_matches(
        self, make: Callable[..., Executor]
    ) -> None:
        with pytest.raises(TypeError, match=r"'on_failed'.*did you mean 'on_failure'"):
            make().execute(Workflow("w"), on_failed="stop")

    @each_executor
    @pytest.mark.parametrize(("argument", "value"), [("on_failure", "halt"), ("reuse", "always")])
    def test_unknown_word_comes_with_those_known(
        self, make: Callable[..., Executor], argument: str, value: str
    ) -> None:
        with pytest.raises(ValueError, match=rf"{argument} must be one of .*{value}"):
            make().execute(Workflow("w"), **{argument: value})

    @each_executor
    def test_parameters_are_checked_before_any_body_runs(
        self, make: Callable[..., Executor], tmp_path: Path
    ) -> None:
        workflow = Workflow("w", [Task("first", bodies.told), Task("second", bodies.add)])
        params = {"folder": str(tmp_path), "name": "first", "left": 1}
        with pytest.raises(ParameterError, match="Missing parameter 'right'"):
            make().execute(workflow, params)
        assert bodies.notes(str(tmp_path)) == []

    @each_executor
    @pytest.mark.parametrize("grace", [float("inf"), 1e300])
    def test_endless_grace_is_possible(
        self, make: Callable[..., Executor], tmp_path: Path, grace: float
    ) -> None:
        stop = Stop()

        def seen(event: Event) -> None:
            if event.kind is EventKind.TASK_STARTED:
                stop.set()
                bodies.raise_flag(str(tmp_path), "go")

        workflow = Workflow("w", [Task("t", bodies.wait_for_flag)])
        params = {"folder": str(tmp_path), "flag": "go"}
        executor = make(observers=(seen,), grace=grace)
        assert executor.execute(workflow, params, stop=stop).tasks["t"].attempts == 1


def test_ten_thousand_short_tasks_on_32_threads_run_once_each() -> None:
    ran: list[int] = []
    tasks = [
        Task(f"t{n}", partial(ran.append, n), depends_on=[f"t{n // 2}"] if n else [])
        for n in range(10_000)
    ]
    ThreadedExecutor(32).execute(Workflow("many", tasks))
    assert sorted(ran) == list(range(10_000))
    place = {n: at for at, n in enumerate(ran)}
    assert all(place[n // 2] < place[n] for n in range(1, 10_000))


@each_executor
def test_body_that_changes_the_working_directory_moves_no_store(
    make: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    workflow = Workflow("w", [Task("move", partial(os.chdir, str(elsewhere)))])
    workflow.add_task(bodies.one, name="after", depends_on=["move"])
    for name, store in (("s.db", SQLiteStateStore("s.db")), ("s.json", JSONStateStore("s.json"))):
        os.chdir(tmp_path)
        make(state_store=store).execute(workflow)
        assert (tmp_path / name).exists()
        assert not list(elsewhere.iterdir())

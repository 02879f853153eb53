"""The executor on worker processes: the kit, and what only processes can do."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowweaver import (
    DefinitionError,
    Failure,
    Run,
    SQLiteStateStore,
    StateStore,
    Task,
    TaskStatus,
    Workflow,
    WorkflowFailed,
)
from flowweaver.executors._workers.pool import WorkerPool
from flowweaver.executors.process import ProcessExecutor
from flowweaver.testing import bodies
from flowweaver.testing.executors import ExecutorContract
from tests.executors import deadly
from tests.executors.processes import await_gone, is_gone


class TestProcessExecutor(ExecutorContract):
    slots = 2
    stops_bodies = True
    shares_memory = False

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def warm(cls) -> Iterator[None]:
        """Keep workers warm from test to test."""
        cls.pool = WorkerPool()
        yield
        cls.pool.close()

    def make_executor(
        self, state_store: StateStore | None = None, **options: Any
    ) -> ProcessExecutor:
        executor = ProcessExecutor(self.slots, state_store=state_store, **options)
        executor._pool = self.pool
        return executor


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(2) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def run_all(executor: ProcessExecutor, *tasks: Task[..., Any], **arguments: Any) -> Run:
    return executor.execute(Workflow("w", tasks), raise_on_failure=False, **arguments)


def error_of(run: Run, name: str) -> Failure:
    error = run.tasks[name].error
    assert error is not None
    return error


def give_to(fn: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """Return a closure, which no worker can import."""
    return lambda: fn(*args)


DEATHS: dict[str, tuple[Callable[[], Any], int, str]] = {
    "exit 0": (give_to(deadly.exit_at_once, 0), 0, "exit code 0"),
    "exit 3": (give_to(deadly.exit_at_once, 3), 3, "exit code 3"),
    "null read": (deadly.read_null, -signal.SIGSEGV, "SIGSEGV"),
    "abort": (deadly.abort, -signal.SIGABRT, "SIGABRT"),
    "kill": (deadly.kill_itself, -signal.SIGKILL, "SIGKILL; the likely cause is that memory"),
    "terminate": (deadly.leave_by_signal, -signal.SIGTERM, "SIGTERM"),
}


class TestDeath:
    @pytest.mark.parametrize("which", DEATHS)
    def test_body_that_ends_its_process_fails_alone(
        self, executor: ProcessExecutor, which: str
    ) -> None:
        body, code, text = DEATHS[which]
        run = run_all(
            executor,
            Task("dies", body),
            Task("after", bodies.give, inputs={"value": "dies"}),
            *(Task(f"t{n}", bodies.one) for n in range(20)),
        )
        assert run.counts() == {
            TaskStatus.FAILED: 1,
            TaskStatus.UPSTREAM_FAILED: 1,
            TaskStatus.COMPLETED: 20,
        }
        error = error_of(run, "dies")
        assert (error.kind, error.exit_code) == ("WorkerDied", code)
        assert "task 'dies'" in error.message
        assert text in error.message

    def test_crash_shows_where_it_was(self, executor: ProcessExecutor) -> None:
        trace = error_of(run_all(executor, Task("dies", deadly.read_null)), "dies").trace
        assert "Segmentation fault" in trace
        assert "read_null" in trace
        assert "perform" not in trace

    def test_dead_worker_is_replaced_for_the_next_attempt(
        self, executor: ProcessExecutor, folder: str
    ) -> None:
        task = Task("dies", deadly.die_until, retries=2)
        run = executor.execute(Workflow("w", [task]), {"folder": folder, "attempt": 2})
        assert (run["dies"], run.tasks["dies"].attempts) == (2, 2)

    def test_worker_that_loses_its_connection_is_ended(self, executor: ProcessExecutor) -> None:
        error = error_of(run_all(executor, Task("deaf", deadly.close_all_files)), "deaf")
        assert error.kind == "WorkerDied"

    def test_death_is_noticed_while_another_process_holds_the_connection(
        self, executor: ProcessExecutor, folder: str
    ) -> None:
        run = run_all(executor, Task("dies", deadly.fork_and_die), params={"folder": folder})
        for left_behind in bodies.notes(folder):
            with suppress(ProcessLookupError):
                os.kill(int(left_behind), signal.SIGKILL)
        assert error_of(run, "dies").exit_code == 9

    def test_copy_of_a_body_that_forked_says_nothing(self, executor: ProcessExecutor) -> None:
        run = run_all(executor, *(Task(f"t{n}", deadly.fork_and_return) for n in range(5)))
        assert {run[name] for name in run.tasks} == {"the original"}

    def test_call_is_not_blamed_for_the_end_of_an_idle_worker(self) -> None:
        with ProcessExecutor(1) as executor:
            worker = run_all(executor, Task("pid", deadly.pid))["pid"]
            os.kill(worker, signal.SIGKILL)
            await_gone(worker)
            run = run_all(executor, Task("next", bodies.one))
            assert (run["next"], run.tasks["next"].attempts) == (1, 1)


class TestErrors:
    def test_error_raised_has_the_bodys_own_as_its_cause_and_its_trace(
        self, executor: ProcessExecutor
    ) -> None:
        def body() -> None:
            raise ValueError("from afar")

        with pytest.raises(WorkflowFailed) as raised:
            executor.execute(Workflow("w", [Task("bad", body)]))
        cause = raised.value.__cause__
        assert isinstance(cause, ValueError)
        assert "in body" in str(cause.__cause__)

    def test_predicate_judges_the_exception_itself(self, executor: ProcessExecutor) -> None:
        class Busy(Exception):
            def __init__(self, lock: Any, hint: str) -> None:
                super().__init__()
                self.lock, self.hint = lock, hint

        def body() -> None:
            raise Busy(threading.Lock(), "retry")

        tasks = [
            Task("asks", body, retries=1, retry_on=lambda error: error.hint == "retry"),
            Task("declines", body, retries=1, retry_on=lambda error: error.hint == "no"),
        ]
        run = run_all(executor, *tasks)
        assert (run.tasks["asks"].attempts, run.tasks["declines"].attempts) == (2, 1)

    @pytest.mark.parametrize("body", [deadly.give_lock, deadly.give_blow_up])
    def test_result_that_cant_come_back_fails_its_task_alone_and_once(
        self, executor: ProcessExecutor, body: Callable[[], Any]
    ) -> None:
        run = run_all(executor, Task("bad", body, retries=3), Task("good", bodies.one))
        assert run["good"] == 1
        assert run.tasks["bad"].attempts == 1
        error = error_of(run, "bad")
        assert error.kind.endswith("UnsendableError")
        assert "The result of task 'bad' can't come back" in error.message

    def test_result_that_cant_be_stored_names_the_path_to_it(
        self, executor: ProcessExecutor, tmp_path: Path
    ) -> None:
        stored = ProcessExecutor(1, state_store=SQLiteStateStore(tmp_path / "state.db"))
        stored._pool = executor._pool
        run = run_all(stored, Task("bad", lambda: {"x": [1, threading.Lock()]}))
        assert "result['x'][1]" in error_of(run, "bad").message

    def test_argument_that_cant_be_sent_is_named(self, executor: ProcessExecutor) -> None:
        run = run_all(
            executor,
            Task("bad", lambda value, lock: value, retries=3),
            Task("good", bodies.one),
            params={"value": 1, "lock": threading.Lock()},
        )
        assert run["good"] == 1
        assert run.tasks["bad"].attempts == 1
        assert "Argument 'lock' of task 'bad'" in error_of(run, "bad").message

    def test_argument_that_does_not_unpickle_fails_its_task_alone(
        self, executor: ProcessExecutor
    ) -> None:
        task = Task("bad", bodies.give, retries=3)
        run = run_all(executor, task, Task("good", bodies.one), params={"value": deadly.BlowsUp()})
        assert run["good"] == 1
        assert run.tasks["bad"].attempts == 1
        error = error_of(run, "bad")
        assert "not to be unpickled" in error.message
        assert "_blow_up" in error.trace


BUSY = (deadly.busy, deadly.hold_the_lock, deadly.ignore_sigterm)


class TestLimits:
    @pytest.mark.parametrize("body", BUSY, ids=lambda body: body.__name__)
    def test_body_over_its_limit_is_gone_with_its_process(
        self, executor: ProcessExecutor, folder: str, body: Callable[..., Any]
    ) -> None:
        run = run_all(executor, Task("hangs", body, timeout=0.2), params={"folder": folder})
        assert error_of(run, "hangs").kind.endswith("TaskTimeoutError")
        await_gone(int(bodies.notes(folder)[0]))

    def test_sibling_keeps_its_worker(self, executor: ProcessExecutor, folder: str) -> None:
        tasks = [
            Task("hangs", deadly.busy, timeout=0.2),
            Task("first", deadly.pid),
            Task("last", deadly.tell_pid, depends_on=["first"]),
        ]
        run = run_all(executor, *tasks, params={"folder": folder})
        assert run["first"] == run["last"]

    def test_what_the_body_started_is_gone_too(
        self, executor: ProcessExecutor, folder: str
    ) -> None:
        task = Task("hangs", deadly.start_a_program, timeout=0.5)
        run_all(executor, task, params={"folder": folder})
        await_gone(int(bodies.notes(folder)[0]))

    def test_time_to_start_a_worker_does_not_count(self) -> None:
        with ProcessExecutor(1) as executor:
            run = run_all(executor, Task("quick", bodies.one, timeout=0.05))
        assert run.tasks["quick"].status is TaskStatus.COMPLETED

    def test_signs_of_life_are_passed_on(self, executor: ProcessExecutor, folder: str) -> None:
        task = Task("beats", deadly.beat_until_flag, idle_timeout=0.2)
        made: list[Run] = []
        running = threading.Thread(
            target=lambda: made.append(run_all(executor, task, params={"folder": folder}))
        )
        running.start()
        bodies.await_note(folder, "beats")
        pause = threading.Event()
        pause.wait(0.6)
        bodies.raise_flag(folder, "enough")
        running.join()
        assert made[0]["beats"] == "alive"

    def test_no_sign_of_life_ends_the_attempt(self, executor: ProcessExecutor, folder: str) -> None:
        task = Task("mute", deadly.hang_without_a_sign, idle_timeout=0.2)
        run = run_all(executor, task, params={"folder": folder})
        assert run.tasks["mute"].status is TaskStatus.FAILED


class TestWarmth:
    def test_workers_are_kept_between_tasks_and_runs(self, executor: ProcessExecutor) -> None:
        tasks = [Task(f"t{n}", deadly.pid) for n in range(20)]
        first, second = run_all(executor, *tasks), run_all(executor, *tasks)
        pids = {run[task.name] for run in (first, second) for task in tasks}
        assert len(pids) <= 2
        assert os.getpid() not in pids

    def test_only_as_many_workers_as_needed_are_started(self) -> None:
        with ProcessExecutor(8) as executor:
            chain = [Task(f"t{n}", deadly.tell_pid) for n in range(1)]
            run_all(executor, *chain, params={"folder": "/tmp"})
            assert len(executor._pool._slots) == 1

    def test_closed_executor_has_no_processes_and_works_again(self) -> None:
        executor = ProcessExecutor(1)
        old = run_all(executor, Task("pid", deadly.pid))["pid"]
        executor.close()
        assert is_gone(old)
        new = run_all(executor, Task("pid", deadly.pid))["pid"]
        assert new != old
        executor.close()

    def test_forgotten_executor_has_its_workers_ended(self) -> None:
        executor = ProcessExecutor(1)
        worker = run_all(executor, Task("pid", deadly.pid))["pid"]
        del executor
        await_gone(worker)

    def test_thousand_calls_run_once_each(self, executor: ProcessExecutor) -> None:
        run = run_all(executor, *(Task(f"t{n}", bodies.one) for n in range(1000)))
        assert run.counts() == {TaskStatus.COMPLETED: 1000}
        assert {task.attempts for task in run.tasks.values()} == {1}

    @pytest.mark.parametrize("count", [0, -1, 1.5, "2", True])
    def test_number_of_workers_is_checked(self, count: Any) -> None:
        with pytest.raises(DefinitionError, match="max_workers"):
            ProcessExecutor(count)

    def test_start_method_is_checked(self) -> None:
        with pytest.raises(DefinitionError, match="start_method must be one of forkserver, spawn"):
            ProcessExecutor(1, start_method="fork")  # type: ignore[arg-type]

    def test_spawned_workers_do_the_same(self) -> None:
        with ProcessExecutor(2, start_method="spawn") as executor:
            run = run_all(executor, Task("dies", deadly.abort), Task("pid", deadly.pid))
            assert run["pid"] != os.getpid()
            assert error_of(run, "dies").exit_code == -signal.SIGABRT


class TestSurroundings:
    def test_what_is_printed_arrives_also_before_a_death(
        self, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with ProcessExecutor(1) as fresh:  # its workers have the output that is captured now
            run_all(fresh, Task("says", give_to(deadly.say, "quietly")),
                    Task("dies", give_to(deadly.say_and_die, "last words")))  # fmt: skip
        assert set(capfd.readouterr().out.splitlines()) == {"last words", "quietly"}

    def test_input_is_empty(self, executor: ProcessExecutor) -> None:
        assert run_all(executor, Task("reads", deadly.read_input))["reads"] == ""

    def test_warm_worker_follows_the_caller(
        self,
        executor: ProcessExecutor,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        task = Task("looks", deadly.surroundings)
        run_all(executor, task)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FLOWWEAVER_TEST", "here")
        monkeypatch.setattr("sys.argv", ["program", "--fast"])
        here = run_all(executor, task)["looks"]
        monkeypatch.delenv("FLOWWEAVER_TEST")
        gone = run_all(executor, task)["looks"]
        assert here == (str(tmp_path), "here", ["program", "--fast"])
        assert gone[1] is None

    def test_large_values_arrive_whole_and_can_be_changed(self, executor: ProcessExecutor) -> None:
        def double(big: Any) -> Any:
            big *= 2
            return big

        given = np.arange(2_000_000)
        run = run_all(executor, Task("double", double), params={"big": given})
        assert run["double"].sum() == 2 * given.sum()
        run["double"][0] = 5


class TestState:
    def test_state_is_kept_from_attempt_to_attempt(
        self, executor: ProcessExecutor, tmp_path: Path
    ) -> None:
        stored = ProcessExecutor(1, state_store=SQLiteStateStore(tmp_path / "state.db"))
        stored._pool = executor._pool
        task = Task("counts", deadly.count_in_state, retries=2)
        assert stored.execute(Workflow("w", [task]), {"limit": 3})["counts"] == 3

    def test_thread_that_outlives_its_attempt_can_say_no_more(
        self, executor: ProcessExecutor, folder: str
    ) -> None:
        task = Task("leaves", deadly.speak_from_a_late_thread)
        run_all(executor, task, params={"folder": folder})
        bodies.raise_flag(folder, "over")
        note = "FlowWeaverError: The attempt of 'leaves' that this belongs to is over."
        bodies.await_note(folder, note)


class TestPlaces:
    def test_runs_side_by_side_each_have_their_slots(self, folder: str) -> None:
        with ProcessExecutor(1) as executor:
            workflow = Workflow("w", [Task("meets", bodies.meet)])

            async def main() -> list[Run]:
                given = [{"folder": folder, "name": name, "party": 3} for name in "abc"]
                return await asyncio.gather(
                    *(executor.execute_async(workflow, params) for params in given)
                )

            assert [run["meets"] for run in asyncio.run(main())] == ["a", "b", "c"]

    def test_place_of_a_body_that_ignores_its_end_is_free_at_once(self, folder: str) -> None:
        with ProcessExecutor(1) as executor:
            tasks = [Task("hangs", deadly.ignore_sigterm, timeout=0.2), Task("next", deadly.pid)]
            run = run_all(executor, *tasks, params={"folder": folder})
        assert run["next"] != int(bodies.notes(folder)[0])

"""Worker processes and who supervises them: how they end, together and alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest

from flowweaver import Task
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.body.link import LocalLink
from flowweaver.executors._workers import pool as pools
from flowweaver.executors._workers.pool import WorkerPool
from flowweaver.executors._workers.session import Session
from flowweaver.testing import bodies
from tests.executors import deadly
from tests.executors.processes import await_file, await_gone, is_gone

# What the promise is, plus what a busy machine may add.
DEATH_SECONDS = 2.0 + 8.0

SCRIPT = """
    import os, signal, sys, threading, time
    from pathlib import Path
    from flowweaver import Task, Workflow
    from flowweaver.executors.process import ProcessExecutor

    METHOD = "{method}"

    def tell():
        with open("pids", "a") as file:
            print(os.getpid(), os.getppid(), file=file)

    def sleeps():
        tell()
        time.sleep(600)

    def is_busy():
        tell()
        while True:
            pass

    def holds_the_lock():
        tell()
        sum(iter(int, 1))

    executor = ProcessExecutor(3, start_method=METHOD)
    tasks = [Task("a", sleeps), Task("b", is_busy), Task("c", holds_the_lock)]
"""
RUN = """
    executor.execute(Workflow("w", tasks))
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an interpreter with a script, in a folder and a session of its own."""
    started: list[subprocess.Popen[str]] = []

    def start_it(*parts: str, method: str = "forkserver") -> subprocess.Popen[str]:
        code = "".join(map(textwrap.dedent, parts)).replace("{method}", method)
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start_it
    for process in started:
        process.kill()
        process.communicate()


def pids_of(folder: Path, count: int = 3) -> set[int]:
    """Return the workers, and the process that started them, once all have told of themselves."""
    lines = await_file(folder / "pids", lines=count)
    return {int(pid) for line in lines for pid in line.split()}


def end(process: subprocess.Popen[str], number: int) -> str:
    process.send_signal(number)
    return process.communicate(timeout=60)[1]


class TestDeathOfTheParent:
    @pytest.mark.parametrize("method", ["forkserver", "spawn"])
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_workers_and_their_server_die_with_it(
        self, tmp_path: Path, method: str, number: int, start: Start
    ) -> None:
        process = start(SCRIPT, RUN, method=method)
        left = pids_of(tmp_path)
        end(process, number)
        await_gone(*left, within=DEATH_SECONDS)

    def test_process_that_it_forked_does_not_keep_them_alive(
        self, tmp_path: Path, start: Start
    ) -> None:
        process = start(SCRIPT, """
            def fork():
                pids = Path("pids")
                while not pids.exists() or pids.read_text().count("\\n") < 3:
                    time.sleep(0.01)
                if os.fork() == 0:
                    Path("forked").write_text(f"{os.getpid()}\\n")
                    time.sleep(600)

            threading.Thread(target=fork, daemon=True).start()
        """, RUN)  # fmt: skip
        left = pids_of(tmp_path)
        (forked,) = map(int, await_file(tmp_path / "forked"))
        process.kill()
        try:
            await_gone(*left, within=DEATH_SECONDS)
        finally:
            os.kill(forked, signal.SIGKILL)
            process.communicate(timeout=60)

    def test_idle_workers_die_with_it(self, tmp_path: Path, start: Start) -> None:
        process = start(SCRIPT, """
            executor.execute(Workflow("w", [Task("t", tell)]))
            time.sleep(600)
        """)  # fmt: skip
        left = pids_of(tmp_path, 1)
        end(process, signal.SIGKILL)
        await_gone(*left, within=DEATH_SECONDS)

    def test_end_of_the_program_leaves_nothing_and_runs_exit_handlers(
        self, tmp_path: Path, start: Start
    ) -> None:
        process = start(SCRIPT, """
            def register():
                import atexit
                atexit.register(Path("handled").touch)
                tell()

            executor.execute(Workflow("w", [Task("t", register)]))
        """)  # fmt: skip
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 0
        assert all(map(is_gone, pids_of(tmp_path, 1)))
        assert tmp_path.joinpath("handled").exists()

    def test_watch_ends_the_group_where_the_kernel_does_not(
        self, tmp_path: Path, start: Start
    ) -> None:
        """What stands in for the kernel's help on systems other than Linux."""
        process = start("""
            import os, time
            from flowweaver.executors._workers import lifeline
            lifeline._kill_at_death_of_parent = lambda: False
            parent = os.getpid()
            if os.fork() == 0:
                os.setpgid(0, 0)
                lifeline.end_with(parent)
                with open("pids", "w") as file:
                    print(os.getpid(), file=file)
                time.sleep(600)
            time.sleep(600)
        """)  # fmt: skip
        left = pids_of(tmp_path, 1)
        end(process, signal.SIGKILL)
        await_gone(*left, within=DEATH_SECONDS)


class TestCtrlC:
    def test_whole_group_gets_one_traceback_and_leaves_nothing(
        self, tmp_path: Path, start: Start
    ) -> None:
        process = start(SCRIPT, "executor.grace = 0.0", RUN)
        left = pids_of(tmp_path)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert said.count("Traceback") == 1
        assert said.rstrip().endswith("KeyboardInterrupt")
        assert process.returncode == -signal.SIGINT
        await_gone(*left, within=DEATH_SECONDS)

    def test_running_bodies_get_their_grace(self, tmp_path: Path, start: Start) -> None:
        process = start(SCRIPT, """
            def finishes():
                tell()
                while not Path("go").exists():
                    time.sleep(0.01)
                Path("finished").touch()

            workflow = Workflow("w", [Task("t", finishes), Task("u", sleeps, depends_on=["t"])])
            try:
                executor.execute(workflow)
            except KeyboardInterrupt:
                print({name: task.status.value for name, task in workflow.last_run.tasks.items()})
        """)  # fmt: skip
        pids_of(tmp_path, 1)
        os.killpg(process.pid, signal.SIGINT)
        tmp_path.joinpath("go").touch()
        out, said = process.communicate(timeout=60)
        assert (out, said) == ("{'t': 'completed', 'u': 'cancelled'}\n", "")
        assert tmp_path.joinpath("finished").exists()


class Calls:
    """A run's side of a pool: makes calls and takes them back."""

    def __init__(self, pool: WorkerPool, capacity: int = 1) -> None:
        self.ended: list[Call] = []
        self._more = threading.Condition()
        self.session: Session = pool.open(self._done, capacity)
        link = LocalLink(None, None)
        self._scope = CallScope("w", "run", link, storing=False, context=Context())

    def submit(self, fn: Any, **kwargs: Any) -> Call:
        call = Call(self._scope, 0, Task(fn.__name__, fn), "", 1, kwargs)
        self.session.submit(call)
        return call

    def wait(self, *calls: Call) -> None:
        with self._more:
            assert self._more.wait_for(lambda: all(call in self.ended for call in calls), 30)

    def _done(self, call: Call) -> None:
        with self._more:
            self.ended.append(call)
            self._more.notify_all()


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool()
    yield made
    made.close()


class Slow:
    """Never comes out of a pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return threading.Event.wait, (_Event(),)


class _Event(threading.Event):
    def __init__(self) -> None:
        super().__init__()

    def __reduce__(self) -> tuple[Any, ...]:
        return threading.Event, ()


class TestPool:
    def test_cancelled_call_is_over_and_its_worker_gone(
        self, pool: WorkerPool, folder: str
    ) -> None:
        calls = Calls(pool)
        hangs, waits = calls.submit(deadly.busy, folder=folder), calls.submit(bodies.one)
        (worker,) = map(int, await_file(Path(folder, "journal")))
        calls.session.cancel(hangs)
        calls.wait(waits)
        assert hangs.over
        assert calls.ended == [waits]
        await_gone(worker)

    def test_call_cancelled_before_its_turn_is_never_performed(
        self, pool: WorkerPool, folder: str
    ) -> None:
        calls = Calls(pool)
        first = calls.submit(bodies.wait_for_flag, folder=folder, flag="go")
        second = calls.submit(deadly.tell_pid, folder=folder)
        third = calls.submit(bodies.one)
        calls.session.cancel(second)
        bodies.raise_flag(folder, "go")
        calls.wait(first, third)
        assert second.over
        assert bodies.notes(folder) == [" begins", " ends"]

    def test_call_that_has_ended_cant_be_cancelled(self, pool: WorkerPool) -> None:
        calls = Calls(pool)
        done = calls.submit(bodies.one)
        calls.wait(done)
        calls.session.cancel(done)
        assert (done.over, done.value) == (False, 1)

    def test_closed_session_cancels_what_runs_and_what_waits(
        self, pool: WorkerPool, folder: str
    ) -> None:
        calls = Calls(pool)
        runs, waits = calls.submit(deadly.busy, folder=folder), calls.submit(bodies.one)
        (worker,) = map(int, await_file(Path(folder, "journal")))
        calls.session.close()
        assert (runs.over, waits.over, calls.ended) == (True, True, [])
        await_gone(worker)

    def test_capacity_of_a_run_is_kept(self, pool: WorkerPool, folder: str) -> None:
        calls = Calls(pool, 2)
        made = [calls.submit(bodies.pass_through, folder=folder, name="t") for _ in range(30)]
        calls.wait(*made)
        running = [0]
        for line in bodies.notes(folder):
            running.append(running[-1] + (1 if line == "+t" else -1))
        assert max(running) <= 2

    def test_idle_workers_end_and_their_server_with_the_last(
        self, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pools, "_IDLE_SECONDS", 0.05)
        pool = WorkerPool()
        calls = Calls(pool)
        told = calls.submit(deadly.pids)
        calls.wait(told)
        await_gone(*told.value)
        again = calls.submit(bodies.one)
        calls.wait(again)
        assert again.value == 1
        pool.close()

    def test_pool_closed_under_a_call_kills_it(
        self, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pools, "_CLOSING_SECONDS", 0.1)
        pool = WorkerPool()
        calls = Calls(pool)
        hangs = calls.submit(deadly.busy, folder=folder)
        await_file(Path(folder, "journal"))
        pool.close()
        calls.wait(hangs)
        assert hangs.died

    def test_worker_that_cant_be_started_fails_the_call_and_says_why(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        calls = Calls(WorkerPool())
        lost = calls.submit(bodies.one)
        calls.wait(lost)
        assert lost.fault is not None
        assert lost.fault.failure.kind.endswith("WorkerStartError")
        assert "/nowhere/python" in lost.fault.failure.message
        assert not lost.died

    def test_call_that_takes_too_long_to_load_is_given_up(
        self, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("flowweaver.executors._workers.talk._LOADING_SECONDS", 0.1)
        calls = Calls(pool)
        call = Call(calls._scope, 0, Task("t", bodies.give, timeout=5.0), "", 1, {"value": Slow()})
        calls.session.submit(call)
        calls.wait(call)
        assert call.fault is not None
        assert call.fault.failure.kind.endswith("TaskTimeoutError")
        assert "loaded within 0.1 s" in call.fault.failure.message

    def test_forked_copy_of_a_process_has_workers_of_its_own(
        self, tmp_path: Path, start: Start
    ) -> None:
        process = start(SCRIPT, """
            def pid():
                return os.getpid()

            workflow = Workflow("w", [Task("t", pid)])
            ours = executor.execute(workflow)["t"]
            if os.fork() == 0:
                theirs = executor.execute(workflow)["t"]
                print("another" if theirs != ours else "the same", flush=True)
                executor.close()
                os._exit(0)
            os.wait()
            print("kept" if executor.execute(workflow)["t"] == ours else "lost")
        """)  # fmt: skip
        assert process.communicate(timeout=60)[0].split() == ["another", "kept"]


def test_process_whose_parent_is_gone_before_it_could_be_watched_ends(
    tmp_path: Path, start: Start
) -> None:
    process = start("""
        from flowweaver.executors._workers import lifeline
        lifeline.end_with(-5)
    """)  # fmt: skip
    process.communicate(timeout=60)
    assert process.returncode == 1

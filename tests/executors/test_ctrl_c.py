"""Ctrl-C on the executors that run bodies in this process: once, twice, and in a body."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver import (
    Executor,
    SequentialExecutor,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.testing import bodies

PRESSED = """
import sys, threading, time
from flowweaver import *
from flowweaver.testing import bodies
from flowweaver.testing.executor_parts.base import task_of

_, folder, body, release, make = sys.argv

def tell_when_the_run_waits(main=threading.main_thread().ident):
    bodies.await_note(folder, "first begins")
    while sys._current_frames()[main].f_code.co_name not in ("wait", "select", "await_flag"):
        time.sleep(0.001)
    bodies.raise_flag(folder, "waits")

def seen(event):
    if event.status is TaskStatus.CANCELLED:  # the run has taken notice
        bodies.raise_flag(folder, release)

executor = eval(make)(observers=(seen,), grace=30.0)
workflow = Workflow("pressed", [
    task_of("first", getattr(bodies, body), folder, "go", "first"),
    task_of("ready", bodies.told, folder, "ready"),
    task_of("after", bodies.told, folder, "after", after=("first",)),
])
threading.Thread(target=tell_when_the_run_waits, daemon=True).start()
try:
    executor.execute(workflow)
except KeyboardInterrupt:
    print("interrupted", workflow.last_run.status.value)
    print(*(task.status.value for task in workflow.last_run.tasks.values()))
"""


WAITING = [
    ("ThreadedExecutor(1, **options)", "wait_for_flag"),
    ("ThreadedExecutor(1, **options)", "wait_for_flag_async"),
    ("AsyncExecutor(1, **options)", "wait_for_flag"),
    ("AsyncExecutor(1, **options)", "wait_for_flag_async"),
    ("SequentialExecutor(**options)", "wait_for_flag_async"),
]


class TestCtrlC:
    """Pressed in the terminal of a program that executes a workflow in its main thread."""

    def pressed(self, folder: Path, times: int, executor: str, body: str) -> str:
        """Press Ctrl-C once the first body is waited for, and again once that was noticed."""
        release = "go" if times == 1 else "noticed"
        arguments = [str(folder), body, release, f"lambda **options: {executor}"]
        child = subprocess.Popen(
            [sys.executable, "-c", PRESSED, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            bodies.await_flag(str(folder), "waits")
            child.send_signal(signal.SIGINT)
            if times == 2:
                bodies.await_flag(str(folder), "noticed")
                child.send_signal(signal.SIGINT)
            out, errors = child.communicate(timeout=bodies.LIMIT_SECONDS)
        finally:
            child.kill()
            child.communicate()
        assert errors == ""
        return out

    @pytest.mark.parametrize(("executor", "body"), WAITING)
    def test_once_lets_finish_what_runs_and_cancels_the_rest(
        self, tmp_path: Path, executor: str, body: str
    ) -> None:
        out = self.pressed(tmp_path, 1, executor, body)
        assert out.splitlines() == ["interrupted cancelled", "completed cancelled cancelled"]

    @pytest.mark.parametrize(("executor", "body"), WAITING)
    def test_twice_gives_up_what_runs(self, tmp_path: Path, executor: str, body: str) -> None:
        out = self.pressed(tmp_path, 2, executor, body)
        assert out.splitlines() == ["interrupted cancelled", "cancelled cancelled cancelled"]

    def test_once_interrupts_a_body_that_runs_in_the_main_thread(self, tmp_path: Path) -> None:
        out = self.pressed(tmp_path, 1, "SequentialExecutor(**options)", "wait_for_flag")
        assert out.splitlines() == ["interrupted cancelled", "cancelled cancelled cancelled"]

    @pytest.mark.parametrize("make", [SequentialExecutor, ThreadedExecutor])
    def test_no_signal_handler_is_installed(self, make: Callable[..., Executor]) -> None:
        watched = (signal.SIGINT, signal.SIGTERM)

        def handlers() -> list[object]:
            return [signal.getsignal(number) for number in watched]

        inside = make().execute(Workflow("w", [handlers]))["handlers"]
        assert inside == handlers()

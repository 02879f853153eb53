"""Classes and functions keep their identity, whatever processes they travel through."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from flowweaver import ThreadedExecutor
from flowweaver.executors.process import ProcessExecutor
from tests.executors.shapes import Script, assert_left_untouched, scripts

EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(1) as executor:
        yield executor


@EXAMPLES
@given(script=scripts())
def test_what_a_script_defines_is_as_before_after_processes(
    script: Script, tmp_path: Path, processes: ProcessExecutor
) -> None:
    assert_left_untouched(script, tmp_path, processes)


@EXAMPLES
@given(script=scripts())
def test_what_a_script_defines_is_as_before_after_isolated_tasks(
    script: Script, tmp_path: Path
) -> None:
    assert_left_untouched(script, tmp_path, ThreadedExecutor(1), isolate=True)


def printed_by(folder: Path, code: str) -> list[str]:
    script = folder / "script.py"
    script.write_text(textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_unchanged_script_is_restored_on_threads_processes_and_isolated_in_turn(
    tmp_path: Path,
) -> None:
    code = """
        import dataclasses
        from flowweaver import ProcessExecutor, SQLiteStateStore, ThreadedExecutor, Workflow, task

        @dataclasses.dataclass(frozen=True)
        class Inner:
            x: int

        @dataclasses.dataclass
        class Config:
            inner: Inner
            name: str = "n"

        @task
        def make() -> Config:
            return Config(Inner(1))

        @task
        def use(make: Config) -> int:
            return make.inner.x

        store = SQLiteStateStore("s.db")
        alone = [task.with_options(isolate=True) for task in (make, use)]
        for _ in range(3):
            for kind, tasks in (
                (ProcessExecutor, [make, use]),
                (ThreadedExecutor, [make, use]),
                (ThreadedExecutor, alone),
            ):
                run = kind(1, state_store=store).execute(Workflow("w", tasks))
                print(*sorted({task.origin.value for task in run.tasks.values()}))
    """
    assert printed_by(tmp_path, code) == ["executed", *["restored"] * 8]
    assert printed_by(tmp_path, code) == ["restored"] * 9


def test_what_a_body_defines_comes_back_and_is_known_again(tmp_path: Path) -> None:
    code = """
        from flowweaver import ProcessExecutor, Workflow, task

        @task
        def make():
            class Local:
                def value(self):
                    return 1
            return [Local(), Local(), Local]

        @task
        def back(make):
            return make[:1], make[2]

        run = ProcessExecutor(1).execute(Workflow("w", [make, back]))
        (first, second, kind), ((again,), kind_again) = run["make"], run["back"]
        print(type(first) is type(second) is kind is kind_again is type(again), again.value())
    """
    assert printed_by(tmp_path, code) == ["True 1"]


def test_functions_and_tasks_of_a_script_come_back_as_themselves(tmp_path: Path) -> None:
    code = """
        from flowweaver import ProcessExecutor, Task, Workflow, task

        def helper(x):
            return x + 1

        @task(retries=2)
        def other(x):
            return helper(x)

        @task
        def give(helpers):
            return helper, other, [helpers["same"] is helper, helpers["task"] is other]

        given = {"same": helper, "task": other, "lambda": lambda: 1}
        run = ProcessExecutor(1).execute(Workflow("w", [give]), {"helpers": given})
        print(run["give"][0] is helper, run["give"][1] is other)
    """
    assert printed_by(tmp_path, code) == ["True True"]


def test_class_changed_between_two_runs_is_changed_in_warm_workers(tmp_path: Path) -> None:
    code = """
        from flowweaver import ProcessExecutor, Workflow, task

        class Config:
            level = 1

        @task
        def read(given):
            return Config.level, given.level, type(given) is Config

        executor = ProcessExecutor(1)
        for level in (1, 2):
            Config.level = level
            print(*executor.execute(Workflow("w", [read]), {"given": Config()})["read"])
    """
    assert printed_by(tmp_path, code) == ["1 1 True", "2 2 True"]


def test_class_changed_in_a_worker_is_unchanged_here(tmp_path: Path) -> None:
    code = """
        from flowweaver import ProcessExecutor, Workflow, task

        class Config:
            level = 1

        @task
        def change():
            Config.level = 2
            return Config(), Config.level

        config, level = ProcessExecutor(1).execute(Workflow("w", [change]))["change"]
        print(type(config) is Config, level, Config.level)
    """
    assert printed_by(tmp_path, code) == ["True 2 1"]

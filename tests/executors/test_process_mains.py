"""What workers make of functions that live in scripts, notebooks and modules of all kinds."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from flowweaver import Run, Workflow
from flowweaver.executors.process import ProcessExecutor

SETUP = """
    import dataclasses, enum, functools, os, threading
    from flowweaver import SQLiteStateStore, Task, Workflow, task
    from flowweaver.executors.process import ProcessExecutor
    print("from the top")
"""
SIMPLE = """
    FACTOR = 2

    def helper(x):
        return FACTOR * x

    @task
    def double():
        return helper(21)

    @task
    def back(double):
        return double, os.getpid()
"""
RUN_SIMPLE = """
    run = ProcessExecutor(1).execute(Workflow("w", [double, back]))
    assert run["back"][0] == 42 and run["back"][1] != os.getpid()
    print("done")
"""
GUARD = """
    if __name__ == "__main__":
"""
NEEDS_THE_SCRIPT = """
    class Point:
        def __init__(self, x):
            self.x = x

    @functools.lru_cache
    def helper(x):
        return Point(x)

    lock = threading.Lock()

    @task
    def cached():
        return helper(3)

    @task
    def locked(cached):
        with lock:
            assert type(cached) is Point
            return Point(cached.x + 1)
"""
RUN_NEEDS = """
    run = ProcessExecutor(1).execute(Workflow("w", [cached, locked]))
    assert type(run["locked"]) is Point and run["locked"].x == 4
    print("done")
"""


def source(*parts: str, guarded: str = "") -> str:
    code = "".join(map(textwrap.dedent, parts))
    if guarded:
        code += textwrap.dedent(GUARD) + textwrap.indent(textwrap.dedent(guarded), "    ")
    return code


def finished(
    folder: Path, *arguments: str, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
    )


def run_script(folder: Path, code: str) -> list[str]:
    folder.joinpath("script.py").write_text(code)
    done = finished(folder, "script.py")
    assert done.stderr == ""
    return done.stdout.splitlines()


class TestMain:
    def test_script_needs_no_guard_and_is_not_run_again(self, tmp_path: Path) -> None:
        assert run_script(tmp_path, source(SETUP, SIMPLE, RUN_SIMPLE)) == ["from the top", "done"]

    def test_script_with_a_guard_works(self, tmp_path: Path) -> None:
        code = source(SETUP, SIMPLE, guarded=RUN_SIMPLE)
        assert run_script(tmp_path, code) == ["from the top", "done"]

    @pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated at once")
    def test_script_whose_annotations_name_nothing_is_not_run_again(self, tmp_path: Path) -> None:
        late = """
            @dataclasses.dataclass
            class Made:
                of: Missing | None = None
                def copied(self) -> Missing: return Made(self.of)

            FACTOR = 1

            def helper(x: int, to: Missing = None) -> Missing:
                return FACTOR * x

            @task
            def double(x: Missing = 21) -> Missing:
                return helper(x) if Made().copied() == Made() else 0

            @task
            def back(double: Missing) -> tuple[Missing, Missing]:
                return double, os.getpid()
        """
        code = source(SETUP, late, guarded=f"FACTOR = 2\n{textwrap.dedent(RUN_SIMPLE)}")
        assert run_script(tmp_path, code) == ["from the top", "done"]

    def test_script_with_what_cant_be_pickled_is_run_again(self, tmp_path: Path) -> None:
        code = source(SETUP, NEEDS_THE_SCRIPT, guarded=RUN_NEEDS)
        assert run_script(tmp_path, code) == ["from the top", "from the top", "done"]

    def test_script_that_must_be_run_again_is_told_of_the_guard(self, tmp_path: Path) -> None:
        tmp_path.joinpath("script.py").write_text(source(SETUP, NEEDS_THE_SCRIPT, RUN_NEEDS))
        done = finished(tmp_path, "script.py")
        assert done.returncode == 1
        assert 'if __name__ == "__main__":' in done.stderr

    def test_module_run_as_a_script_works(self, tmp_path: Path) -> None:
        package = tmp_path / "package"
        package.mkdir()
        package.joinpath("__init__.py").touch()
        package.joinpath("other.py").write_text("OTHER = 1")
        code = source(SETUP, "from .other import OTHER", NEEDS_THE_SCRIPT, guarded=RUN_NEEDS)
        package.joinpath("program.py").write_text(code)
        done = finished(tmp_path, "-m", "package.program")
        assert (done.stderr, done.stdout.splitlines()[-1:]) == ("", ["done"])

    def test_command_line_works(self, tmp_path: Path) -> None:
        done = finished(tmp_path, "-c", source(SETUP, SIMPLE, RUN_SIMPLE))
        assert (done.stderr, done.stdout.splitlines()[-1:]) == ("", ["done"])

    def test_standard_input_works(self, tmp_path: Path) -> None:
        done = finished(tmp_path, "-", given=source(SETUP, SIMPLE, RUN_SIMPLE))
        assert (done.stderr, done.stdout.splitlines()[-1:]) == ("", ["done"])

    def test_what_needs_a_script_that_is_no_file_is_told_so(self, tmp_path: Path) -> None:
        code = source(
            SETUP,
            """
            lock = threading.Lock()

            @task
            def alone():
                with lock:
                    return 1

            run = ProcessExecutor(1).execute(Workflow("w", [alone]), raise_on_failure=False)
            print(run.tasks["alone"].error)
            """,
        )
        done = finished(tmp_path, "-c", code)
        assert "Task 'alone' can't be sent to a worker process" in done.stdout
        assert "its global 'lock' can't be pickled" in done.stdout

    def test_values_of_a_scripts_types_are_stored(self, tmp_path: Path) -> None:
        code = source(
            SETUP,
            """
            @dataclasses.dataclass
            class Point:
                x: int

            class Colour(enum.Enum):
                RED = 1

            @task
            def make():
                return [Point(1), Colour.RED]

            @task
            def check(make):
                return make == [Point(1), Colour.RED], Point(2)

            store = SQLiteStateStore("state.db")
            workflow = Workflow("w", [make, check])
            for _ in range(2):
                run = ProcessExecutor(1, state_store=store).execute(workflow)
                assert run["make"] == [Point(1), Colour.RED]
                assert run["check"] == (True, Point(2))
            assert {task.origin.value for task in run.tasks.values()} == {"restored"}
            print("done")
            """,
        )
        assert run_script(tmp_path, code) == ["from the top", "done"]

    def test_bodies_of_a_script_find_none_of_flowweavers_globals(self, tmp_path: Path) -> None:
        code = source(
            SETUP,
            """
            @task
            def look():
                import sys
                return sorted(name for name in vars(sys.modules["__main__"])
                              if not name.startswith("__"))

            print(ProcessExecutor(1).execute(Workflow("w", [look]))["look"])
            """,
        )
        assert run_script(tmp_path, code) == ["from the top", "[]"]


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(1) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from; what was imported is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def load(path: Path, name: str) -> ModuleType:
    """Load a module as no worker could, from a file that is not on the path."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_of(executor: ProcessExecutor, module: ModuleType, **params: object) -> Run:
    return executor.execute(Workflow("w", [module.body]), params)


class TestModule:
    def test_module_on_the_path_is_imported(self, executor: ProcessExecutor, place: Path) -> None:
        place.joinpath("imported.py").write_text(
            "import threading\nfrom flowweaver import task\nlock = threading.Lock()\n"
            "@task\ndef body():\n    with lock:\n        return __name__\n"
        )
        module = importlib.import_module("imported")
        assert run_of(executor, module)["body"] == "imported"
        renamed = module.body.with_options("renamed", retries=1)
        assert executor.execute(Workflow("w", [renamed]))["renamed"] == "imported"

    def test_module_that_workers_cant_import_is_taken_along(
        self, executor: ProcessExecutor, place: Path
    ) -> None:
        hidden = place / "hidden"
        hidden.mkdir()
        hidden.joinpath("unknown.py").write_text(
            "from flowweaver import task\n"
            "class Point:\n    def __init__(self, x): self.x = x\n"
            "def helper(x): return Point(x + 1)\n"
            "@task\ndef other(x): return x\n"
            "@task\ndef body(point): return other(helper(point.x))\n"
        )
        module = load(hidden / "unknown.py", "unknown")
        made = run_of(executor, module, point=module.Point(1))["body"]
        assert type(made) is module.Point
        assert made.x == 2

    def test_module_that_workers_would_mistake_for_another_is_taken_along(
        self, executor: ProcessExecutor, place: Path
    ) -> None:
        place.joinpath("twin.py").write_text(
            "from flowweaver import task\n@task\ndef body(): return 'on the path'\n"
        )
        hidden = place / "hidden"
        hidden.mkdir()
        hidden.joinpath("twin.py").write_text(
            "from flowweaver import task\n@task\ndef body(): return 'hidden'\n"
        )
        assert run_of(executor, load(hidden / "twin.py", "twin"))["body"] == "hidden"

    def test_function_edited_on_disk_runs_as_it_was_imported(self, place: Path) -> None:
        text = "from flowweaver import task\n@task\ndef body(): return {}\n"
        place.joinpath("edited.py").write_text(text.format(1))
        module = importlib.import_module("edited")
        place.joinpath("edited.py").write_text(text.format(2))
        with ProcessExecutor(1) as executor:
            assert run_of(executor, module)["body"] == 1

    def test_reloaded_module_replaces_warm_workers(
        self, executor: ProcessExecutor, place: Path
    ) -> None:
        text = "from flowweaver import task\ndef helper(): return {}\n"
        text += "@task\ndef body(): return helper()\n"
        place.joinpath("reloaded.py").write_text(text.format(1))
        module = importlib.import_module("reloaded")
        assert run_of(executor, module)["body"] == 1
        place.joinpath("reloaded.py").write_text(text.format("'two'"))
        importlib.invalidate_caches()
        importlib.reload(module)
        assert run_of(executor, module)["body"] == "two"

    def test_task_whose_module_makes_trouble_does_not_harm_its_siblings(
        self, executor: ProcessExecutor, place: Path
    ) -> None:
        place.joinpath("troubled.py").write_text(
            "import threading\nfrom flowweaver import task\nlock = threading.Lock()\n"
            "class Odd:\n    def __reduce__(self): return fail, ()\n"
            "def fail(): raise AttributeError('no such thing')\n"
            "@task\ndef bad(odd): return odd\n"
            "@task\ndef good():\n    with lock: return 1\n"
        )
        module = importlib.import_module("troubled")
        workflow = Workflow("w", [module.bad, module.good])
        run = executor.execute(workflow, {"odd": module.Odd()}, raise_on_failure=False)
        assert run["good"] == 1
        error = run.tasks["bad"].error
        assert error is not None
        assert "can't be taken up by a worker process" in error.message
        assert "no such thing" in error.message

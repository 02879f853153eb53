"""A call runs on the code that its fingerprint was made of, however long its worker has lived."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowweaver import (
    Executor,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.executors._workers.modules import Meant, Modules, OtherCodeError
from flowweaver.executors.process import ProcessExecutor

PIPE = """
from flowweaver import task

@task
def make():
    import {helper}
    return {helper}.value()

@task
def pid():
    import os
    return os.getpid()
"""
HELPER = "import {other}\ndef value(): return {other}.VALUE\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from; what was imported is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def write(path: Path, text: str) -> None:
    """Write a module, dated so that Python does not take two versions for one."""
    earlier = path.stat().st_mtime if path.exists() else 0.0
    path.write_text(text)
    os.utime(path, (earlier + 10, earlier + 10))
    importlib.invalidate_caches()


class Project:
    """A project whose task imports modules in its body only."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.other = folder / f"{name}_other.py"
        self.helper = folder / f"{name}_helper.py"
        write(folder / f"{name}.py", PIPE.format(helper=self.helper.stem))
        write(self.helper, HELPER.format(other=self.other.stem))
        self.say("one")
        self.module = importlib.import_module(name)

    def say(self, value: str) -> None:
        """Edit the module that the result comes from."""
        write(self.other, f"VALUE = {value!r}\n")

    def made_by(self, executor: Executor, **options: bool) -> str:
        tasks = [self.module.make.with_options(**options)]
        return str(executor.execute(Workflow("w", tasks))["make"])

    def pid_in(self, executor: Executor) -> int:
        tasks = [self.module.pid.with_options(cache=False)]
        return int(executor.execute(Workflow("pid", tasks))["pid"])


Making = Callable[[StateStore | None], Executor]
MAKING: dict[str, Making] = {
    "processes": lambda store: ProcessExecutor(1, state_store=store),
    "isolated": lambda store: ThreadedExecutor(1, state_store=store),
}


@pytest.mark.parametrize("kind", MAKING)
def test_module_that_only_a_warm_worker_has_is_loaded_anew_after_an_edit(
    kind: str, place: Path
) -> None:
    project = Project(place, f"edited_{kind}")
    store = SQLiteStateStore(place / "state.db")
    executor = MAKING[kind](store)
    options = {"isolate": True} if kind == "isolated" else {}
    assert project.made_by(executor, **options) == "one"
    project.say("two")
    assert project.made_by(executor, **options) == "two"
    # What is stored is right also for whoever executes it in a process of its own.
    assert project.made_by(SequentialExecutor(state_store=store)) == "two"
    executor.close() if isinstance(executor, ProcessExecutor) else None


def test_module_edited_between_two_tasks_of_a_run_is_loaded_anew(place: Path) -> None:
    project = Project(place, "amid")
    write(
        place / "amid_run.py",
        f"""
import os, pathlib
from flowweaver import task
import amid

@task
def first():
    import amid_helper
    return amid_helper.value()

@task
def edit(first):
    path = pathlib.Path({str(project.other)!r})
    path.write_text("VALUE = 'two'")
    os.utime(path, (100, 100))

@task(depends_on=["edit"])
def second():
    import amid_helper
    return amid_helper.value()
""",
    )
    module = importlib.import_module("amid_run")
    with ProcessExecutor(1) as executor:
        run = executor.execute(Workflow("w", [module.first, module.edit, module.second]))
    assert (run["first"], run["second"]) == ("one", "two")


def test_worker_stays_warm_when_a_file_is_only_touched(place: Path) -> None:
    project = Project(place, "touched")
    with ProcessExecutor(1) as executor:
        project.made_by(executor)
        before = project.pid_in(executor)
        project.say("one")
        assert project.made_by(executor) == "one"
        assert project.pid_in(executor) == before


def test_module_edited_since_it_was_loaded_here_goes_along_as_it_is_here(place: Path) -> None:
    write(place / "along_helper.py", "def value(): return 'as loaded'\n")
    write(
        place / "along.py",
        "from flowweaver import task\nfrom along_helper import value\n"
        "@task\ndef make(): return value()\n",
    )
    with ProcessExecutor(1) as executor:
        module = importlib.import_module("along")
        executor.execute(Workflow("w", [module.make]))
        write(place / "along_helper.py", "def value(): return 'edited'\n")
        executor.close()  # so that a new worker finds the new file
        assert executor.execute(Workflow("w", [module.make]))["make"] == "as loaded"


def test_module_that_no_worker_finds_costs_one_worker_not_one_a_task(tmp_path: Path) -> None:
    path = tmp_path / "by_path_alone.py"
    names = [f"t{number}" for number in range(4)]
    bodies = "".join(f"@task\ndef {name}(): return os.getpid()\n" for name in names)
    path.write_text(f"import os\nfrom flowweaver import task\n{bodies}")
    spec = importlib.util.spec_from_file_location("by_path_alone", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["by_path_alone"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        with ProcessExecutor(1) as executor:
            run = executor.execute(Workflow("w", [getattr(module, name) for name in names]))
    finally:
        del sys.modules["by_path_alone"]
    assert len({run[name] for name in names}) == 1


def test_body_that_imports_other_code_than_is_loaded_here_fails_and_says_so(place: Path) -> None:
    project = Project(place, "differs")
    importlib.import_module("differs_other")
    workflow = Workflow("w", [project.module.make])
    with ProcessExecutor(1) as executor:
        executor.execute(workflow)
        project.say("two")
        executor.close()
        run = executor.execute(workflow, raise_on_failure=False)
    error = run.tasks["make"].error
    assert error is not None
    assert "differs_other.py is not what the process that executes" in error.message
    assert run.tasks["make"].attempts == 1


def test_module_made_by_a_task_can_be_imported_by_it(place: Path) -> None:
    write(
        place / "generates.py",
        f"""
import importlib, pathlib
from flowweaver import task

@task
def generate():
    pathlib.Path({str(place)!r}, "generated_now.py").write_text("VALUE = 1")
    importlib.invalidate_caches()
    import generated_now
    return generated_now.VALUE
""",
    )
    module = importlib.import_module("generates")
    with ProcessExecutor(1) as executor:
        assert executor.execute(Workflow("w", [module.generate]))["generate"] == 1


class TestModules:
    ELSEWHERE = Meant("another process", {})

    def load(self, place: Path, name: str) -> types.ModuleType:
        write(place / f"{name}.py", "VALUE = 1")
        return importlib.import_module(name)

    def looked_at(self, place: Path, name: str) -> Modules:
        """Return modules among which is one whose file had been there for a while."""
        write(place / f"{name}.py", "VALUE = 1")
        written = time.monotonic()
        modules = Modules()
        while time.monotonic() < written + 0.05:
            time.sleep(0.01)
        modules.look()
        importlib.import_module(name)
        modules.look()
        return modules

    def test_what_is_unchanged_is_as_meant(self, place: Path) -> None:
        modules = self.looked_at(place, "unchanged")
        assert modules.other_code(self.ELSEWHERE, anew=False) is None

    def test_changed_file_is_named(self, place: Path) -> None:
        modules = self.looked_at(place, "changed")
        write(place / "changed.py", "VALUE = 2")
        error = modules.other_code(self.ELSEWHERE, anew=False)
        assert isinstance(error, OtherCodeError)
        assert error.name == "changed"

    def test_removed_file_counts_as_changed(self, place: Path) -> None:
        modules = self.looked_at(place, "removed")
        (place / "removed.py").unlink()
        assert modules.other_code(self.ELSEWHERE, anew=False) is not None

    def test_file_changed_where_the_module_is_meant_as_it_is_does_no_harm(
        self, place: Path
    ) -> None:
        modules = self.looked_at(place, "meant")
        meant = Meant("another process", modules.meant().digests)
        write(place / "meant.py", "VALUE = 2")
        assert modules.other_code(meant, anew=False) is None

    def test_file_changed_while_it_was_loaded_is_in_doubt(self, place: Path) -> None:
        modules = Modules()
        modules.look()
        self.load(place, "doubtful")
        modules.look()
        assert modules.other_code(self.ELSEWHERE, anew=True) is None
        assert modules.other_code(self.ELSEWHERE, anew=False) is not None

    def test_reloaded_module_is_looked_at_again(self, place: Path) -> None:
        module = self.load(place, "again")
        modules = Modules()
        before = modules.meant().digests["again"]
        write(place / "again.py", "VALUE = 2")
        importlib.reload(module)
        assert modules.meant().digests["again"] != before

    def test_module_that_is_given_its_file_late_counts_from_then_on(self, place: Path) -> None:
        late = sys.modules["given_late"] = types.ModuleType("given_late")
        here = Modules()
        assert "given_late" not in here.meant().digests
        write(place / "given_late.py", "VALUE = 1\n")
        late.__file__ = str(place / "given_late.py")
        assert "given_late" in here.meant().digests

    def test_module_in_the_place_of_another_counts(self, place: Path) -> None:
        for value in (1, 2):
            (place / str(value)).mkdir()
            write(place / str(value) / "replaced.py", f"VALUE = {value}\n")
        here, digests = Modules(), []
        for value in (1, 2):
            spec = importlib.util.spec_from_file_location(
                "replaced", place / str(value) / "replaced.py"
            )
            assert spec is not None
            sys.modules["replaced"] = importlib.util.module_from_spec(spec)
            digests.append(here.meant().digests["replaced"])
        assert digests[0] != digests[1]

    def test_what_is_installed_or_pythons_own_does_not_count(self) -> None:
        digests = Modules().meant().digests
        assert {"pytest", "json", "flowweaver.engine.runner", "__main__"}.isdisjoint(digests)
        assert __name__ in digests

    def test_nothing_is_other_code_in_the_process_that_means_it(self, place: Path) -> None:
        self.load(place, "own")
        modules = Modules()
        meant = modules.meant()
        write(place / "own.py", "VALUE = 2")
        assert modules.other_code(meant, anew=False) is None

    def test_what_is_forgotten_is_imported_anew(self, place: Path) -> None:
        module = self.load(place, "forgotten")
        modules = Modules()
        modules.look()
        others = {name: each for name, each in sys.modules.items() if name != "forgotten"}
        modules.forget()
        sys.modules.update(others)
        write(place / "forgotten.py", "VALUE = 2")
        again = importlib.import_module("forgotten")
        assert (module.VALUE, again.VALUE) == (1, 2)

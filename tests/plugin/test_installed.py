"""A third party's executor, observer and store: installed beside FlowWeaver, used by name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from textwrap import dedent

import pytest

PLUGIN = Path(__file__).parent
ROOT = PLUGIN.parents[1]
LIMIT_SECONDS = 900.0

PIPELINE = """
    import threading

    from flowweaver import Workflow, task

    @task
    def where():
        return threading.current_thread().name

    @task
    async def later(where):
        return where.upper()

    pipeline = Workflow("pipeline", [where, later])
"""


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )


def run_well(*command: str | Path, cwd: Path) -> str:
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Installed:
    """A fresh environment with FlowWeaver, and with the plug-in if wanted, from wheels.

    Nothing is fetched: the wheels are built with what is installed here, and the libraries that
    FlowWeaver needs are those of the present environment.
    """

    def __init__(self, folder: Path, wheels: list[Path]) -> None:
        self.folder = folder
        environment = folder / "environment"
        run_well(sys.executable, "-m", "venv", "--without-pip", environment, cwd=folder)
        self.programs = environment / "bin"
        pip = [sys.executable, "-m", "pip", "--python", self.programs / "python"]
        run_well(*pip, "install", "--no-index", "--no-deps", *wheels, cwd=folder)
        found = sysconfig.get_path("purelib", vars={"base": str(environment)})
        here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        Path(found, "libraries.pth").write_text("\n".join(sorted(here)) + "\n")
        (folder / "pipeline.py").write_text(dedent(PIPELINE))

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``flowweaver ARGUMENTS``."""
        return run(self.programs / "flowweaver", *arguments, cwd=self.folder)

    def python(self, code: str) -> str:
        """Run Python code and return what it prints."""
        return run_well(self.programs / "python", "-c", code, cwd=self.folder).strip()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-index"]
    run_well(*build, "--no-deps", "-w", folder, ROOT, PLUGIN, cwd=folder)
    found = {path.name.split("-")[0]: path for path in folder.glob("*.whl")}
    assert set(found) == {"flowweaver", "flowweaver_sample_plugin"}
    return found


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    made = Installed(tmp_path_factory.mktemp("with"), list(wheels.values()))
    assert Path(made.python("import flowweaver; print(flowweaver.__file__)")).is_relative_to(
        made.folder
    )
    return made


def test_executor_by_name_and_store_by_url(installed: Installed) -> None:
    asked = ("--executor", "one-thread", "--store", "folder://kept", "--json")
    done = installed.command("run", "pipeline.py", *asked)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["status"] == "completed"
    assert said["store"] == f"folder://{installed.folder / 'kept'}"
    shown = installed.command("show", "last", "where", "--store", "folder://kept")
    assert "one-thread" in shown.stdout
    again = json.loads(installed.command("run", "pipeline.py", *asked).stdout)
    assert {task["origin"] for task in again["tasks"]} == {"restored"}


def test_executor_by_url_gets_its_address(installed: Installed) -> None:
    asked = ("--executor", "one-thread://weaver", "--store", "folder://named")
    assert installed.command("run", "pipeline.py", *asked).returncode == 0
    shown = installed.command("show", "last", "later", "--store", "folder://named")
    assert "WEAVER" in shown.stdout


def test_observer_by_name_gets_its_address(installed: Installed) -> None:
    asked = ("--observer", "notes://told.txt", "--store", "folder://told")
    assert installed.command("run", "pipeline.py", *asked).returncode == 0
    lines = (installed.folder / "told.txt").read_text().splitlines()
    assert lines[:2] == ["run_started pipeline", "task_started where"]
    assert lines[-1] == "run_finished pipeline"


def test_runs_of_a_plugged_in_store_are_copied(installed: Installed) -> None:
    installed.command("run", "pipeline.py", "--store", "folder://source", "--run-id", "abc")
    done = installed.command("store", "copy", "folder://source", "copied.db")
    assert done.returncode == 0, done.stderr
    assert "abc" in installed.command("runs", "--store", "copied.db").stdout


def test_store_by_url_in_code(installed: Installed) -> None:
    code = "from flowweaver.stores import open_store; print(repr(type(open_store('folder://x'))))"
    assert "sample_plugin.store.FolderStateStore" in installed.python(code)


def test_without_it_all_are_unknown(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    bare = Installed(tmp_path_factory.mktemp("without"), [wheels["flowweaver"]])
    unknown = (("--executor", "one-thread"), ("--store", "folder://kept"), ("--observer", "notes"))
    for asked in unknown:
        done = bare.command("run", "pipeline.py", *asked)
        assert done.returncode == 2
        assert asked[1].partition(":")[0] in done.stderr
        assert "Traceback" not in done.stderr


def test_both_kits_pass_where_it_is_installed(installed: Installed) -> None:
    # Away from this repository, whose settings and fixtures a third party has not.
    shutil.copy(PLUGIN / "conformance" / "kits.py", installed.folder / "test_kits.py")
    pytest = [installed.programs / "python", "-m", "pytest", "-q", "-W", "error"]
    said = run_well(*pytest, "test_kits.py", cwd=installed.folder)
    assert " passed" in said
    assert " skipped" not in said

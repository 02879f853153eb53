"""Code that a body finds by a name or a path in data counts, each time in a process of its own."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType
from typing import NamedTuple

import pytest

MODELS = """
from numbers_of import FACTOR

class Model:
    def value(self):
        return FACTOR * 2

class Other:
    pass

def make():
    return Model()
"""
DRIVER = """
import sys
from pathlib import Path
from textwrap import dedent
from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow
import steps

task = Task("t", steps.body)
run = SequentialExecutor(state_store=SQLiteStateStore("state.db")).execute(Workflow("w", [task]))
print(run.tasks["t"].origin.value, run["t"], run.tasks["t"].reason, sep="|")
"""
PICKLED = {"data.pkl": b"cmodels\nmake\n(tR."}


class Program(NamedTuple):
    """A body, what else is there, and how it is told that the code has changed."""

    body: str
    files: Mapping[str, bytes] = MappingProxyType({})
    told: str = "the code of `models:make`, which it found by that name, has changed"
    is_by_meaning: bool = True


OF_CODE = "the code in `{}` has changed since it was run"
OF_FILE = "the file `{}` has changed since it was read"
PROGRAMS = {
    "pickle": Program(
        """
        import pickle
        def body():
            with open("data.pkl", "rb") as file:
                return pickle.load(file).value()
        """,
        PICKLED,
    ),
    "pickle in Python": Program(
        """
        import io, pickle
        def body():
            return pickle._loads(open("data.pkl", "rb").read()).value()
        """,
        PICKLED,
    ),
    "pickle by way of pandas": Program(
        """
        import pandas as pd
        def body():
            return pd.read_pickle("data.pkl").value()
        """,
        PICKLED,
    ),
    "pickle where it is loaded before": Program(
        """
        import pickle
        import others
        def body():
            with open("data.pkl", "rb") as file:
                return pickle.load(file).value()
        """,
        {**PICKLED, "others.py": b"import models"},
    ),
    "pickle in a forked process": Program(
        """
        import multiprocessing, pickle
        def load(path):
            with open(path, "rb") as file:
                return pickle.load(file).value()
        def body():
            with multiprocessing.get_context("fork").Pool(1) as pool:
                return pool.map(load, ["data.pkl"])
        """,
        PICKLED,
    ),
    "logging": Program(
        """
        import logging.config
        def body():
            filters = {"f": {"()": "models.make"}}
            handlers = {"h": {"class": "logging.NullHandler", "filters": ["f"]}}
            loggers = {"found": {"handlers": ["h"]}}
            logging.config.dictConfig(
                {"version": 1, "filters": filters, "handlers": handlers, "loggers": loggers}
            )
            return logging.getLogger("found").handlers[0].filters[0].value()
        """,
        told=OF_CODE.format("numbers_of.py"),
        is_by_meaning=False,
    ),
    "loader": Program(
        """
        import importlib.util
        def body():
            spec = importlib.util.spec_from_file_location("plugin", "plugins/one.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module.value()
        """,
        {"plugins/one.py": b"import models\ndef value(): return models.make().value()"},
        OF_CODE.format("numbers_of.py"),
        is_by_meaning=False,
    ),
    "runpy": Program(
        """
        import runpy
        def body():
            return runpy.run_path("plugins/one.py")["VALUE"]
        """,
        {"plugins/one.py": b"from models import make\nVALUE = make().value()"},
        OF_CODE.format("numbers_of.py"),
        is_by_meaning=False,
    ),
    "program": Program(
        """
        import subprocess, sys
        def body():
            done = subprocess.run([sys.executable, "tool.py"], capture_output=True, text=True)
            return done.stdout.strip()
        """,
        {"tool.py": b"def main():\n    from models import make\n    print(make().value())\nmain()"},
        OF_FILE.format("numbers_of.py"),
        is_by_meaning=False,
    ),
    "program that is a text": Program(
        """
        import subprocess, sys
        def body():
            program = "import models; print(models.make().value())"
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
            return done.stdout.strip()
        """,
        told=OF_FILE.format("numbers_of.py"),
        is_by_meaning=False,
    ),
    "program by the name of a module": Program(
        """
        import subprocess, sys
        def body():
            done = subprocess.run(
                [sys.executable, "-m", "tools.show"], capture_output=True, text=True
            )
            return done.stdout.strip()
        """,
        {
            "tools/__init__.py": b"",
            "tools/show.py": b"from .inner import value\nprint(value())",
            "tools/inner.py": b"import models\ndef value(): return models.make().value()",
        },
        OF_FILE.format("numbers_of.py"),
        is_by_meaning=False,
    ),
}


class Project:
    """A folder with a program in it, run in a process of its own each time."""

    def __init__(self, folder: Path, program: Program) -> None:
        self.folder = folder
        (folder / "pyproject.toml").touch()
        (folder / "models.py").write_text(MODELS)
        (folder / "numbers_of.py").write_text("FACTOR = 1\n")
        (folder / "driver.py").write_text(DRIVER)
        (folder / "steps.py").write_text(dedent(program.body))
        for name, content in program.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)

    def run(self) -> list[str]:
        """Return how the result came about, the result, and the reason."""
        command = [sys.executable, "-B", "driver.py"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().split("|")


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_it_means_counts(name: str, tmp_path: Path) -> None:
    program = PROGRAMS[name]
    project = Project(tmp_path, program)
    assert project.run()[0] == "executed"
    assert project.run()[0] == "restored"
    if program.is_by_meaning:
        cosmetic = MODELS.replace("class Other", "# a comment\nclass Another")
        (tmp_path / "models.py").write_text(cosmetic)
        assert project.run()[0] == "restored"
    (tmp_path / "numbers_of.py").write_text("FACTOR = 10\n")
    origin, value, reason = project.run()
    assert (origin, reason) == ("executed", program.told)
    assert value in ("20", "[20]")
    assert project.run()[0] == "restored"


def test_class_of_the_bodys_own_module_counts_by_its_meaning(tmp_path: Path) -> None:
    text = """
        import pickle
        class Row:
            size = 1
        class Unused:
            size = 1
        def body():
            return pickle.loads({data!r}).size
    """
    data = pickle.dumps(0).replace(b"K\x00", b"csteps\nRow\n)\x81")
    project = Project(tmp_path, Program(text.format(data=data)))
    assert project.run()[:2] == ["executed", "1"]
    steps = tmp_path / "steps.py"
    steps.write_text(steps.read_text().replace("class Unused:\n    size = 1", "class Unused: pass"))
    assert project.run()[0] == "restored"
    steps.write_text(steps.read_text().replace("size = 1", "size = 2"))
    assert project.run()[:2] == ["executed", "2"]


def test_package_counts_by_its_version(tmp_path: Path) -> None:
    program = Program(
        """
        import pickle
        def body():
            return pickle.loads(b"cinstalled\\nvalue\\n)R.")
        """
    )
    project = Project(tmp_path, program)
    packages = tmp_path / "site-packages"
    for version in (1, 2):
        told = packages / f"installed-{version}.dist-info"
        told.mkdir(parents=True)
        (told / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: installed\nVersion: {version}\n"
        )
        (told / "top_level.txt").write_text("installed\n")
        (packages / "installed.py").write_text(f"def value(): return {version}\n")
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("PYTHONPATH", str(packages), prepend=":")
            assert project.run()[:2] == ["executed", str(version)]
            assert project.run()[0] == "restored"
        for each in told.iterdir():
            each.unlink()
        told.rmdir()

"""Processes that share a store, each with runs of its own, one after the other.

``python -m tests.stores.sharing URL FOLDER``: executes runs of three tasks from when there is a
file "go" in the folder until there is a file "stop", then prints how many. With no arguments it
measures how evenly five of them come on in ten seconds, with each durability.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from flowweaver import SequentialExecutor, Task, Workflow
from flowweaver.stores import open_store
from tests.observers.terminal import wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 10.0


def named(name: str) -> str:
    return name


WORKFLOW = Workflow("shared", [Task(f"t{n}", named, version="1") for n in range(3)])


def work(url: str, folder: Path) -> int:
    """Execute runs until told to stop; return how many."""
    executor = SequentialExecutor(state_store=open_store(url))
    done = count()
    (folder / f"ready-{os.getpid()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    while not (folder / "stop").exists():
        executor.execute(WORKFLOW, {"name": f"{os.getpid()}-{next(done)}"}, reuse="never")
    return next(done)


class Sharers:
    """Processes that work on one store until `end`; they begin together."""

    def __init__(self, url: str, folder: Path, many: int) -> None:
        self._folder = folder
        command = [sys.executable, "-m", "tests.stores.sharing", url, str(folder)]
        self._processes = [
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for _ in range(many)
        ]
        wait_until(lambda: len(list(folder.glob("ready-*"))) == many, "all to be ready")
        (folder / "go").touch()

    def end(self) -> list[int]:
        """Have them stop; return how many runs each has executed."""
        (self._folder / "stop").touch()
        return [int(process.communicate(timeout=60)[0]) for process in self._processes]


def main() -> None:
    """Print how evenly five processes come on."""
    for durability in ("full", "process"):
        with TemporaryDirectory(dir=".") as name:
            url = f"sqlite:///{Path(name).resolve()}/state.db?durability={durability}"
            sharers = Sharers(url, Path(name), 5)
            time.sleep(SECONDS)
            counts = sorted(sharers.end())
            print(f"{durability}: {counts} runs, {counts[-1] / max(1, counts[0]):.2f} to 1")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(work(sys.argv[1], Path(sys.argv[2])))
    else:
        main()

"""What holds for every example: it runs as a script, and is resumed after a SIGKILL anywhere."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flowweaver import RunStatus, SQLiteStateStore, TaskStatus, Workflow
from flowweaver.stores import open_store
from tests.examples.loading import EXAMPLES, load_example

LIMIT = 120
WORKFLOWS = {
    "etl_pipeline.py": "etl",
    "parallel_run.py": "parallel",
    "async_aggregation.py": "aggregation",
    "ml_pipeline.py": "models",
}
# What examples import or read, and the packages that bring it.
PACKAGES = {"palmerpenguins": "palmerpenguins", "sklearn": "scikit-learn"}
COMMAND = [sys.executable, "-m", "flowweaver"]


def tasks_of(file: str) -> list[str]:
    workflow: Workflow = getattr(load_example(file), WORKFLOWS[file])
    return list(workflow.get_all_tasks())


class Victim:
    """An example with a journal, run by the command in a directory of its own."""

    def __init__(self, directory: Path, file: str, executor: str, store: str = "state.db") -> None:
        self.directory = directory
        self.journal = directory / "journal"
        self.example = f"{file}:{WORKFLOWS[file]}"
        self.store = directory / store
        self.options = ["--executor", executor, "--store", str(self.store)]

    def run(self, kill: str = "") -> tuple[int, list[str]]:
        """Run once and return the exit code and the tasks whose bodies began."""
        self.journal.write_text("")
        target = f"{Path(__file__).with_name('journaled.py')}:workflow"
        environment = os.environ | {
            "EXAMPLE": self.example,
            "JOURNAL": str(self.journal),
            "KILL": kill,
            "PYTHONPATH": str(EXAMPLES.parent),
        }
        done = subprocess.run(
            [*COMMAND, "run", target, *self.options],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
        return done.returncode, self.journal.read_text().splitlines()

    def newest(self) -> tuple[str, RunStatus, set[str]]:
        """Return the newest run's id and status, and the tasks completed in it."""
        store = open_store(str(self.store))
        run = store.runs()[0]
        tasks = store.tasks(run.id)
        return run.id, run.status, {t.task for t in tasks if t.status is TaskStatus.COMPLETED}


@pytest.mark.parametrize("file", WORKFLOWS)
def test_header_says_what_is_needed_beyond_flowweaver(file):
    text = (EXAMPLES / file).read_text(encoding="utf-8")
    said = re.search(r"^Needed beyond FlowWeaver: (.+)$", text, re.MULTILINE)
    assert said is not None
    needed = " ".join(sorted(PACKAGES[name] for name in foreign_modules(text)))
    assert said[1] == (f"pip install {needed}" if needed else "nothing.")


def foreign_modules(text: str) -> set[str]:
    """Return what source imports, or reads the files of, that is neither Python nor FlowWeaver."""
    imported = re.findall(r"^ *(?:import|from) (\w+)", text, re.MULTILINE)
    read = re.findall(r'distribution\("(\w+)"\)', text)
    return {*imported, *read} - sys.stdlib_module_names - {"flowweaver"}


@pytest.mark.parametrize("file", WORKFLOWS)
def test_as_a_script_it_runs_and_the_second_time_restores(file, tmp_path):
    def script() -> str:
        return subprocess.run(
            [sys.executable, EXAMPLES / file],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        ).stdout

    total = len(tasks_of(file))
    assert script().endswith(f"\n0 of {total} tasks restored\n")
    assert script().endswith(f"\n{total} of {total} tasks restored\n")


ETL_TASKS = ["extract", "validate", "transform", "load", "quality", "report"]


def places() -> list[Any]:
    etl = [
        ("etl_pipeline.py", executor, f"{moment} {task}")
        for executor in ("sequential", "threads", "async")
        for moment in ("before", "after")
        for task in ETL_TASKS
    ]
    others = [
        ("parallel_run.py", "threads", "before gzip"),
        ("parallel_run.py", "threads", "after check bzip2"),
        ("async_aggregation.py", "async", "after north"),
        ("async_aggregation.py", "async", "before totals"),
        ("ml_pipeline.py", "threads", "before score"),
        ("ml_pipeline.py", "threads", "after fitted"),
    ]
    return etl + others


@pytest.mark.parametrize(("file", "executor", "kill"), places())
def test_killed_and_started_again_it_runs_no_completed_task_again(file, executor, kill, tmp_path):
    victim = Victim(tmp_path, file, executor)
    code, _ = victim.run(kill)
    run_id, status, completed = victim.newest()
    assert code == -signal.SIGKILL
    assert status is RunStatus.RUNNING

    code, again = victim.run()
    assert code == 0
    assert not completed & set(again)
    assert completed | set(again) == set(tasks_of(file))
    assert victim.newest() == (run_id, RunStatus.COMPLETED, set(tasks_of(file)))


@pytest.mark.parametrize("task", ETL_TASKS)
def test_killed_with_the_json_store_it_runs_no_completed_task_again(task, tmp_path):
    victim = Victim(tmp_path, "etl_pipeline.py", "threads", "state.json")
    victim.run(f"before {task}")
    _, _, completed = victim.newest()
    assert completed == set(ETL_TASKS[: ETL_TASKS.index(task)])
    code, again = victim.run()
    assert (code, again) == (0, ETL_TASKS[ETL_TASKS.index(task) :])


def test_etl_killed_before_and_after_each_task_loads_what_an_undisturbed_run_loads(tmp_path):
    victim = Victim(tmp_path, "etl_pipeline.py", "sequential")
    began: Counter[str] = Counter()
    for task in ETL_TASKS:
        began.update(victim.run(f"before {task}")[1])
        began.update(victim.run(f"after {task}")[1])
    began.update(victim.run()[1])
    # Each body began three times: killed before it worked, killed before its commit, and done.
    assert began == dict.fromkeys(ETL_TASKS, 3)

    undisturbed = Victim(tmp_path / "undisturbed", "etl_pipeline.py", "sequential")
    undisturbed.directory.mkdir()
    undisturbed.run()
    assert results(victim.directory) == results(undisturbed.directory)


def results(directory: Path) -> dict[str, str | None]:
    """Return the digest of each task's result in the newest run."""
    store = SQLiteStateStore(directory / "state.db")
    return {record.task: record.digest for record in store.tasks(store.runs()[0].id)}


def test_etl_begun_on_async_is_resumed_on_threads(tmp_path):
    Victim(tmp_path, "etl_pipeline.py", "async").run("before load")
    code, began = Victim(tmp_path, "etl_pipeline.py", "threads").run()
    assert code == 0
    assert sorted(began) == ["load", "quality", "report"]

"""Settings said once: in a file, a profile, the environment; and a workflow's own limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

from flowweaver import (
    DefinitionError,
    MemoryStateStore,
    StoreError,
    Task,
    ThreadedExecutor,
    Workflow,
    each,
    task,
)
from flowweaver.cli.retention import keep_to_retention
from flowweaver.cli.settings import Setting, Settings
from tests.cli.command import Project

PIPELINE = """
import threading, time
from flowweaver import Workflow, each, task

here = threading.Semaphore(1)

@task(tags=["api"], inputs={{"page": each("pages")}})
def fetch(page):
    alone = here.acquire(blocking=False)
    try:
        time.sleep(0.01)
        return alone
    finally:
        if alone:
            here.release()

@task
def alone(fetch):
    return all(fetch)

crawl = Workflow("crawl", [fetch, alone]{more})
"""
PAGES = ("-p", "pages=[1,2,3,4,5,6]")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("crawl.py", PIPELINE.format(more=""))
    return project


def result(project: Project, *arguments: str, **options: dict[str, str]) -> str:
    """Run the workflow and return what its last task came to, as `show` says it."""
    done = project.run("run", "crawl.py", "-q", *PAGES, *arguments, **options)
    assert done.returncode == 0, done.stderr
    return project.run("show", "last", "alone").stdout


def settings(project: Project, *arguments: str, **options: dict[str, str]) -> dict[str, list[str]]:
    """Return what holds, and the last word of where it was said."""
    done = project.run("doctor", "--settings", *arguments, **options)
    assert done.returncode == 0, done.stderr
    lines = (line.removeprefix("setting ") for line in done.stdout.splitlines())
    found = {}
    for line in lines:
        name, _, rest = line.partition(": ")
        value, _, source = rest.rpartition(" (")
        found[name] = [value, source.rstrip(")").rpartition("/")[2]]
    return found


@pytest.mark.parametrize("file", ["flowweaver.toml", "pyproject.toml"])
def test_a_file_says_where_runs_are_kept_and_how_they_run(project: Project, file: str) -> None:
    head = "[tool.flowweaver]\n" if file == "pyproject.toml" else ""
    project.write(file, f'{head}store = "kept/state.db"\nworkers = 3\nlimits = {{ api = 1 }}\n')
    assert "result: True" in result(project)
    assert (project.folder / "kept" / "state.db").exists()
    assert not (project.folder / ".flowweaver").exists()
    inner = Project(project.folder / "inner")
    inner.folder.mkdir()
    assert "crawl" in inner.run("runs").stdout  # seen from the folder of the file


def test_each_says_more_than_the_next(project: Project) -> None:
    project.write(
        "flowweaver.toml",
        """
        store = "file.db"
        executor = "threads"
        workers = 2
        observers = ["log"]

        [profiles.ci]
        executor = "sequential"
        store = "profile.db"
        """,
    )
    env = {"FLOWWEAVER_EXECUTOR": "async", "FLOWWEAVER_RATE": "api=10/s"}
    assert settings(project, "--profile", "ci", "--store", "said.db", env=env) == {
        "store": ["said.db", "command line"],
        "executor": ["async", "FLOWWEAVER_EXECUTOR"],
        "workers": ["2", "flowweaver.toml"],
        "rate": ["{'api': '10/s'}", "FLOWWEAVER_RATE"],
        "observers": ["['log']", "flowweaver.toml"],
    }
    by_name = settings(project, env={"FLOWWEAVER_PROFILE": "ci"})
    assert by_name["store"] == ["profile.db", "flowweaver.toml, profile ci"]
    assert settings(project)["store"] == ["file.db", "flowweaver.toml"]


def test_workers_in_a_file_are_no_matter_where_one_task_runs_at_a_time(project: Project) -> None:
    text = 'workers = 4\n[profiles.ci]\nexecutor = "sequential"\n'
    project.write("flowweaver.toml", text)
    assert "result: True" in result(project, "--profile", "ci")
    assert "result: True" in result(project, "--executor", "sequential")
    said = project.run("run", "crawl.py", *PAGES, "--executor", "sequential", "--workers", "2")
    assert (said.returncode, "drop --workers" in said.stderr) == (2, True)


def test_without_settings_it_is_said_that_there_are_none(project: Project) -> None:
    assert settings(project) == {"store": [".flowweaver/state.db", "by default"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stoer = "x.db"', "there is no setting 'stoer'; did you mean 'store'?"),
        ("workers = 0", "workers must be a whole number from 1, not 0."),
        ('limits = { api = "2" }', "limits must be whole numbers by tag"),
        ('rate = { api = "10" }', "rate must be rates by tag"),
        ("retention = { days = 3 }", "retention must be what is kept of runs"),
        ('retention = { age = "1 parsec" }', "retention must be what is kept of runs"),
        ('retention = { bytes = "all" }', "retention must be what is kept of runs"),
        ("retention = { age = 30 }", "retention must be what is kept of runs"),
        ('executor = "thraeds"', "flowweaver.toml), only"),
        ("store = ", "is no TOML"),
        ("profiles = 3", "profiles must be a table of tables, not 3."),
        ("[profiles]\nci = 3", "profile ci must be a table of settings, not 3."),
        ("[profiles.ci]\nexecuter = 'x'", "no setting 'executer'; did you mean 'executor'?"),
        ("[profiles.ci.profiles.x]", "profile ci: there is no setting 'profiles'"),
    ],
)
def test_what_is_unknown_or_unfit_is_refused(project: Project, text: str, said: str) -> None:
    project.write("flowweaver.toml", text)
    done = project.run("run", "crawl.py", *PAGES)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "[tool.flowweaver]\nworkers = 0\n",
        '[ tool . "flowweaver" ]\nworkers = 0\n',
        "[tool]\nflowweaver = { workers = 0 }\n",
        "tool = { flowweaver = { workers = 0 } }\n",
        "tool.flowweaver.workers = 0\n",
    ],
)
def test_section_is_found_however_it_is_written(project: Project, text: str) -> None:
    project.write("pyproject.toml", text)
    assert "workers must be a whole number from 1" in project.run("runs").stderr


@pytest.mark.parametrize(
    "text",
    [
        "[tool]\nflowweaver = 3\n",
        "[tool]\nflowweaver = [1]\n",
        "[[tool.flowweaver]]\nworkers = 2\n",
    ],
)
def test_section_that_is_no_table_is_refused(project: Project, text: str) -> None:
    project.write("pyproject.toml", text)
    done = project.run("runs")
    assert done.returncode == 2
    assert "pyproject.toml: tool.flowweaver must be a table of settings, not " in done.stderr


def test_what_is_no_section_of_ours_is_left_alone(project: Project) -> None:
    project.write("pyproject.toml", "tool = 3  # flowweaver\n")
    assert settings(project) == {"store": [".flowweaver/state.db", "by default"]}


def test_a_slip_in_the_environment_is_refused_and_what_is_not_ours_is_not(project: Project) -> None:
    done = project.run("runs", env={"FLOWWEAVER_STOER": "x.db"})
    assert (done.returncode, "did you mean 'STORE'" in done.stderr) == (2, True)
    ours = {"FLOWWEAVER_KEY_FILE": str(project.folder / "key"), "FLOWWEAVER_TRACEBACK": "1"}
    assert settings(project, env={"FLOWWEAVER_BUILD_NUMBER": "12", **ours})


def test_a_profile_that_is_not_there_is_refused(project: Project) -> None:
    project.write("flowweaver.toml", "[profiles.ci]\nworkers = 1\n")
    done = project.run("run", "crawl.py", "--profile", "ic")
    assert done.returncode == 2
    assert "There is no profile 'ic'" in done.stderr


def test_two_files_with_settings_are_refused(project: Project) -> None:
    project.write("flowweaver.toml", "workers = 1\n")
    project.write("pyproject.toml", "[tool.flowweaver]\nworkers = 2\n")
    done = project.run("runs")
    assert (done.returncode, "keep one of them" in done.stderr) == (2, True)


def test_retention_is_what_gc_keeps_and_each_run_of_its_own_workflow(project: Project) -> None:
    project.write("other.py", PIPELINE.format(more="").replace("crawl", "other"))
    for target in ("crawl.py", "other.py"):
        for number in range(3):
            project.run("run", target, "-q", "-p", f"pages=[{number}]")
    project.write("flowweaver.toml", "retention = { runs = 2 }\n")
    failed = project.run("run", "crawl.py", "-q", "-p", "pages=7")
    assert failed.returncode == 1
    assert len(project.json("runs", "--workflow", "crawl")) == 4  # it is not done, and deletes none
    done = project.run("run", "crawl.py", "-p", "pages=[1]")
    told = "deleted 2 old runs of crawl, beyond the retention in"
    assert (done.returncode, told in done.stderr) == (0, True)
    kept = project.json("runs", "--workflow", "crawl")
    assert [run["status"] for run in kept] == ["completed", "failed", "completed"]
    assert len(project.json("runs", "--workflow", "other")) == 3
    assert len(project.json("gc")["runs"]) == 1


def test_what_a_run_has_restored_outlives_the_one_it_is_from(project: Project) -> None:
    project.write("flowweaver.toml", "retention = { runs = 1 }\n")
    project.write("crawl.py", PIPELINE.format(more="").replace("time.sleep", "print"))
    for _ in range(3):
        done = project.run("run", "crawl.py", "-p", "pages=[1,2]")
        assert done.returncode == 0
    assert "deleted 1 old run of crawl" in done.stderr
    (only,) = project.json("runs")
    assert project.run("result", only["id"], "alone").returncode == 0
    assert project.run("doctor").returncode == 0


class Undeleting(MemoryStateStore):
    """A store that can't let go of a run."""

    def delete(self, run_ids: Iterable[str]) -> None:
        raise StoreError(f"{[*run_ids]} can't be deleted here.")


def test_what_cant_be_deleted_changes_nothing_of_what_was_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = Undeleting()
    for _ in range(3):
        ThreadedExecutor(state_store=store).execute(Workflow("w", [Task("t", int)]), new_run=True)
    settings = Settings({"retention": Setting({"runs": 1}, "flowweaver.toml")})
    with click.Context(click.Command("run"), obj=settings):
        keep_to_retention(store, "w", quiet=True)
    assert "old runs could not be deleted: " in capsys.readouterr().err


def test_a_new_project_has_settings(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert project.run("init").returncode == 0
    assert project.run("run", "pipeline.py", "-q", "--profile", "ci").returncode == 0
    assert not (tmp_path / ".flowweaver").exists()


# A workflow's own limits ------------------------------------------------------------------------


def test_a_workflows_own_limits_hold_under_the_command(project: Project) -> None:
    project.write("crawl.py", PIPELINE.format(more=', limits={"api": 1}'))
    assert "result: True" in result(project, "-w", "6")


def test_options_bound_tags_too(project: Project) -> None:
    assert "result: True" in result(project, "-w", "6", "--limit", "api=1")
    done = project.run("run", "crawl.py", "--limit", "api", *PAGES)
    assert (done.returncode, "--limit takes TAG=VALUE" in done.stderr) == (2, True)


class Counting:
    """Counts who is inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = self.most = 0
        self.starts: list[float] = []

    def __call__(self, item: int) -> int:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self.starts.append(time.monotonic())
        threading.Event().wait(0.01)
        with self._lock:
            self._inside -= 1
        return item


def counted(counting: Counting, **bounds: dict[str, object]) -> Workflow:
    body = task(counting, name="body", tags=["api"], inputs={"item": each("items")}, trust="lock")
    return Workflow("counted", [body], **bounds)  # type: ignore[arg-type]


def test_runs_of_a_workflow_share_its_limits_and_others_have_their_own() -> None:
    counting, other = Counting(), Counting()
    bounded = counted(counting, limits={"api": 2})
    executor = ThreadedExecutor(8)
    threads = [
        threading.Thread(target=executor.execute, args=(workflow, {"items": list(range(10))}))
        for workflow in (bounded, bounded, counted(other))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counting.most <= 2
    assert len(counting.starts) == 20


def test_the_stricter_of_two_limits_holds() -> None:
    counting = Counting()
    executor = ThreadedExecutor(8, limits={"api": 1})
    executor.execute(counted(counting, limits={"api": 4}), {"items": list(range(8))})
    assert counting.most == 1


def test_a_workflows_rate_spaces_its_starts() -> None:
    counting = Counting()
    began = time.monotonic()
    ThreadedExecutor(8).execute(counted(counting, rate={"api": "50/s"}), {"items": [1, 2, 3, 4]})
    assert all(start - began >= n / 50 for n, start in enumerate(sorted(counting.starts)))


def test_what_an_inner_workflow_bounds_stays_bounded_in_the_outer() -> None:
    counting = Counting()
    outer = Workflow("outer", [counted(counting, limits={"api": 2}, rate={"api": "1000/s"})])
    assert (outer.limits, outer.rate) == ({"api": 2}, {"api": "1000/s"})


def test_limits_that_are_none_are_refused_when_the_workflow_is_made() -> None:
    with pytest.raises(DefinitionError, match="whole number"):
        Workflow("w", limits={"api": 0})
    with pytest.raises(DefinitionError, match="must be like"):
        Workflow("w", rate={"api": "fast"})

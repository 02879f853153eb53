"""One workflow, unchanged: the same Run wherever it runs, and carried on elsewhere once killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import ray
from distributed import Client

from flowweaver import (
    DaskExecutor,
    Executor,
    ProcessExecutor,
    RayExecutor,
    Run,
    RunStatus,
    SQLiteStateStore,
    StateStore,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.records import TaskRecord
from flowweaver.stores import open_store
from tests.acceptance.flow_bodies import silent, start_a_program, talk, talk_async
from tests.acceptance.test_listening import delays, job, load, load_async, page, total
from tests.examples.loading import load_example
from tests.executors.dask_cluster import local_cluster
from tests.observers.terminal import wait_until
from tests.stores.runners import workflow_of

# The threads, files and sockets of Dask and Ray are let go of by their garbage, some time later.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::FutureWarning",
    "ignore::DeprecationWarning",
    "ignore:.*:UserWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
ROOT = Path(__file__).parents[2]
TASKS = 150
EXECUTORS = ("threads", "processes", "dask", "ray")
STORES = ("sqlite", "postgres")


@pytest.fixture(scope="module")
def dask_cluster() -> Iterator[str]:
    """Give the address of a Dask cluster of two processes."""
    with local_cluster(n_workers=2, threads_per_worker=1) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[str]:
    """Give the address of a Ray cluster of two processors, which this process is connected to."""
    context = ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield context.address_info["gcs_address"]
    ray.shutdown()


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the key that all runs share: digests of what the example holds are made with it."""
    return str(tmp_path_factory.mktemp("key") / "key")


@pytest.fixture(autouse=True)
def key_of_its_own(key_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", key_file)


# The ML example.


@pytest.fixture(scope="module")
def example() -> ModuleType:
    return load_example("ml_pipeline.py")


@pytest.fixture(scope="module")
def expected(
    example: ModuleType, key_file: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Return what comes of the example on one thread."""
    folder = tmp_path_factory.mktemp("expected")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWWEAVER_KEY_FILE", key_file)
        store = SQLiteStateStore(folder / "state.db")
        run = ThreadedExecutor(1, state_store=store).execute(example.models)
        return what_came_of(run, store)


@pytest.fixture
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Give the executor of that name, at work on a real cluster where there is one to it."""
    if request.param == "threads":
        yield ThreadedExecutor(2)
    elif request.param == "processes":
        yield ProcessExecutor(2)
    elif request.param == "dask":
        with Client(request.getfixturevalue("dask_cluster"), set_as_default=False) as client:
            yield DaskExecutor(client)
    else:
        request.getfixturevalue("ray_cluster")
        yield RayExecutor()


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    """Give an empty store of that kind."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/state.db" if is_file else request.getfixturevalue("postgres")
    store = open_store(url)
    yield store
    store.close()


def what_came_of(run: Run, store: StateStore) -> dict[str, Any]:
    """Return all of a run that must not depend on where it ran, and where it was kept."""
    record = store.run(run.id)
    tasks = {
        (task.task, task.element): {
            "status": task.status,
            "origin": task.origin,
            "attempts": (task.attempts, task.failures, task.reason),
            **identity(task),
        }
        for task in store.tasks(run.id)
    }
    split = run["split"]
    return {
        "run": (record.workflow, record.key, record.status, record.params),
        "tasks": tasks,
        "shown": {name: (item.status, item.origin) for name, item in run.tasks.items()},
        "predicted": run["fitted"].predict_proba(split["x_test"]).tolist(),
        "verdict": run["verdict"],
    }


def identity(task: TaskRecord) -> dict[str, Any]:
    """Return what tells code, inputs and result of a TaskRun from any other's.

    The model goes as a pickle, whose bytes depend on which of its equal strings are one object:
    so not its digest, nor the fingerprint of what takes it, but what it predicts must be equal.
    """
    found: dict[str, Any] = {"code": json.loads(task.facts or "{}").get("code")}
    if task.task != "fitted":
        found["digest"] = task.digest
    if task.task != "verdict":
        found["fingerprint"] = task.fingerprint
    return found


@pytest.mark.parametrize("store", STORES, indirect=True)
@pytest.mark.parametrize("executor", EXECUTORS, indirect=True)
def test_ml_example_gives_the_same_run_everywhere(
    example: ModuleType, executor: Executor, store: StateStore, expected: dict[str, Any]
) -> None:
    executor.state_store = store
    run = executor.execute(example.models)
    assert run.status is RunStatus.COMPLETED
    assert what_came_of(run, store) == expected


# What bodies say.

ON_CLUSTERS = pytest.mark.parametrize("executor", ["dask", "ray"], indirect=True)


@ON_CLUSTERS
def test_what_bodies_print_on_a_cluster_is_kept_by_attempt(
    executor: Executor, tmp_path: Path
) -> None:
    executor.state_store = store = SQLiteStateStore(tmp_path / "state.db")
    tasks = [
        Task("plain", talk, retries=1),
        Task("limited", talk, retries=1, timeout=600),
        Task("alone", talk, retries=1, isolate=True),
        Task("awaited", talk_async),
        Task("silent", silent),
    ]
    run = executor.execute(Workflow("chatty", tasks), {"folder": str(tmp_path)})
    logs = {(item.task, item.number): item.log for item in store.attempts(run.id)}
    assert logs == {
        **{
            (task, number): f"attempt {number}\nWARNING talk: logged\n"
            for task in ("plain", "limited", "alone")
            for number in (1, 2)
        },
        ("awaited", 1): "awaited\n",
    }


@ON_CLUSTERS
def test_what_programs_print_on_a_cluster_is_kept_where_a_body_has_a_process(
    executor: Executor, tmp_path: Path
) -> None:
    executor.state_store = store = SQLiteStateStore(tmp_path / "state.db")
    alone = isinstance(executor, DaskExecutor)
    tasks = [Task(name, start_a_program, isolate=alone) for name in ("first", "second")]
    run = executor.execute(Workflow("programs", tasks))
    logs = {item.task: item.log for item in store.attempts(run.id)}
    assert logs == dict.fromkeys(("first", "second"), "before\nsaid by a program\nafter\n")


@ON_CLUSTERS
def test_bodies_ask_for_another_attempt_on_a_cluster(executor: Executor) -> None:
    assert delays(executor, Workflow("w", [page])) == [
        pytest.approx(0.01, abs=0.005),
        pytest.approx(0.02, abs=0.005),
    ]
    assert delays(executor, Workflow("w", [job])) == [pytest.approx(0.02, abs=0.005)] * 2


@ON_CLUSTERS
def test_bodies_skip_themselves_on_a_cluster(executor: Executor) -> None:
    run = executor.execute(Workflow("w", [load, load_async, total]), {"days": [1, 2, 3]})
    skipped = run.tasks["load[1]"]
    assert (skipped.status, skipped.attempts) == (TaskStatus.SKIPPED, 1)
    assert skipped.reason == "its body skipped it: no data on day 2"
    assert run.tasks["load_async[1]"].reason == "its body skipped it"
    assert run["total"] == 8


# A runner killed.


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_run_of_a_killed_runner_is_carried_on_by_threads(
    engine: str, request: pytest.FixtureRequest, postgres: str, tmp_path: Path
) -> None:
    address, journal = request.getfixturevalue(f"{engine}_cluster"), tmp_path / "journal"
    store = open_store(f"{postgres}&lease_seconds=2")
    done = kill_midway([engine, address, store.url, str(journal), str(TASKS)], store)
    (begun,) = store.runs()
    assert 0 < len(done) < TASKS
    run = ThreadedExecutor(2, state_store=store).execute(
        workflow_of(str(journal), TASKS), {"key": "k"}, wait=None
    )
    assert (run.id, run.status) == (begun.id, RunStatus.COMPLETED)
    assert run["total"] == sorted(f"k{number}" for number in range(TASKS - 1))
    ran = Counter(journal.read_text().splitlines())
    assert len(ran) == TASKS
    assert {name: ran[f"k {name}"] for name in done} == dict.fromkeys(done, 1)
    store.close()


def kill_midway(arguments: list[str], store: StateStore) -> set[str]:
    """Start a runner, kill it once some tasks are done, and return those that are by then."""
    module = "tests.acceptance.cluster_runner"
    with subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT) as runner:
        try:
            wait_until(lambda: is_under_way(store), "some tasks")
        finally:
            runner.kill()
    (run,) = store.runs()
    assert run.status is RunStatus.RUNNING
    return {task.task for task in store.tasks(run.id) if task.digest is not None}


def is_under_way(store: StateStore) -> bool:
    return any(len(store.tasks(run.id)) > 20 for run in store.runs())

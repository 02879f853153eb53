"""The executor on Ray: the kit on a real local cluster, and workers lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray

from flowweaver import (
    DefinitionError,
    Event,
    EventKind,
    RayExecutor,
    SQLiteStateStore,
    StateStore,
    Stop,
    Task,
    TaskStatus,
    Workflow,
    each,
)
from flowweaver.executors._cluster.on_ray import Mailbox, RayCluster
from flowweaver.testing import bodies
from flowweaver.testing.executors import ExecutorContract
from tests.engine.leaving import leaves_tasks
from tests.executors import clustered
from tests.executors.shapes import assert_left_untouched, script_of_all_kinds

# Ray keeps files and sockets open for as long as it is connected, and warns of its own future.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=4,
        num_gpus=1,
        resources={"licence": 1},
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield
    ray.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def test_resource_that_no_node_has_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("flowweaver.executors._cluster.unserved._PATIENCE_SECONDS", 0.2)
    stop = Stop()
    caplog.handler.addFilter(clustered.when_waiting(stop.set))
    task = Task("one", bodies.one, resources={"gpu": 7})
    events: list[Event] = []
    RayExecutor(observers=(events.append,), grace=0).execute(
        Workflow("w", [task]), stop=stop, raise_on_failure=False
    )
    assert "has no node with CPU 1 and GPU 7, and tasks wait for one" in caplog.text
    (told,) = [event.reason for event in events if event.kind is EventKind.RUN_WAITING]
    assert told in caplog.text


class TestRayExecutor(ExecutorContract):
    slots = 4
    many = 200  # each costs Ray's processes some 10 ms of processor time
    stops_bodies = True
    shares_memory = False

    def make_executor(self, state_store: StateStore | None = None, **options: Any) -> RayExecutor:
        return RayExecutor(state_store=state_store, **options)


class TestLostWorkers:
    def test_only_what_was_on_the_lost_worker_runs_again(self, folder: str) -> None:
        tasks = [
            Task("first", partial(bodies.told, folder, "first")),
            Task("killer", partial(clustered.die_once, folder), depends_on=["first"]),
        ]
        run = RayExecutor().execute(Workflow("w", tasks))
        assert (run["killer"], run.tasks["killer"].attempts) == ("survived", 2)
        assert bodies.notes(folder).count("first") == 1

    def test_body_that_always_kills_its_worker_fails_after_three(self) -> None:
        run = RayExecutor().execute(
            Workflow("w", [Task("deadly", clustered.die)]), raise_on_failure=False
        )
        deadly = run.tasks["deadly"]
        assert (deadly.status, deadly.attempts) == (TaskStatus.FAILED, 3)
        assert deadly.error is not None
        assert deadly.error.kind == "WorkerDied"

    def test_once_is_not_repeated_when_its_worker_is_lost(self, folder: str) -> None:
        deadly = Task("once", partial(clustered.die_once, folder), effect="once", retries=3)
        executor = RayExecutor(state_store=SQLiteStateStore(Path(folder) / "state.db"))
        run = executor.execute(Workflow("w", [deadly]), raise_on_failure=False)
        assert run.tasks["once"].status is TaskStatus.FAILED
        assert bodies.notes(folder) == ["dies"]


class TestGivingUp:
    def test_kill_of_a_body_that_ends_does_not_hit_who_comes_next(self, tmp_path: Path) -> None:
        attempts = []
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir()
            give_up_as_it_ends(str(folder))
            run = RayExecutor().execute(Workflow("next", [Task("t", bodies.one)]))
            attempts.append(run.tasks["t"].attempts)
        assert attempts == [1] * 20

    def test_job_that_was_given_up_does_not_end(self) -> None:
        async def ask() -> tuple[bool, bool]:
            mailbox = Mailbox()
            return await mailbox.give_up("job", [], 0), await mailbox.may_end("job")

        assert asyncio.run(ask()) == (True, False)

    def test_job_that_has_ended_is_not_killed(self) -> None:
        async def ask() -> tuple[bool, bool]:
            mailbox = Mailbox()
            return await mailbox.may_end("job"), await mailbox.give_up("job", [], 0)

        assert asyncio.run(ask()) == (True, False)


def give_up_as_it_ends(folder: str) -> None:
    stop = Stop()

    def seen(event: Event) -> None:
        if event.kind is EventKind.TASK_STARTED:
            bodies.await_note(folder, "t begins")
            stop.set()
            stop.set()

    workflow = Workflow("given up", [Task("t", partial(bodies.wait_for_flag, folder, "go", "t"))])
    RayExecutor(observers=(seen,)).execute(workflow, stop=stop)
    bodies.raise_flag(folder, "go")


class TestReferences:
    @pytest.mark.parametrize("kind", ["none", "sqlite"])
    def test_large_values_are_not_sent_to_each_consumer_by_the_runner(
        self, folder: str, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put: list[int] = []
        bare_put, bare_ship = ray.put, RayCluster.ship

        def counted_put(data: bytes) -> object:
            put.append(len(data))
            return bare_put(data)

        def counted_ship(self: RayCluster, job_id: str, payload: bytes, *rest: Any) -> None:
            put.append(len(payload))
            bare_ship(self, job_id, payload, *rest)

        monkeypatch.setattr(ray, "put", counted_put)
        monkeypatch.setattr(RayCluster, "ship", counted_ship)
        store = SQLiteStateStore(Path(folder) / "state.db") if kind == "sqlite" else None
        tasks = [Task("large", partial(bytes, 50_000_000))]
        tasks += [Task(f"size{n}", clustered.len_of, inputs={"value": "large"}) for n in range(6)]
        tasks += [Task(f"same{n}", clustered.len_of) for n in range(6)]
        run = RayExecutor(state_store=store).execute(
            Workflow("w", tasks), {"value": bytes(3 * 10**6)}
        )
        assert [run[f"size{n}"] for n in range(6)] == [50_000_000] * 6
        assert [run[f"same{n}"] for n in range(6)] == [3_000_000] * 6
        assert 3_000_000 < sum(put) < 4_000_000


class TestShipping:
    def test_many_short_calls_all_come_back(self) -> None:
        numbers = Task("numbers", partial(bodies.give, list(range(3000))))
        same = Task("same", bodies.give, inputs={"value": each("numbers")})
        run = RayExecutor().execute(Workflow("w", [numbers, same]))
        assert run["same"] == list(range(3000))

    def test_window_of_one_runs_one_after_another(self, folder: str) -> None:
        tasks = [Task(f"t{n}", partial(clustered.alone, folder)) for n in range(6)]
        run = RayExecutor(max_in_flight=1).execute(Workflow("w", tasks))
        assert [run[f"t{n}"] for n in range(6)] == [True] * 6

    def test_large_arguments_and_results_travel(self) -> None:
        tasks = [
            Task("large", partial(bytes, 3_000_000)),
            Task("size", clustered.len_of, inputs={"value": "large"}),
        ]
        assert RayExecutor().execute(Workflow("w", tasks))["size"] == 3_000_000

    def test_resources_are_asked_of_the_cluster(self) -> None:
        wanted = {"gpu": 1, "cpus": 2, "memory": "100MB", "licence": 1}
        run = RayExecutor().execute(
            Workflow("w", [Task("t", clustered.ray_resources, resources=wanted)])
        )
        assert run["t"] == {"CPU": 2.0, "GPU": 1.0, "memory": 1e8, "licence": 1.0}

    def test_body_keeps_state_for_its_next_attempt(self) -> None:
        workflow = Workflow("w", [Task("t", clustered.count_attempts, retries=2)])
        assert RayExecutor().execute(workflow)["t"] == [1, 2, 3]

    def test_heartbeats_keep_a_body_within_its_idle_limit(self) -> None:
        beating = Task("t", clustered.beat_for_a_while, idle_timeout=1.0)
        assert RayExecutor().execute(Workflow("w", [beating]))["t"] == "done"


def test_window_must_be_a_number_from_one() -> None:
    with pytest.raises(DefinitionError, match="max_in_flight"):
        RayExecutor(max_in_flight=0)


def test_what_a_script_defines_is_as_before(tmp_path: Path) -> None:
    assert_left_untouched(script_of_all_kinds(), tmp_path, RayExecutor())


def test_module_that_only_workers_have_is_loaded_anew_after_an_edit(tmp_path: Path) -> None:
    clustered.assert_edits_are_seen(RayExecutor(), tmp_path, "edited_for_ray")


def test_asyncio_tasks_that_a_body_leaves_behind_end(tmp_path: Path) -> None:
    workflow = Workflow("w", [Task("leaves", leaves_tasks)])
    assert RayExecutor().execute(workflow, {"folder": str(tmp_path)})["leaves"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner ended", "outer ended"]

"""The executor on Dask: the kit on a cluster of processes, and workers and schedulers lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Client

from flowweaver import (
    ClusterLostError,
    DaskExecutor,
    DefinitionError,
    Event,
    EventKind,
    SQLiteStateStore,
    StateStore,
    Stop,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    each,
)
from flowweaver.executors._cluster.on_dask import DaskCluster
from flowweaver.testing import bodies
from flowweaver.testing.executors import ExecutorContract
from tests.engine.leaving import leaves_tasks
from tests.executors import clustered, deadly
from tests.executors.dask_cluster import local_cluster
from tests.executors.processes import await_gone
from tests.executors.shapes import assert_left_untouched, script_of_all_kinds

# Dask's own threads and sockets are let go of by its garbage, some time later.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:.*:UserWarning")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        local_cluster(n_workers=2, threads_per_worker=2, resources={"GPU": 1}) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


class TestDaskExecutor(ExecutorContract):
    slots = 4
    many = 500
    shares_memory = False

    @pytest.fixture(autouse=True)
    def connected(self, client: Client) -> None:
        self.client = client

    def make_executor(self, state_store: StateStore | None = None, **options: Any) -> DaskExecutor:
        return DaskExecutor(self.client, state_store=state_store, **options)


class TestLostWorkers:
    def test_only_what_was_on_the_lost_worker_runs_again(self, client: Client, folder: str) -> None:
        tasks = [
            Task("first", partial(bodies.told, folder, "first")),
            Task("killer", partial(clustered.die_once, folder), depends_on=["first"]),
        ]
        run = DaskExecutor(client).execute(Workflow("w", tasks))
        assert (run["killer"], run.tasks["killer"].attempts) == ("survived", 2)
        assert bodies.notes(folder).count("first") == 1

    def test_body_that_always_kills_its_worker_fails_after_three(self, client: Client) -> None:
        workflow = Workflow("w", [Task("deadly", clustered.die, retries=0)])
        run = DaskExecutor(client).execute(workflow, raise_on_failure=False)
        deadly = run.tasks["deadly"]
        assert (deadly.status, deadly.attempts) == (TaskStatus.FAILED, 3)
        assert deadly.error is not None
        assert deadly.error.kind == "WorkerDied"

    def test_once_is_not_repeated_when_its_worker_is_lost(
        self, client: Client, folder: str
    ) -> None:
        deadly = Task("once", partial(clustered.die_once, folder), effect="once", retries=3)
        executor = DaskExecutor(client, state_store=SQLiteStateStore(Path(folder) / "state.db"))
        run = executor.execute(Workflow("w", [deadly]), raise_on_failure=False)
        assert run.tasks["once"].status is TaskStatus.FAILED
        assert bodies.notes(folder) == ["dies"]


class TestLostCluster:
    @pytest.fixture(autouse=True)
    def impatient(self) -> Iterator[None]:
        with dask.config.set({"distributed.comm.timeouts.connect": "3s"}):
            yield

    def test_run_ends_with_one_error_and_goes_on_elsewhere(self, folder: str) -> None:
        store = SQLiteStateStore(Path(folder) / "state.db")
        tasks = [
            Task("first", partial(bodies.told, folder, "first")),
            Task("second", partial(clustered.wait_or_give, folder), depends_on=["first"]),
        ]
        with clustered.scheduler_and_worker() as (scheduler, address):
            executor = DaskExecutor(
                address,
                state_store=store,
                observers=(
                    lambda event: clustered.kill_when_begun(event, "second", folder, scheduler),
                ),
            )
            with pytest.raises(ClusterLostError, match="scheduler"):
                executor.execute(Workflow("w", tasks))
        bodies.raise_flag(folder, "go")
        run = ThreadedExecutor(2, state_store=store).execute(Workflow("w", tasks))
        assert run["second"] == "given"
        assert bodies.notes(folder).count("first") == 1

    def test_no_scheduler_at_the_address_is_told(self) -> None:
        with pytest.raises(ClusterLostError, match="No Dask scheduler"):
            DaskExecutor("tcp://127.0.0.1:1").execute(Workflow("w", [Task("t", bodies.one)]))


class CountingClient(Client):
    """A client that counts the bytes it is given to send, in calls and beside them."""

    sent = 0

    def submit(self, *args: Any, **options: Any) -> Any:
        self.sent += sum(len(arg) for arg in args if isinstance(arg, bytes))
        return super().submit(*args, **options)

    def scatter(self, data: Any, **options: Any) -> Any:
        self.sent += len(data)
        return super().scatter(data, **options)


@pytest.fixture
def counting(client: Client) -> Iterator[CountingClient]:
    with CountingClient(client.scheduler.address, set_as_default=False) as counting:
        yield counting


class TestReferences:
    """Large values go to and from the runner once, however many take them."""

    @pytest.mark.parametrize("kind", ["none", "sqlite"])
    @pytest.mark.parametrize("make", [clustered.large_bytes, clustered.large_array])
    def test_large_result_is_not_sent_to_its_consumers_by_the_runner(
        self, counting: CountingClient, folder: str, kind: str, make: Any
    ) -> None:
        store = SQLiteStateStore(Path(folder) / "state.db") if kind == "sqlite" else None
        tasks = [Task("large", partial(make, 50_000_000))]
        tasks += [Task(f"size{n}", clustered.len_of, inputs={"value": "large"}) for n in range(6)]
        run = DaskExecutor(counting, state_store=store).execute(Workflow("w", tasks))
        assert [run[f"size{n}"] for n in range(6)] == [50_000_000] * 6
        assert counting.sent < 1_000_000

    def test_large_parameter_is_sent_once(self, counting: CountingClient) -> None:
        tasks = [Task(f"size{n}", clustered.len_of) for n in range(6)]
        run = DaskExecutor(counting).execute(Workflow("w", tasks), {"value": bytes(3_000_000)})
        assert [run[f"size{n}"] for n in range(6)] == [3_000_000] * 6
        assert 3_000_000 < counting.sent < 4_000_000

    def test_each_consumer_has_a_copy_of_its_own(self, client: Client) -> None:
        tasks = [Task("large", partial(clustered.large_list, 500_000))]
        tasks += [
            Task(f"c{n}", clustered.append_and_count, inputs={"values": "large"}) for n in range(4)
        ]
        run = DaskExecutor(client).execute(Workflow("w", tasks))
        assert {run[f"c{n}"] for n in range(4)} == {500_001}
        assert len(run["large"]) == 500_000

    def test_condition_takes_a_large_result_too(self, counting: CountingClient) -> None:
        tasks = [
            Task("value", partial(clustered.large_bytes, 3_000_000)),
            Task("size", clustered.len_of, when=clustered.is_large),
        ]
        assert DaskExecutor(counting).execute(Workflow("w", tasks))["size"] == 3_000_000
        assert counting.sent < 1_000_000

    def test_result_lost_with_its_worker_is_sent_again_and_not_made_again(
        self, counting: CountingClient, folder: str
    ) -> None:
        tasks = [
            Task("value", partial(clustered.large_and_told, folder, 3_000_000)),
            Task("size", partial(clustered.len_after_losing_it, folder)),
        ]
        run = DaskExecutor(counting).execute(Workflow("w", tasks))
        assert run["size"] == 3_000_000
        assert bodies.notes(folder).count("made") == 1

    def test_result_lost_before_it_is_taken_is_sent_from_here(
        self, counting: CountingClient, folder: str
    ) -> None:
        tasks = [
            Task("value", partial(clustered.large_and_told, folder, 3_000_000)),
            Task("killer", partial(clustered.kill_who_made_it, folder), depends_on=["value"]),
            Task("size", clustered.len_of, depends_on=["killer"]),
        ]
        run = DaskExecutor(counting).execute(Workflow("w", tasks))
        assert run["size"] == 3_000_000
        assert bodies.notes(folder).count("made") == 1


class TestShipping:
    def test_many_short_calls_all_come_back(self, client: Client) -> None:
        numbers = Task("numbers", partial(bodies.give, list(range(3000))))
        same = Task("same", bodies.give, inputs={"value": each("numbers")})
        run = DaskExecutor(client).execute(Workflow("w", [numbers, same]))
        assert run["same"] == list(range(3000))

    def test_window_bounds_what_the_cluster_is_given(self, client: Client) -> None:
        numbers = Task("numbers", partial(bodies.give, list(range(40))))
        seen = Task("seen", clustered.tasks_known, inputs={"_": each("numbers")})
        run = DaskExecutor(client, max_in_flight=3).execute(Workflow("w", [numbers, seen]))
        assert max(run["seen"]) <= 3

    def test_large_arguments_and_results_travel(self, client: Client) -> None:
        tasks = [
            Task("large", partial(bytes, 3_000_000)),
            Task("size", clustered.len_of, inputs={"value": "large"}),
        ]
        assert DaskExecutor(client).execute(Workflow("w", tasks))["size"] == 3_000_000

    def test_no_worker_is_asked_for_a_small_result(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []
        monkeypatch.setattr(client, "gather", asked.append)
        tasks = [Task("one", bodies.one), Task("same", bodies.give, inputs={"value": "one"})]
        assert DaskExecutor(client).execute(Workflow("w", tasks))["same"] == 1
        assert asked == []

    def test_scheduler_keeps_no_messages_of_a_run(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Of other tests' runs, messages of bodies left behind may come at any time.
        monkeypatch.setattr("flowweaver.executors.dask.secrets.token_hex", lambda _: "this")
        DaskExecutor(client).execute(Workflow("w", [Task("one", bodies.one)]))
        assert client.get_events("flowweaver-this") == ()

    def test_resources_are_asked_of_the_cluster(self, client: Client) -> None:
        given = Task("t", bodies.one, resources={"gpu": 1, "cpus": 1})
        assert DaskExecutor(client).execute(Workflow("w", [given]))["t"] == 1

    def test_isolated_body_can_be_killed_at_its_limit(self, client: Client, folder: str) -> None:
        hangs = Task("t", partial(deadly.busy, folder), isolate=True, timeout=3.0)
        run = DaskExecutor(client).execute(Workflow("w", [hangs]), raise_on_failure=False)
        assert run.tasks["t"].status is TaskStatus.FAILED
        await_gone(int(bodies.notes(folder)[0]))

    def test_body_keeps_state_for_its_next_attempt(self, client: Client) -> None:
        workflow = Workflow("w", [Task("t", clustered.count_attempts, retries=2)])
        assert DaskExecutor(client).execute(workflow)["t"] == [1, 2, 3]

    def test_heartbeats_keep_a_body_within_its_idle_limit(self, client: Client) -> None:
        beating = Task("t", clustered.beat_for_a_while, idle_timeout=1.0)
        assert DaskExecutor(client).execute(Workflow("w", [beating]))["t"] == "done"


def test_cluster_without_workers_is_said_to_have_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("flowweaver.executors._cluster.unserved._PATIENCE_SECONDS", 0.2)
    with local_cluster(n_workers=0) as cluster:
        executor = DaskExecutor(cluster)
        caplog.handler.addFilter(clustered.when_waiting(lambda: cluster.scale(1)))
        events: list[Event] = []
        workflow = Workflow("w", [Task("one", bodies.one)])
        run = executor.execute(workflow, observers=(events.append,))
        executor.close()
    assert run["one"] == 1
    (said,) = [each.getMessage() for each in caplog.records if each.name == "flowweaver.waiting"]
    assert [event.reason for event in events if event.kind is EventKind.RUN_WAITING] == [said]
    assert said.startswith(f"The Dask cluster at {cluster.scheduler_address} has no workers")


def test_resource_that_no_worker_has_is_named(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("flowweaver.executors._cluster.unserved._PATIENCE_SECONDS", 0.2)
    stop = Stop()
    caplog.handler.addFilter(clustered.when_waiting(stop.set))
    task = Task("one", bodies.one, resources={"licence": 1})
    executor = DaskExecutor(client, grace=0)
    executor.execute(Workflow("w", [task]), stop=stop, raise_on_failure=False)
    assert "has no worker with licence 1, and tasks wait for one" in caplog.text


def test_window_must_be_a_number_from_one(client: Client) -> None:
    with pytest.raises(DefinitionError, match="max_in_flight"):
        DaskExecutor(client, max_in_flight=0)


def test_what_a_script_defines_is_as_before(client: Client, tmp_path: Path) -> None:
    assert_left_untouched(script_of_all_kinds(), tmp_path, DaskExecutor(client))


def test_module_that_only_workers_have_is_loaded_anew_after_an_edit(
    client: Client, tmp_path: Path
) -> None:
    clustered.assert_edits_are_seen(DaskExecutor(client), tmp_path, "edited_for_dask")


def test_asyncio_tasks_that_a_body_leaves_behind_end(client: Client, tmp_path: Path) -> None:
    workflow = Workflow("w", [Task("leaves", leaves_tasks)])
    assert DaskExecutor(client).execute(workflow, {"folder": str(tmp_path)})["leaves"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner ended", "outer ended"]


def test_no_thread_stays_of_a_run_that_is_closed_as_a_job_ends(client: Client) -> None:
    cluster = DaskCluster(client, "topic")
    cluster._ended.put(("job", client.submit(bodies.one)))
    cluster.close()
    collects = threading.Thread(target=cluster._collect, daemon=True)
    collects.start()
    collects.join(60)
    assert not collects.is_alive()


def test_job_that_begins_before_its_future_is_there_goes_on(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = threading.Event()
    bare_heard, bare_submit = DaskCluster._heard, client.submit

    def noted(cluster: DaskCluster, event: tuple[float, bytes]) -> None:
        bare_heard(cluster, event)
        heard.set()

    def submitted(*args: Any, **options: Any) -> Any:
        future = bare_submit(*args, **options)
        assert heard.wait(60)
        return future

    monkeypatch.setattr(DaskCluster, "_heard", noted)
    monkeypatch.setattr(client, "submit", submitted)
    workflow = Workflow("w", [Task("t", clustered.beat_for_a_while, idle_timeout=60)])
    assert DaskExecutor(client).execute(workflow)["t"] == "done"

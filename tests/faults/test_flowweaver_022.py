"""The faults of the published flowweaver 0.2.2: each is shown to be gone.

On every executor and every store that it concerns; a store is opened anew for each execution, as
another process would.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    Event,
    EventKind,
    Executor,
    JSONStateStore,
    Origin,
    RunStatus,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    StoreCorruptError,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
)

EXECUTORS: dict[str, Callable[..., Executor]] = {
    "sequential": SequentialExecutor,
    "threaded": lambda **options: ThreadedExecutor(4, **options),
    "async": lambda **options: AsyncExecutor(4, **options),
}
STORES: dict[str, Callable[[Path], StateStore]] = {
    "json": lambda folder: JSONStateStore(folder / "state.json"),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db"),
}
Make = Callable[..., Executor]


@pytest.fixture(params=EXECUTORS)
def make(request: pytest.FixtureRequest) -> Make:
    return EXECUTORS[request.param]


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], StateStore]:
    return lambda: STORES[request.param](tmp_path)


def body(folder: str, name: str, value: Any, /, **results: Any) -> Any:
    """Note that this ran, and return the value; fail while a file says so."""
    with Path(folder, "ran").open("a") as file:
        file.write(f"{name}\n")
    if Path(folder, f"{name} is away").exists():
        raise ConnectionError(f"{name} is away")
    return value


class Journal:
    """What bodies really ran, known without asking any store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def ran(self) -> list[str]:
        """The names of those that ran, sorted, since it was last forgotten."""
        file = self._folder / "ran"
        return sorted(file.read_text().split()) if file.exists() else []

    def forget(self) -> None:
        (self._folder / "ran").unlink()

    def take_away(self, name: str) -> None:
        (self._folder / f"{name} is away").touch()

    def bring_back(self, name: str) -> None:
        (self._folder / f"{name} is away").unlink()

    def task(self, name: str, value: Any = None, **options: Any) -> Task[..., Any]:
        return Task(name, partial(body, str(self._folder), name, value), **options)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    folder = tmp_path / "journal"
    folder.mkdir()
    return Journal(folder)


def unstorable(noting: Task[..., Any]) -> dict[str, list[Any]]:
    noting()
    return {"x": [threading.Lock()]}


def seen(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"


class TestStoredValueIsTheReturnedOne:
    """A result of 0 came back as None; a tuple as a list, keys and bytes as text."""

    @pytest.mark.parametrize(
        "value",
        [0, 0.0, False, "", b"", [], (), {}, set(), {1: (1, 2)}, b"\x00x", {(1,): {2}}],
        ids=repr,
    )
    def test_resumed_run_has_what_the_first_one_had(
        self, make: Make, open_store: Callable[[], StateStore], journal: Journal, value: Any
    ) -> None:
        journal.take_away("away")
        workflow = Workflow(
            "values",
            [
                journal.task("value", value),
                journal.task("away", depends_on="value"),
                Task("seen", lambda value, away: seen(value)),
            ],
        )
        make(state_store=open_store()).execute(workflow, raise_on_failure=False)
        journal.bring_back("away")
        run = make(state_store=open_store()).execute(workflow)
        assert run.tasks["value"].origin is Origin.RESTORED
        assert seen(run["value"]) == run["seen"] == seen(value)


class TestDoneTaskIsNotDoneAgain:
    """State was saved layer by layer: the sibling of a failed task ran again."""

    def test_sibling_of_a_failed_task_is_restored(
        self, make: Make, open_store: Callable[[], StateStore], journal: Journal
    ) -> None:
        journal.take_away("away")
        workflow = Workflow("layer", [journal.task("done"), journal.task("away")])
        make(state_store=open_store()).execute(workflow, raise_on_failure=False)
        journal.bring_back("away")
        run = make(state_store=open_store()).execute(workflow)
        assert journal.ran == ["away", "away", "done"]
        assert run.tasks["done"].origin is Origin.RESTORED


class TestResumedTaskGetsItsInputs:
    """A task run by a resumed AsyncExecutor got None for what had been done before."""

    def test_downstream_of_a_restored_task_gets_its_result(
        self, make: Make, open_store: Callable[[], StateStore], journal: Journal
    ) -> None:
        journal.take_away("away")

        async def total(numbers: list[int], away: None) -> int:
            return sum(numbers)

        workflow = Workflow(
            "resumed", [journal.task("numbers", [1, 2, 3]), journal.task("away"), total]
        )
        make(state_store=open_store()).execute(workflow, raise_on_failure=False)
        journal.bring_back("away")
        run = make(state_store=open_store()).execute(workflow)
        assert (run.tasks["numbers"].origin, run["total"]) == (Origin.RESTORED, 6)


class TestHooksChangeNothing:
    """A status hook that raised made the body run three times, and the task fail."""

    def test_body_runs_once_and_completes(self, make: Make, journal: Journal) -> None:
        def broken(name: str, status: TaskStatus) -> None:
            raise RuntimeError("the hook is broken")

        hooked = journal.task("t", 5, retries=2, on_status_change=broken)
        run = make().execute(Workflow("hooked", [hooked]))
        assert (journal.ran, run["t"], run.tasks["t"].attempts) == (["t"], 5, 1)
        assert hooked.status is TaskStatus.COMPLETED


class TestUnreadableIsNotEmpty:
    """Half a state file: no error, everything ran again, the file was overwritten."""

    def workflow(self, journal: Journal) -> Workflow:
        names = [f"t{n}" for n in range(20)]
        return Workflow("long", [journal.task(name, name * 50) for name in names])

    def test_cut_journal_keeps_what_is_whole_and_runs_only_the_rest(
        self, make: Make, tmp_path: Path, journal: Journal
    ) -> None:
        path, copy = tmp_path / "state.json", tmp_path / "copy.json"
        # One by one, so that each completion is a commit of its own.
        first = SequentialExecutor(state_store=JSONStateStore(path)).execute(self.workflow(journal))
        whole = path.read_bytes()
        cut = whole[: len(whole) // 2]
        path.write_bytes(cut)
        shutil.copy(path, copy)
        records = JSONStateStore(copy).tasks(first.id)
        done = {record.task for record in records if record.status is TaskStatus.COMPLETED}
        assert 0 < len(done) < 20
        journal.forget()
        make(state_store=JSONStateStore(path)).execute(self.workflow(journal))
        assert journal.ran == sorted({f"t{n}" for n in range(20)} - done)
        assert path.read_bytes().startswith(cut[: cut.rindex(b"\n") + 1])

    def test_damaged_journal_stops_the_run_and_is_left_as_it_was(
        self, make: Make, tmp_path: Path, journal: Journal
    ) -> None:
        path = tmp_path / "state.json"
        make(state_store=JSONStateStore(path)).execute(self.workflow(journal))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        self.refused(make, JSONStateStore(path), path, bytes(data), journal)

    def test_half_a_database_stops_the_run_and_is_left_as_it_was(
        self, make: Make, tmp_path: Path, journal: Journal
    ) -> None:
        path = tmp_path / "state.db"
        store = SQLiteStateStore(path)
        make(state_store=store).execute(self.workflow(journal))
        store.close()
        data = path.read_bytes()
        self.refused(make, SQLiteStateStore(path), path, data[: len(data) // 2], journal)

    def refused(
        self, make: Make, store: StateStore, path: Path, data: bytes, journal: Journal
    ) -> None:
        path.write_bytes(data)
        journal.forget()
        with pytest.raises(StoreCorruptError, match=path.name):
            make(state_store=store).execute(self.workflow(journal))
        assert journal.ran == []
        assert path.read_bytes() == data


class TestIdentityIncludesTheWorkflow:
    """Of two workflows that shared a store and a task name, the second's task was skipped."""

    def test_task_of_each_workflow_runs(
        self, make: Make, open_store: Callable[[], StateStore], journal: Journal
    ) -> None:
        workflows = [Workflow(name, [journal.task("same", name)]) for name in ("one", "other")]
        for workflow in workflows * 2:
            run = make(state_store=open_store()).execute(workflow)
            assert run["same"] == workflow.name
        assert journal.ran == ["same", "same"]


class TestLimitsHold:
    """A timeout of 0.1 s was ignored by the sequential executor."""

    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_attempt_is_over_at_its_limit(self, make: Make, kind: str) -> None:
        go_on = threading.Event()

        def hang() -> None:
            go_on.wait(60)

        async def hang_async() -> None:
            await asyncio.sleep(3600)

        body = hang if kind == "sync" else hang_async
        workflow = Workflow("limits", [Task("hangs", body, timeout=0.1)])
        run = make().execute(workflow, raise_on_failure=False)
        go_on.set()
        error = run.tasks["hangs"].error
        assert run.tasks["hangs"].status is TaskStatus.FAILED
        assert error is not None
        assert "limit of 0.1 s" in error.message


class TestUnstorableResultIsNamed:
    """A result that could not be stored failed the save after the body ran, naming no task."""

    def test_task_fails_at_once_and_others_go_on(
        self, make: Make, open_store: Callable[[], StateStore], journal: Journal
    ) -> None:
        bad = Task("bad", partial(unstorable, journal.task("bad")), retries=3)
        workflow = Workflow("unstorable", [bad, journal.task("good", 1)])
        run = make(state_store=open_store()).execute(workflow, raise_on_failure=False)
        assert journal.ran == ["bad", "good"]
        error = run.tasks["bad"].error
        assert error is not None
        assert "['x'][0]" in error.message
        assert "lock" in error.message
        assert run["good"] == 1


class TestTaskCantEndTheRun:
    """`sys.exit` in a task ended the runner, and left the task RUNNING."""

    @pytest.mark.parametrize("code", [0, 3, None, "bye"], ids=repr)
    def test_exit_fails_its_task_only(self, make: Make, journal: Journal, code: Any) -> None:
        exits = Task("exits", lambda: sys.exit(code))
        workflow = Workflow(
            "exits", [exits, journal.task("other"), journal.task("end", 1, depends_on="other")]
        )
        run = make().execute(workflow, raise_on_failure=False)
        assert run.status is RunStatus.FAILED
        assert exits.status is TaskStatus.FAILED
        assert run["end"] == 1


class TestSecretsStayOutOfLogs:
    """The inputs of tasks were logged at INFO."""

    def test_neither_parameters_nor_results_are_logged(
        self,
        make: Make,
        open_store: Callable[[], StateStore],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def login(password: str) -> str:
            return password + password

        def use(login: str) -> int:
            return len(login)

        caplog.set_level(logging.INFO)
        workflow = Workflow("secrets", [login, use])
        make(state_store=open_store()).execute(workflow, {"password": "hunter2"})
        assert "hunter2" not in caplog.text


class TestPowerLoss:
    """State was written under a fixed temporary name and never synced."""

    def test_each_completion_is_synced_before_anyone_is_told(
        self, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Journal
    ) -> None:
        syncs: list[int] = []
        for name in ("fsync", "fdatasync"):
            sync = getattr(os, name)

            def counted(file: int, sync: Callable[[int], None] = sync) -> None:
                sync(file)
                syncs.append(file)

            monkeypatch.setattr(os, name, counted)
        told: list[int] = []

        def watch(event: Event) -> None:
            if event.kind is EventKind.TASK_FINISHED:
                told.append(len(syncs))

        tasks = [
            journal.task("a"),
            journal.task("b", depends_on="a"),
            journal.task("c", depends_on="b"),
        ]
        executor = make(state_store=JSONStateStore(tmp_path / "state.json"), observers=(watch,))
        executor.execute(Workflow("synced", tasks))
        assert len(told) == 3
        assert told[0] > 0
        assert len(syncs) >= 4

    def test_nothing_is_left_beside_the_store(
        self, make: Make, tmp_path: Path, journal: Journal
    ) -> None:
        store = JSONStateStore(tmp_path / "state.json")
        make(state_store=store).execute(Workflow("tidy", [journal.task("a", "x")]))
        store.close()
        assert not [path.name for path in tmp_path.rglob("*") if "tmp" in path.name]


class TestDeepGraphs:
    """The whole graph was checked by recursion for every task that was added."""

    def test_chain_is_deeper_than_the_recursion_limit(self, make: Make) -> None:
        depth = 3 * sys.getrecursionlimit()
        chain = Workflow("chain", [Task("t0", lambda: 0)])
        for n in range(1, depth):
            chain.add_task(lambda last: last + 1, name=f"t{n}", inputs={"last": f"t{n - 1}"})
        assert make().execute(chain)[f"t{depth - 1}"] == depth - 1

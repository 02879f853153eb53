"""Runs copied from one store to another, of any kinds."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from flowweaver import RunStatus, ThreadedExecutor
from flowweaver.errors import (
    RunLockedError,
    StoreCorruptError,
    StoreError,
    UnknownNameError,
)
from flowweaver.records import AttemptRecord, Changes, ClaimRequest, FileRecord, Lease, StateRecord
from flowweaver.state_store import StateStore
from flowweaver.stores import (
    JSONStateStore,
    MemoryStateStore,
    PostgresStateStore,
    SQLiteStateStore,
    copying,
    open_store,
)
from flowweaver.stores.copying import copy_runs
from flowweaver.testing.stores import full_record, result_of
from tests.observers.terminal import wait_until
from tests.stores.filling import commit_task, fill, picture
from tests.stores.runners import workflow_of

ROOT = Path(__file__).parents[2]
KINDS = ["memory", "json", "sqlite", "postgres"]
# All but one from Postgres to Postgres, which would be the same store here.
PAIRS = list(product(KINDS, KINDS))[:-1]


@pytest.fixture
def new_store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Give a function that makes a store of a kind."""
    made: list[StateStore] = []

    def make(kind: str, name: str) -> StateStore:
        if kind == "memory":
            made.append(MemoryStateStore())
        elif kind == "json":
            made.append(JSONStateStore(tmp_path / f"{name}.json", "process"))
        elif kind == "sqlite":
            made.append(SQLiteStateStore(tmp_path / f"{name}.db", "process"))
        else:
            url = request.getfixturevalue("postgres")
            made.append(PostgresStateStore.from_url(url))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def source() -> MemoryStateStore:
    store = MemoryStateStore()
    fill(store, tasks=3)
    return store


@pytest.fixture
def target() -> MemoryStateStore:
    return MemoryStateStore()


def everything(store: StateStore) -> list[object]:
    """Return all that can be read from a store, tokens left out: each store counts its own."""
    return [
        [replace(run, token=0) for run in seen] if isinstance(seen, list) and index == 0 else seen
        for index, seen in enumerate(picture(store))
        if not hasattr(seen, "token")
    ]


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_runs_arrive_with_all_that_is_theirs(
    new_store: Callable[..., Any], here: str, there: str
) -> None:
    source, target = new_store(here, "source"), new_store(there, "target")
    fill(source, tasks=5)
    lease = source.claim(ClaimRequest("odd", "k", run_id="odd é id", info={"x": "\0"}))
    run_id = lease.run.id
    value = result_of(b"\0pickled", "pickle", "signed")
    digest = value.encoded.digest
    files = (FileRecord("a.csv", "ef" * 16, digest), FileRecord("b", "01" * 16))
    record = replace(full_record(run_id), digest=digest, files=files)
    attempt = AttemptRecord(run_id, "only tried", "", 1, 1, 2, None, "log \ud800")
    kept = StateRecord(run_id, "only begun", "3", "cursor", value.encoded)
    source.commit(lease, Changes(tasks=[record], results=[value], attempts=[attempt], state=[kept]))
    source.release(lease)
    copied = copy_runs(source, target)
    assert [one.run.id for one in copied] == [run.id for run in reversed(source.runs())]
    assert target.tasks(run_id) == [record]
    assert target.attempts(run_id) == [attempt]
    assert target.states(run_id) == [kept]
    assert target.result(value.encoded.digest) == value
    source.delete([run_id])
    target.delete([run_id])
    assert everything(target) == everything(source)


def test_copied_again_it_is_there_already(
    source: MemoryStateStore, target: MemoryStateStore
) -> None:
    first = copy_runs(source, target)
    assert [(one.already, one.tasks) for one in first] == [(False, 4)] * 4
    before = picture(target)
    again = copy_runs(source, target)
    assert [(one.already, one.tasks, one.results) for one in again] == [(True, 0, 0)] * 4
    assert picture(target) == before


def test_only_the_runs_asked_for_are_copied(
    source: MemoryStateStore, target: MemoryStateStore
) -> None:
    told: list[str] = []
    copy_runs(source, target, ["stock-k1", "sales-k0"], tell=lambda one: told.append(one.run.id))
    assert told == ["sales-k0", "stock-k1"]
    assert [run.id for run in target.runs()] == ["stock-k1", "sales-k0"]


def test_unknown_run_is_an_error_before_anything_is_copied(
    source: MemoryStateStore, target: MemoryStateStore
) -> None:
    with pytest.raises(UnknownNameError, match="sales-k0"):
        copy_runs(source, target, ["stock-k1", "sales-k00"])
    assert target.runs() == []


def test_results_that_are_there_are_not_sent_again(
    source: MemoryStateStore, target: MemoryStateStore
) -> None:
    # Runs share the large one, and each two their parameter.
    assert [copied.results for copied in copy_runs(source, target)] == [5, 4, 3, 3]


def test_other_run_of_the_same_id_is_never_overwritten(
    source: MemoryStateStore, target: MemoryStateStore
) -> None:
    lease = target.claim(ClaimRequest("sales", "k0", run_id="sales-k0"))
    commit_task(target, lease, 99)
    target.release(lease)
    before = picture(target)
    with pytest.raises(StoreError, match=r"sales-k0.*not the same"):
        copy_runs(source, target)
    assert picture(target) == before
    copy_runs(source, target, ["sales-k1"])


@pytest.mark.parametrize("goes_on", ["source", "target"])
def test_run_that_has_gone_on_since_is_never_overwritten(
    source: MemoryStateStore, target: MemoryStateStore, goes_on: str
) -> None:
    copy_runs(source, target)
    store = source if goes_on == "source" else target
    lease = store.claim(ClaimRequest("sales", "k1"))
    commit_task(store, lease, 50)
    store.release(lease)
    before = picture(target)
    with pytest.raises(StoreError, match="gone on"):
        copy_runs(source, target)
    assert picture(target) == before


def test_run_that_is_worked_on_in_the_target_is_told_of(
    source: MemoryStateStore, target: MemoryStateStore
) -> None:
    lease = target.claim(ClaimRequest("sales", "k0"))
    with pytest.raises(RunLockedError):
        copy_runs(source, target, ["sales-k0"])
    target.release(lease)


class Interfering(MemoryStateStore):
    """A store at each of whose commits something happens first."""

    def __init__(self, happens: Callable[[int], None]) -> None:
        super().__init__()
        self._happens = happens
        self._commits = 0

    def commit(self, lease: Lease, changes: Changes) -> None:
        self._commits += 1
        self._happens(self._commits)
        super().commit(lease, changes)


def test_run_that_is_worked_on_meanwhile_is_not_copied(source: MemoryStateStore) -> None:
    def work_on(commit: int) -> None:
        if commit == 1:
            lease = source.claim(ClaimRequest("sales", "k1"))
            commit_task(source, lease, 60)
            source.release(lease)

    target = Interfering(work_on)
    with pytest.raises(StoreError, match="worked on while it was copied"):
        copy_runs(source, target, ["sales-k1"])
    assert target.tasks("sales-k1") == []


def test_copy_that_was_cut_short_is_finished_by_doing_it_again(
    source: MemoryStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_BATCH_RESULTS", 2)
    whole = MemoryStateStore()
    copy_runs(source, whole)
    for moment in range(1, 100):

        def cut(commit: int, moment: int = moment) -> None:
            if commit == moment:
                raise KeyboardInterrupt

        target = Interfering(cut)
        try:
            copy_runs(source, target)
        except KeyboardInterrupt:
            copy_runs(source, target)
            assert everything(target) == everything(whole)
            continue
        assert moment > 8
        return
    pytest.fail("never done")


def test_copy_cut_short_that_somebody_carried_on_is_left_alone(source: MemoryStateStore) -> None:
    def cut(commit: int) -> None:
        if commit == 1:
            raise KeyboardInterrupt

    target = Interfering(cut)
    with pytest.raises(KeyboardInterrupt):
        copy_runs(source, target, ["sales-k1"])
    lease = target.claim(ClaimRequest("sales", "k1"))
    assert lease.run.id == "sales-k1"
    commit_task(target, lease, 1)
    target.release(lease)
    with pytest.raises(StoreError, match="not the same"):
        copy_runs(source, target, ["sales-k1"])


def test_damaged_result_is_not_copied(tmp_path: Path, target: MemoryStateStore) -> None:
    source = SQLiteStateStore(tmp_path / "state.db")
    fill(source, tasks=2)
    digest = source.tasks("sales-k1")[0].digest
    assert digest is not None
    source._database.write(
        lambda db: db.execute(
            "UPDATE result SET data = 'x' WHERE digest = ?", (bytes.fromhex(digest),)
        )
    )
    with pytest.raises(StoreCorruptError, match=digest):
        copy_runs(source, target)
    assert target.tasks("sales-k1") == []
    source.close()


class Forgetful(MemoryStateStore):
    """A store that loses what it is told."""

    def commit(self, lease: Lease, changes: Changes) -> None:
        super().commit(lease, replace(changes, tasks=changes.tasks[1:]))


def test_what_did_not_arrive_is_noticed(source: MemoryStateStore) -> None:
    with pytest.raises(StoreCorruptError, match="did not arrive"):
        copy_runs(source, Forgetful())


def test_source_is_only_read(source: MemoryStateStore, target: MemoryStateStore) -> None:
    before = picture(source)
    copy_runs(source, target)
    assert picture(source) == before


@pytest.mark.parametrize("kind", ["json", "sqlite", "postgres"])
def test_run_begun_with_sqlite_and_killed_is_carried_on_elsewhere(
    new_store: Callable[..., Any], tmp_path: Path, kind: str
) -> None:
    journal, tasks = tmp_path / "journal", 400
    url = f"sqlite:///{tmp_path / 'begun.db'}"
    begun = open_store(url)
    runner = subprocess.Popen(
        [sys.executable, "-m", "tests.stores.runners", url, journal, str(tasks), "k"], cwd=ROOT
    )
    try:
        wait_until(lambda: journal.exists() and journal.read_text().count("\n") > 50, "some tasks")
    finally:
        runner.kill()
        runner.wait()
    (run,) = begun.runs()
    done = {task.task for task in begun.tasks(run.id) if task.digest is not None}
    assert 0 < len(done) < tasks
    target = new_store(kind, "carried-on")
    copy_runs(begun, target)
    before = Counter(journal.read_text().splitlines())
    finished = ThreadedExecutor(4, state_store=target).execute(
        workflow_of(str(journal), tasks), {"key": "k"}
    )
    assert finished.id == run.id
    assert finished.status is RunStatus.COMPLETED
    assert finished["total"] == sorted(f"k{number}" for number in range(tasks - 1))
    ran = Counter(journal.read_text().splitlines())
    assert len(ran) == tasks
    assert {name for name in done if ran[f"k {name}"] != before[f"k {name}"]} == set()
    begun.close()


@pytest.fixture
def heir(source: MemoryStateStore) -> str:
    """Make a run that has all it has from another; return its id."""
    lease = source.claim(ClaimRequest("sales", "k0", run_id="heir"))
    run = replace(lease.run, status=RunStatus.COMPLETED, finished_at=9.0, base="sales-k0")
    source.commit(lease, Changes(run=run))
    source.release(lease)
    return run.id


def test_run_with_a_base_goes_over_beside_its_base(
    source: MemoryStateStore, target: MemoryStateStore, heir: str
) -> None:
    copy_runs(source, target)
    assert target.run(heir).base == "sales-k0"
    assert target.tasks(heir) == source.tasks(heir)
    assert all(copied.already for copied in copy_runs(source, target))


def test_run_with_a_base_goes_over_without_its_base(
    source: MemoryStateStore, target: MemoryStateStore, heir: str
) -> None:
    copy_runs(source, target, [heir])
    assert target.run(heir).base is None
    assert target.tasks(heir) == source.tasks(heir)
    assert all(copied.already for copied in copy_runs(source, target, [heir]))

"""Several at once on one store or run. CATALOGUE.md says what is proved elsewhere."""

import sqlite3
import threading

import pytest

from flowweaver import (
    SequentialExecutor,
    SQLiteStateStore,
    StoreWriteError,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.records import Changes, ClaimRequest
from flowweaver.stores.sqlite import journal
from flowweaver.testing.stores import completed
from tests.faults.bodies import forking_run
from tests.faults.call import in_fresh_process
from tests.faults.contests import crowd, new_runs, paused_holders, take_overs
from tests.faults.hammer import hammer

BOTH = pytest.mark.parametrize("store", ["sqlite", "json"])


@BOTH
@pytest.mark.parametrize("runners", [2, 4, 8])
def test_one_of_several_runners_gets_the_run_and_the_others_are_told(store, runners):
    contest = in_fresh_process(crowd, store, runners, 1)
    assert contest["faults"] == []


@BOTH
def test_eight_runs_of_fifty_tasks_at_once_in_one_store(store):
    assert in_fresh_process(new_runs, store, 8, 50)["faults"] == []


@BOTH
def test_paused_holder_that_was_superseded_commits_nothing_when_it_wakes(store):
    contest = in_fresh_process(paused_holders, store, 3)
    assert contest["faults"] == []
    assert contest["refused"] + contest["blocked"] == 3


@BOTH
def test_run_of_a_killed_holder_goes_on_without_anybody_unlocking_it(store):
    contest = in_fresh_process(take_overs, store, 2)
    assert contest["faults"] == []
    assert len(contest["seconds"]) == 2


def test_store_that_stays_locked_ends_the_run_and_marks_no_task_failed(tmp_path):
    path = tmp_path / "state.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def lock() -> int:
        other.execute("BEGIN EXCLUSIVE")
        return 1

    def after(lock: int) -> int:
        return lock + 1

    workflow = Workflow("locked out", [Task("lock", lock), Task("after", after)])
    store = SQLiteStateStore(path, timeout=0.3)
    with pytest.raises(StoreWriteError, match="kept locked by another process"):
        SequentialExecutor(state_store=store).execute(workflow)
    other.execute("ROLLBACK")
    other.close()
    (run,) = store.runs()
    assert all(record.status is not TaskStatus.FAILED for record in store.tasks(run.id))
    relieved = Workflow("locked out", [Task("lock", lambda: 1), Task("after", after)])
    assert SequentialExecutor(state_store=store).execute(relieved)["after"] == 2
    store.close()


@pytest.mark.parametrize("wal", [False, True], ids=["rollback", "wal"])
def test_reader_that_becomes_a_writer_never_meets_a_changed_snapshot(tmp_path, monkeypatch, wal):
    if not wal:
        monkeypatch.setattr(journal, "wanted_mode", lambda path: "persist")
    stores = [SQLiteStateStore(tmp_path / "state.db") for _ in range(2)]
    leases = [store.claim(ClaimRequest("w", f"k{n}")) for n, store in enumerate(stores)]
    for number in range(20):
        for store, lease in zip(stores, leases, strict=True):
            assert len(store.tasks(lease.run.id)) == number
            store.commit(lease, Changes(tasks=[completed(lease.run.id, f"t{number}")]))
    for store, lease in zip(stores, leases, strict=True):
        store.release(lease)
        store.close()


def test_file_that_is_hammered_from_all_sides_stays_whole():
    hammered = in_fresh_process(hammer, 4, 1)
    assert hammered["faults"] == []
    assert hammered["commits"] > 0


@pytest.mark.parametrize("executor", ["sequential", "threads"])
@BOTH
def test_body_that_forks_leaves_the_store_alone(store, executor):
    assert in_fresh_process(forking_run, store, executor) == {"value": [7, 7], "wrong": []}


@BOTH
def test_two_threads_that_execute_one_workflow_with_one_store(tmp_path, store):
    from tests.faults.children import STORES

    together = threading.Barrier(2)
    kept = STORES[store](tmp_path)
    workflow = Workflow("shared", [Task("of", lambda n: n * 10)])
    results: dict[int, int] = {}

    def execute(number: int) -> None:
        together.wait()
        run = ThreadedExecutor(2, state_store=kept).execute(workflow, {"n": number})
        results[number] = run["of"]

    threads = [threading.Thread(target=execute, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    kept.close()
    assert results == {0: 0, 1: 10}

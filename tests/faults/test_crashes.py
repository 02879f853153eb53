"""Crashes and restarts. CATALOGUE.md says what is proved elsewhere."""

from pathlib import Path

import pytest

from flowweaver import JSONStateStore, SequentialExecutor, Task, Workflow
from flowweaver.stores.jsonl import store as json_store
from tests.faults.call import in_fresh_process
from tests.faults.children import STORES
from tests.faults.crashes import (
    interrupted,
    killed_at_commit,
    killed_in_effect,
    killed_parent,
    killed_worker,
)
from tests.faults.damage import cuts
from tests.faults.kills import random_kills
from tests.faults.sweeps import COMPACTION, sweep_of
from tests.faults.victims import SMALL, notes

EXECUTORS = ("sequential", "threads", "async", "processes")


def assert_whole(damage):
    assert damage["again"] == []
    assert damage["lost"] == []
    assert damage["changed"] == []
    assert damage["left_over"] == []


@pytest.mark.parametrize("store", ["sqlite", "json"])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_kill_at_a_random_moment(executor, store):
    damage = in_fresh_process(random_kills, executor, store, 2, 1, a_run=[1])
    assert damage["kills"] == 2
    assert_whole(damage)


@pytest.mark.parametrize("store", ["sqlite rollback", "json process"])
def test_kills_again_and_again_in_one_run(store):
    damage = in_fresh_process(random_kills, "threads", store, 8, 2, a_run=[8])
    assert_whole(damage)


@pytest.mark.parametrize("store", ["sqlite", "sqlite rollback"])
def test_kill_at_every_statement(store):
    """Statements, and SQLite's own writes between them: a sample here, all of them on demand."""
    damage = in_fresh_process(sweep_of, store, "kill", every=23)
    assert damage["kills"] >= 8
    assert_whole(damage)


def test_kill_at_every_sync():
    """A kill at a sync finds on disk what a kill after the write before it finds."""
    damage = in_fresh_process(sweep_of, "json", "kill", every=5)
    assert_whole(damage)


def test_kill_at_every_open_write_and_rename_of_the_json_store():
    damage = in_fresh_process(sweep_of, "json process", "half", every=4)
    assert_whole(damage)


def test_kill_while_the_journal_is_compacted():
    damage = in_fresh_process(sweep_of, COMPACTION, "kill", every=3)
    assert damage["again"] == damage["lost"] == damage["changed"] == damage["left_over"] == []


def test_run_goes_on_after_the_claim_that_compacted(tmp_path, monkeypatch):
    def tasks(failing: bool) -> list[Task]:
        def last(first: int) -> int:
            if failing:
                raise ValueError("not yet")
            return first + 1

        return [Task("first", lambda: 1).with_options(version="1"), Task("last", last)]

    kept = STORES["json"](tmp_path)
    for _ in range(3):
        SequentialExecutor(state_store=kept).execute(
            Workflow("compacted", tasks(failing=True)), raise_on_failure=False
        )
    monkeypatch.setattr(json_store, "_WORTH_COMPACTING", 0)
    monkeypatch.setattr(json_store.Content, "is_mostly_past", True)
    run = SequentialExecutor(state_store=kept).execute(Workflow("compacted", tasks(failing=False)))
    assert run["last"] == 2
    kept.close()


@pytest.mark.parametrize(("executor", "store"), [("threads", "sqlite"), ("async", "json")])
def test_kill_after_a_body_returned_and_before_its_commit(executor, store):
    damage = in_fresh_process(killed_at_commit, executor, store, 4, "before")
    assert_whole(damage)
    assert max(damage["starts"].values()) >= 2


@pytest.mark.parametrize("answer", ["retry", "done"])
@pytest.mark.parametrize(("executor", "store"), [("threads", "sqlite"), ("sequential", "json")])
def test_effect_that_may_have_happened_waits_for_a_person(executor, store, answer):
    seen = in_fresh_process(killed_in_effect, store, executor, answer)
    assert seen["resumed"]
    assert "'pay'" in seen["said"]
    assert "flowweaver resolve" in seen["said"]
    assert seen["before"] == {"pay": 1}
    assert seen["ended"]
    assert seen["starts"] == {"pay": 2 if answer == "retry" else 1, "receipt": 1}


@pytest.mark.parametrize(("executor", "store"), [("sequential", "sqlite"), ("threads", "json")])
def test_kill_after_a_commit_and_before_dependents_are_released(executor, store):
    damage = in_fresh_process(killed_at_commit, executor, store, 4, "after")
    assert_whole(damage)
    assert damage["starts"]["report"] == 1


def test_workers_die_with_their_parent_and_never_overlap_its_resume():
    seen = in_fresh_process(killed_parent, "sqlite")
    assert seen["outlived"] == []
    assert seen["starts"] == {"hang": 2, "sibling": 2}
    assert seen["ends"] == 2


def test_killed_worker_costs_only_its_own_task_an_attempt():
    seen = in_fresh_process(killed_worker, "json")
    assert seen == {"ended": True, "starts": {"hang": 2, "sibling": 1}}


@pytest.mark.parametrize("store", ["sqlite", "json"])
def test_kill_while_the_store_is_made(store):
    damage = in_fresh_process(sweep_of, store, "kill", every=3, most=12)
    assert damage["kills"] >= 4
    assert_whole(damage)


def test_kill_while_the_store_is_migrated():
    damage = in_fresh_process(sweep_of, "migration", "kill", every=11, most=10)
    assert_whole(damage)


@pytest.mark.parametrize("store", ["sqlite", "json"])
def test_cut_files_are_refused_or_lose_the_last_commits_with_a_warning(store):
    ruin = in_fresh_process(cuts, store, 12, 1)
    assert ruin["faults"] == []


def test_file_that_was_not_yet_renamed_counts_for_nothing(tmp_path: Path):
    place = tmp_path / "state.json"
    params = {"journal": str(tmp_path / "journal")}
    store = JSONStateStore(place)
    SequentialExecutor(state_store=store).execute(SMALL, params)
    store.close()
    whole = place.read_bytes()
    unfinished = tmp_path / "state.json.0123456789abcdef.tmp"
    for old, new in ((whole, b""), (whole, whole[:40]), (whole, whole), (b"", whole)):
        (tmp_path / "journal").unlink(missing_ok=True)
        place.write_bytes(old)
        unfinished.write_bytes(new)
        store = JSONStateStore(place)
        run = SequentialExecutor(state_store=store).execute(SMALL, params)
        assert run["third"] == {1: (1, None)}
        assert len(notes(params["journal"])) == (0 if old else 6)
        store.sweep()
        store.close()
        assert not unfinished.exists()


@pytest.mark.parametrize("executor", ["sequential", "threads", "async"])
def test_ctrl_c_at_a_random_moment(executor):
    seen = in_fresh_process(interrupted, executor, "sqlite", 4, 1)
    assert seen["faults"] == []


@pytest.mark.parametrize("store", ["sqlite", "json"])
def test_kill_in_the_first_moments_of_a_resume(store):
    damage = in_fresh_process(random_kills, "sequential", store, 8, 3, a_run=[8], early=True)
    assert_whole(damage)

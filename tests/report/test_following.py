"""A run followed from its store: what is read again, what is sent, what is kept."""

import gc
import tracemalloc
from dataclasses import replace

import pytest

from flowweaver import MemoryStateStore
from flowweaver.errors import UnknownNameError
from flowweaver.records import Changes, ClaimRequest
from flowweaver.report import following
from flowweaver.report.following import FollowedRun, Following
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.testing.store_parts.making import completed
from tests.report.viewing import executed


class Counting(MemoryStateStore):
    """A store that counts how many TaskRuns are read from it."""

    def __init__(self):
        super().__init__()
        self.read = 0

    def tasks(self, run_id, start=0, stop=None, **wanted):
        found = super().tasks(run_id, start, stop, **wanted)
        self.read += len(found)
        return found


@pytest.fixture
def store():
    return Counting()


@pytest.fixture
def lease(store):
    return store.claim(ClaimRequest("flow", "k"))


def put(store, lease, *records):
    store.commit(lease, Changes(tasks=list(records)))


def test_what_was_added_is_told_since_a_revision(store, lease):
    put(store, lease, completed(lease.run.id, "a"))
    followed = FollowedRun(store, lease.run.id)
    since = followed.refresh()
    put(store, lease, completed(lease.run.id, "b"))
    followed.refresh()
    change = followed.since(since)
    assert [task["name"] for task in change["tasks"].values()] == ["b"]
    assert change["rows"]["total"] == 2
    assert followed.since(followed.revision)["rows"]["task"] == []


def test_nothing_is_read_while_nothing_happens(store, lease):
    put(store, lease, completed(lease.run.id, "a"))
    followed = FollowedRun(store, lease.run.id)
    followed.refresh()
    store.read = 0
    revision = followed.refresh()
    assert (followed.refresh(), store.read) == (revision, 0)


def test_what_is_final_is_not_read_again(store, lease):
    put(store, lease, *(completed(lease.run.id, f"t{n}") for n in range(100)))
    open_one = replace(completed(lease.run.id, "open"), status=TaskStatus.RUNNING, digest=None)
    put(store, lease, open_one)
    followed = FollowedRun(store, lease.run.id)
    since = followed.refresh()
    store.read = 0
    put(store, lease, replace(open_one, status=TaskStatus.COMPLETED))
    followed.refresh()
    assert store.read == 1
    (task,) = followed.since(since)["tasks"].values()
    assert (task["name"], task["outcome"]) == ("open", "executed")


def test_run_that_is_continued_is_told_from_the_beginning(store, lease):
    put(store, lease, completed(lease.run.id, "a"))
    followed = FollowedRun(store, lease.run.id)
    since = followed.refresh()
    store.release(lease)
    store.claim(ClaimRequest("flow", "k"))
    followed.refresh()
    assert followed.since(since) is None
    assert followed.whole()["run"]["executions"] == 2


def test_dead_run_is_told_as_interrupted(store, lease):
    followed = FollowedRun(store, lease.run.id)
    since = followed.refresh()
    store.release(lease)
    followed.refresh()
    assert followed.since(since)["run"]["status"] == "interrupted"


def test_end_of_a_run_is_told(store, lease):
    followed = FollowedRun(store, lease.run.id)
    since = followed.refresh()
    ended = replace(lease.run, status=RunStatus.COMPLETED, finished_at=lease.run.claimed_at + 3)
    store.commit(lease, Changes(run=ended))
    followed.refresh()
    assert followed.since(since)["run"]["seconds"] == 3


def test_changes_told_one_by_one_come_to_the_whole(store, lease):
    followed = FollowedRun(store, lease.run.id)
    revision = followed.refresh()
    names = set()
    for n in range(5):
        put(store, lease, completed(lease.run.id, "m", element=str(n)))
        followed.refresh()
        change = followed.since(revision)
        names.update(change["rows"]["element"])
        revision = change["revision"]
    assert names == {"0", "1", "2", "3", "4"}
    assert followed.whole()["counts"]["total"] == 5


def test_rows_are_had_by_page(store, lease):
    put(store, lease, *(completed(lease.run.id, "m", element=str(n)) for n in range(25)))
    followed = FollowedRun(store, lease.run.id)
    page = followed.page(20, 30)
    assert page["element"] == ["20", "21", "22", "23", "24"]
    assert page["total"] == 25


def test_only_the_last_runs_looked_at_are_kept_at_hand():
    store = MemoryStateStore()
    runs = [executed(store, params={"count": n}).id for n in range(1, 5)]
    at_hand = Following(store, most=2)
    first = at_hand.run(runs[0])
    assert at_hand.run(runs[0]) is first
    for run_id in runs[1:]:
        at_hand.run(run_id)
    assert at_hand.run(runs[0]) is not first


def test_unknown_run_is_said_to_be(store):
    with pytest.raises(UnknownNameError):
        Following(store).run("nowhere")


def held(store, lease, count):
    """Return the bytes that following a run of so many more elements takes."""
    put(store, lease, *(completed(lease.run.id, "m", element=str(n)) for n in range(count)))
    gc.collect()
    tracemalloc.start()
    followed = FollowedRun(store, lease.run.id)
    followed.whole()
    followed.page(0, count)
    gc.collect()
    found, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert followed.summary()["counts"]["executed"] == count
    return found


def test_of_each_task_run_a_hundred_bytes_are_held(store, lease):
    few = held(store, lease, 1_000)
    many = held(store, lease, 21_000)
    assert many - few < 100 * 20_000


def test_lists_no_more_rows_than_are_asked_for_and_has_the_rest_by_page(store, lease, monkeypatch):
    monkeypatch.setattr(following, "_ROWS_LISTED", 10)
    monkeypatch.setattr(following, "_PAGE", 7)
    put(store, lease, *(completed(lease.run.id, "m", element=str(n)) for n in range(25)))
    followed = FollowedRun(store, lease.run.id)
    whole = followed.whole()
    assert (len(whole["rows"]["task"]), whole["rows"]["total"]) == (10, 25)
    assert whole["counts"]["executed"] == 25
    assert followed.page(20, 30)["element"] == ["20", "21", "22", "23", "24"]


def test_who_is_too_many_rows_behind_gets_all_of_it_again(store, lease, monkeypatch):
    monkeypatch.setattr(following, "_ROWS_KEPT", 10)
    followed = FollowedRun(store, lease.run.id)
    since = followed.refresh()
    for n in range(12):
        put(store, lease, completed(lease.run.id, "m", element=str(n)))
        followed.refresh()
    assert followed.since(since) is None
    assert followed.since(followed.revision - 1)["rows"]["element"] == ["11"]


def test_task_run_is_told_in_full_from_where_it_is_kept(store, lease):
    put(store, lease, *(completed(lease.run.id, "m", element=str(n)) for n in range(30)))
    followed = FollowedRun(store, lease.run.id)
    followed.refresh()
    store.read = 0
    assert followed.detail("m[17]")["name"] == "m[17]"
    assert store.read == 1

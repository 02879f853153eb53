"""The JSON store: the kit, and what is its own."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver.errors import StoreCorruptError, StoreError, StoreVersionError, StoreWriteError
from flowweaver.records import Changes, ClaimRequest, TaskRecord
from flowweaver.stores import JSONStateStore
from flowweaver.stores.common.oslock import try_lock
from flowweaver.stores.jsonl import journal
from flowweaver.stores.jsonl import store as json_store
from flowweaver.stores.jsonl.frames import START, framed
from flowweaver.testing.stores import PersistentStoreContract, completed, result_of
from tests.stores.filling import commit_task, fill, picture
from tests.stores.forks import in_child

MakeStore = Callable[..., JSONStateStore]


class TestJSONStore(PersistentStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: JSONStateStore(tmp_path / "state.json")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def lines_of(path: Path) -> list[dict[str, object]]:
    """Return the JSON of each line of a file."""
    return [json.loads(line.split(b" ", 3)[3]) for line in path.read_bytes().splitlines()]


def test_file_can_be_read_with_ones_eyes(path: Path) -> None:
    store = JSONStateStore(path)
    lease = store.claim(ClaimRequest("sales", "k", run_id="mine"))
    value = result_of(b'["two", 2]')
    store.commit(lease, Changes(tasks=[completed("mine", "a", value)], results=[value]))
    store.release(lease)
    header, claim, result, commit = lines_of(path)
    assert header == {"format": "flowweaver state", "version": 1}
    assert claim["runs"][0]["workflow"] == "sales"  # type: ignore[index]
    assert result["text"] == '["two", 2]'
    assert commit["tasks"] == [
        {
            "task": "a",
            "status": "completed",
            "attempts": 1,
            "origin": "executed",
            "digest": value.encoded.digest,
        }
    ]


def test_commit_adds_to_the_file_and_changes_nothing_before(path: Path) -> None:
    store = JSONStateStore(path)
    lease = store.claim(ClaimRequest("a", "k"))
    for number in range(3):
        before = path.read_bytes()
        commit_task(store, lease, number)
        assert path.read_bytes().startswith(before)
        assert len(path.read_bytes()) > len(before)
    store.release(lease)


def test_result_that_is_there_already_is_not_written_again(path: Path) -> None:
    store = JSONStateStore(path)
    lease = store.claim(ClaimRequest("a", "k"))
    value = result_of(b"x" * 100_000, "raw")
    for _ in range(5):
        store.commit(lease, Changes(results=[value]))
    assert path.stat().st_size < 150_000
    store.release(lease)


def test_newer_file_is_refused_and_left_alone(path: Path) -> None:
    header = json.dumps({"format": "flowweaver state", "version": journal.VERSION + 1})
    path.write_bytes(framed([header.encode()], START))
    before = path.read_bytes()
    store = JSONStateStore(path)
    with pytest.raises(StoreVersionError, match="upgrade"):
        store.runs()
    with pytest.raises(StoreVersionError, match="upgrade"):
        store.claim(ClaimRequest("a", "k"))
    assert path.read_bytes() == before


def test_lines_of_another_format_are_refused(path: Path) -> None:
    path.write_bytes(framed([b'{"format": "diary"}'], START))
    with pytest.raises(StoreVersionError):
        JSONStateStore(path).runs()


def test_sound_line_that_makes_no_sense_is_damage(path: Path) -> None:
    path.write_bytes(framed([journal.HEADER, b'{"run": "x", "tasks": 5}'], START))
    with pytest.raises(StoreCorruptError, match="no sense"):
        JSONStateStore(path).runs()


@pytest.mark.parametrize("change", ["lose", "double", "swap"])
def test_line_lost_doubled_or_moved_is_damage(path: Path, change: str) -> None:
    store = JSONStateStore(path)
    fill(store, tasks=3, large=False)
    store.close()
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "lose":
        del lines[5]
    elif change == "double":
        lines.insert(5, lines[5])
    else:
        lines[5], lines[6] = lines[6], lines[5]
    path.write_bytes(b"".join(lines))
    with pytest.raises(StoreCorruptError, match=r"state\.json"):
        store.runs()


# Compaction.


def test_compaction_changes_nothing_that_can_be_read(path: Path) -> None:
    store = JSONStateStore(path)
    fill(store)
    lease = store.claim(ClaimRequest("doomed", "k"))
    commit_task(store, lease, 0)
    store.release(lease)
    store.delete([lease.run.id])
    seen = picture(store)
    assert picture(JSONStateStore(path)) == seen
    assert lease.run.id.encode() not in path.read_bytes()
    assert store.check(deep=True) == []
    fill(store, tasks=14)
    store.close()


def test_file_that_is_mostly_past_is_compacted_by_the_next_claim(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_store, "_WORTH_COMPACTING", 10_000)
    store = JSONStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))
    for number in range(300):
        record = TaskRecord(lease.run.id, "a", attempts=number)
        store.commit(lease, Changes(tasks=[record]))
    store.release(lease)
    size = path.stat().st_size
    store.release(store.claim(ClaimRequest("a", "k")))
    assert path.stat().st_size < size / 10
    assert store.tasks(lease.run.id) == [record]
    store.close()


def test_others_follow_a_compaction(path: Path) -> None:
    store, other = JSONStateStore(path), JSONStateStore(path)
    fill(store, tasks=2)
    assert len(other.runs()) == 4
    lease = other.claim(ClaimRequest("beside", "k"))
    commit_task(other, lease, 0)
    store.delete(["sales-k0"])
    commit_task(other, lease, 1)
    assert [task.task for task in store.tasks(lease.run.id)] == ["t0", "t1"]
    assert picture(other) == picture(store)
    other.release(lease)
    store.close()
    other.close()


def test_failed_compaction_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JSONStateStore(path)
    fill(store)
    seen, before = picture(store), path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda self, to: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(StoreWriteError, match="full"):
            store.delete(["sales-k0"])
    assert path.read_bytes() == before
    assert picture(store) == seen
    assert not list(path.parent.glob("*.tmp"))
    store.close()


def test_rights_on_the_file_are_kept(path: Path) -> None:
    store = JSONStateStore(path)
    fill(store)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    store.delete(["sales-k0"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    store.close()


# Others at the same file.


def test_writer_waits_for_others_then_gives_up_with_one_clear_error(path: Path) -> None:
    store = JSONStateStore(path, timeout=0.1)
    fill(store, tasks=1)
    lease = store.claim(ClaimRequest("sales", "k1"))
    other = os.open(path, os.O_RDWR)
    assert try_lock(other)
    with pytest.raises(StoreWriteError, match=r"locked.*0\.1 s"):
        commit_task(store, lease, 5)
    assert len(store.runs()) == 4
    os.close(other)
    commit_task(store, lease, 5)
    store.release(lease)
    store.close()


def test_ten_stores_made_at_once_are_one(path: Path) -> None:
    barrier = threading.Barrier(10)

    def work(number: int) -> None:
        store = JSONStateStore(path, "process")
        barrier.wait(120)
        lease = store.claim(ClaimRequest("a", f"k{number}"))
        for step in range(5):
            commit_task(store, lease, step)
        store.release(lease)
        store.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    store = JSONStateStore(path)
    assert [len(store.tasks(run.id)) for run in store.runs()] == [5] * 10
    assert store.check(deep=True) == []
    store.close()


def test_forked_child_opens_the_file_anew(path: Path) -> None:
    store = JSONStateStore(path)
    fill(store)
    seen = picture(store)
    lease = store.claim(ClaimRequest("a", "k"))

    def body() -> None:
        assert store._journal._fd is None
        assert len(store.runs()) == 5
        store.close()

    assert in_child(body) == 0
    commit_task(store, lease, 1)
    store.release(lease)
    store.delete([lease.run.id])
    assert picture(store) == seen
    store.close()


# Disks that fail.


def test_failed_sync_is_an_error_and_the_commit_is_taken_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, reader = JSONStateStore(path), JSONStateStore(path)
    lease = store.claim(ClaimRequest("a", "k"))
    commit_task(store, lease, 0)
    before = path.read_bytes()

    def failing(fd: int) -> None:
        assert len(reader.tasks(lease.run.id)) == 2  # it saw what was not to stay
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "sync_file", failing)
        with pytest.raises(StoreWriteError, match=r"Input/output error"):
            commit_task(store, lease, 1)
    assert path.read_bytes() == before
    for one in (store, reader):
        assert [task.task for task in one.tasks(lease.run.id)] == ["t0"]
    commit_task(store, lease, 2)
    for one in (store, reader):
        assert [task.task for task in one.tasks(lease.run.id)] == ["t0", "t2"]
    store.release(lease)
    store.close()
    reader.close()


def test_durability_process_does_not_sync_commits(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = JSONStateStore(path, "process")
    lease = store.claim(ClaimRequest("a", "k"))
    monkeypatch.setattr(journal, "sync_file", lambda fd: pytest.fail("synced"))
    commit_task(store, lease, 0)
    store.release(lease)
    store.close()


def test_other_durabilities_are_refused(path: Path) -> None:
    with pytest.raises(StoreError, match="none"):
        JSONStateStore(path, "none")  # type: ignore[arg-type]


def test_describe_tells_version_and_sizes(path: Path) -> None:
    store = JSONStateStore(path)
    assert store.describe()["bytes"] == 0
    fill(store)
    told = store.describe()
    assert told["url"] == f"json:///{path}"
    assert told["durability"] == "full"
    assert told["version"] == journal.VERSION
    assert told["bytes"] == path.stat().st_size
    assert (told["runs"], told["large_results"]) == (4, 1)
    store.close()

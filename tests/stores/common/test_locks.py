"""Who holds a run, and that nobody is mistaken for its holder."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from flowweaver.errors import RunLockedError
from flowweaver.records import ClaimRequest
from flowweaver.stores.common.locks import RunLock, any_held, lock_directory, remove_unused
from tests.stores.conftest import MakeStore
from tests.stores.forks import in_child, kill_myself


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def lock_files(store: Path) -> list[Path]:
    return sorted(lock_directory(store).glob("*"))


def test_lock_file_is_there_only_while_held(store: Path) -> None:
    lock = RunLock(store, "../w/\0", "k" * 1000)
    lock.acquire(0)
    (file,) = lock_files(store)
    told = json.loads(file.read_bytes())
    assert told["pid"] == os.getpid()
    assert told["host"]
    assert told["since"] > 1.7e9
    assert any_held(store)
    lock.release()
    lock.release()
    assert not lock_directory(store).exists()
    assert not any_held(store)


def test_locks_of_other_runs_are_others(store: Path) -> None:
    locks = [RunLock(store, w, k) for w, k in (("a", "k"), ("a", "l"), ("b", "k"), ("a\0", "k"))]
    for lock in locks:
        lock.acquire(0)
    assert len(lock_files(store)) == len(locks)
    for lock in locks:
        lock.release()
    assert not lock_directory(store).exists()


def test_what_a_killed_process_left_is_free(store: Path) -> None:
    def body() -> None:
        RunLock(store, "a", "k").acquire(0)
        kill_myself()

    assert in_child(body) == -signal.SIGKILL
    assert len(lock_files(store)) == 1
    assert not any_held(store)
    lock = RunLock(store, "a", "k")
    lock.acquire(0)
    lock.release()
    assert not lock_directory(store).exists()


def test_lock_file_with_a_living_pid_in_it_holds_nothing(store: Path) -> None:
    lock = RunLock(store, "a", "k")
    lock.acquire(0)
    (file,) = lock_files(store)
    lock.release()
    file.parent.mkdir()
    file.write_text(json.dumps({"host": "here", "pid": os.getppid(), "since": 1.0}))
    assert not any_held(store)
    lock.acquire(0)
    assert json.loads(file.read_bytes())["pid"] == os.getpid()
    lock.release()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff"])
def test_holder_that_told_nothing_is_another_process(store: Path, content: bytes) -> None:
    held, other = RunLock(store, "a", "k"), RunLock(store, "a", "k")
    held.acquire(0)
    lock_files(store)[0].write_bytes(content)
    with pytest.raises(RunLockedError, match="another process"):
        other.acquire(0)
    held.release()


def test_seized_lock_belongs_to_who_seized_it(store: Path) -> None:
    old, new, third = (RunLock(store, "a", "k") for _ in range(3))
    old.acquire(0)
    new.seize()
    old.release()
    with pytest.raises(RunLockedError):
        third.acquire(0)
    new.release()
    assert not lock_directory(store).exists()


def test_forked_child_does_not_keep_the_lock(store: Path) -> None:
    lock = RunLock(store, "a", "k")
    lock.acquire(0)
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        lock.release()  # not the child's to give
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    with pytest.raises(RunLockedError):
        RunLock(store, "a", "k").acquire(0)
    lock.release()
    again = RunLock(store, "a", "k")
    again.acquire(0)
    again.release()
    os.write(go[1], b"x")
    os.waitpid(pid, 0)
    for fd in (*ready, *go):
        os.close(fd)


def test_unused_lock_files_are_removed_and_used_ones_kept(store: Path) -> None:
    lock = RunLock(store, "a", "k")
    lock.acquire(0)
    (lock_directory(store) / "left.lock").touch()
    remove_unused(store)
    assert len(lock_files(store)) == 1
    with pytest.raises(RunLockedError):
        RunLock(store, "a", "k").acquire(0)
    lock.release()


def test_directory_that_goes_as_it_is_read_has_no_locks(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.scandir

    def removed_first(directory: Path) -> object:
        lock.release()
        return read(directory)

    monkeypatch.setattr(os, "scandir", removed_first)
    lock = RunLock(store, "a", "k")
    for look in (remove_unused, any_held):
        lock.acquire(0)
        assert not look(store)


def test_one_at_a_time_while_files_and_directory_come_and_go(store: Path) -> None:
    inside = 0
    most = 0
    turns = 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most, turns
        for _ in range(40):
            lock = RunLock(store, "a", "k")
            lock.acquire(None)
            with guard:
                inside += 1
                most = max(most, inside)
                turns += 1
            with guard:
                inside -= 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, turns) == (1, 240)
    assert not lock_directory(store).exists()


def test_take_over_again_and_again(make_store: MakeStore, path: Path) -> None:
    stores = [make_store() for _ in range(4)]
    request = ClaimRequest("a", "k", take_over=True)
    leases = [store.claim(request) for store in stores]
    assert [lease.token for lease in leases] == [1, 2, 3, 4]
    for store, lease in zip(stores[:3], leases[:3], strict=True):
        store.release(lease)
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("a", "k"))
    stores[3].release(leases[3])
    assert not list(lock_directory(path).glob("*.lock"))
    for store in stores:
        store.close()
    assert not lock_directory(path).exists()


def test_failed_claim_gives_the_lock_back(make_store: MakeStore, path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)
    store = make_store()
    for _ in range(2):
        with pytest.raises(Exception, match=path.name):
            store.claim(ClaimRequest("a", "k"))
    assert not lock_directory(path).exists()

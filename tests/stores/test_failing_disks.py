"""Full, broken and read-only disks: what can't be written is an error at once, and no harm."""

from __future__ import annotations

import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flowweaver.errors import StoreError, StoreWriteError
from flowweaver.records import Changes, ClaimRequest
from flowweaver.stores.common import results
from flowweaver.stores.sqlite import journal
from flowweaver.testing.stores import completed, result_of
from tests.stores.conftest import MakeStore
from tests.stores.filling import commit_task, fill, picture
from tests.stores.forks import in_child, in_unprivileged_child, kill_myself


@contextmanager
def limited(kind: int, most: int) -> Iterator[None]:
    """Keep this process from using more than `most` of a resource."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@pytest.fixture
def path(kind: str, tmp_path: Path) -> Iterator[Path]:
    """Give a path in a directory that other users can enter."""
    tmp_path.chmod(0o755)
    yield tmp_path / f"state.{kind}"
    tmp_path.chmod(0o755)


def test_file_that_can_grow_no_more(make_store: MakeStore, path: Path) -> None:
    def body() -> None:
        store = make_store()
        lease = store.claim(ClaimRequest("a", "k"))
        commit_task(store, lease, 0)
        big = Changes(
            tasks=[completed(lease.run.id, "big")], results=[result_of(b"x" * 250_000, "raw")]
        )
        with limited(resource.RLIMIT_FSIZE, path.stat().st_size + 20_000):
            for _ in range(2):
                with pytest.raises(StoreWriteError, match=path.name):
                    store.commit(lease, big)
            assert [task.task for task in store.tasks(lease.run.id)] == ["t0"]
        store.commit(lease, big)
        assert [task.task for task in store.tasks(lease.run.id)] == ["t0", "big"]
        assert store.check(deep=True) == []
        store.release(lease)
        store.close()

    assert in_child(body) == 0


def test_large_result_that_can_not_be_written(make_store: MakeStore, path: Path) -> None:
    def body() -> None:
        store = make_store()
        lease = store.claim(ClaimRequest("a", "k"))
        value = result_of(b"x" * 2**20, "raw")
        big = Changes(tasks=[completed(lease.run.id, "big", value)], results=[value])
        with (
            limited(resource.RLIMIT_FSIZE, results.LARGE),
            pytest.raises(StoreWriteError, match="limit on file sizes"),
        ):
            store.commit(lease, big)
        assert not list(path.parent.glob("*.results"))
        assert store.tasks(lease.run.id) == []
        store.commit(lease, big)
        assert store.result(value.encoded.digest) == value
        store.release(lease)
        store.close()

    assert in_child(body) == 0


def test_out_of_file_descriptors(make_store: MakeStore, path: Path) -> None:
    fill(make_store())

    def body() -> None:
        store = make_store()
        with limited(resource.RLIMIT_NOFILE, 3), pytest.raises(StoreError, match=path.name):
            store.claim(ClaimRequest("sales", "k1"))
        lease = store.claim(ClaimRequest("sales", "k1"))
        store.release(lease)
        assert store.check(deep=True) == []
        store.close()

    assert in_child(body) == 0


def _readable(path: Path, mode: int) -> None:
    for file in path.parent.rglob("*"):
        file.chmod(0o755 if file.is_dir() else mode)


@pytest.mark.parametrize("wal", [False, True])
def test_read_only_directory_can_be_read_but_not_claimed(
    make_store: MakeStore, path: Path, wal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not wal:
        monkeypatch.setattr(journal, "wanted_mode", lambda path: "persist")
    store = make_store()
    fill(store)
    seen = picture(store)
    store.close()
    _readable(path, 0o644)

    def body() -> None:
        store = make_store()
        assert picture(store) == seen
        assert store.check(deep=True) == []
        with pytest.raises(StoreWriteError, match=path.name):
            store.claim(ClaimRequest("sales", "k1"))
        assert picture(store) == seen

    assert in_unprivileged_child(body) == 0


def test_whether_a_killed_run_is_held_is_seen_where_nothing_can_be_written(
    make_store: MakeStore, path: Path
) -> None:
    def killed() -> None:
        make_store().claim(ClaimRequest("sales", "k1"))
        kill_myself()

    assert in_child(killed) == -signal.SIGKILL
    assert list(path.parent.glob("*.locks/*.lock"))
    _readable(path, 0o444)

    def body() -> None:
        store = make_store()
        assert not store.is_held(store.runs()[0])

    assert in_unprivileged_child(body) == 0
    _readable(path, 0o000)
    path.chmod(0o444)

    def refused() -> None:
        store = make_store()
        with pytest.raises(StoreError, match=r"\.lock can't be looked at"):
            store.is_held(store.runs()[0])

    assert in_unprivileged_child(refused) == 0


def test_read_only_file_can_not_be_claimed(make_store: MakeStore, path: Path) -> None:
    store = make_store()
    fill(store)
    seen = picture(store)
    store.close()
    _readable(path, 0o444)
    path.parent.chmod(0o777)

    def body() -> None:
        store = make_store()
        assert picture(store) == seen
        with pytest.raises(StoreWriteError, match=path.name):
            store.claim(ClaimRequest("sales", "k1"))
        assert not list(path.parent.glob("*.locks"))

    assert in_unprivileged_child(body) == 0


def test_file_that_may_not_be_read(make_store: MakeStore, path: Path) -> None:
    store = make_store()
    fill(store)
    store.close()
    path.chmod(0)

    def body() -> None:
        with pytest.raises(StoreError, match=path.name):
            make_store().runs()

    assert in_unprivileged_child(body) == 0


def test_directory_that_can_not_be_made(make_store: MakeStore, path: Path, kind: str) -> None:
    def body() -> None:
        store = type(make_store())(path.parent / "new" / path.name)
        assert store.runs() == []
        with pytest.raises(StoreWriteError, match="new"):
            store.claim(ClaimRequest("a", "k"))

    assert in_unprivileged_child(body) == 0


@pytest.mark.parametrize("remove", [shutil.rmtree, lambda directory: None])
def test_store_removed_in_the_middle_of_a_run(
    make_store: MakeStore, path: Path, remove: Callable[[Path], None]
) -> None:
    store = make_store()
    lease = store.claim(ClaimRequest("a", "k"))
    commit_task(store, lease, 0)
    store.close()
    kept = path.read_bytes()
    assert len(store.tasks(lease.run.id)) == 1
    path.unlink()
    remove(path.parent)
    for _ in range(2):
        with pytest.raises(StoreWriteError, match=path.name):
            commit_task(store, lease, 1)
    assert store.runs() == []
    assert not path.exists()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(kept)
    commit_task(store, lease, 1)
    assert [task.task for task in store.tasks(lease.run.id)] == ["t0", "t1"]
    store.release(lease)
    store.close()


def test_store_replaced_in_the_middle_of_a_run(
    make_store: MakeStore, path: Path, tmp_path: Path
) -> None:
    store = make_store()
    lease = store.claim(ClaimRequest("a", "k"))
    other = type(store)(path.with_name("other"))
    fill(other)
    other.close()
    path.with_name("other").replace(path)
    with pytest.raises(StoreError, match="deleted"):
        commit_task(store, lease, 0)
    assert len(store.runs()) == 4
    store.release(lease)
    store.close()

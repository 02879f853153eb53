"""Damage, torn writes and power cuts: a damaged store says so, or answers as before."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from flowweaver.errors import StoreCorruptError, StoreError, StoreVersionError
from flowweaver.records import ClaimRequest
from flowweaver.stores.sqlite import journal, opening
from tests.stores.conftest import FileStore, MakeStore
from tests.stores.filling import LARGE, fill, picture
from tests.stores.test_kills import line_of, worker

FLIPS, CUTS = 100, 40
SEED = int(os.environ.get("FLOWWEAVER_TEST_SEED", "1"))


@pytest.fixture
def filled(make_store: MakeStore, path: Path) -> list[object]:
    """Fill the store at `path`; give all that can be read from it."""
    store = make_store()
    fill(store)
    seen = picture(store)
    store.close()
    return seen


def test_flipped_bit_is_an_error_or_changes_nothing(
    make_store: MakeStore, path: Path, filled: list[object]
) -> None:
    sound = path.read_bytes()
    random = Random(SEED)
    for _ in range(FLIPS):
        bit = random.randrange(8 * len(sound))
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        store = make_store()
        try:
            assert picture(store) == filled, f"bit {bit} changed a value"
        except StoreError as error:
            assert str(path) in str(error), f"bit {bit}"  # noqa: PT017 - either will do
        store.close()
        assert path.read_bytes() == damaged, f"bit {bit}: the file was not left as it was"


def test_store_with_a_flipped_bit_gives_no_lease_or_a_sound_one(
    make_store: MakeStore, path: Path, filled: list[object]
) -> None:
    sound = path.read_bytes()
    expected = make_store().tasks("sales-k1")
    random = Random(SEED + 1)
    for _ in range(FLIPS // 4):
        bit = random.randrange(8 * len(sound))
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        store = make_store()
        try:
            lease = store.claim(ClaimRequest("sales", "k1"))
        except StoreError:
            assert path.read_bytes() == damaged, f"bit {bit}"
        else:
            assert lease.run.id == "sales-k1", f"bit {bit}"
            assert list(lease.tasks) == expected, f"bit {bit}"
            store.release(lease)
        store.close()


def test_flipped_bit_in_a_large_result_is_an_error(
    make_store: MakeStore, path: Path, filled: list[object]
) -> None:
    (file,) = path.parent.glob("*.results/*/*")
    damaged = bytearray(file.read_bytes())
    damaged[12345] ^= 4
    file.write_bytes(damaged)
    store = make_store()
    with pytest.raises(StoreCorruptError, match=file.name):
        store.result(file.name)
    assert any(file.name in wrong for wrong in store.check(deep=True))
    store.close()


def test_cut_file_is_an_error_or_what_it_was_some_commits_before(
    make_store: MakeStore, path: Path, filled: list[object]
) -> None:
    sound = path.read_bytes()
    complete = make_store().runs()
    random = Random(SEED + 2)
    for _ in range(CUTS):
        length = random.randrange(1, len(sound))
        path.write_bytes(sound[:length])
        store = make_store()
        try:
            runs = store.runs()
            assert runs == complete[len(complete) - len(runs) :] or path.suffix == ".json"
            for run in runs:
                for task in store.tasks(run.id):
                    assert task.digest is not None
                    store.result(task.digest)
        except StoreError as error:
            assert str(path) in str(error), f"cut to {length} bytes"  # noqa: PT017 - as above
        assert path.read_bytes() == sound[:length], f"cut to {length} bytes"
        store.close()


@pytest.mark.parametrize("checked", [opening.CHECKED_SIZE, 0], ids=["checked whole", "large"])
@pytest.mark.parametrize("kind", ["sqlite"])
def test_cut_sqlite_file_is_an_error(
    make_store: MakeStore,
    path: Path,
    filled: list[object],
    checked: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "CHECKED_SIZE", checked)
    sound = path.read_bytes()
    random = Random(SEED + 3)
    for _ in range(CUTS):
        path.write_bytes(sound[: random.randrange(1, len(sound))])
        store = make_store()
        with pytest.raises(StoreCorruptError, match=path.name):
            store.runs()
        store.close()


@pytest.mark.parametrize(
    "content",
    [
        b"\0",
        b"x",
        b"garbage " * 1000,
        b'{"tasks": {}}\n',
        b"[]",
        b"\n",
        b"\0" * 8192,
        os.urandom(9999),
    ],
    ids=range(8),
)
def test_file_of_another_kind_is_refused_and_left_alone(
    make_store: MakeStore, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    for use in (lambda store: store.runs(), lambda store: store.claim(ClaimRequest("a", "k"))):
        store = make_store()
        with pytest.raises(StoreError, match=path.name) as caught:
            use(store)
        assert isinstance(caught.value, StoreCorruptError | StoreVersionError)
        store.close()
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_store_of_the_other_kind_is_refused(
    make_store: MakeStore, path: Path, kind: str, tmp_path: Path
) -> None:
    from flowweaver.stores import JSONStateStore, SQLiteStateStore

    other: FileStore = (JSONStateStore if kind == "sqlite" else SQLiteStateStore)(path)
    fill(other)
    other.close()
    store = make_store()
    with pytest.raises((StoreCorruptError, StoreVersionError)):
        store.runs()
    store.close()


def test_doubled_file_is_an_error_or_the_same(
    make_store: MakeStore, path: Path, filled: list[object], kind: str
) -> None:
    path.write_bytes(2 * path.read_bytes())
    store = make_store()
    if kind == "json":
        with pytest.raises(StoreCorruptError):
            store.runs()
    else:
        assert picture(store) == filled
    store.close()


def test_directory_in_its_place_is_refused(make_store: MakeStore, path: Path) -> None:
    path.mkdir()
    store = make_store()
    with pytest.raises(StoreError, match="directory"):
        store.runs()
    with pytest.raises(StoreError, match="directory"):
        store.claim(ClaimRequest("a", "k"))
    assert store.check()
    assert not list(path.parent.glob("*.locks"))


def test_pipe_in_its_place_is_refused(make_store: MakeStore, path: Path) -> None:
    os.mkfifo(path)
    store = make_store()
    with pytest.raises(StoreError, match="regular"):
        store.runs()
    with pytest.raises(StoreError, match="regular"):
        store.claim(ClaimRequest("a", "k"))


def test_empty_file_is_a_new_store(make_store: MakeStore, path: Path) -> None:
    path.touch(0o600)
    store = make_store()
    assert store.runs() == []
    assert path.stat().st_size == 0
    fill(store)
    assert len(store.runs()) == 4
    store.close()


def test_emptied_file_beside_its_results_is_refused(
    make_store: MakeStore, path: Path, filled: list[object]
) -> None:
    os.truncate(path, 0)
    store = make_store()
    with pytest.raises(StoreCorruptError, match="empty"):
        store.runs()
    with pytest.raises(StoreCorruptError, match="empty"):
        store.claim(ClaimRequest("a", "k"))
    store.close()
    assert path.stat().st_size == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_emptied_file_beside_its_log_is_refused(
    make_store: MakeStore, path: Path, tmp_path: Path
) -> None:
    store = make_store()
    fill(store, large=False)
    copy = tmp_path / "copy" / path.name
    copy.parent.mkdir()
    shutil.copy(path.with_name(path.name + "-wal"), copy.parent)
    store.close()
    copy.touch()
    with pytest.raises(StoreCorruptError, match="empty"):
        type(make_store())(copy).runs()


def test_check_tells_what_is_wrong(make_store: MakeStore, path: Path, filled: list[object]) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"?" * (len(content) // 2))
    store = make_store()
    assert any(path.name in wrong for wrong in store.check())
    store.close()


def test_check_of_a_sound_store_finds_nothing(make_store: MakeStore, filled: list[object]) -> None:
    store = make_store()
    assert store.check() == store.check(deep=True) == []
    store.close()


def test_lost_large_result_is_an_error_and_written_again(
    make_store: MakeStore, path: Path, filled: list[object]
) -> None:
    (file,) = path.parent.glob("*.results/*/*")
    file.unlink()
    store = make_store()
    with pytest.raises(StoreCorruptError, match=file.name):
        store.result(file.name)
    assert any(file.name in wrong for wrong in store.check(deep=True))
    fill(store)
    assert store.result(file.name).encoded.data == LARGE
    store.close()


@pytest.mark.parametrize("damage", [b"cut", b"larGe" * 2**16])
def test_damaged_large_result_is_healed_by_writing_it_again(
    make_store: MakeStore, path: Path, filled: list[object], damage: bytes
) -> None:
    (file,) = path.parent.glob("*.results/*/*")
    file.write_bytes(damage)
    store = make_store()
    fill(store)
    assert store.result(file.name).encoded.data == LARGE
    store.close()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_missing_journal_does_no_harm_between_transactions(
    make_store: MakeStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "wanted_mode", lambda path: "persist")
    store = make_store()
    fill(store)
    seen = picture(store)
    path.with_name(path.name + "-journal").unlink()
    assert picture(store) == seen
    fill(store, tasks=13)
    store.close()


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("kind", ["sqlite"])
def test_power_cut_leaves_a_prefix_of_the_commits(
    make_store: MakeStore, path: Path, wal: bool, tmp_path: Path
) -> None:
    random = Random(SEED + 4)
    with worker(make_store(), *([] if wal else ["", "rollback"])) as process:
        line_of(process)
        begun, cuts = path.read_bytes(), 0
        for moment in range(8):
            told = int(line_of(process)) + 1
            stop_between_lines(process)
            copy = tmp_path / str(moment) / path.name
            copy.parent.mkdir()
            for file in path.parent.glob(path.name + "*"):
                if file.is_file() and not file.name.endswith("-shm"):
                    shutil.copy(file, copy.parent)
            log = copy.with_name(copy.name + "-wal")
            # What a checkpoint has begun to copy was synced before: power cuts no such log.
            if log.exists() and copy.read_bytes() == begun:
                os.truncate(log, random.randrange(log.stat().st_size))
                told, cuts = 0, cuts + 1
            process.send_signal(signal.SIGCONT)
            store = type(make_store())(copy)
            tasks = store.tasks(store.runs()[0].id) if store.runs() else []
            assert [task.task for task in tasks] == [f"t{n}" for n in range(len(tasks))]
            assert len(tasks) >= told
            assert store.check(deep=True) == []
            store.close()
    assert (cuts > 0) is wal


def stop_between_lines(process: subprocess.Popen[str]) -> None:
    """Stop a process wherever it is, and wait until it has stopped."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_large_file_is_not_checked_whole_at_every_opening(
    make_store: MakeStore, filled: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CHECKED_SIZE", 0)
    monkeypatch.setattr(opening, "faults", lambda _: pytest.fail("checked whole"))
    store = make_store()
    assert picture(store) == filled
    store.close()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_no_run_of_a_large_file_is_overlooked(
    make_store: MakeStore, path: Path, filled: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CHECKED_SIZE", 0)
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        roots = db.execute("SELECT name, rootpage FROM sqlite_schema WHERE tbl_name = 'run'")
        pages = {name: (root - 1) * size for name, root in roots}
    sound = path.read_bytes()
    for index in ("run_unfinished", "run_by_workflow", "sqlite_autoindex_run_1"):
        place = pages[index]
        # By its header the page of the index has no entries.
        path.write_bytes(sound[: place + 3] + b"\0\0" + sound[place + 5 :])
        with pytest.raises(StoreError, match="damaged"):
            make_store().claim(ClaimRequest("stock", "k1"))
    path.write_bytes(sound)


def test_torn_tail_is_cut_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from flowweaver.stores import JSONStateStore

    path = tmp_path / "state.json"
    store = JSONStateStore(path)
    fill(store, large=False)
    seen = picture(store)
    store.close()
    sound = path.read_bytes()
    last = sound.rstrip(b"\n").rfind(b"\n") + 1
    for length in range(last + 1, len(sound), 13):
        for tail in (b"", b"\0" * 4096):
            path.write_bytes(sound[:length] + tail)
            before = store.tasks("stock-k1")
            lease = store.claim(ClaimRequest("beside", "k"))
            store.release(lease)
            assert "cut off" in caplog.text
            assert store.tasks("stock-k1") == before
            store.delete([lease.run.id])
            assert picture(store)[-1] == seen[-1] or len(store.tasks("stock-k1")) == 12
            store.close()
            caplog.clear()


def test_reading_a_torn_tail_neither_warns_nor_cuts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from flowweaver.stores import JSONStateStore

    path = tmp_path / "state.json"
    fill(store := JSONStateStore(path), large=False)
    store.close()
    torn = path.read_bytes()[:-5]
    path.write_bytes(torn)
    with caplog.at_level(logging.WARNING):
        assert len(store.runs()) == 4
    assert not caplog.records
    assert path.read_bytes() == torn

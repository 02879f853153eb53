"""Large results in files of their own: staged, named, read and swept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from flowweaver.errors import StoreCorruptError
from flowweaver.records import ResultRecord
from flowweaver.serialize import Encoded, encode
from flowweaver.serialize.shared_memory import MAPPED_FROM, SharedMemory, file_memory
from flowweaver.serialize.spool import spooling
from flowweaver.stores.common.results import LARGE, ResultFiles
from flowweaver.testing.stores import result_of

LARGE_RESULT = result_of(b"x" * (LARGE + 1), "raw")
DIGEST = LARGE_RESULT.encoded.digest


@pytest.fixture
def files(tmp_path: Path) -> ResultFiles:
    return ResultFiles(tmp_path / "state.db")


def put(files: ResultFiles, *records: ResultRecord) -> None:
    """Do what a commit does."""
    staged = files.stage(records)
    assert staged is not None
    staged.settle()
    staged.discard()


def value(files: ResultFiles) -> Encoded:
    return files.encoded(DIGEST, "raw", LARGE + 1)


def written(folder: Path) -> ResultRecord:
    """Return a result that was written into a file as it was encoded."""
    with spooling(folder):
        return ResultRecord(encode(b"y" * MAPPED_FROM))


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="only Linux has files without a name")
class TestTakingOver:
    def test_file_that_has_it_becomes_the_stored_one(
        self, files: ResultFiles, tmp_path: Path
    ) -> None:
        record = written(tmp_path)
        memory = file_memory(record.encoded.data)
        assert memory is not None
        put(files, record)
        stored = files.path(record.encoded.digest)
        assert os.fstat(memory.fd).st_ino == stored.stat().st_ino
        assert stored.read_bytes() == record.encoded.data
        assert stat.S_IMODE(stored.stat().st_mode) == 0o600
        assert [file for file in tmp_path.rglob("*") if file.is_file()] == [stored]
        again = ResultFiles(tmp_path / "state.db")
        found = again.encoded(record.encoded.digest, "bytes", MAPPED_FROM)
        assert found == record.encoded

    def test_file_that_has_a_name_is_copied(self, files: ResultFiles, tmp_path: Path) -> None:
        """It is another store's, which damage to one of them must not reach."""
        record = written(tmp_path)
        put(files, record)
        others = ResultFiles(tmp_path / "other.db")
        put(others, record)
        put(others, ResultRecord(files.encoded(record.encoded.digest, "bytes", MAPPED_FROM)))
        digest = record.encoded.digest
        assert others.path(digest).stat().st_ino != files.path(digest).stat().st_ino
        assert others.path(digest).read_bytes() == files.path(digest).read_bytes()

    def test_same_content_in_two_files_is_stored_once(
        self, files: ResultFiles, tmp_path: Path
    ) -> None:
        one, other = written(tmp_path), written(tmp_path)
        put(files, one, other)
        assert files.sizes() == {one.encoded.digest: MAPPED_FROM}
        assert files.path(one.encoded.digest).stat().st_nlink == 1

    def test_file_of_another_disk_is_copied(self, files: ResultFiles, tmp_path: Path) -> None:
        room = room_for_sharing(b"y" * MAPPED_FROM)
        record = ResultRecord(Encoded("bytes", room, encode(b"y" * MAPPED_FROM).digest))
        put(files, record)
        assert files.path(record.encoded.digest).read_bytes() == room

    def test_discarded_one_leaves_nothing(self, files: ResultFiles, tmp_path: Path) -> None:
        staged = files.stage([written(tmp_path)])
        assert staged is not None
        staged.discard()
        assert list(tmp_path.iterdir()) == []


def room_for_sharing(data: bytes) -> memoryview:
    room = memoryview(SharedMemory(len(data)))
    room[:] = data
    return room


def test_small_results_need_no_file(files: ResultFiles, tmp_path: Path) -> None:
    assert files.stage([result_of(b"x" * LARGE)]) is None
    assert list(tmp_path.iterdir()) == []


def test_large_result_stands_under_its_digest(files: ResultFiles, tmp_path: Path) -> None:
    put(files, LARGE_RESULT)
    path = tmp_path / "state.db.results" / DIGEST[:2] / DIGEST
    assert files.path(DIGEST) == path
    assert path.read_bytes() == value(files).data == LARGE_RESULT.encoded.data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files.sizes() == {DIGEST: LARGE + 1}
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_staged_result_does_not_count_before_it_is_settled(
    files: ResultFiles, tmp_path: Path
) -> None:
    staged = files.stage([LARGE_RESULT])
    assert staged is not None
    assert files.sizes() == {}
    files.remove_leftovers()
    staged.settle()
    assert files.sizes() == {DIGEST: LARGE + 1}
    staged.discard()
    assert files.sizes() == {DIGEST: LARGE + 1}


def test_discarded_result_leaves_nothing(files: ResultFiles, tmp_path: Path) -> None:
    staged = files.stage([LARGE_RESULT])
    assert staged is not None
    staged.discard()
    assert list(tmp_path.iterdir()) == []


def test_result_that_stands_there_is_left_alone(files: ResultFiles) -> None:
    put(files, LARGE_RESULT)
    before = files.path(DIGEST).stat()
    put(files, LARGE_RESULT)
    after = files.path(DIGEST).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_result_swept_after_it_was_seen_is_written_again(files: ResultFiles) -> None:
    put(files, LARGE_RESULT)
    staged = files.stage([LARGE_RESULT])
    assert staged is not None
    files.remove([DIGEST])
    staged.settle()
    staged.discard()
    assert value(files).data == LARGE_RESULT.encoded.data


def test_many_large_results_in_one_commit(files: ResultFiles) -> None:
    records = [result_of(b"%d" % number * LARGE, "raw") for number in range(10, 30)]
    put(files, *records, *records)
    assert len(files.sizes()) == 20


def test_removed_results_leave_no_directories(files: ResultFiles, tmp_path: Path) -> None:
    put(files, LARGE_RESULT)
    files.remove([DIGEST, "00" * 20])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_result_that_goes_as_sizes_are_read_has_none(
    files: ResultFiles, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    put(files, LARGE_RESULT)
    read = os.scandir

    def read_as_it_goes(directory: str) -> object:
        if Path(directory) == files.path(DIGEST).parent and when == "before":
            files.remove([DIGEST])
        found = list(read(directory))
        if Path(directory) == files.path(DIGEST).parent:
            files.remove([DIGEST])
        return nullcontext(found)

    monkeypatch.setattr(os, "scandir", read_as_it_goes)
    assert files.sizes() == {}


def test_missing_file_is_damage(files: ResultFiles) -> None:
    with pytest.raises(StoreCorruptError, match="file is missing"):
        value(files)


def test_value_that_is_not_that_of_its_digest_is_refused(
    files: ResultFiles, tmp_path: Path
) -> None:
    for digest in (DIGEST, "../../../elsewhere"):
        wrong = ResultRecord(Encoded("raw", b"y" * (LARGE + 1), digest))
        with pytest.raises(StoreCorruptError):
            files.stage([wrong])
    assert list(tmp_path.iterdir()) == []


def test_what_one_reader_changes_in_its_bytes_is_seen_by_nobody_else(files: ResultFiles) -> None:
    put(files, LARGE_RESULT)
    first = value(files)
    assert isinstance(first.data, memoryview)
    first.data[:5] = b"other"
    assert value(files).data == LARGE_RESULT.encoded.data
    assert files.path(DIGEST).read_bytes() == LARGE_RESULT.encoded.data


def test_file_that_was_changed_after_it_was_verified_is_refused(files: ResultFiles) -> None:
    put(files, LARGE_RESULT)
    assert value(files).is_verified
    with files.path(DIGEST).open("r+b") as file:
        file.write(b"other")
    with pytest.raises(StoreCorruptError, match="checksum"):
        value(files)


def test_file_outlives_its_removal_for_who_reads_it(files: ResultFiles) -> None:
    put(files, LARGE_RESULT)
    data = value(files).data
    files.remove([DIGEST])
    assert data == LARGE_RESULT.encoded.data


def test_what_others_put_beside_results_is_left_alone(files: ResultFiles, tmp_path: Path) -> None:
    put(files, LARGE_RESULT)
    root = tmp_path / "state.db.results"
    (root / ".DS_Store").write_text("x")
    (root / "gone").symlink_to("nowhere")
    (root / DIGEST[:2] / "notes.txt").write_text("x")
    (root / DIGEST[:2] / ("0" * 40)).symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.tmp")
    assert files.sizes() == {DIGEST: LARGE + 1}
    files.remove_leftovers()
    assert len(list(root.iterdir())) == 4


@pytest.mark.parametrize(
    "put_there",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), Path.touch],
    ids=["pipe", "folder", "device", "empty"],
)
def test_file_that_is_not_the_one_written_is_refused_unread_and_healed(
    files: ResultFiles, put_there: Callable[[Path], None]
) -> None:
    put(files, LARGE_RESULT)
    path = files.path(DIGEST)
    path.unlink()
    put_there(path)
    with pytest.raises(StoreCorruptError, match=r"not a plain file|0 bytes"):
        value(files)
    if not path.is_dir():
        put(files, LARGE_RESULT)
        assert value(files).data == LARGE_RESULT.encoded.data

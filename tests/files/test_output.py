"""A file that is opened for writing takes its name when it is whole, and not before."""

from __future__ import annotations

import copy
import gc
import gzip
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from flowweaver.files.output import OutputFile


@pytest.fixture
def target(tmp_path: Path) -> OutputFile:
    return OutputFile(tmp_path / "made.txt")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(("mode", "content"), [("w", "text"), ("wb", b"bytes"), ("x", "new")])
def test_file_takes_its_name_when_it_is_closed(target: OutputFile, mode: str, content: str) -> None:
    with target.open(mode) as file:
        file.write(content)
        file.flush()
        assert not target.exists()
    assert (target.read_bytes() if "b" in mode else target.read_text()) == content
    assert names(target.parent) == {"made.txt"}


def test_error_leaves_the_file_that_was_there(target: OutputFile) -> None:
    target.write_text("old")
    with suppress(ZeroDivisionError), target.open("w") as file:
        file.write("new")
        file.write(str(1 // 0))
    assert target.read_text() == "old"
    assert names(target.parent) == {"made.txt"}


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_file_that_nobody_closes_is_given_up(target: OutputFile, mode: str) -> None:
    file = target.open(mode)
    file.write("half" if mode == "w" else b"half")
    del file
    gc.collect()
    assert names(target.parent) == set()


@pytest.mark.parametrize("mode", ["a", "r+", "w+", "ab"])
def test_modes_that_change_a_file_in_place_are_refused(target: OutputFile, mode: str) -> None:
    with pytest.raises(ValueError, match="written anew each time"):
        target.open(mode)


def test_whole_contents_are_written_at_once(target: OutputFile) -> None:
    assert target.write_text("ä\n", encoding="utf-8") == 2
    assert target.read_text(encoding="utf-8") == "ä\n"
    assert target.write_bytes(b"\0") == 1
    assert target.read_bytes() == b"\0"


def test_attempt_that_was_given_up_does_not_replace_a_later_one(target: OutputFile) -> None:
    early = target.open("w")
    early.write("early")
    target.write_text("late")
    early.close()
    assert target.read_text() == "late"
    assert names(target.parent) == {"made.txt"}


def test_link_is_written_through(target: OutputFile, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target.symlink_to(tmp_path / "folder" / "real.txt")
    target.write_text("x")
    assert target.is_symlink()
    assert (tmp_path / "folder" / "real.txt").read_text() == "x"


def test_libraries_are_given_a_path_with_the_same_suffix(tmp_path: Path) -> None:
    target = OutputFile(tmp_path / "rows.csv.gz")
    with target.writing() as path:
        assert path.suffixes == [".csv", ".gz"]
        with gzip.open(path, "wt") as file:
            file.write("a,b")
    assert names(tmp_path) == {"rows.csv.gz"}


def test_folder_is_put_in_place_whole(tmp_path: Path) -> None:
    target = OutputFile(tmp_path / "parts")
    for content in ("one", "two"):
        with target.writing() as folder:
            folder.mkdir()
            (folder / content).write_text(content)
        assert names(target) == {content}
    with suppress(ZeroDivisionError), target.writing() as folder:
        folder.mkdir(mode=0o700 // 0)
    assert names(target) == {"two"}
    assert names(tmp_path) == {"parts"}


def test_kill_leaves_no_half_file(target: OutputFile) -> None:
    code = (
        "import sys, os, signal; from flowweaver.files.output import OutputFile\n"
        "file = OutputFile(sys.argv[1]).open('w'); file.write('half'); file.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(target)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    target.write_text("whole")
    assert names(target.parent) == {"made.txt"}


def test_it_is_a_path(target: OutputFile) -> None:
    assert os.fspath(target) == str(target)
    assert isinstance(target, Path)
    for twin in (pickle.loads(pickle.dumps(target)), copy.deepcopy(target)):
        assert (type(twin), twin) == (OutputFile, target)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("by_path", [False, True])
def test_pipe_is_written_to_and_stays_one(target: OutputFile, by_path: bool) -> None:
    os.mkfifo(target)
    reader = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    if by_path:
        with target.writing() as path, path.open("wb") as file:
            file.write(b"told")
    else:
        target.write_bytes(b"told")
    assert os.read(reader, 100) == b"told"
    os.close(reader)
    assert target.is_fifo()
    assert names(target.parent) == {"made.txt"}


def write_by_path(target: OutputFile) -> None:
    with target.writing() as path:
        path.write_text("new")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such rights here")
@pytest.mark.parametrize("write", [lambda to: to.write_text("new"), write_by_path])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_file_is_open_to_whom_the_one_before_was(
    target: OutputFile, write: Callable[[OutputFile], object], mode: int
) -> None:
    target.write_text("old")
    target.chmod(mode)
    write(target)
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", mode)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such rights here")
def test_what_only_its_owner_may_read_is_so_while_it_is_written(target: OutputFile) -> None:
    target.write_text("old")
    target.chmod(0o600)
    with target.open("w"):
        (part,) = names(target.parent) - {"made.txt"}
        assert (target.parent / part).stat().st_mode & 0o777 == 0o600

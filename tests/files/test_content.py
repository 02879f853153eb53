"""What counts of a file is its content, however it got there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver.files import content
from flowweaver.files.content import GONE, content_digest
from flowweaver.files.remembered import Identity, Remembered


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is remembered apart from the user's own."""
    place = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    monkeypatch.setattr(content, "_REMEMBERED", Remembered())
    return place


def make_old(path: Path) -> None:
    os.utime(path, (1_000_000_000, 1_000_000_000))


def test_copies_and_touched_files_are_the_same(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    two.write_text("x")
    before = content_digest(one)
    make_old(one)
    assert content_digest(one) == before == content_digest(str(two))


def test_change_of_the_same_size_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "one"
    seen = set()
    for text in ("aa", "bb", "cc", "dd"):
        path.write_text(text)
        seen.add(content_digest(path))
    assert len(seen) == 4


def test_change_counts_whose_time_was_set_back(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_text("aa")
    make_old(path)
    before = content_digest(path)
    path.write_text("bb")
    make_old(path)
    assert content_digest(path) != before


def _renamed(folder: Path) -> None:
    (folder / "a").rename(folder / "c")


def _emptied(folder: Path) -> None:
    (folder / "sub" / "b").unlink()


def _added(folder: Path) -> None:
    (folder / "new").mkdir()


def _edited(folder: Path) -> None:
    (folder / "sub" / "b").write_text("B")


def _linked(folder: Path) -> None:
    (folder / "link").symlink_to("a")


@pytest.mark.parametrize("change", [_renamed, _emptied, _added, _edited, _linked])
def test_folder_counts_by_all_that_is_below_it(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "sub" / "b").write_text("b")
    before = content_digest(folder)
    assert content_digest(folder) == before
    change(folder)
    assert content_digest(folder) != before


def test_folder_that_links_to_itself_comes_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "again").symlink_to(tmp_path / "loop")
    assert content_digest(tmp_path / "loop")


@pytest.mark.parametrize("path", ["missing", "a\0b", ""])
def test_what_is_not_there_is_gone(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert content_digest(path or tmp_path / "missing" / "x") == GONE


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no plain file" in content_digest(tmp_path / "pipe")
    assert "no plain file" in content_digest("/dev/zero")


IN_A_PROCESS = """
import sys
from flowweaver.files.remembered import Identity, Remembered
print(Remembered().find(sys.argv[1], Identity(*map(int, sys.argv[2:]))))
"""
IN_A_FORKED_CHILD = """
import os, sys
from flowweaver.files.remembered import Identity, Remembered
remembered = Remembered()
child = os.fork()
if child:
    os.waitpid(child, 0)
else:
    print(remembered.find(sys.argv[1], Identity(*map(int, sys.argv[2:]))))
"""
PROCESSES = [
    IN_A_PROCESS,
    pytest.param(
        IN_A_FORKED_CHILD,
        marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    ),
]


@pytest.mark.parametrize("code", PROCESSES, ids=["process", "child"])
def test_unchanged_file_is_not_read_again_by_another_process(
    tmp_path: Path, cache: Path, code: str
) -> None:
    path = tmp_path / "one"
    path.write_text("x")
    make_old(path)
    status = path.stat()
    remembered = Remembered()
    identity = Identity.of(status)
    # The file's last change of status is now: what is not yet settled is not remembered.
    settled = identity._replace(changed=identity.modified)
    remembered.note(str(path), settled, "known")
    remembered.flush()
    found = subprocess.run(
        [sys.executable, "-c", code, str(path), *map(str, settled)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert found.stdout.strip() == "known"
    assert (cache / "flowweaver" / "files.db").stat().st_mode & 0o077 in (0, 0o044)


def test_file_that_may_change_within_the_same_tick_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_text("x")
    identity = Identity.of(path.stat())
    remembered = Remembered()
    remembered.note(str(path), identity, "known")
    assert remembered.find(str(path), identity) is None


@pytest.mark.parametrize("damage", ["garbage", "folder", "read-only"])
def test_cache_that_cannot_be_used_costs_reading_only(
    tmp_path: Path, cache: Path, damage: str
) -> None:
    place = cache / "flowweaver"
    place.mkdir(parents=True)
    if damage == "garbage":
        (place / "files.db").write_bytes(b"no database" * 100)
    elif damage == "folder":
        (place / "files.db").mkdir()
    else:
        place.chmod(0o500)
    path = tmp_path / "one"
    path.write_text("x")
    assert content_digest(path) == content_digest(path) != GONE


def test_forked_child_remembers_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_text("x")
    before = content_digest(path)
    child = os.fork()
    if not child:
        os._exit(0 if content_digest(path) == before else 1)
    assert os.waitpid(child, 0)[1] == 0

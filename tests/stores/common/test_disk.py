"""Files that are opened and written safely, and what kind of disk they are on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver.stores.common import disk
from flowweaver.stores.common.disk import (
    NotPlainError,
    file_system,
    is_local,
    make_own_directory,
    make_parents,
    open_plain,
    same_file,
)

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local\\040disk xfs rw 0 0
//box/share /mnt/caf\u00e9 cifs rw 0 0
user@box:/ /mnt/ssh fuse.sshfs rw 0 0
proc /proc proc rw 0 0
"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mounts"
    file.write_text(MOUNTS, encoding="utf-8")
    monkeypatch.setattr(disk, "_MOUNTS", file)


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    ("path", "kind", "local"),
    [
        ("/var/state.db", "ext4", True),
        ("/home/me/state.db", "nfs4", False),
        ("/homely/state.db", "ext4", True),
        ("/home/local disk/state.db", "xfs", True),
        ("/mnt/caf\u00e9/state.db", "cifs", False),
        ("/mnt/ssh/state.db", "fuse.sshfs", False),
    ],
)
def test_file_system_is_that_of_the_nearest_mount(path: str, kind: str, local: bool) -> None:
    assert file_system(Path(path)) == kind
    assert is_local(Path(path)) is local


def test_system_that_does_not_tell_has_local_disks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_MOUNTS", tmp_path / "none")
    assert file_system(tmp_path) == ""
    assert is_local(tmp_path)


def test_directories_made_are_for_their_owner_alone(tmp_path: Path) -> None:
    make_parents(tmp_path / "a" / "b" / "file")
    make_parents(tmp_path / "a" / "b" / "file")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700, 0o700]


def test_same_file_sees_a_replacement(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.touch()
    other.touch()
    with path.open() as file:
        assert same_file(file.fileno(), path)
        other.replace(path)
        assert not same_file(file.fileno(), path)
        path.unlink()
        assert not same_file(file.fileno(), path)


@pytest.mark.parametrize(
    "put",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")],
    ids=["pipe", "folder", "device"],
)
def test_only_plain_files_are_opened(tmp_path: Path, put: Callable[[Path], None]) -> None:
    path = tmp_path / "file"
    put(path)
    for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT):
        with pytest.raises(NotPlainError, match="plain"):
            open_plain(path, flags)


def test_link_is_not_followed_and_a_plain_file_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    os.close(open_plain(path))
    link = tmp_path / "link"
    for target in (path, tmp_path / "nowhere"):
        link.symlink_to(target)
        with pytest.raises(NotPlainError):
            open_plain(link, os.O_RDWR | os.O_CREAT)
        link.unlink()
    assert not (tmp_path / "nowhere").exists()


def test_directory_of_locks_may_not_be_a_link(tmp_path: Path) -> None:
    make_own_directory(tmp_path / "locks")
    make_own_directory(tmp_path / "locks")
    (tmp_path / "link").symlink_to("/proc")
    with pytest.raises(NotPlainError, match="folder"):
        make_own_directory(tmp_path / "link")

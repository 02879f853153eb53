"""Getting bytes onto the disk for good, and knowing what kind of disk it is."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path

from flowweaver.syncing import sync_directory

if sys.platform != "win32":
    import fcntl

# File systems whose memory maps and locks one kernel keeps coherent. Others may be shared with
# other machines.
_LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "reiserfs"}
    | {"nilfs2", "tmpfs", "ramfs", "overlay", "aufs", "ntfs", "ntfs3", "fuseblk", "vfat"}
    | {"exfat", "hfs", "hfsplus", "apfs", "ufs"}
)
_MOUNTS = Path("/proc/mounts")
_OCTAL = re.compile(rb"\\([0-7]{3})")

# Windows alone turns newlines into others unless told not to.
BINARY: int = getattr(os, "O_BINARY", 0)
# Whatever stands in a file's place: a link is not followed, and opening a pipe waits for nobody.
PLAIN: int = BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class NotPlainError(OSError):
    """Something stands in the place of a file that is none: a link, a pipe, a device, a folder."""


def sync_file(fd: int) -> None:
    """Force what was written to an open file onto the disk."""
    if sys.platform == "darwin":
        try:
            # fsync leaves the data in the drive's cache there.
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError:
            os.fsync(fd)  # not every file system has the other; SQLite does the same
    elif sys.platform == "win32":
        os.fsync(fd)
    else:
        os.fdatasync(fd)


def make_parents(path: Path) -> None:
    """Make the directories a file is to stand in, for good, readable by their owner alone."""
    parent = path.parent
    if not parent.is_dir():
        make_parents(parent)
        with suppress(FileExistsError):  # `exist_ok` raises it where it was there and has gone
            parent.mkdir(mode=0o700)
        sync_directory(parent.parent)


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write all of `data`, however many calls it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def open_plain(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a file, if it is a plain one.

    Raises:
        NotPlainError: Something else stands in its place.
    """
    try:
        fd = os.open(path, flags | PLAIN, 0o600)
    except (IsADirectoryError, FileExistsError) as error:
        raise NotPlainError(error.errno, "not a plain file", str(path)) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EMLINK):
            raise NotPlainError(error.errno, "not a plain file", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotPlainError(errno.EINVAL, "not a plain file", str(path))
    return fd


def make_own_directory(path: Path) -> None:
    """Make a directory for files that come and go, if it is not there.

    Raises:
        NotPlainError: A link or something else stands in its place.
    """
    make_parents(path)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    with suppress(FileNotFoundError):  # somebody has just removed it, as it was empty
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise NotPlainError(errno.ENOTDIR, "not a folder of its own", str(path))


def entries(directory: Path) -> list[os.DirEntry[str]]:
    """Return what stands in a directory, by name: nothing where it is not, or has just gone."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as found:
        return sorted(found, key=lambda entry: entry.name)
    return []


def same_file(fd_or_status: int | os.stat_result, path: Path) -> bool:
    """Return whether the path still names the open file (or the one of that status)."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    then = os.fstat(fd_or_status) if isinstance(fd_or_status, int) else fd_or_status
    return (now.st_dev, now.st_ino) == (then.st_dev, then.st_ino)


def file_system(path: Path) -> str:
    """Return the type of the file system a path is on, or "" where the system doesn't tell."""
    try:
        mounts = _MOUNTS.read_bytes()
    except OSError:
        return ""
    target = os.fsencode(os.path.realpath(path))
    best, kind = b"", b""
    for line in mounts.splitlines():
        _, escaped, found, *_ = line.split(b" ")
        point = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), escaped)
        inside = target == point or target.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind.decode("ascii", "replace")


def is_local(path: Path) -> bool:
    """Return whether a path is on a disk of this machine, as far as can be told."""
    kind = file_system(path)
    return kind in _LOCAL or (not kind and not str(path).startswith(("//", "\\\\")))

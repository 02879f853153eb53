"""Advisory locks on open files that the system frees when their holder dies."""

from __future__ import annotations

import errno
import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path

from flowweaver.stores.common.disk import open_plain, same_file

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
# Windows locks bytes and keeps others from reading them: lock one far beyond what is written.
_FAR = 1 << 30
_LONGEST_PAUSE = 0.1


def try_lock(fd: int) -> bool:
    """Lock an open file for this opening alone; return whether it was free.

    Two openings exclude each other also within one process.
    """
    try:
        if sys.platform == "win32":
            os.lseek(fd, _FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True


def share(fd: int) -> None:
    """Lock an open file together with others who share it, if nobody has it alone at this moment.

    Windows has no such lock, and there nothing is done.
    """
    if sys.platform != "win32":
        with suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)


def unlock(fd: int) -> None:
    """Free the lock, whoever else has inherited the open file."""
    if sys.platform == "win32":
        os.lseek(fd, _FAR, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(fd, fcntl.LOCK_UN)


def lock_within(fd: int, seconds: float) -> bool:
    """Lock an open file as soon as it is free; return False if it was not in time."""
    deadline = time.monotonic() + seconds
    pause = 0.0005
    while not try_lock(fd):
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True


def open_locked(path: Path) -> int | None:
    """Open a file (made if need be, mode 0600) and lock it; None if somebody else has it.

    The file is the one the path names while the lock is held: users of such files unlink them
    only under their lock, so an opening that lost that race is given up and done again.

    Raises:
        NotPlainError: Something else stands in its place.
    """
    while True:
        fd = open_plain(path, os.O_RDWR | os.O_CREAT)
        try:
            locked = try_lock(fd)
            if locked and same_file(fd, path):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        if not locked:
            return None

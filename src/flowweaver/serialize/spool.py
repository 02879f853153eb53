"""Files without a name for large values, which a store on the same disk takes over.

A value is written once: what is in the file is hashed there, and a store gives it a name. Nothing
is left of a file that none has taken over.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from flowweaver.serialize.encoded import Data
from flowweaver.serialize.shared_memory import (
    MAPPED_FROM,
    Untouched,
    is_for_sharing,
    room_for,
)

_folder: ContextVar[Path | None] = ContextVar("flowweaver_spool", default=None)
_NAMELESS = getattr(os, "O_TMPFILE", None)


class spooling:  # it is called as a context manager is
    """Have what is large written into files of this folder's disk, for as long as this lasts."""

    # No generator: every result that is stored comes by here.
    __slots__ = ("_token", "_wanted")

    def __init__(self, folder: Path | None) -> None:
        self._wanted = folder

    def __enter__(self) -> None:
        self._token = _folder.set(self._wanted)

    def __exit__(self, *_: object) -> None:
        _folder.reset(self._token)


def spooled(size: int, write: Callable[[BinaryIO], object]) -> memoryview | None:
    """Return what `write` writes, about `size` bytes, in memory that its file is mapped to.

    None where no file is wanted for so few bytes or can be had: the disk may be full, which is for
    the store to say.
    """
    folder = _folder.get()
    if folder is None or _NAMELESS is None or size < MAPPED_FROM:
        return None
    try:
        fd = os.open(folder, _NAMELESS | os.O_RDWR, 0o600)
    except OSError:
        return None  # not every file system has such files
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            write(file)
        _begin_to_sync(fd)
        return memoryview(Untouched(fd, os.fstat(fd).st_size)).toreadonly()
    except OSError:
        return None
    finally:
        os.close(fd)


def _begin_to_sync(fd: int) -> None:
    """Have the disk write while the value is hashed, so that its store waits for less of it.

    That store syncs all the same. An error of the disk is told once to each opening of a file: by
    one of our own, it is not taken from under the store.
    """
    try:
        own = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    except OSError:
        return
    try:
        threading.Thread(target=_sync, args=(own,), name="flowweaver-sync", daemon=True).start()
    except RuntimeError:  # there can be no more threads
        os.close(own)


def _sync(fd: int) -> None:
    with suppress(OSError):
        os.fsync(fd)
    os.close(fd)


def joined(parts: Sequence[Data]) -> Data:
    """Return bytes one after the other, in a file or in memory."""
    size = sum(map(len, parts))
    made = spooled(size, lambda file: file.writelines(parts))
    if made is not None:
        return made
    if not is_for_sharing(size):
        return b"".join(parts)
    room, start = room_for(size), 0
    for part in parts:
        room[start : start + len(part)] = part
        start += len(part)
    return room

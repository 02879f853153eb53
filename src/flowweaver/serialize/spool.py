"""Nameless files for large values, which a store on the same disk takes over.

A value is written once: its digest is made from the file, and the store gives the file a name. A
file that no store takes over leaves nothing behind.
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
    path_of,
    room_for,
)

_folder: ContextVar[Path | None] = ContextVar("flowweaver_spool", default=None)
_NAMELESS = getattr(os, "O_TMPFILE", None)


class spooling:  # named like a function since it is used as `with spooling(folder):`
    """Have large values written into files on this folder's disk while the context lasts."""

    # Not a generator, which is slower: every result that is stored passes here.
    __slots__ = ("_token", "_wanted")

    def __init__(self, folder: Path | None) -> None:
        self._wanted = folder

    def __enter__(self) -> None:
        self._token = _folder.set(self._wanted)

    def __exit__(self, *_: object) -> None:
        _folder.reset(self._token)


def spooled(size: int, write: Callable[[BinaryIO], object]) -> memoryview | None:
    """Return what `write` writes, about `size` bytes, as a file mapped into memory.

    None where so few bytes need no file, or none can be made; that the disk is full is for the
    store to say.
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
    """Let the disk write while the digest is made, so that the store's own sync takes less time.

    A disk's error is reported once to each descriptor that was opened separately. This opens the
    file anew, and so does not swallow an error that the store has to see.
    """
    try:
        own = os.open(path_of(fd), os.O_RDWR)
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
    """Return the parts joined, in a file or in memory."""
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

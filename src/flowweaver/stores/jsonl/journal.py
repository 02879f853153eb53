"""An append-only file of framed lines that several processes may write to.

What is in memory is always a replay of the file: a commit is appended, then read like those of
others. Appending and compacting are done under a lock on the file, reading is not.
"""

from __future__ import annotations

import glob
import json
import logging
import os
import shutil
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from flowweaver.stores.common import problems
from flowweaver.stores.common.disk import (
    BINARY,
    make_parents,
    same_file,
    sync_file,
    write_all,
)
from flowweaver.stores.common.oslock import lock_within, unlock
from flowweaver.stores.jsonl.frames import START, DamagedLineError, Line, framed, lines
from flowweaver.syncing import sync_directory

VERSION = 1
_FORMAT = "flowweaver state"
HEADER = json.dumps({"format": _FORMAT, "version": VERSION}).encode()

_LOG = logging.getLogger("flowweaver.stores")


class Journal:
    """One file, and how far it has been replayed. Callers hold the store's lock.

    Args:
        path: The file.
        synced: Whether a commit is forced onto the disk.
        timeout: How many seconds to wait for others that keep the file locked.
        replay: Takes in one line.
        reset: Forgets all lines taken in.
    """

    def __init__(
        self,
        path: Path,
        *,
        synced: bool,
        timeout: float,
        replay: Callable[[Line], None],
        reset: Callable[[], None],
    ) -> None:
        self._path = path
        self._synced = synced
        self._timeout = timeout
        self._replay = replay
        self._reset = reset
        self.lock = threading.RLock()
        self._fd: int | None = None
        self._closer: weakref.finalize[..., Journal] | None = None
        self._writer: int | None = None
        self._end = 0
        self._sum = START
        _journals.add(self)

    @property
    def size(self) -> int:
        """How many bytes have been replayed."""
        return self._end

    @property
    def reached(self) -> tuple[int, object]:
        """What differs whenever something was appended, or the file was compacted."""
        return self._end, self._sum

    def refresh(self) -> None:
        """Take in what was appended since, by this process or others.

        Raises:
            StoreCorruptError: A line is damaged.
            StoreVersionError: It is not a store's file, or a newer FlowWeaver's.
        """
        if self._fd is not None and not self._is_continued(self._fd):
            self.close()
        if self._fd is None and not self._open():
            return
        try:
            self._take_in()
        except DamagedLineError:
            # A commit that was seen but then failed may have been taken back: look once more.
            self.close()
            if self._open():
                self._take_in_afresh()

    def _is_continued(self, fd: int) -> bool:
        return same_file(fd, self._path) and os.fstat(fd).st_size >= self._end

    def _open(self) -> bool:
        try:
            status = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        if not self._path.is_file():
            raise problems.not_a_file(self._path)
        if status.st_size == 0:
            problems.refuse_emptied(self._path)
            return False
        self._fd = os.open(self._path, os.O_RDONLY | BINARY)
        self._closer = weakref.finalize(self, os.close, self._fd)
        return True

    def _take_in_afresh(self) -> None:
        try:
            self._take_in()
        except DamagedLineError as error:
            self.close()
            raise problems.damaged(self._path, str(error)) from error

    def _take_in(self) -> None:
        assert self._fd is not None
        size = os.fstat(self._fd).st_size
        if size <= self._end:
            return
        data = _read(self._fd, self._end, size - self._end)
        if self._end == 0:
            self._check_header(data)
        for line in lines(data, self._end, self._sum):
            if self._end > 0:
                self._replay(line)
            self._end, self._sum = line.end, line.sum

    def _check_header(self, data: bytes) -> None:
        try:
            header = next(lines(data, 0, START), None)
        except DamagedLineError:
            raise problems.foreign(self._path, "its first line is not a store's") from None
        if header is None:
            raise problems.damaged(self._path, "it is cut off in its first line")
        found = json.loads(header.payload)
        if found.get("format") != _FORMAT:
            raise problems.foreign(self._path, "its first line is not a store's")
        if found["version"] > VERSION:
            raise problems.newer(self._path, found["version"], VERSION)

    def read(self, start: int, length: int) -> bytes:
        """Return bytes of a line that was taken in."""
        assert self._fd is not None
        return _read(self._fd, start, length)

    def close(self) -> None:
        """Close the file and forget what was taken in."""
        closer, self._closer, self._fd = self._closer, None, None
        self._end, self._sum = 0, START
        self._reset()
        if closer is not None:
            closer()

    # Writing.

    @contextmanager
    def writing(self, *, create: bool = False) -> Iterator[None]:
        """Keep other writers out, having taken in all that they wrote.

        Raises:
            StoreWriteError: The file is gone, can't be written, or others keep it locked.
        """
        # A file object closes itself, and so frees the lock, wherever Ctrl-C may fall.
        file = self._lock_newest(create=create)
        try:
            self.refresh()
            self._cut_torn_tail(file.fileno())
            self._writer = file.fileno()
            yield
        finally:
            self._writer = None
            with suppress(OSError):
                unlock(file.fileno())  # forked children may have inherited the opening
            file.close()

    def append(self, payloads: list[bytes]) -> None:
        """Write lines, all or none, and take them in. Only while `writing`."""
        fd = self._writer
        assert fd is not None
        try:
            write_all(fd, framed(payloads, self._sum))
            if self._synced:
                sync_file(fd)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(fd, self._end)
            raise
        self.refresh()

    def replace(self, payloads: list[bytes]) -> None:
        """Put a file of these lines in the place of this one, at once. Last thing of `writing`.

        Raises:
            StoreWriteError: This is Windows.
        """
        if sys.platform == "win32":
            raise problems.never_smaller(self._path)
        self._writer = None  # what is appended to the old file is lost
        self._replace_file([HEADER, *payloads])
        self.refresh()

    def remove_leftovers(self) -> None:
        """Remove files that kills have left half-written. Only while `writing`."""
        for path in self._path.parent.glob(glob.escape(self._path.name) + ".*.tmp"):
            with suppress(OSError):
                path.unlink()

    def _lock_newest(self, *, create: bool) -> FileIO:
        while True:
            file = self._open_to_append(create=create)
            try:
                fd = file.fileno()
                if not lock_within(fd, self._timeout):
                    raise problems.busy(self._path, self._timeout, writing=True)
                current = same_file(fd, self._path)
                if current and os.fstat(fd).st_size > 0:
                    return file
                if current and not create:
                    raise problems.gone(self._path)
                if current:
                    self._begin(fd)
            except BaseException:
                file.close()
                raise
            file.close()

    def _begin(self, fd: int) -> None:
        if sys.platform == "win32":
            # An open file can't be replaced there.
            write_all(fd, framed([HEADER], START))
        else:
            # The first line is there whole or not at all, like all that replaces a file.
            self._replace_file([HEADER])

    def _open_to_append(self, *, create: bool) -> FileIO:
        if create:
            make_parents(self._path)
        elif not self._path.exists():
            raise problems.gone(self._path)
        if self._path.exists() and not self._path.is_file():
            raise problems.not_a_file(self._path)
        flags = os.O_RDWR | os.O_APPEND | BINARY | (os.O_CREAT if create else 0)
        return FileIO(self._path, "r+", opener=lambda path, _: os.open(path, flags, 0o600))

    def _cut_torn_tail(self, fd: int) -> None:
        torn = os.fstat(fd).st_size - self._end
        if torn > 0:
            _LOG.warning(
                "%s ends in %d bytes of a commit that was never finished; they were cut off.",
                self._path,
                torn,
            )
            os.ftruncate(fd, self._end)

    def _replace_file(self, payloads: list[bytes]) -> None:
        partial = self._path.with_name(f"{self._path.name}.{os.urandom(8).hex()}.tmp")
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        try:
            try:
                write_all(fd, framed(payloads, START))
                sync_file(fd)
            finally:
                os.close(fd)
            shutil.copymode(self._path, partial)
            partial.replace(self._path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        sync_directory(self._path.parent)


def _read(fd: int, start: int, length: int) -> bytes:
    os.lseek(fd, start, os.SEEK_SET)
    parts = []
    while length > 0 and (part := os.read(fd, length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


def _after_fork() -> None:
    # An inherited opening shares its lock and its place with the parent's.
    for journal in list(_journals):
        journal.lock = threading.RLock()
        journal.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

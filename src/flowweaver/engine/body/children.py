"""What the processes that a body starts read, told to the one that waits for them."""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from weakref import WeakSet

from flowweaver.files.remembered import Identity
from flowweaver.forks import keep_free_in_copies

Told = tuple[str, str, bool, Identity | None]
"""How something was met, its path, whether it was given whole, and what was there."""


class Children:
    """What is told to one watch: by forked copies of it, and by all that are not forked."""

    __slots__ = ("__weakref__", "_journal", "_since")

    def __init__(self) -> None:
        self._journal: _Journal | None = None
        self._since = unforked.listen(self)

    def about_to_be_forked(self) -> None:
        """Let the copy of the watch in a process that is forked now tell this one."""
        if self._journal is None:
            self._journal = _Journal()

    def tell(self, *told: object) -> None:
        """Tell the process that forked this one, if it did."""
        if self._journal is not None and self._journal.is_anothers:
            self._journal.tell(line_of(told))

    def told(self) -> Iterator[Told]:
        """Yield what has been told so far; the last time that it is asked for."""
        if self._journal is not None:
            yield from _told_in(self._journal.lines())
        yield from _told_in(unforked.heard_by(self, self._since))


class _Journal:
    """A file without a name that a process and those it forks have in common.

    Lines of several processes don't mix: they share the place in the file that they write at.
    """

    __slots__ = ("_fd", "_maker")

    def __init__(self) -> None:
        import tempfile

        self._maker = os.getpid()
        self._fd, name = tempfile.mkstemp()
        os.unlink(name)  # noqa: PTH108 - text, as it was given

    def __del__(self) -> None:
        """Close this process's own way to the file."""
        os.close(self._fd)

    @property
    def is_anothers(self) -> bool:
        """Whether this process is a child of the one that made it."""
        return os.getpid() != self._maker

    def tell(self, line: bytes) -> None:
        """Write a line, in a child."""
        os.write(self._fd, line)

    def lines(self) -> list[bytes]:
        """Return what children have told so far."""
        if sys.platform == "win32":  # where nothing forks
            return []
        return os.pread(self._fd, os.fstat(self._fd).st_size, 0).splitlines()


class _Unforked:
    """The file that this process's children write to that are not forked.

    They may work for many bodies, one after another, and don't know for which: all that listen at
    the time hear what they tell.
    """

    def __init__(self) -> None:
        self._path = ""
        self._fd = self._maker = -1
        self._lock = RLock()  # a collection of garbage may come between, and run what listens
        self._listeners: WeakSet[Children] = WeakSet()
        keep_free_in_copies(self._lock)

    @property
    def is_there(self) -> bool:
        """Whether there may be such children."""
        return self._maker == os.getpid()

    def path(self) -> str:
        """Return where children are to write."""
        with self._lock:
            if self._maker != os.getpid():
                import tempfile

                self._fd, self._path = tempfile.mkstemp()
                self._maker = os.getpid()
                atexit.register(Path(self._path).unlink, missing_ok=True)
            return self._path

    def listen(self, listener: Children) -> int:
        """Return from where on what is told is for a listener."""
        if not self.is_there:
            return 0
        with self._lock:
            self._listeners.add(listener)
            return os.fstat(self._fd).st_size

    def heard_by(self, listener: Children, since: int) -> list[bytes]:
        """Return what was told since then; forget it if nobody else listens."""
        if not self.is_there:
            return []
        with self._lock:
            os.lseek(self._fd, since, os.SEEK_SET)
            lines = os.read(self._fd, os.fstat(self._fd).st_size).splitlines()
            self._listeners.discard(listener)
            if lines and not self._listeners:
                os.ftruncate(self._fd, 0)
        return lines


unforked = _Unforked()


def line_of(told: object) -> bytes:
    """Return what is told as a line."""
    return f"{json.dumps(told)}\n".encode()


def _told_in(lines: list[bytes]) -> Iterator[Told]:
    for how, path, is_whole, found in map(json.loads, lines):
        yield how, path, is_whole, None if found is None else Identity(*found)

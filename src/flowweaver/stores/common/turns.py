"""Turns at writing: one writer of a store at a time, and each that waits gets its turn.

A lock alone is unfair: whoever has just given it back and wants it again is there long before
anybody who sleeps. So there are three. Who wants to write stands at the gate, alone, until the
writer before is done; and the writer itself has to go back to the gate after some milliseconds, so
that it finds there whoever came meanwhile. Those who wait for the gate share the third lock: while
somebody has it, who has just had a turn stays away from the gate for a moment; and the longer they
have waited, the more often they look whether it is free. The locks are the system's, on files in
`<store>.locks/`: they are free as soon as their holder is dead.
"""

from __future__ import annotations

import os
import random
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from flowweaver.stores.common.disk import make_own_directory, open_plain
from flowweaver.stores.common.locks import lock_directory
from flowweaver.stores.common.oslock import share, try_lock, unlock

# How long a writer goes on before it looks whether others wait.
_BURST_SECONDS = 0.005
# Who has had a turn so lately lets those go first who wait for theirs.
_LATELY_SECONDS = 0.1
# Only one looks often for the end of a turn, and its pauses between looks grow. The pauses of those
# that queue for the gate shrink, so that whoever came first is the likeliest to find it free.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0001, 0.0005
_FIRST_PAUSE_IN_QUEUE, _SHORTEST_PAUSE_IN_QUEUE = 0.004, 0.0005
_GROWTH = 1.5


class Turns:
    """One opening's way to its turn. Callers keep their threads apart.

    The files are made when they are first needed, and removed by whoever closes while nobody has a
    turn: an opening that is left with a removed file takes the new one.

    Attributes:
        held: Whether it is this opening's turn.
    """

    def __init__(self, store: Path) -> None:
        directory = lock_directory(store)
        self._queue = _LockFile(directory / "waiting")
        self._gate = _LockFile(directory / "next-writer")
        self._work = _LockFile(directory / "writer")
        self._passed = 0.0
        self.held = False
        _all.add(self)

    @property
    def is_used(self) -> bool:
        """Whether this opening ever wanted a turn."""
        return self._gate.is_open or self._work.is_open

    def begin(self, seconds: float) -> bool:
        """Wait for the turn, `seconds` at most; return whether it came.

        To be called where `end` follows whatever happens, as an interrupt may come in between.
        """
        now = time.monotonic()
        if now - self._passed < _BURST_SECONDS and self._work.try_lock():
            self.held = True
            return True
        try:
            deadline = now + seconds
            self.held = self._pass_gate(now, deadline) and _lock_by(
                self._work, deadline, _growing()
            )
        finally:
            self._queue.unlock()
            self._gate.unlock()
        self._passed = time.monotonic()
        return self.held

    def _pass_gate(self, now: float, deadline: float) -> bool:
        """Wait for the gate; behind those who wait already, if the last turn was just now."""
        if now - self._passed < _LATELY_SECONDS and self._is_awaited():
            time.sleep(min(_FIRST_PAUSE_IN_QUEUE, max(0.0, deadline - now)))
        elif self._gate.try_lock():
            return True
        self._queue.share()
        try:
            return _lock_by(self._gate, deadline, _shrinking())
        finally:
            self._queue.unlock()

    def _is_awaited(self) -> bool:
        """Whether anybody waits for the gate."""
        is_free = self._queue.try_lock()
        self._queue.unlock()
        return not is_free

    def end(self) -> None:
        """Give the turn to others, if it is held."""
        self._work.unlock()
        self.held = False

    def close(self) -> None:
        """Let go of the files, and remove them if nobody has a turn or waits for one."""
        if self.is_used and self._gate.try_lock() and self._work.try_lock():
            if self._queue.try_lock():
                self._queue.remove()
            self._work.remove()
            self._gate.remove()
        self._forget()

    def _forget(self) -> None:
        """Close the files; the lock of whoever else has the same opening stays."""
        self.held = False
        self._work.close()
        self._gate.close()
        self._queue.close()


class _LockFile:
    """A file that is there to be locked, opened when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    @property
    def is_open(self) -> bool:
        return self._fd is not None

    def try_lock(self) -> bool:
        while True:
            fd = self._opened() if self._fd is None else self._fd
            if not try_lock(fd):
                return False
            if os.fstat(fd).st_nlink:
                return True
            self.close()  # removed by another; a new one may be there already

    def share(self) -> None:
        if self._fd is not None and not os.fstat(self._fd).st_nlink:
            self.close()  # removed by another, where nobody would see that it is shared
        share(self._opened() if self._fd is None else self._fd)

    def unlock(self) -> None:
        if self._fd is not None:
            unlock(self._fd)

    def remove(self) -> None:
        """Remove the file, whose lock is held here."""
        if sys.platform == "win32":
            self.close()  # an open file can't be removed there, nor one that another has open
        with suppress(OSError):
            self._path.unlink()
            self._path.parent.rmdir()

    def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _opened(self) -> int:
        while True:
            make_own_directory(self._path.parent)
            # Another's removal may take the empty directory away again.
            with suppress(FileNotFoundError):
                self._fd = open_plain(self._path, os.O_RDWR | os.O_CREAT)
                return self._fd


def _lock_by(file: _LockFile, deadline: float, pauses: Iterator[float]) -> bool:
    while not file.try_lock():
        if time.monotonic() >= deadline:
            return False
        time.sleep(next(pauses) * random.uniform(0.5, 1.0))
    return True


def _growing() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(_GROWTH * pause, _LONGEST_PAUSE)


def _shrinking() -> Iterator[float]:
    pause = _FIRST_PAUSE_IN_QUEUE
    while True:
        yield pause
        pause = max(pause / _GROWTH, _SHORTEST_PAUSE_IN_QUEUE)


_all: weakref.WeakSet[Turns] = weakref.WeakSet()


def _after_fork() -> None:
    # A lock belongs to the opening, which the child has inherited: left open, it would outlive us.
    for turns in list(_all):
        turns._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""The lock of a run: one holder per workflow and key, freed by the system when it dies.

Beside the store, in `<store>.locks/`, stands one file per workflow and key somebody works on. The
lock is the system's, on that file; what is written inside only tells others who has it. The file
is unlinked by its holder, so none is left but after a kill, and that one is free.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from flowweaver.errors import RunLockedError, StoreError
from flowweaver.records import ClaimRequest
from flowweaver.stores.common.disk import (
    BINARY,
    NotPlainError,
    entries,
    make_own_directory,
    open_plain,
    same_file,
)
from flowweaver.stores.common.leases import Holder, locked_by
from flowweaver.stores.common.oslock import lock_within, open_locked, try_lock

_GUARD_SECONDS = 10.0
_MOMENT_SECONDS = 0.02
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25


class RunLock:
    """The lock of one workflow and key, held from `acquire` (or `seize`) to `release`."""

    def __init__(self, store: Path, workflow: str, key: str) -> None:
        self._workflow = workflow
        self._directory = lock_directory(store)
        self._path = _lock_path(store, workflow, key)
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object has the lock."""
        return self._fd is not None

    def acquire_for(self, request: ClaimRequest) -> None:
        """Take the lock for a claim, which waits, or gives up, or (taking over) goes on without.

        Raises:
            RunLockedError: Another process or thread has it; the message says which.
        """
        if not request.take_over:
            self.acquire(request.wait)
            return
        with suppress(RunLockedError):
            self.acquire(0)

    def acquire(self, wait: float | None) -> None:
        """Take the lock, waiting up to `wait` seconds for another holder (None: for ever).

        Raises:
            RunLockedError: Another process or thread has it; the message says which.
        """
        # A sweep may have it for a moment to see whether it is free.
        deadline = None if wait is None else time.monotonic() + max(wait, _MOMENT_SECONDS)
        pause = _FIRST_PAUSE
        while not self._try():
            if deadline is not None and time.monotonic() >= deadline:
                raise RunLockedError(locked_by(self._workflow, self._holder()))
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def seize(self) -> None:
        """Take the lock's name away from its holder, whose own lock then guards nothing.

        Done where the holder's token is made worthless; does nothing if the lock is held here.
        """
        if self.held or sys.platform == "win32":
            return  # an open file can't be replaced there: the token alone guards
        fresh = self._directory / f"{os.urandom(8).hex()}.lock"
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        try:
            try_lock(fd)
            _write_holder(fd)
            with _guarded(self._directory):
                fresh.replace(self._path)
        except OSError:
            os.close(fd)
            with suppress(OSError):
                fresh.unlink()
            raise
        self._keep(fd)

    def release(self) -> None:
        """Give the lock back and remove its file. Does nothing if it is not held."""
        fd, self._fd = self._fd, None
        if fd is not None:
            _remove(fd, self._path)

    def _try(self) -> bool:
        while True:
            make_own_directory(self._directory)
            try:
                fd = open_locked(self._path)
            except FileNotFoundError:
                continue  # another's release took the empty directory away
            if fd is None:
                return False
            _write_holder(fd)
            self._keep(fd)
            return True

    def _keep(self, fd: int) -> None:
        self._fd = fd
        _held.add(self)

    def _holder(self) -> Holder | None:
        try:
            return Holder(**json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


def lock_directory(store: Path) -> Path:
    """Return where the locks of a store's runs stand."""
    return store.with_name(store.name + ".locks")


def remove_unused(store: Path) -> None:
    """Remove lock files that kills have left behind."""
    for path in _lock_paths(store):
        with suppress(OSError):
            fd = open_locked(path)
            if fd is not None:
                _remove(fd, path)


def is_held(store: Path, workflow: str, key: str) -> bool:
    """Return whether anybody has the lock of a workflow and key; nothing is made."""
    return _is_held(_lock_path(store, workflow, key))


def any_held(store: Path) -> bool:
    """Return whether anybody works on a run of the store."""
    return any(_is_held(path) for path in _lock_paths(store))


def _lock_path(store: Path, workflow: str, key: str) -> Path:
    name = blake2b(f"{workflow}\0{key}".encode(), digest_size=12).hexdigest()
    return lock_directory(store) / f"{name}.lock"


def _lock_paths(store: Path) -> Iterator[Path]:
    for entry in entries(lock_directory(store)):
        if entry.name.endswith(".lock"):
            yield Path(entry.path)


def _is_held(path: Path) -> bool:
    try:
        fd = _opened(path)
    except (FileNotFoundError, NotPlainError):
        return False
    except OSError as error:
        raise StoreError(f"The lock {path} can't be looked at: {error.strerror}.") from error
    try:
        return not try_lock(fd)
    finally:
        os.close(fd)


def _opened(path: Path) -> int:
    """Open a lock's file to be locked; where nothing can be written, to be read."""
    try:
        return open_plain(path, os.O_RDWR)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
    return open_plain(path, os.O_RDONLY)


def _write_holder(fd: int) -> None:
    holder = Holder.here()
    os.ftruncate(fd, 0)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, json.dumps(holder._asdict()).encode())


def _remove(fd: int, path: Path) -> None:
    if sys.platform == "win32":
        # An open file can't be unlinked there, nor one that somebody else has opened since.
        os.close(fd)
        with suppress(OSError):
            path.unlink()
        return
    try:
        with suppress(OSError), _guarded(path.parent):
            if same_file(fd, path):
                path.unlink()
    finally:
        os.close(fd)
    with suppress(OSError):
        path.parent.rmdir()


@contextmanager
def _guarded(directory: Path) -> Iterator[None]:
    # Between "the name is still mine" and the unlinking, nobody may seize the name.
    if sys.platform == "win32":
        yield
        return
    fd = os.open(directory, os.O_RDONLY)
    try:
        # Some network file systems can't lock a directory; seizing is rare enough there.
        with suppress(OSError):
            lock_within(fd, _GUARD_SECONDS)
        yield
    finally:
        os.close(fd)


_held: weakref.WeakSet[RunLock] = weakref.WeakSet()


def _close_inherited() -> None:
    # The lock belongs to the open file, which a child inherits: left open, it would outlive us.
    for lock in list(_held):
        fd, lock._fd = lock._fd, None
        if fd is not None:
            os.close(fd)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)

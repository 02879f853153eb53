"""Boundaries inside a child: each write, sync, rename and SQL statement, counted one by one.

At the boundary asked for the process is killed, or the call fails as a bad disk would have it.
All of it is put around the product from outside: the functions of `os`, the trace callback of
`sqlite3`, and SQLite's own test interface to replace its system calls.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import errno
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from random import Random
from typing import Any

# How a boundary is met: killed before the call, killed when half of a write is done, an error
# from this one call on for good, or an error this one time.
KILL, HALF, FULL, BROKEN, ONCE = "kill", "half", "full", "broken", "once"

_ERRORS = {FULL: errno.ENOSPC, BROKEN: errno.EIO, ONCE: errno.EIO}


class Boundaries:
    """Counts boundaries in this process; something happens at number `at`."""

    def __init__(self, at: int, how: str = KILL) -> None:
        self.at = at
        self.how = how
        self.count = 0

    def arm(self) -> None:
        """Put the counters in place. To be called in the child."""
        _watch_system(self)
        _watch_statements(self)
        _watch_sqlite(self)

    def is_next(self) -> bool:
        """Count one boundary; return whether it is the one, or one after it, to do something at."""
        self.count += 1
        if self.count == self.at and self.how == KILL:
            kill_myself()
        return self.count == self.at or (self.count > self.at and self.how in (FULL, BROKEN))

    @property
    def error(self) -> int:
        """The number of the error that calls are to fail with; 0 if they are not."""
        return _ERRORS.get(self.how, 0)


def killing(at: int, how: str = KILL) -> Callable[[], None]:
    """Return what has a child killed at a boundary."""
    return Boundaries(at, how).arm


def kill_myself() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


# The functions of `os` that change what is on disk.
_SYSTEM = (
    "open", "fsync", "fdatasync", "replace", "rename", "ftruncate", "unlink", "mkdir", "rmdir",
)  # fmt: skip


def _watch_system(boundaries: Boundaries) -> None:
    for name in _SYSTEM:
        setattr(os, name, _guarded(boundaries, getattr(os, name)))
    write = os.write

    def guarded_write(fd: int, data: bytes) -> int:
        if boundaries.is_next():
            if boundaries.how == HALF:
                write(fd, bytes(data)[: len(data) // 2])
                kill_myself()
            _fail(boundaries)
        return write(fd, data)

    os.write = guarded_write  # type: ignore[assignment]


def _guarded(boundaries: Boundaries, call: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*arguments: Any, **more: Any) -> Any:
        if boundaries.is_next():
            if boundaries.how == HALF:
                kill_myself()
            # What only takes things away still works on a full disk.
            if boundaries.how != FULL or call.__name__ in ("open", "mkdir", "fsync", "fdatasync"):
                _fail(boundaries)
        return call(*arguments, **more)

    return guarded


def _fail(boundaries: Boundaries) -> None:
    raise OSError(boundaries.error, os.strerror(boundaries.error))


def _watch_statements(boundaries: Boundaries) -> None:
    if boundaries.error:
        return  # a statement itself does not fail
    connect = sqlite3.connect

    def traced(*arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **more)
        connection.set_trace_callback(lambda statement: _kill_if(boundaries.is_next()))
        return connection

    sqlite3.connect = traced  # type: ignore[assignment]


def _kill_if(due: bool) -> None:
    if due:
        kill_myself()


class _Vfs(ctypes.Structure):
    """`sqlite3_vfs`, as far as it is needed (https://www.sqlite.org/c3ref/vfs.html)."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("os_file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("methods", ctypes.c_void_p * 13),
        ("set_system_call", ctypes.c_void_p),
        ("get_system_call", ctypes.c_void_p),
    ]


_SET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_GET = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
_SIZE, _PLACE = ctypes.c_size_t, ctypes.c_int64
_CALLS = {
    b"write": (ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, _SIZE),
    b"pwrite": (ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, _SIZE, _PLACE),
    b"pwrite64": (ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, _SIZE, _PLACE),
    b"ftruncate": (ctypes.c_int, ctypes.c_int, _PLACE),
    b"unlink": (ctypes.c_int, ctypes.c_char_p),
}
_kept: list[Any] = []  # what C holds pointers to


def hold_up_sqlite(random: Random, share: float, seconds: float) -> None:
    """Have a share of SQLite's writes in this process take up to so many seconds."""

    def slow(call: Callable[..., int]) -> Callable[..., int]:
        def slowed(*arguments: Any) -> int:
            if random.random() < share:
                time.sleep(random.uniform(0.0, seconds))
            return call(*arguments)

        return slowed

    _replace_calls(lambda name, call: slow(call))


def _watch_sqlite(boundaries: Boundaries) -> None:
    _replace_calls(lambda name, call: _guarded_call(boundaries, name, call))


def _replace_calls(put_around: Callable[[bytes, Callable[..., int]], Callable[..., int]]) -> None:
    """Put something around the system calls of SQLite that change what is on disk."""
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.c_void_p
    library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    address = library.sqlite3_vfs_find(None)
    vfs = _Vfs.from_address(address)
    get, put = _GET(vfs.get_system_call), _SET(vfs.set_system_call)
    for name, (result, *arguments) in _CALLS.items():
        original = get(address, name)
        if not original:
            continue  # this SQLite was built without it
        prototype = ctypes.CFUNCTYPE(result, *arguments, use_errno=True)
        guarded = prototype(put_around(name, prototype(original)))
        _kept.append(guarded)
        put(address, name, ctypes.cast(guarded, ctypes.c_void_p))


def _guarded_call(
    boundaries: Boundaries, name: bytes, call: Callable[..., int]
) -> Callable[..., int]:
    def guarded(*arguments: Any) -> int:
        if boundaries.is_next():
            if boundaries.how == HALF:
                if name.endswith((b"write", b"write64")):
                    descriptor, data, size, *place = arguments
                    call(descriptor, data, size // 2, *place)
                kill_myself()
            if boundaries.how != FULL or name not in (b"unlink", b"ftruncate"):
                ctypes.set_errno(boundaries.error)
                return -1
        return call(*arguments)

    return guarded

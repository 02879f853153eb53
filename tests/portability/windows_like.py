"""A Python that has what Windows has and refuses what Windows refuses, as far as files go.

Run as ``python windows_like.py SCRIPT``: SCRIPT then finds ``sys.platform`` to be "win32".
"""

import asyncio
import errno
import fcntl
import multiprocessing
import os
import runpy
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path
from types import ModuleType

import click
import cloudpickle

# They look at the platform when they are imported, and are not what is tried here.
_IMPORTED_BEFORE = (asyncio, click, cloudpickle, metadata, multiprocessing, sqlite3, subprocess)

_LACKING = {
    os: "fdatasync fork forkpty geteuid getgid getuid killpg mkfifo posix_spawn pread pwrite "
    "register_at_fork sched_getaffinity setpgid setsid O_CLOEXEC O_DIRECTORY WNOHANG",
    select: "poll",
    signal: "SIGCHLD SIGHUP SIGKILL SIGUSR1 SIG_SETMASK pthread_kill pthread_sigmask",
    socket: "AF_UNIX recv_fds send_fds",
}


def become() -> None:
    """Turn this process into one that looks like Windows."""
    tempfile.gettempdir()
    sysconfig.get_config_vars()
    shutil._use_fd_functions = False  # directories can't be opened
    for module, names in _LACKING.items():
        for name in names.split():
            vars(module).pop(name, None)
    sys.modules["msvcrt"] = _msvcrt()
    sys.modules["fcntl"] = None  # type: ignore[assignment]
    os.open = _refusing_directories(os.open)
    os.unlink = os.remove = _refusing_open_files(os.unlink, 1)
    os.replace = os.rename = _refusing_open_files(os.replace, 2)
    sys.platform = "win32"


def _msvcrt() -> ModuleType:
    module = ModuleType("msvcrt")
    vars(module).update(LK_UNLCK=0, LK_NBLCK=2, locking=_locking)
    return module


def _locking(fd: int, mode: int, _count: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_UN if mode == 0 else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, "Permission denied") from None


def _refusing_directories(real):
    def open_file(path, *arguments, **options):
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *arguments, **options)

    return open_file


def _refusing_open_files(real, count: int):
    """Refuse to take a file's name away while somebody has it open."""

    def change(*paths, **options):
        for path in paths[:count]:
            if os.path.realpath(path) in _open_here():
                raise PermissionError(errno.EACCES, "The file is in use", str(path))
        return real(*paths, **options)

    return change


def _open_here() -> set[str]:
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            found.add(str(link.readlink()))
        except OSError:
            continue  # the listing's own
    return found


if __name__ == "__main__":
    become()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")

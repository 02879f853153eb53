"""The journal of a store's SQLite file: which it has, and how a write-ahead log is kept small.

SQLite before 3.51.3 has a race: a checkpoint that begins while another connection commits can lose
commits, or leave a file that is malformed. It needs both at one instant, and here they never are:
each transaction and each checkpoint has the store's turn at writing (see `turns`), SQLite's own
checkpoints after a commit are switched off, and one at closing happens only where no other
connection is left. On disks that other machines may share, where memory is not, the rollback
journal is used, in PERSIST mode: by SQLite's pager, TRUNCATE and PERSIST sync the journal once
more when it is invalidated, so FULL survives power loss as EXTRA does in DELETE mode, for fewer
changes to the directory.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from os import stat  # what replaces `os.stat` later on, to hear of it, takes a while
from pathlib import Path

from flowweaver.stores.common.disk import file_system, is_local
from flowweaver.stores.common.urls import Durability

_LOG = logging.getLogger("flowweaver.stores")
_SYNCHRONOUS = {"full": "FULL", "process": "NORMAL"}

# A checkpoint copies each page once, however often it was written since the last: so it is worth
# its syncs only once there is much to copy. It is due after so many rows, or so much of a log.
_DUE_ROWS = 2000
_DUE_BYTES = 8 * 1024 * 1024
_LOOK_EVERY = 16
_KEPT_BYTES = 16 * 1024 * 1024
# Beyond this somebody's reading keeps the log from starting again at its beginning.
_LARGE_BYTES = 64 * 1024 * 1024


def configure(connection: sqlite3.Connection, durability: Durability) -> None:
    """Set what holds for the connection in either journal."""
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    connection.execute(f"PRAGMA journal_size_limit = {_KEPT_BYTES}")


def wanted_mode(path: Path) -> str:
    """Return the journal mode that a store at this path should have."""
    return "wal" if is_local(path) else "persist"


def log_path(path: Path) -> Path:
    """Return where SQLite puts the write-ahead log."""
    return path.with_name(path.name + "-wal")


def log_size(path: Path) -> int:
    """Return the size of the write-ahead log in bytes: 0 if there is none."""
    try:
        return log_path(path).stat().st_size
    except FileNotFoundError:
        return 0


class Journal:
    """The journal of one connection. What is done here needs the turn at writing."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.mode = _chosen_mode(connection, path)
        self._connection = connection
        self._log = os.fspath(log_path(path))
        self._rows = connection.total_changes
        self._commits = 0
        self._due_bytes = _DUE_BYTES
        self._warned = False
        self._identity: tuple[int, int] | None = None

    def committed(self) -> None:
        """A transaction was committed: move the log into the file if that is due."""
        if self._commits == 0:
            self._identity = self._found()
        self._commits += 1
        if self._connection.total_changes - self._rows >= _DUE_ROWS or self._has_grown():
            self.checkpoint()

    def checkpoint(self, how: str = "PASSIVE") -> None:
        """Move as much of the log into the file as readers let go; it is then begun anew.

        Does nothing where there is no log.
        """
        question = f"PRAGMA wal_checkpoint({how})"
        _, pages, moved = self._connection.execute(question).fetchone()
        self._rows = self._connection.total_changes
        size = self._size()
        self._due_bytes = size + _DUE_BYTES
        if pages != moved and size > _LARGE_BYTES and not self._warned:
            self._warned = True
            _LOG.warning(
                "%s has grown to %d MB, as a program keeps reading an old state of the store; "
                "it shrinks once that program is done.",
                self._log,
                size // 1_000_000,
            )

    def _has_grown(self) -> bool:
        if self._commits % _LOOK_EVERY:
            return False
        size = self._size()
        # Once begun anew, it may have been cut.
        self._due_bytes = min(self._due_bytes, size + _DUE_BYTES)
        return size >= self._due_bytes

    def remove_log(self) -> None:
        """Remove the log, once its file is gone or replaced by another, whose log it is not."""
        if self._identity is not None and self._identity == self._found():
            for suffix in ("", "shm"):
                Path(self._log[: -len("wal")] + (suffix or "wal")).unlink(missing_ok=True)

    def _found(self) -> tuple[int, int] | None:
        try:
            status = stat(self._log)  # noqa: PTH116 - as below
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _size(self) -> int:
        try:
            return stat(self._log).st_size  # noqa: PTH116 - twice as fast, and asked for often
        except FileNotFoundError:
            return 0


def _chosen_mode(connection: sqlite3.Connection, path: Path) -> str:
    """Have the file use the journal it should, if nobody is in the way; return what it uses."""
    if not is_local(path):
        _LOG.warning(
            "%s is on a file system (%s) that other machines may share; prefer a local disk.",
            path,
            file_system(path),
        )
    wanted = wanted_mode(path)
    (found,) = connection.execute("PRAGMA journal_mode").fetchone()
    if found != wanted:
        # Changing it takes a moment without other connections.
        with suppress(sqlite3.OperationalError):
            (found,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
    if found != wanted:
        _LOG.warning("%s stays in journal mode %s, as it can't be changed at present.", path, found)
    return str(found)

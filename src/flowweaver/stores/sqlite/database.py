"""The SQLite file under a store: opening, checking, locking, and saying what went wrong.

Which journal SQLite keeps is decided here. Its write-ahead log has a race in versions before
3.51.3 (and 3.50.7, 3.44.6 in their lines): two connections that write and checkpoint at one
instant can lose commits. There, and on disks other machines may share, the rollback journal is
used, in PERSIST mode: by SQLite's pager, TRUNCATE and PERSIST sync the journal once more when it
is invalidated, so FULL survives power loss as EXTRA does in DELETE mode, for fewer changes to
the directory.
"""

from __future__ import annotations

import ctypes
import logging
import os
import random
import sqlite3
import stat
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from flowweaver.stores.common import problems
from flowweaver.stores.common.columns import DamagedRowError
from flowweaver.stores.common.disk import (
    BINARY,
    file_system,
    is_local,
    make_parents,
    same_file,
    sync_directory,
)
from flowweaver.stores.common.urls import Durability
from flowweaver.stores.sqlite import schema
from flowweaver.stores.sqlite.errors import explain, is_busy, spoils_connection
from flowweaver.stores.sqlite.migrate import bring_up_to_date, check_tables, faults, version_of

T = TypeVar("T")

CHECKED_SIZE = 64 * 1024 * 1024
"""Files up to this many bytes are checked whole when they are opened (some 0.2 s at most)."""

_LOG = logging.getLogger("flowweaver.stores")
_SYNCHRONOUS = {"full": "FULL", "process": "NORMAL"}
# SQLite's own wait is kept short, as nothing interrupts it; the rest is waited for here.
_INNER_WAIT_SECONDS = 1.0
_SMALLEST_FILE = 512
_JOURNAL_BYTES_KEPT = 4 * 1024 * 1024


def wal_is_sound(version: tuple[int, int, int]) -> bool:
    """Return whether the write-ahead log of this SQLite version is free of the reset race."""
    return (
        version >= (3, 51, 3)
        or (3, 50, 7) <= version < (3, 51, 0)
        or (3, 44, 6) <= version < (3, 45, 0)
    )


class Database:
    """One SQLite file and the connection this process has to it, opened at first use.

    A connection is never used, nor closed, in a forked child: that one opens its own.
    """

    _opening = threading.Lock()

    def __init__(self, path: Path, durability: Durability, timeout: float) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._durability = durability
        self._timeout = timeout
        self._connection: sqlite3.Connection | None = None
        self._opened: os.stat_result | None = None
        self._journal = ""
        self._closer: weakref.finalize[..., Database] | None = None
        _databases.add(self)

    def read(self, work: Callable[[sqlite3.Connection], T], missing: T) -> T:
        """Return what `work` makes of the connection, or `missing` where there is no store yet."""

        def attempt() -> T:
            connection = self._connected(create=False)
            return missing if connection is None else work(connection)

        return self._persist(attempt, writing=False)

    def write(self, work: Callable[[sqlite3.Connection], T], *, create: bool = False) -> T:
        """Do `work` in one transaction, again and again while others are in the way.

        Raises:
            StoreWriteError: Nothing was written.
        """

        def attempt() -> T:
            connection = self._connected(create=create)
            if connection is None:
                raise problems.gone(self.path)
            return self._transaction(connection, work)

        return self._persist(attempt, writing=True)

    def exists(self) -> bool:
        """Return whether there is a store already."""
        return self.read(lambda _: True, False)

    def journal_mode(self) -> str:
        """Return how this process writes, or would write, to the file; changes nothing."""
        return self._journal or self._wanted_journal()

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self.lock:
            self._disconnect()

    def _persist(self, attempt: Callable[[], T], *, writing: bool) -> T:
        deadline = time.monotonic() + self._timeout
        with self.lock:
            while True:
                try:
                    return attempt()
                except (DamagedRowError, UnicodeDecodeError) as error:
                    raise problems.damaged(self.path, str(error)) from error
                except OSError as error:
                    raise problems.from_os(self.path, error, writing=writing) from error
                except sqlite3.Error as error:
                    if spoils_connection(error):
                        self._disconnect()
                    if not is_busy(error):
                        raise explain(error, self.path, writing=writing) from error
                    if time.monotonic() >= deadline:
                        raise problems.busy(self.path, self._timeout, writing=writing) from error
                time.sleep(random.uniform(0.001, 0.02))

    def _transaction(
        self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]
    ) -> T:
        if not self._journal:
            self._choose_journal(connection)
        try:
            connection.execute("BEGIN IMMEDIATE")
            answer = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise
        return answer

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()

    # Opening and closing.

    def _connected(self, *, create: bool) -> sqlite3.Connection | None:
        if self._opened is not None and not same_file(self._opened, self.path):
            self._disconnect()
        if self._connection is None:
            self._connect(create=create)
        return self._connection

    def _connect(self, *, create: bool) -> None:
        # One opening at a time: see `_make_file`.
        with Database._opening:
            if not self._there(create=create):
                return
            opened = self.path.stat()
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode=rw",
                uri=True,
                timeout=min(_INNER_WAIT_SECONDS, self._timeout),
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._configure(connection)
                usable = self._examine(connection, create=create)
            except BaseException:
                connection.close()
                raise
        if not usable:
            connection.close()
            return
        self._connection, self._opened = connection, opened
        self._closer = weakref.finalize(self, _close, connection, os.getpid(), wrote=False)

    def _there(self, *, create: bool) -> bool:
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            if create:
                _make_file(self.path)
            return create
        if not stat.S_ISREG(status.st_mode):
            raise problems.not_a_file(self.path)
        if 0 < status.st_size < _SMALLEST_FILE:
            # SQLite itself takes a file of one byte for an empty one.
            raise problems.damaged(self.path, f"it is only {status.st_size} bytes long")
        return create or status.st_size > 0

    def _configure(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cache_size = -16000")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[self._durability]}")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES_KEPT}")

    def _examine(self, connection: sqlite3.Connection, *, create: bool) -> bool:
        # Inside one transaction, as another process may be making or migrating the tables.
        connection.execute("BEGIN")
        found = version_of(connection, self.path)
        connection.execute("COMMIT")
        if found == 0 and not create:
            return False
        if found < len(schema.MIGRATIONS):
            bring_up_to_date(connection, self.path)
        connection.execute("BEGIN")
        check_tables(connection, self.path)
        if self.path.stat().st_size <= CHECKED_SIZE and (wrong := faults(connection)):
            raise problems.damaged(self.path, wrong[0])
        connection.execute("COMMIT")
        return True

    def _wanted_journal(self) -> str:
        sound = wal_is_sound(sqlite3.sqlite_version_info) and is_local(self.path)
        return "wal" if sound else "persist"

    def _choose_journal(self, connection: sqlite3.Connection) -> None:
        if not is_local(self.path):
            _LOG.warning(
                "%s is on a file system (%s) that other machines may share; prefer a local disk.",
                self.path,
                file_system(self.path),
            )
        wanted = self._wanted_journal()
        (found,) = connection.execute("PRAGMA journal_mode").fetchone()
        if found != wanted:
            # Leaving the write-ahead log takes a moment without other connections.
            with suppress(sqlite3.OperationalError):
                (found,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        if found != wanted:
            _LOG.warning(
                "%s stays in journal mode %s, as it can't be changed at present.", self.path, found
            )
        self._journal = found
        if self._closer is not None:
            self._closer.detach()
        self._closer = weakref.finalize(self, _close, connection, os.getpid(), wrote=True)

    def _disconnect(self) -> None:
        closer, self._closer = self._closer, None
        self._connection, self._opened, self._journal = None, None, ""
        if closer is not None:
            closer()

    def _forget(self) -> None:
        """Start anew in a forked child."""
        if self._connection is not None:
            # Closing it would undo the parent's transaction; so it must never be collected.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))
        if self._closer is not None:
            self._closer.detach()
        self.lock = threading.RLock()
        self._closer = None
        self._connection, self._opened, self._journal = None, None, ""


def _make_file(path: Path) -> None:
    # Readable by its owner alone from the start. Closing a file frees all locks that this process
    # has on it, so no connection may be opened meanwhile.
    make_parents(path)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o600))
        sync_directory(path.parent)


def _close(connection: sqlite3.Connection, pid: int, *, wrote: bool) -> None:
    if pid != os.getpid():
        return
    if wrote:
        # Leave one plain file, if nobody else has it open: no journal stays beside it, and it can
        # be read where nothing can be written.
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _after_fork() -> None:
    Database._opening = threading.Lock()
    for database in list(_databases):
        database._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

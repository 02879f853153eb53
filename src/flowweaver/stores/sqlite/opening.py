"""Opening a store's SQLite file: what is no store, newer or damaged is refused and left alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from flowweaver.stores.common import problems
from flowweaver.stores.common.disk import BINARY, make_parents
from flowweaver.stores.common.urls import Durability
from flowweaver.stores.sqlite import journal, schema
from flowweaver.stores.sqlite.migrate import (
    check_tables,
    faults,
    faults_in_runs,
    version_of,
)
from flowweaver.syncing import sync_directory

CHECKED_SIZE = 16 * 1024 * 1024
"""Files up to this many bytes are checked whole when they are opened (some 50 ms at most)."""

_SMALLEST_FILE = 512


def is_there(path: Path, *, create: bool) -> bool:
    """Return whether there is a file to be opened; with `create` an empty one is made.

    Raises:
        StoreError: Something else stands in its place.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        if create:
            _make_file(path)
        return create
    if not stat.S_ISREG(status.st_mode):
        raise problems.not_a_file(path)
    if status.st_size == 0:
        problems.refuse_emptied(path)
    if 0 < status.st_size < _SMALLEST_FILE:
        # SQLite itself takes a file of one byte for an empty one.
        raise problems.damaged(path, f"it is only {status.st_size} bytes long")
    return create or status.st_size > 0


def connect(
    path: Path, durability: Durability, busy_seconds: float, *, whole: bool
) -> tuple[sqlite3.Connection, int]:
    """Return a connection to the file and the version of its tables, which are sound.

    With `whole`, all of a file that is not large was looked at, and of a large one the runs.

    Raises:
        StoreError: The file is another program's, of a newer version, or damaged.
    """
    if journal.log_size(path) > 0:
        # A log that is not this file's (of one that stood here before) must not be moved into it,
        # as the last connection does when it is closed; unless it can only read.
        looking = _connected(path, "mode=ro", busy_seconds)
        with closing(looking):
            _examined(looking, path, whole)
        whole = False
    try:
        connection = _connected(path, "mode=rw", busy_seconds)
    except sqlite3.OperationalError as error:
        if not _misses_what_cannot_be_made(error, path):
            raise
        connection = _connected(path, "mode=ro&immutable=1", busy_seconds)
    try:
        journal.configure(connection, durability)
        return connection, _examined(connection, path, whole)
    except BaseException:
        connection.close()
        raise


def _uri_of(path: Path) -> str:
    """Return a path as SQLite takes it with options."""
    if os.name == "nt":
        return path.as_uri()
    # From Python 3.14 on, `Path.as_uri` takes longer than all the rest of opening a file.
    return f"file://{quote(os.fsencode(path))}"


def _connected(path: Path, options: str, busy_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{_uri_of(path)}?{options}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cache_size = -16000")
    except BaseException:
        connection.close()
        raise
    return connection


def _misses_what_cannot_be_made(error: sqlite3.OperationalError, path: Path) -> bool:
    """Whether only what can't be put beside it keeps a file from being read: there is no log."""
    code = error.sqlite_errorcode & 0xFF
    unmade = code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
    return unmade and not os.access(path.parent, os.W_OK) and journal.log_size(path) == 0


def _examined(connection: sqlite3.Connection, path: Path, whole: bool) -> int:
    """Return the version of the tables, 0 if there are none, having looked at what is there."""
    # Inside one transaction, as another process may be making or migrating them.
    connection.execute("BEGIN")
    found = version_of(connection, path)
    if found and not is_outdated(found):
        check_tables(connection, path)
        if whole:
            _check(connection, path)
    connection.execute("COMMIT")
    return found


def _check(connection: sqlite3.Connection, path: Path) -> None:
    size = path.stat().st_size
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    # SQLite itself takes what is missing of the last page for zeros.
    if journal.log_size(path) == 0 and size % page_size:
        raise problems.damaged(path, f"its last page is cut off after {size % page_size} bytes")
    if wrong := (faults if size <= CHECKED_SIZE else faults_in_runs)(connection):
        raise problems.damaged(path, wrong[0])


def is_outdated(found: int) -> bool:
    """Return whether tables of this version are to be made or brought up to date."""
    return found < len(schema.MIGRATIONS)


def _make_file(path: Path) -> None:
    # Readable by its owner alone from the start. Closing a file frees all locks that this process
    # has on it, so no connection may be opened meanwhile.
    make_parents(path)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o600))
        sync_directory(path.parent)

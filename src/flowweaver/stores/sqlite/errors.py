"""What SQLite's errors mean for a store."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from flowweaver.errors import StoreError
from flowweaver.stores.common import problems

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    # No such table or column: the schema was right when the file was opened.
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_CONSTRAINT,
}
# What the system would have said; SQLite keeps that to itself.
_SYSTEM = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_AUTH: errno.EACCES,
}
# After these the connection is as it was; after others it is better opened anew.
_HARMLESS = _BUSY | {sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG}


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another connection was in the way, so that trying again may help."""
    return _code(error) in _BUSY


def spoils_connection(error: sqlite3.Error) -> bool:
    """Return whether the connection had better be opened anew after this error."""
    return _code(error) not in _HARMLESS


def explain(error: sqlite3.Error, path: Path, *, writing: bool) -> StoreError:
    """Return the store's error for one of SQLite's."""
    code = _code(error)
    if code in _DAMAGE:
        return problems.damaged(path, str(error))
    number = _SYSTEM.get(code)
    if number is not None:
        cause = OSError(number, f"{os.strerror(number)} ({error})")
        return problems.from_os(path, cause, writing=writing)
    remedy = "see to its disk and to the rights on its directory, then run again"
    return (problems.unwritable if writing else problems.unreadable)(path, str(error), remedy)


def _code(error: sqlite3.Error) -> int:
    # The sqlite3 module gives no code to what it finds itself: texts that are not UTF-8
    # (OperationalError), and misuse (others).
    misuse = not isinstance(error, sqlite3.OperationalError)
    unknown = sqlite3.SQLITE_MISUSE if misuse else sqlite3.SQLITE_CORRUPT
    return int(getattr(error, "sqlite_errorcode", unknown)) & 0xFF

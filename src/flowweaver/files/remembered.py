"""Digests of files, remembered across processes by what the file system says of each file.

They are kept in the user's cache directory, in a SQLite file of their own. It is a help and nothing
more: where it can't be read or written, files are read again.
"""

from __future__ import annotations

import atexit
import os
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3

# A file changed within one tick of the clock that stamps files may change again unseen. Linux ticks
# every 1 to 10 ms; file systems that stamp whole seconds say so by their stamps.
_TICK_NS = 50_000_000
_SECOND_NS = 1_000_000_000
_BATCH = 512
_LARGEST_BYTES = 32 * 1024 * 1024
_TABLE = """
    CREATE TABLE IF NOT EXISTS files (
        path TEXT PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, inode INTEGER,
        digest TEXT
    ) WITHOUT ROWID
"""
_ONE = "SELECT size, modified, changed, inode, digest FROM files WHERE path = ?"
_KEEP = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)"


class Identity(NamedTuple):
    """What a file system says of a file that changes whenever its content does."""

    size: int
    modified: int
    changed: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """Return the identity in what `os.stat` says."""
        # SQLite's integers have 64 bits with a sign; inodes may have all 64.
        inode = status.st_ino & 0x7FFF_FFFF_FFFF_FFFF
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode)

    @property
    def is_settled(self) -> bool:
        """Whether the file would look different if it were changed from now on."""
        last = max(self.modified, self.changed)
        tick = _TICK_NS if last % _SECOND_NS else 2 * _SECOND_NS
        return last + tick < time.time_ns()


class Remembered:
    """The digests of files, in memory and on disk; from any thread, and in forked children."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, tuple[Identity, str]] = {}
        self._new: dict[str, tuple[Identity, str]] = {}
        self._database: sqlite3.Connection | None = None
        self._inherited: sqlite3.Connection | None = None
        self._is_closed = False
        atexit.register(self.flush)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def find(self, path: str, identity: Identity) -> str | None:
        """Return the digest of a file that looks so, if it was seen before."""
        with self._lock:
            known = self._known.get(path) or self._on_disk(path)
        return known[1] if known is not None and known[0] == identity else None

    def note(self, path: str, identity: Identity, digest: str) -> None:
        """Remember the digest of a file that looks so, unless it could change unseen."""
        if not identity.is_settled:
            return
        with self._lock:
            self._known[path] = self._new[path] = (identity, digest)
            if len(self._new) >= _BATCH:
                self._write()

    def flush(self) -> None:
        """Write what is new to disk."""
        with self._lock:
            self._write()

    def _on_disk(self, path: str) -> tuple[Identity, str] | None:
        """Ask for one file: there may be very many, of all projects, and a run has few."""
        import sqlite3  # runs without files do without it

        with suppress(sqlite3.Error, UnicodeEncodeError):
            database = self._open()
            found = database and database.execute(_ONE, (path,)).fetchone()
            if found:
                self._known[path] = Identity(*found[:-1]), found[-1]
        return self._known.get(path)

    def _write(self) -> None:
        rows, self._new = [(path, *known[0], known[1]) for path, known in self._new.items()], {}
        if not rows:
            return
        import sqlite3

        with suppress(sqlite3.Error, UnicodeEncodeError):
            database = self._open()
            if database is not None:
                with database:
                    database.executemany(_KEEP, rows)

    def _open(self) -> sqlite3.Connection | None:
        import sqlite3

        if self._database is None and not self._is_closed:
            try:
                self._database = _connect(_place())
            except (OSError, RuntimeError, sqlite3.Error):
                self._is_closed = True
        return self._database

    def _forked(self) -> None:
        """Start anew: neither lock nor connection of the parent may be used, or closed, here."""
        self._lock = Lock()
        self._new = {}
        if self._database is not None:
            self._inherited, self._database, self._is_closed = self._database, None, True


def _place() -> Path:
    """Return the file in the user's cache directory."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", "")) / "flowweaver" / "cache"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches" / "flowweaver"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
        base = (cache if cache.is_absolute() else Path.home() / ".cache") / "flowweaver"
    return base / "files.db"


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is no plain file")
        if status.st_size > _LARGEST_BYTES:
            path.unlink()
    database = sqlite3.connect(path, timeout=1.0, check_same_thread=False)
    try:
        # Losing it in a power cut costs some reading; waiting for the disk would cost each run.
        database.execute("PRAGMA synchronous = OFF")
        database.execute(_TABLE)
        database.commit()
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database

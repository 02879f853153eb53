"""The SQLite file under a store: reading, writing in turn, and saying what went wrong."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from os import stat  # what replaces `os.stat` later on, to hear of it, takes a while
from pathlib import Path
from typing import TypeVar

from flowweaver.errors import StoreError
from flowweaver.stores.common import problems
from flowweaver.stores.common.columns import DamagedRowError
from flowweaver.stores.common.turns import Turns
from flowweaver.stores.common.urls import Durability
from flowweaver.stores.sqlite import opening
from flowweaver.stores.sqlite.errors import explain, is_busy, spoils_connection
from flowweaver.stores.sqlite.journal import Journal, wanted_mode
from flowweaver.stores.sqlite.migrate import bring_up_to_date

T = TypeVar("T")

# SQLite's own wait is kept short, as nothing interrupts it; the rest is waited for here.
_INNER_WAIT_SECONDS = 1.0
_CLOSING_SECONDS = 1.0
_FORKING_SECONDS = 10.0


_TROUBLE = (DamagedRowError, UnicodeDecodeError, OSError, sqlite3.Error)
"""What work on a file raises where something is wrong with it, or others are in the way."""


class _OutdatedError(Exception):
    """The tables are to be brought up to date, which takes the turn at writing."""


@dataclass(slots=True)
class Opened:
    """A connection, the file it is to, and its journal once something is written."""

    connection: sqlite3.Connection
    status: os.stat_result
    journal: Journal | None = None


class Database:
    """One SQLite file and the connection this process has to it, opened at first use.

    A connection never goes through a fork: SQLite keeps in memory what locks it has, and a child
    has none of them. So it is closed before, and both sides open their own.
    """

    _opening = threading.Lock()

    def __init__(self, path: Path, durability: Durability, timeout: float) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._name = os.fspath(path)
        self._durability = durability
        self._timeout = timeout
        self._turns = Turns(path)
        self._opened: Opened | None = None
        self._closer: weakref.finalize[..., Database] | None = None
        self._is_busy = False
        self._is_trusted = False
        self._locked_for_fork = False
        _databases.add(self)

    def read(self, work: Callable[[sqlite3.Connection], T], missing: T) -> T:
        """Return what `work` makes of the connection, or `missing` where there is no store yet."""

        def attempt() -> T:
            opened = self._current(create=False)
            return missing if opened is None else work(opened.connection)

        try:
            return self._persist(attempt)
        except _OutdatedError:
            self.write(lambda _: None)
            return self._persist(attempt)

    def look(self, work: Callable[[sqlite3.Connection], T], missing: T) -> T:
        """Do as `read` does where `work` asks several questions about one moment.

        It must not take long: meanwhile the log can't be begun anew, and a rollback journal keeps
        writers out.
        """

        def at_one_moment(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                self._roll_back(connection)

        return self.read(at_one_moment, missing)

    def write(self, work: Callable[[sqlite3.Connection], T], *, create: bool = False) -> T:
        """Do `work` in one transaction, again and again while others are in the way.

        Raises:
            StoreWriteError: Nothing was written.
        """
        return self._in_turn(self._transaction, work, create=create)

    def write_one(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work`, which is a single statement and so a transaction, as `write` does."""
        return self._in_turn(self._statement, work)

    def alone(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do `work` in no transaction while nobody writes, then empty the write-ahead log."""
        self._in_turn(self._alone, work)

    def exists(self) -> bool:
        """Return whether there is a store already."""
        return self.read(lambda _: True, False)

    def journal_mode(self) -> str:
        """Return how this process writes, or would write, to the file; changes nothing."""
        journal = None if self._opened is None else self._opened.journal
        return wanted_mode(self.path) if journal is None else journal.mode

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self.lock:
            self._disconnect()

    def _in_turn(
        self,
        how: Callable[[Opened, Callable[[sqlite3.Connection], T]], T],
        work: Callable[[sqlite3.Connection], T],
        *,
        create: bool = False,
    ) -> T:
        # Every commit comes by here, hence with few calls.
        began: float | None = None
        with self.lock:
            self._is_busy = True
            try:
                while True:
                    try:
                        if not self._turns.begin(self._timeout):
                            raise problems.busy(self.path, self._timeout, writing=True)
                        opened = self._current(create=create)
                        if opened is None:
                            raise problems.gone(self.path)
                        return how(opened, work)
                    except _TROUBLE as error:
                        began = began or time.monotonic()
                        self._bear(error, began + self._timeout, writing=True)
                    finally:
                        self._turns.end()
                        if self._opened is None:
                            self._turns.close()
                    time.sleep(random.uniform(0.001, 0.02))
            finally:
                self._is_busy = False

    def _persist(self, attempt: Callable[[], T]) -> T:
        deadline = time.monotonic() + self._timeout
        with self.lock:
            self._is_busy = True
            try:
                while True:
                    try:
                        return attempt()
                    except _TROUBLE as error:
                        self._bear(error, deadline, writing=False)
                    time.sleep(random.uniform(0.001, 0.02))
            finally:
                self._is_busy = False

    def _bear(self, error: Exception, deadline: float, *, writing: bool) -> None:
        """Raise what an error comes to, unless others are in the way and there is time left."""
        if isinstance(error, DamagedRowError | UnicodeDecodeError):
            raise problems.damaged(self.path, str(error)) from error
        if isinstance(error, OSError):
            raise problems.from_os(self.path, error, writing=writing) from error
        assert isinstance(error, sqlite3.Error)
        if spoils_connection(error):
            self._disconnect()
        if not is_busy(error):
            raise explain(error, self.path, writing=writing) from error
        if time.monotonic() >= deadline:
            raise problems.busy(self.path, self._timeout, writing=writing) from error

    def _transaction(self, opened: Opened, work: Callable[[sqlite3.Connection], T]) -> T:
        connection, journal = opened.connection, self._journal_of(opened)
        try:
            connection.execute("BEGIN IMMEDIATE")
            answer = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise
        self._committed(journal)
        return answer

    def _statement(self, opened: Opened, work: Callable[[sqlite3.Connection], T]) -> T:
        journal = self._journal_of(opened)
        answer = work(opened.connection)
        self._committed(journal)
        return answer

    def _alone(self, opened: Opened, work: Callable[[sqlite3.Connection], T]) -> T:
        answer = work(opened.connection)
        self._journal_of(opened).checkpoint("TRUNCATE")
        return answer

    def _committed(self, journal: Journal) -> None:
        try:
            journal.committed()
        except sqlite3.Error as error:
            # What was committed is in the log, whatever becomes of that.
            if spoils_connection(error):
                self._disconnect()

    def _journal_of(self, opened: Opened) -> Journal:
        if opened.journal is None:
            opened.journal = Journal(opened.connection, self.path)
        return opened.journal

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()

    # Opening and closing.

    def _current(self, *, create: bool) -> Opened | None:
        opened = self._opened
        if opened is not None and not self._is_of_the_path(opened.status):
            self._disconnect()
            if self._turns.held and opened.journal is not None:
                opened.journal.remove_log()
        if self._opened is None:
            self._open(create=create)
        return self._opened

    def _is_of_the_path(self, opened: os.stat_result) -> bool:
        try:
            now = stat(self._name)  # noqa: PTH116 - text takes half as long, and it is asked each time
        except FileNotFoundError:
            return False
        return now.st_ino == opened.st_ino and now.st_dev == opened.st_dev

    def _open(self, *, create: bool) -> None:
        # One opening at a time: see `is_there`.
        with Database._opening:
            if not opening.is_there(self.path, create=create):
                return
            status = self.path.stat()
            if (status.st_dev, status.st_ino) in _inherited:
                raise StoreError(
                    f"This process was forked while its parent was at work on {self.path}; open "
                    "the store in a process that was started anew (spawn, forkserver)."
                )
            wait = min(_INNER_WAIT_SECONDS, self._timeout)
            connection, found = opening.connect(
                self.path, self._durability, wait, whole=not self._is_trusted
            )
            self._is_trusted = False
            try:
                if opening.is_outdated(found) and (found or create):
                    self._bring_up_to_date(connection)
            except BaseException:
                connection.close()
                raise
        if not found and not create:
            connection.close()
            return
        self._opened = Opened(connection, status)
        self._closer = weakref.finalize(self, _close, connection, self._turns, os.getpid())

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        if not self._turns.held:
            raise _OutdatedError
        bring_up_to_date(connection, self.path)

    def _disconnect(self) -> None:
        closer, self._closer = self._closer, None
        self._opened = None
        if closer is not None:
            closer()

    # Forking.

    def before_fork(self) -> None:
        """Close the connection, unless this very thread is at work with it."""
        if self.lock.acquire(timeout=_FORKING_SECONDS):
            self._locked_for_fork = True
            if not self._is_busy:
                self._is_trusted = self._opened is not None
                self._disconnect()

    def after_fork_in_parent(self) -> None:
        """Let others go on."""
        if self._locked_for_fork:
            self._locked_for_fork = False
            self.lock.release()

    def after_fork_in_child(self) -> None:
        """Start anew."""
        if self._opened is not None:
            import ctypes

            # Closing it would undo the parent's transaction; so it must never be collected.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._opened.connection))
            _inherited.add((self._opened.status.st_dev, self._opened.status.st_ino))
        if self._closer is not None:
            self._closer.detach()
        self.lock = threading.RLock()
        self._is_busy = self._locked_for_fork = False
        self._closer = self._opened = None


def _close(connection: sqlite3.Connection, turns: Turns, pid: int) -> None:
    if pid != os.getpid():
        return
    # The last connection to a file moves its log into it.
    if turns.held:
        connection.close()
        return
    try:
        if turns.is_used:
            turns.begin(_CLOSING_SECONDS)
        connection.close()
    finally:
        turns.close()


_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: set[tuple[int, int]] = set()
"""Files that a parent was at work on when this process was forked."""


def _before_fork() -> None:
    for database in list(_databases):
        database.before_fork()


def _after_fork_in_parent() -> None:
    for database in list(_databases):
        database.after_fork_in_parent()


def _after_fork_in_child() -> None:
    Database._opening = threading.Lock()
    for database in list(_databases):
        database.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )

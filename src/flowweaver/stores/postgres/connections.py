"""The connections a process has to a Postgres server: few, kept, and never a parent's.

A session is a connection with the store's schema. What is set in one does not outlast a
transaction, and no statement is prepared: between here and the server may stand a pooler that
gives each transaction another connection.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from flowweaver.stores.common.columns import Row
from flowweaver.stores.postgres.place import Place

if TYPE_CHECKING:
    import psycopg

# What goes wrong is told by errors of the store; psycopg's own words would land on stderr where
# nobody has configured logging.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

# Commits take turns at the disk, so more connections would only wait there.
_MOST = 4


@cache
def _in_schema(statement: str, schema: str) -> str:
    return statement.replace("$", f'"{schema}"')


class Session:
    """A connection at work in the store's schema."""

    __slots__ = ("_connection", "schema", "url")

    def __init__(self, connection: psycopg.Connection[Row], place: Place) -> None:
        self._connection = connection
        self.schema = place.schema
        self.url = place.url

    def run(self, statement: str, values: Any = None) -> psycopg.Cursor[Row]:
        """Run a statement of `schema` and return what it answers."""
        query: Any = _in_schema(statement, self.schema)
        return self._connection.execute(query, values, binary=True)

    def all(self, statement: str, values: Any = None) -> list[Row]:
        """Return all rows of the answer."""
        return self.run(statement, values).fetchall()

    def first(self, statement: str, values: Any = None) -> Row | None:
        """Return the first row of the answer, if there is one."""
        return self.run(statement, values).fetchone()

    def column(self, statement: str, values: Any = None) -> list[Any]:
        """Return the first value of each row."""
        return [row[0] for row in self.run(statement, values)]

    def pipeline(self) -> AbstractContextManager[object]:
        """Send statements without waiting for the answers of those before."""
        return self._connection.pipeline()

    def close(self) -> None:
        """Close the connection; what it had begun is undone."""
        self._connection.close()


class Connections:
    """Opens sessions, keeps those that are free, and hands each to one thread at a time."""

    def __init__(self, place: Place, prepare: Callable[[Session, bool], bool]) -> None:
        """Note where to connect to.

        Args:
            place: The store's.
            prepare: Looks at a new session, makes the store there if it is told to, and returns
                whether there is one.
        """
        self._place = place
        self._prepare = prepare
        self._reset()
        _all.add(self)

    @contextmanager
    def session(self, *, create: bool) -> Iterator[Session | None]:
        """Lend a session, or None where there is no store. After an error it is closed."""
        with self._places:
            try:
                session: Session | None = self._free.pop()
            except IndexError:
                session = self._opened(create)
            try:
                yield session
            except BaseException:
                if session is not None:
                    session.close()
                raise
            if session is not None:
                self._free.append(session)

    def close(self) -> None:
        """Close what is free."""
        _close_all(self._free)

    def _opened(self, create: bool) -> Session | None:
        import psycopg

        connection = psycopg.connect(self._place.conninfo, autocommit=True, prepare_threshold=None)
        session = Session(connection, self._place)
        try:
            usable = self._prepare(session, create)
        except BaseException:
            session.close()
            raise
        if not usable:
            session.close()
            return None
        self.reached = True
        return session

    def _reset(self) -> None:
        self._free: list[Session] = []
        self._places = threading.BoundedSemaphore(_MOST)
        self.reached = False
        self._closer = weakref.finalize(self, _close_all, self._free)

    def _forget(self) -> None:
        """Start anew in a forked child, where the parent's connections are of no use."""
        self._closer.detach()
        _inherited.extend(self._free)
        self._reset()


def _close_all(free: list[Session]) -> None:
    with suppress(IndexError):
        while True:
            free.pop().close()


# Never collected: to close one would end the parent's session.
_inherited: list[Session] = []
_all: weakref.WeakSet[Connections] = weakref.WeakSet()


def _after_fork() -> None:
    for connections in list(_all):
        connections._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

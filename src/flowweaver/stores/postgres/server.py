"""Transactions on a Postgres server, done anew when they did not come through.

When a connection is lost in a COMMIT, nobody can tell whether it came through. So each writing
transaction begins by asking for what it leaves behind: one that is in already is not done again.
That question waits for the server to be done with the transaction before, as it asks for a row
that one has locked.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from flowweaver.errors import StoreWriteError
from flowweaver.stores.common import problems
from flowweaver.stores.common.columns import DamagedRowError
from flowweaver.stores.common.urls import Durability
from flowweaver.stores.postgres import schema as sql
from flowweaver.stores.postgres.connections import Connections, Session
from flowweaver.stores.postgres.errors import explain, lost, passes
from flowweaver.stores.postgres.migrate import prepare
from flowweaver.stores.postgres.place import Place

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
# A server that was never reached is more likely misspelt than restarting.
_FIRST_TIMEOUT = 5.0


class Server:
    """A Postgres server as a store uses it.

    `timeout` is how many seconds a transaction is tried anew while the server restarts, the
    connection breaks or others are in the way.
    """

    def __init__(self, place: Place, durability: Durability, timeout: float) -> None:
        from psycopg import Error

        self._error = Error
        self._place = place
        self._timeout = timeout
        self._settings = sql.SETTINGS.format(synchronous=sql.SYNCHRONOUS[durability])
        self._connections = Connections(place, prepare)

    def read(self, work: Callable[[Session], T], missing: T) -> T:
        """Return what `work` makes of a session, or `missing` where there is no store yet."""

        def attempt() -> T:
            with self._connections.session(create=False) as db:
                return missing if db is None else work(db)

        return self._persist(attempt, self._timeout, writing=False)

    def write(
        self, work: Callable[[Session], T], *, create: bool = False, timeout: float | None = None
    ) -> T:
        """Do `work` in one transaction, again and again until it is known to be in.

        Raises:
            StoreWriteError: It is not in, or not known to be.
        """
        uncertain = False

        def attempt() -> T:
            nonlocal uncertain
            with self._connections.session(create=create) as db:
                if db is None:
                    raise problems.gone(self._place.url)
                try:
                    return self._transaction(db, work)
                except self._error as error:
                    uncertain = uncertain or lost(error)
                    raise

        try:
            return self._persist(attempt, timeout or self._timeout, writing=True)
        except StoreWriteError as error:
            if uncertain:
                raise problems.uncertain(self._place.url) from error.__cause__
            raise

    def exists(self) -> bool:
        """Return whether there is a store already."""
        return self.read(lambda _: True, False)

    def close(self) -> None:
        """Close the connections; the next use opens others."""
        self._connections.close()

    def _transaction(self, db: Session, work: Callable[[Session], T]) -> T:
        # What `work` does not wait for goes to the server in one go with the COMMIT.
        with db.pipeline():
            db.run(sql.BEGIN)
            db.run(self._settings)
            answer = work(db)
            end = db.run(sql.COMMIT)
        if end.statusmessage != "COMMIT":
            raise problems.unwritable(self._place.url, "it was rolled back", "run again")
        return answer

    def _persist(self, attempt: Callable[[], T], timeout: float, *, writing: bool) -> T:
        began = time.monotonic()
        pause = _FIRST_PAUSE
        while True:
            try:
                return attempt()
            except DamagedRowError as error:
                raise problems.damaged(self._place.url, str(error)) from error
            except self._error as error:
                patience = timeout if self._connections.reached else min(timeout, _FIRST_TIMEOUT)
                if not passes(error) or time.monotonic() - began > patience:
                    raise explain(error, self._place.url, writing=writing) from error
                if lost(error):
                    self._connections.close()  # the others are likely lost too
            time.sleep(random.uniform(0.5, 1.0) * pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

"""What Postgres's errors mean for a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowweaver.errors import StoreError
from flowweaver.stores.common import problems

if TYPE_CHECKING:
    import psycopg

_CONNECTION = "08"
_SHUTDOWN = "57P"  # by an administrator, in a crash, while starting up
_ROLLED_BACK = "40"  # deadlocks and serialisation failures
_PASSING = {
    "23505",  # unique violation: another made a run of that id at the same time
    "25P03",  # idle in transaction for too long: this process was held up
    "25P04",  # transaction took too long
    "53300",  # too many connections
    "55P03",  # lock not available: another is in the way
}
_DAMAGE = {
    "3F000",  # no such schema
    "42P01",  # no such table
    "42703",  # no such column
    "XX001",  # data corrupted
    "XX002",  # index corrupted
}
_REMEDIES = {
    "25006": "give the address of the primary server, which can be written to",
    "42501": "give this user the right to create a schema and to use it, or let another user",
    "53100": "free some space on the server's disk, then run again",
    "53200": "give the server more memory, then run again",
}
_UNREACHABLE = "see that the server runs and that address, user and password are right"
_ANY = "see what the server's log says, then run again"


def lost(error: psycopg.Error) -> bool:
    """Return whether the connection is gone, so that a COMMIT may be in or not."""
    from psycopg import InterfaceError, OperationalError

    code = error.sqlstate
    if code is None:
        # The connection was lost, or never made: those are found by the client.
        return isinstance(error, OperationalError | InterfaceError)
    return code.startswith((_CONNECTION, _SHUTDOWN))


def passes(error: psycopg.Error) -> bool:
    """Return whether the same transaction, done anew, may succeed."""
    code = error.sqlstate or ""
    return lost(error) or code in _PASSING or code[:2] == _ROLLED_BACK


def explain(error: psycopg.Error, place: str, *, writing: bool) -> StoreError:
    """Return the store's error for one of Postgres's, which trying again did not mend."""
    code = error.sqlstate
    reason = " ".join(str(error).split()) or type(error).__name__
    if code in _DAMAGE:
        return problems.damaged(place, reason)
    remedy = _UNREACHABLE if code is None else _REMEDIES.get(code, _ANY)
    return (problems.unwritable if writing else problems.unreadable)(place, reason, remedy)

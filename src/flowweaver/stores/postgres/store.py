"""A store in a Postgres database: many runners, on many machines, on many runs."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Collection, Hashable, Mapping, Sequence
from contextlib import suppress

from flowweaver.errors import RunLockedError, StoreError
from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    Lease,
    ResultRecord,
    RunRecord,
    StateRecord,
    Tally,
    TaskRecord,
)
from flowweaver.serialize import Encoded
from flowweaver.status import TaskStatus
from flowweaver.stores.common import problems
from flowweaver.stores.common.heartbeat import Heartbeat
from flowweaver.stores.common.leases import lease_key, locked_by
from flowweaver.stores.common.results import Unused
from flowweaver.stores.common.urls import (
    DEFAULT_DURABILITY,
    WAIT_SECONDS,
    Durability,
    checked_durability,
)
from flowweaver.stores.postgres import parts, queries, upkeep, writes
from flowweaver.stores.postgres import schema as sql
from flowweaver.stores.postgres.place import DEFAULT_SCHEMA, place_of, split_url
from flowweaver.stores.postgres.server import Server

_LEASE_SECONDS = 30.0
# The server may be gone for good, and the lease runs out by itself.
_RELEASE_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


class PostgresStateStore:
    """Runs in a Postgres database, results of up to 512 MiB too; needs ``flowweaver[postgres]``.

    Nothing is kept in a session and nothing prepared, so a pooler in transaction mode may stand
    between. The schema is made at the first claim and brought up to date by itself.

    Args:
        dsn: What libpq connects to: ``postgresql://user@host:5432/database``, or
            ``host=... dbname=...``. A password is better kept in its file or its environment.
        schema: Where in the database the tables are.
        durability: ``"full"`` survives power loss, if the server's disk does; ``"process"`` any
            kill of a runner, while a crash of the server may lose the last moments.
        lease_seconds: How long a run stays locked after its runner died without a word. The
            lease is renewed by each commit, and by a thread three times as often as needed.
        timeout: How many seconds a transaction is tried again while the server restarts, the
            connection breaks or others are in the way.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = DEFAULT_SCHEMA,
        durability: Durability = DEFAULT_DURABILITY,
        lease_seconds: float = _LEASE_SECONDS,
        timeout: float = WAIT_SECONDS,
    ) -> None:
        self._import()
        durability = checked_durability(durability)
        if not lease_seconds > 0:
            raise StoreError(f"lease_seconds must be more than 0, not {lease_seconds}.")
        options = {"schema": schema, "durability": durability}
        options |= {"lease_seconds": f"{lease_seconds:g}", "timeout": f"{timeout:g}"}
        defaults = {"schema": DEFAULT_SCHEMA, "durability": DEFAULT_DURABILITY}
        defaults |= {"lease_seconds": f"{_LEASE_SECONDS:g}", "timeout": f"{WAIT_SECONDS:g}"}
        told = {name: value for name, value in options.items() if value != defaults[name]}
        self._place = place_of(dsn, schema, told)
        self._durability = durability
        self._seconds = lease_seconds
        self._server = Server(self._place, durability, timeout)
        self._hold_nothing()
        _stores.add(self)

    @classmethod
    def from_url(cls, url: str) -> PostgresStateStore:
        """Return the store at ``postgresql://user@host:5432/database``.

        Options follow a question mark: ``?schema=team&durability=process``, beside those of libpq.
        """
        dsn, options = split_url(url)
        return cls(dsn, **options)

    @property
    def url(self) -> str:
        """Where the store is, as a user would write it, without a password."""
        return self._place.url

    @staticmethod
    def _import() -> None:
        try:
            import psycopg  # noqa: F401
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "PostgresStateStore needs psycopg 3: pip install 'flowweaver[postgres]'",
                name="psycopg",
            ) from error

    def __repr__(self) -> str:
        return f"PostgresStateStore({self.url!r})"

    # Leases and commits.

    def claim(self, request: ClaimRequest) -> Lease:
        """Find or make the run asked for and take the right to commit to it.

        Raises:
            RunLockedError: Another process or thread holds this workflow and key.
        """
        claim = writes.Claim(request, self._seconds)
        deadline = None if request.wait is None else time.monotonic() + request.wait
        pause = _FIRST_PAUSE
        while isinstance(answer := self._server.write(claim, create=True), writes.Refusal):
            if deadline is not None and time.monotonic() >= deadline:
                raise RunLockedError(_refusal(request.workflow, answer))
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        lease, held = answer
        self._leases[lease_key(lease)] = held
        self._heartbeat.add(held.owner)
        return lease

    def commit(self, lease: Lease, changes: Changes) -> None:
        """Write all of `changes` durably, or nothing.

        Raises:
            SupersededError: The run's token is no longer that of the lease.
            StoreWriteError: Nothing was written, or nobody can tell; the message says which.
        """
        held = self._leases.get(lease_key(lease))
        if held is None:
            raise problems.released(lease.run.id)
        nth = writes.number()
        with held.turn:
            try:
                self._server.write(
                    lambda db: writes.commit(db, lease, held, changes, nth, self._seconds)
                )
            except BaseException:
                held.places = None  # what an interrupt or a lost connection left is not known
                raise
        self._heartbeat.add(held.owner)

    def release(self, lease: Lease) -> None:
        """Give the run free for others."""
        held = self._leases.pop(lease_key(lease), None)
        if held is not None:
            self._heartbeat.remove(held.owner)
            with suppress(StoreError):
                self._server.write(
                    lambda db: db.run(sql.RELEASE, held.where), timeout=_RELEASE_SECONDS
                )

    def revision(self) -> Hashable:
        """Return something that differs whenever anything was committed since."""
        return self._server.read(queries.revision, None)

    def close(self) -> None:
        """Let go of connections; the store may be used again afterwards.

        Leases that were not released run out, unless a commit renews them.
        """
        self._heartbeat.stop()
        self._server.close()

    # Questions. None of them makes a schema or decodes a value.

    def is_held(self, run: RunRecord) -> bool:
        """Return whether a process works on the run at this moment."""
        return self._server.read(lambda db: queries.is_held(db, run), False)

    def runs(self, workflow: str | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """Return runs, newest first."""
        return self._server.read(lambda db: queries.runs(db, workflow, limit), [])

    def unfinished(self, workflow: str, key: str) -> Sequence[RunRecord]:
        """Return the unfinished runs of a workflow with parameters of that digest, newest first."""
        return self._server.read(lambda db: queries.unfinished(db, workflow, key), [])

    def run(self, run_id: str) -> RunRecord:
        """Return one run; raises `UnknownNameError` if there is none."""
        found = self._server.read(lambda db: queries.run(db, run_id), None)
        if found is None:
            raise problems.unknown_run(run_id, [run.id for run in self.runs()])
        return found[1]

    def tasks(
        self,
        run_id: str,
        start: int = 0,
        stop: int | None = None,
        *,
        task: str | None = None,
        statuses: Collection[TaskStatus] | None = None,
    ) -> Sequence[TaskRecord]:
        """Return the TaskRuns of a run, or some of them, in the order they were first written."""
        if task is None and statuses is None:
            return self._server.read(lambda db: queries.tasks(db, run_id, start, stop), [])
        return self._server.read(
            lambda db: parts.some_tasks(db, run_id, start, stop, task, statuses), []
        )

    def slowest(self, run_id: str, limit: int) -> Sequence[TaskRecord]:
        """Return the TaskRuns of a run that took longest, the longest first."""
        return self._server.read(lambda db: parts.slowest(db, run_id, limit), [])

    def tally(self, run_id: str) -> Tally:
        """Count the TaskRuns of a run by where they stand."""
        return self._server.read(lambda db: parts.tally(db, run_id), Tally())

    def attempts(self, run_id: str, task: str | None = None) -> Sequence[AttemptRecord]:
        """Return what was kept of attempts, in the order they were written."""
        return self._server.read(lambda db: queries.attempts(db, run_id, task), [])

    def find(self, workflow: str, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest completed TaskRun of that fingerprint in any run, if there is one."""
        return self._server.read(lambda db: queries.find(db, workflow, task, fingerprint), None)

    def find_anywhere(self, fingerprint: str, outside: str) -> tuple[str, TaskRecord] | None:
        """Return the newest completed TaskRun of that fingerprint, with its workflow."""
        return self._server.read(lambda db: queries.find_anywhere(db, fingerprint, outside), None)

    def begun(self, workflow: str, task: str, fingerprint: str) -> Sequence[TaskRecord]:
        """Return the TaskRuns of that fingerprint that are not completed, newest run first."""
        return self._server.read(lambda db: queries.begun(db, workflow, task, fingerprint), [])

    def result(self, digest: str) -> ResultRecord:
        """Return a stored value, its checksum verified.

        Raises:
            StoreCorruptError: It is missing or not as written.
        """
        found = self._server.read(lambda db: queries.result(db, digest), None)
        if found is None:
            raise problems.result_lost(self.url, digest, "it is missing")
        return found

    def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """Return the bytes that stored values take, by digest; those that are missing left out."""
        return self._server.read(lambda db: queries.sizes(db, digests), {})

    def state(self, run_id: str, task: str, element: str = "") -> Mapping[str, Encoded]:
        """Return what a task keeps for its next attempt."""
        return self._server.read(lambda db: queries.state(db, run_id, task, element), {})

    def states(self, run_id: str) -> Sequence[StateRecord]:
        """Return what all tasks of a run keep, in any order, those without a TaskRun included."""
        return self._server.read(lambda db: queries.states(db, run_id), [])

    def code(self, digest: str) -> str | None:
        """Return a piece of normalised source kept under its digest."""
        return self._server.read(lambda db: queries.code(db, digest), None)

    # Upkeep.

    def delete(self, run_ids: Sequence[str]) -> None:
        """Delete runs with all that belongs to them; results others refer to stay.

        While anybody works on a run, results stay until a later sweep.
        """
        if self._server.exists():
            self._server.write(lambda db: upkeep.delete_runs(db, run_ids))

    def sweep(self, *, dry_run: bool = False) -> tuple[int, int]:
        """Drop results and code that nothing refers to; return how many and their bytes.

        While anybody works on a run, which may be about to refer to results of earlier ones,
        nothing is dropped.
        """
        if dry_run or not self._server.exists():
            return self._server.read(upkeep.unused, Unused()).total
        return self._server.write(upkeep.drop_unused).total

    def exists(self) -> bool:
        """Return whether there is a store already."""
        return self._server.exists()

    def check(self, deep: bool = False) -> list[str]:
        """Return what is wrong with the store, in words; `deep` reads every row and result."""
        nothing: list[str] = []
        try:
            self._server.close()
            return self._server.read(upkeep.faults if deep else lambda _: nothing, nothing)
        except StoreError as error:
            return [str(error)]

    def describe(self) -> dict[str, object]:
        """Return what the store is: versions, durability, sizes in bytes."""
        return {
            "url": self.url,
            "durability": self._durability,
            "lease_seconds": self._seconds,
            **self._server.read(upkeep.describe, {"bytes": 0, "runs": 0}),
        }

    # How leases are kept.

    def _hold_nothing(self) -> None:
        server, seconds = self._server, self._seconds

        def renew(owners: Sequence[int]) -> None:
            server.write(lambda db: db.run(sql.RENEW, [seconds, list(owners)]))

        self._leases: dict[tuple[str, int], writes.Held] = {}
        self._heartbeat = Heartbeat(renew, seconds / 3)
        self._stopper = weakref.finalize(self, self._heartbeat.stop)


def _refusal(workflow: str, refusal: writes.Refusal) -> str:
    said = locked_by(workflow, refusal.holder)
    return f"{said} If that process is dead, its lease runs out in {refusal.seconds:.0f} s."


_stores: weakref.WeakSet[PostgresStateStore] = weakref.WeakSet()


def _after_fork() -> None:
    # The leases are the parent's, and so is the thread that renews them.
    for store in list(_stores):
        store._stopper.detach()
        store._hold_nothing()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

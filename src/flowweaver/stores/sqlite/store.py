"""The default store: one SQLite file."""

from __future__ import annotations

import os
from collections.abc import Collection, Hashable, Mapping, Sequence

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
from flowweaver.stores.common.at_path import AtPath
from flowweaver.stores.common.leases import lease_key
from flowweaver.stores.common.locks import RunLock, remove_unused
from flowweaver.stores.common.results import Staged, Unused, verified
from flowweaver.stores.common.urls import (
    DEFAULT_DURABILITY,
    WAIT_SECONDS,
    Durability,
    path_and_options,
)
from flowweaver.stores.sqlite import parts, queries, upkeep
from flowweaver.stores.sqlite.checking import check
from flowweaver.stores.sqlite.database import Database
from flowweaver.stores.sqlite.writes import (
    Held,
    commit,
    commit_row,
    is_one_row,
    take,
)


class SQLiteStateStore(AtPath):
    """Runs in a SQLite file; large results in `<path>.results/`, locks in `<path>.locks/`.

    `durability="full"` survives power loss, `"process"` any kill. `timeout` is how many seconds
    to wait for others that keep the file locked. The path is made absolute at once; nothing on
    disk is touched before the first use, and reading makes no file.
    """

    _scheme = "sqlite"

    def __init__(
        self,
        path: str | os.PathLike[str],
        durability: Durability = DEFAULT_DURABILITY,
        *,
        timeout: float = WAIT_SECONDS,
    ) -> None:
        super().__init__(path, durability)
        self._database = Database(self._path, self._durability, timeout)
        self._leases: dict[tuple[str, int], Held] = {}
        self._runs_seen: queries.RunsSeen = {}

    @classmethod
    def from_url(cls, url: str) -> SQLiteStateStore:
        """Return the store at ``sqlite:///relative.db`` or ``sqlite:////absolute.db``.

        Options follow a question mark: ``?durability=process``.
        """
        return cls(*path_and_options(url, cls._scheme))

    # Leases and commits.

    def claim(self, request: ClaimRequest) -> Lease:
        """Find or make the run asked for and take the right to commit to it.

        Raises:
            RunLockedError: Another process or thread holds this workflow and key.
        """
        lock = RunLock(self._path, request.workflow, request.key)
        try:
            lock.acquire_for(request)
            lease, held = self._taken(request, lock)
        except OSError as error:
            lock.release()
            raise problems.from_os(self._path, error, writing=True) from error
        except BaseException:
            lock.release()
            raise
        self._leases[lease_key(lease)] = held
        return lease

    def _taken(self, request: ClaimRequest, lock: RunLock) -> tuple[Lease, Held]:
        staged = self._files.stage(request.results)
        try:
            return self._database.write(
                lambda connection: take(connection, request, lock, staged), create=True
            )
        finally:
            _discard(staged)

    def commit(self, lease: Lease, changes: Changes) -> None:
        """Write all of `changes` durably, or nothing.

        Raises:
            SupersededError: The run's token is no longer that of the lease.
            StoreWriteError: Nothing was written.
        """
        with self._database.lock:
            held = self._leases.get(lease_key(lease))
            if held is None:
                raise problems.released(lease.run.id)
            try:
                self._commit(lease, held, changes)
            except BaseException:
                held.forget()  # an interrupt may have come after the commit
                raise

    def _commit(self, lease: Lease, held: Held, changes: Changes) -> None:
        if is_one_row(held, changes):
            (record,) = changes.tasks
            if self._database.write_one(lambda db: commit_row(db, lease, held, record)):
                return
        staged = self._stage(changes.results)
        try:
            self._database.write(lambda db: commit(db, lease, held, changes, staged))
        finally:
            _discard(staged)
        held.note(changes.results)

    def _stage(self, results: Sequence[ResultRecord]) -> Staged | None:
        try:
            return self._files.stage(results)
        except OSError as error:
            raise problems.from_os(self._path, error, writing=True) from error

    def release(self, lease: Lease) -> None:
        """Give the run free for others."""
        held = self._leases.pop(lease_key(lease), None)
        if held is not None:
            held.lock.release()

    def revision(self) -> Hashable:
        """Return something that differs whenever anything was committed since."""
        return self._database.read(queries.revision, None)

    def close(self) -> None:
        """Let go of files and connections; the store may be used again afterwards."""
        self._database.close()

    # Questions. None of them makes a file, decodes a value or holds the file locked for long.

    def runs(self, workflow: str | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """Return runs, newest first."""
        return self._database.read(lambda db: queries.runs(db, workflow, limit), [])

    def unfinished(self, workflow: str, key: str) -> Sequence[RunRecord]:
        """Return the unfinished runs of a workflow with parameters of that digest, newest first."""
        return self._database.read(lambda db: queries.unfinished(db, workflow, key), [])

    def run(self, run_id: str) -> RunRecord:
        """Return one run; raises `UnknownNameError` if there is none."""
        found = self._database.read(lambda db: queries.run(db, run_id), None)
        if found is None:
            raise problems.unknown_run(run_id, [run.id for run in self.runs()])
        return found

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
            return self._database.look(lambda db: queries.tasks(db, run_id, start, stop), [])
        return self._database.look(
            lambda db: parts.some_tasks(db, run_id, start, stop, task, statuses), []
        )

    def slowest(self, run_id: str, limit: int) -> Sequence[TaskRecord]:
        """Return the TaskRuns of a run that took longest, the longest first."""
        return self._database.look(lambda db: parts.slowest(db, run_id, limit), [])

    def tally(self, run_id: str) -> Tally:
        """Count the TaskRuns of a run by where they stand."""
        return self._database.look(lambda db: parts.tally(db, run_id), Tally())

    def attempts(self, run_id: str, task: str | None = None) -> Sequence[AttemptRecord]:
        """Return what was kept of attempts, in the order they were written."""
        return self._database.look(lambda db: queries.attempts(db, run_id, task), [])

    def find(self, workflow: str, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest completed TaskRun of that fingerprint in any run, if there is one."""
        return self._database.read(
            lambda db: queries.find(db, workflow, task, fingerprint, self._runs_seen),
            None,
        )

    def find_anywhere(self, fingerprint: str, outside: str) -> tuple[str, TaskRecord] | None:
        """Return the newest completed TaskRun of that fingerprint, with its workflow."""
        return self._database.read(
            lambda db: queries.find_anywhere(db, fingerprint, outside, self._runs_seen), None
        )

    def begun(self, workflow: str, task: str, fingerprint: str) -> Sequence[TaskRecord]:
        """Return the TaskRuns of that fingerprint that are not completed, newest run first."""
        return self._database.read(
            lambda db: queries.begun(db, workflow, task, fingerprint, self._runs_seen), []
        )

    def result(self, digest: str) -> ResultRecord:
        """Return a stored value, its checksum verified.

        Raises:
            StoreCorruptError: It is missing or not as written.
        """
        found = self._database.read(lambda db: queries.result(db, digest), None)
        if found is None:
            raise problems.result_lost(self._path, digest, "it is missing")
        codec, size, data, signature = found
        if data is None:
            return ResultRecord(self._files.encoded(digest, codec, size), signature)
        return ResultRecord(verified(self._path, digest, codec, data), signature)

    def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """Return the bytes that stored values take, by digest; those that are missing left out."""
        return self._database.read(lambda db: queries.sizes(db, digests), {})

    def state(self, run_id: str, task: str, element: str = "") -> Mapping[str, Encoded]:
        """Return what a task keeps for its next attempt."""
        nothing: list[tuple[str, str, bytes, str]] = []
        kept = self._database.look(lambda db: queries.state(db, run_id, task, element), nothing)
        return {
            name: verified(self._path, digest, codec, data) for name, codec, data, digest in kept
        }

    def states(self, run_id: str) -> Sequence[StateRecord]:
        """Return what all tasks of a run keep, in any order, those without a TaskRun included."""
        nothing: list[tuple[str, str, str, str, bytes, str]] = []
        kept = self._database.look(lambda db: queries.states(db, run_id), nothing)
        return [
            StateRecord(run_id, task, element, name, verified(self._path, digest, codec, data))
            for task, element, name, codec, data, digest in kept
        ]

    def code(self, digest: str) -> str | None:
        """Return a piece of normalised source kept under its digest."""
        return self._database.read(lambda db: queries.code(db, digest), None)

    # Upkeep.

    def delete(self, run_ids: Sequence[str]) -> None:
        """Delete runs with all that belongs to them; results others refer to stay.

        While anybody works on a run, results stay until a later sweep.
        """
        if self._database.exists():
            self._database.write(lambda db: upkeep.delete_runs(db, run_ids, self._path))
            self._database.write(lambda db: upkeep.remove_orphans(db, self._files))

    def sweep(self, *, dry_run: bool = False) -> tuple[int, int]:
        """Drop results and code that nothing refers to; return how many and their bytes.

        What kills have left behind goes too. While anybody works on a run, which may be about to
        refer to results of earlier ones, nothing is dropped.
        """
        if dry_run or not self._database.exists():
            found = self._database.look(
                lambda db: upkeep.unused(db, self._files, self._path), Unused()
            )
            return found.total
        swept = self._database.write(lambda db: upkeep.drop_unused(db, self._files, self._path))
        self._database.write(lambda db: upkeep.remove_orphans(db, self._files))
        self._database.alone(upkeep.shrink)
        self._files.remove_leftovers()
        remove_unused(self._path)
        return swept.total

    def exists(self) -> bool:
        """Return whether there is a store already."""
        return self._database.exists()

    def check(self, deep: bool = False) -> list[str]:
        """Return what is wrong with the store, in words; `deep` reads every row and result."""
        return check(self._database, deep=deep)

    def describe(self) -> dict[str, object]:
        """Return what the store is: versions, journal, durability, sizes in bytes."""
        return {
            "url": self.url,
            "durability": self._durability,
            **upkeep.describe(self._database, self._files),
        }


def _discard(staged: Staged | None) -> None:
    if staged is not None:
        staged.discard()

"""A store in memory: the reference of how stores behave, gone with its process."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Hashable, Mapping, Sequence

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
from flowweaver.stores.common.leases import Holder, lease_key, locked_by
from flowweaver.stores.common.tables import Tables


class MemoryStateStore:
    """Runs in memory. For tests and for runs that need not outlive their process."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._results: dict[str, ResultRecord] = {}
        self._leases: set[tuple[str, int]] = set()
        self._holders: dict[tuple[str, str], tuple[tuple[str, int], Holder]] = {}
        self._freed = threading.Condition(threading.RLock())

    @classmethod
    def from_url(cls, url: str) -> MemoryStateStore:
        """Return a new store; ``memory:`` has no place and no options."""
        if url.rstrip("/") != "memory:":
            raise StoreError(f"{url!r} is not the URL of a store; write 'memory:'.")
        return cls()

    @property
    def url(self) -> str:
        """Where the store is."""
        return "memory:"

    def claim(self, request: ClaimRequest) -> Lease:
        """Find or make the run asked for and take the right to commit to it."""
        with self._freed:
            if not request.take_over:
                self._await_free(request)
            settled = self._tables.settle(request)
            for run in (*settled.abandoned, settled.run):
                self._tables.put_run(run)
            self._put_results(request.results)
            tasks = tuple(self._tables.tasks(settled.run.id))
            lease = Lease(settled.run, settled.continued, tasks)
            self._leases.add(lease_key(lease))
            self._holders[request.workflow, request.key] = lease_key(lease), Holder.here()
            return lease

    def _await_free(self, request: ClaimRequest) -> None:
        deadline = None if request.wait is None else time.monotonic() + request.wait
        while (held := self._holders.get((request.workflow, request.key))) is not None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise RunLockedError(locked_by(request.workflow, held[1]))
            self._freed.wait(left)

    def commit(self, lease: Lease, changes: Changes) -> None:
        """Take in all of `changes`, or nothing."""
        with self._freed:
            if lease_key(lease) not in self._leases:
                raise problems.released(lease.run.id)
            self._tables.check(lease, changes)
            self._put_results(changes.results)
            self._tables.apply(lease.run.id, changes)

    def _put_results(self, results: Sequence[ResultRecord]) -> None:
        self._results.update((record.encoded.digest, record) for record in results)

    def release(self, lease: Lease) -> None:
        """Give the run free for others."""
        with self._freed:
            self._leases.discard(lease_key(lease))
            place = (lease.run.workflow, lease.run.key)
            if self._holders.get(place, (None,))[0] == lease_key(lease):
                del self._holders[place]
                self._freed.notify_all()

    def revision(self) -> Hashable:
        """Return something that differs whenever anything was committed since."""
        return self._tables.revision

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def is_held(self, run: RunRecord) -> bool:
        """Return whether a process works on the run at this moment."""
        return (run.workflow, run.key) in self._holders

    def runs(self, workflow: str | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """Return runs, newest first."""
        with self._freed:
            return self._tables.runs(workflow, limit)

    def unfinished(self, workflow: str, key: str) -> Sequence[RunRecord]:
        """Return the unfinished runs of a workflow with parameters of that digest, newest first."""
        with self._freed:
            return self._tables.unfinished(workflow, key)

    def run(self, run_id: str) -> RunRecord:
        """Return one run; raises `UnknownNameError` if there is none."""
        with self._freed:
            return self._tables.run(run_id)

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
        with self._freed:
            if task is None and statuses is None:
                return self._tables.tasks(run_id, start, stop)
            return self._tables.some_tasks(run_id, start, stop, task, statuses)

    def slowest(self, run_id: str, limit: int) -> Sequence[TaskRecord]:
        """Return the TaskRuns of a run that took longest, the longest first."""
        with self._freed:
            return self._tables.slowest(run_id, limit)

    def tally(self, run_id: str) -> Tally:
        """Count the TaskRuns of a run by where they stand."""
        with self._freed:
            return self._tables.tally(run_id)

    def attempts(self, run_id: str, task: str | None = None) -> Sequence[AttemptRecord]:
        """Return what was kept of attempts, in order."""
        with self._freed:
            return self._tables.attempts(run_id, task)

    def find(self, workflow: str, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest completed TaskRun of that fingerprint in any run, if there is one."""
        with self._freed:
            return self._tables.find(workflow, task, fingerprint)

    def find_anywhere(self, fingerprint: str, outside: str) -> tuple[str, TaskRecord] | None:
        """Return the newest completed TaskRun of that fingerprint, with its workflow."""
        with self._freed:
            return self._tables.find_anywhere(fingerprint, outside)

    def begun(self, workflow: str, task: str, fingerprint: str) -> Sequence[TaskRecord]:
        """Return the TaskRuns of that fingerprint that are not completed, newest run first."""
        with self._freed:
            return self._tables.begun(workflow, task, fingerprint)

    def result(self, digest: str) -> ResultRecord:
        """Return a stored value."""
        with self._freed:
            if digest not in self._results:
                raise problems.result_lost(self.url, digest, "it is missing")
            return self._results[digest]

    def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """Return the bytes that stored values take, by digest; those that are missing left out."""
        with self._freed:
            return {
                digest: len(self._results[digest].encoded.data)
                for digest in digests
                if digest in self._results
            }

    def state(self, run_id: str, task: str, element: str = "") -> Mapping[str, Encoded]:
        """Return what a task keeps for its next attempt."""
        with self._freed:
            return self._tables.state(run_id, task, element)

    def states(self, run_id: str) -> Sequence[StateRecord]:
        """Return what all tasks of a run keep, in any order, those without a TaskRun included."""
        with self._freed:
            return self._tables.states(run_id)

    def code(self, digest: str) -> str | None:
        """Return a piece of normalised source kept under its digest."""
        with self._freed:
            return self._tables.code.get(digest)

    def delete(self, run_ids: Sequence[str]) -> None:
        """Delete runs with all that belongs to them; results others refer to stay.

        While anybody works on a run, results stay until a later sweep.
        """
        with self._freed:
            freed = self._tables.delete(run_ids)
            if not self._holders:
                for digest in freed - self._tables.referenced():
                    self._results.pop(digest, None)

    def sweep(self, *, dry_run: bool = False) -> tuple[int, int]:
        """Drop results and code that nothing refers to; return how many and their bytes.

        While anybody works on a run, which may be about to refer to results of earlier ones,
        nothing is dropped.
        """
        with self._freed:
            if self._holders:
                return 0, 0
            unused = self._results.keys() - self._tables.referenced()
            code = self._tables.unused_code()
            size = sum(len(self._results[digest].encoded.data) for digest in unused)
            size += sum(len(self._tables.code[digest].encode()) for digest in code)
            if not dry_run:
                for digest in unused:
                    del self._results[digest]
                self._tables.drop_code(code)
            return len(unused) + len(code), size

    def exists(self) -> bool:
        """Return True: it is there as long as its process is."""
        return True

    def check(self, deep: bool = False) -> list[str]:  # noqa: ARG002 - as other stores have it
        """Return what is wrong with the store: results that are missing."""
        with self._freed:
            missing = self._tables.referenced() - self._results.keys()
            return [f"result {digest} is missing" for digest in sorted(missing)]

    def describe(self) -> dict[str, object]:
        """Return what the store is and how much it holds."""
        with self._freed:
            return {"url": self.url, "runs": len(self._tables.runs(None, None))}

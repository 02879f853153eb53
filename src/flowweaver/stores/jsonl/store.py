"""A store to read with one's eyes: an append-only journal of JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from flowweaver.errors import StoreError
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
from flowweaver.stores.common.disk import file_system
from flowweaver.stores.common.leases import lease_key
from flowweaver.stores.common.locks import RunLock, any_held, remove_unused
from flowweaver.stores.common.results import ResultFiles, Staged, Unused
from flowweaver.stores.common.urls import (
    DEFAULT_DURABILITY,
    WAIT_SECONDS,
    Durability,
    path_and_options,
)
from flowweaver.stores.jsonl.journal import VERSION, Journal
from flowweaver.stores.jsonl.lines import Content, commit_lines, live_lines

T = TypeVar("T")

_WORTH_COMPACTING = 1024 * 1024


class JSONStateStore(AtPath):
    """Runs in a file of JSON lines; large results in `<path>.results/`, locks in `<path>.locks/`.

    For small stores that people want to read or keep under version control: all but the results
    is held in memory. `durability="full"` survives power loss, `"process"` any kill. `timeout` is
    how many seconds to wait for others that keep the file locked. The path is made absolute at
    once; nothing on disk is touched before the first use, and reading makes no file.
    """

    _scheme = "json"

    def __init__(
        self,
        path: str | os.PathLike[str],
        durability: Durability = DEFAULT_DURABILITY,
        *,
        timeout: float = WAIT_SECONDS,
    ) -> None:
        super().__init__(path, durability)
        self._content = Content(self._path)
        self._journal = Journal(
            self._path,
            synced=durability == "full",
            timeout=timeout,
            replay=self._content.replay,
            reset=self._content.reset,
        )
        self._leases: dict[tuple[str, int], RunLock] = {}

    @classmethod
    def from_url(cls, url: str) -> JSONStateStore:
        """Return the store at ``json:///relative.json`` or ``json:////absolute.json``.

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
            with self._explaining(writing=True):
                lock.acquire_for(request)
                lease = self._taken(request, lock)
        except BaseException:
            lock.release()
            raise
        self._leases[lease_key(lease)] = lock
        return lease

    def _taken(self, request: ClaimRequest, lock: RunLock) -> Lease:
        self._compact()
        with self._staged(request.results) as staged, self._writing(create=True):
            tables = self._content.tables
            settled = tables.settle(request)
            changes = Changes(results=list(request.results))
            if staged is not None:
                staged.settle()
            if request.take_over:
                lock.seize()
            runs = [*settled.abandoned, settled.run]
            self._journal.append(commit_lines(self._content, None, changes, runs))
            tasks = tuple(tables.tasks(settled.run.id))
        return Lease(settled.run, settled.continued, tasks)

    def commit(self, lease: Lease, changes: Changes) -> None:
        """Write all of `changes` durably, or nothing.

        Raises:
            SupersededError: The run's token is no longer that of the lease.
            StoreWriteError: Nothing was written.
        """
        if lease_key(lease) not in self._leases:
            raise problems.released(lease.run.id)
        with self._staged(changes.results) as staged, self._writing():
            self._content.tables.check(lease, changes)
            if staged is not None:
                staged.settle()
            runs = [replace(changes.run, token=lease.token)] if changes.run is not None else []
            made = commit_lines(self._content, lease.run.id, changes, runs)
            if made:
                self._journal.append(made)

    def release(self, lease: Lease) -> None:
        """Give the run free for others."""
        lock = self._leases.pop(lease_key(lease), None)
        if lock is not None:
            lock.release()

    def revision(self) -> Hashable:
        """Return something that differs whenever anything was committed since."""
        return self._read(lambda _: self._journal.reached)

    def close(self) -> None:
        """Let go of the file; the store may be used again afterwards."""
        with self._journal.lock:
            self._journal.close()

    # Questions. None of them makes or changes a file.

    def runs(self, workflow: str | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """Return runs, newest first."""
        return self._read(lambda content: content.tables.runs(workflow, limit))

    def unfinished(self, workflow: str, key: str) -> Sequence[RunRecord]:
        """Return the unfinished runs of a workflow with parameters of that digest, newest first."""
        return self._read(lambda content: content.tables.unfinished(workflow, key))

    def run(self, run_id: str) -> RunRecord:
        """Return one run; raises `UnknownNameError` if there is none."""
        return self._read(lambda content: content.tables.run(run_id))

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
            return self._read(lambda content: content.tables.tasks(run_id, start, stop))
        return self._read(
            lambda content: content.tables.some_tasks(run_id, start, stop, task, statuses)
        )

    def slowest(self, run_id: str, limit: int) -> Sequence[TaskRecord]:
        """Return the TaskRuns of a run that took longest, the longest first."""
        return self._read(lambda content: content.tables.slowest(run_id, limit))

    def tally(self, run_id: str) -> Tally:
        """Count the TaskRuns of a run by where they stand."""
        return self._read(lambda content: content.tables.tally(run_id))

    def attempts(self, run_id: str, task: str | None = None) -> Sequence[AttemptRecord]:
        """Return what was kept of attempts, in the order they were written."""
        return self._read(lambda content: content.tables.attempts(run_id, task))

    def find(self, workflow: str, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest completed TaskRun of that fingerprint in any run, if there is one."""
        return self._read(lambda content: content.tables.find(workflow, task, fingerprint))

    def find_anywhere(self, fingerprint: str, outside: str) -> tuple[str, TaskRecord] | None:
        """Return the newest completed TaskRun of that fingerprint, with its workflow."""
        return self._read(lambda content: content.tables.find_anywhere(fingerprint, outside))

    def begun(self, workflow: str, task: str, fingerprint: str) -> Sequence[TaskRecord]:
        """Return the TaskRuns of that fingerprint that are not completed, newest run first."""
        return self._read(lambda content: content.tables.begun(workflow, task, fingerprint))

    def result(self, digest: str) -> ResultRecord:
        """Return a stored value, its checksum verified.

        Raises:
            StoreCorruptError: It is missing or not as written.
        """
        return self._read(lambda content: content.result(digest, self._journal, self._files))

    def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """Return the bytes that stored values take, by digest; those that are missing left out."""
        return self._read(
            lambda content: {
                digest: content.results[digest].size
                for digest in digests
                if digest in content.results
            }
        )

    def state(self, run_id: str, task: str, element: str = "") -> Mapping[str, Encoded]:
        """Return what a task keeps for its next attempt."""
        return self._read(lambda content: content.tables.state(run_id, task, element))

    def states(self, run_id: str) -> Sequence[StateRecord]:
        """Return what all tasks of a run keep, in any order, those without a TaskRun included."""
        return self._read(lambda content: content.tables.states(run_id))

    def code(self, digest: str) -> str | None:
        """Return a piece of normalised source kept under its digest."""
        return self._read(lambda content: content.tables.code.get(digest))

    # Upkeep.

    def delete(self, run_ids: Sequence[str]) -> None:
        """Delete runs with all that belongs to them; results others refer to stay.

        While anybody works on a run, results stay until a later sweep.
        """
        if self.exists():
            with self._writing(), self._rewriting():
                freed = self._content.tables.delete(run_ids)
                if not any_held(self._path):
                    self._content.forget_results(freed - self._content.tables.referenced())

    def sweep(self, *, dry_run: bool = False) -> tuple[int, int]:
        """Drop results and code that nothing refers to; return how many and their bytes.

        What kills have left behind goes too. While anybody works on a run, which may be about to
        refer to results of earlier ones, nothing is dropped.
        """
        if dry_run or not self.exists():
            return self._read(self._unused).total
        with self._writing():
            unused = self._unused(self._content)
            if unused.total[0]:
                with self._rewriting():
                    self._content.forget_results(unused.results)
                    self._content.tables.drop_code(unused.code)
            self._journal.remove_leftovers()
            self._files.remove_leftovers()
            remove_unused(self._path)
        return unused.total

    def exists(self) -> bool:
        """Return whether there is a store already."""
        return self._read(lambda _: self._journal.size > 0)

    def check(self, deep: bool = False) -> list[str]:
        """Return what is wrong with the store, in words; `deep` reads every result too."""
        try:
            wrong = self._faults(deep)
            # A run may have been deleted since, with its results: what is wrong stays wrong.
            return [fault for fault in self._faults(deep) if fault in wrong] if wrong else []
        except StoreError as error:
            return [str(error)]

    def _faults(self, deep: bool) -> list[str]:
        self.close()
        files = ResultFiles(self._path)  # none whose checksum counts as verified
        return self._read(lambda content: content.faults(self._journal, files, deep))

    def describe(self) -> dict[str, object]:
        """Return what the store is: version, durability, sizes in bytes."""
        sizes = self._files.sizes()
        return {
            "url": self.url,
            "durability": self._durability,
            "version": VERSION,
            "file_system": file_system(self._path),
            "runs": len(self.runs()),
            "bytes": self._journal.size,
            "large_results": len(sizes),
            "large_results_bytes": sum(sizes.values()),
        }

    # How all of this gets at the file.

    def _unused(self, content: Content) -> Unused:
        return Unused() if any_held(self._path) else content.unused(self._files)

    def _read(self, question: Callable[[Content], T]) -> T:
        with self._journal.lock, self._explaining(writing=False):
            self._journal.refresh()
            return question(self._content)

    @contextmanager
    def _writing(self, *, create: bool = False) -> Iterator[None]:
        with (
            self._journal.lock,
            self._explaining(writing=True),
            self._journal.writing(create=create),
        ):
            yield

    @contextmanager
    def _rewriting(self) -> Iterator[None]:
        """Change what is in memory, then put a file of just that in the place of the present."""
        try:
            yield
            self._journal.replace(live_lines(self._content, self._journal))
        except BaseException:
            self._journal.close()  # memory is ahead of the file: read it again
            raise
        self._files.remove(self._content.orphans(self._files))

    @contextmanager
    def _staged(self, results: Sequence[ResultRecord]) -> Iterator[Staged | None]:
        with self._explaining(writing=True):
            staged = self._files.stage(results)
        try:
            yield staged
        finally:
            if staged is not None:
                staged.discard()

    @contextmanager
    def _explaining(self, *, writing: bool) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise problems.from_os(self._path, error, writing=writing) from error

    def _compact(self) -> None:
        """Leave out what is past, where that is most of a large file."""
        if sys.platform != "win32" and self._read(lambda _: self._is_worth_compacting()):
            with self._writing(), self._rewriting():
                pass

    def _is_worth_compacting(self) -> bool:
        return self._journal.size > _WORTH_COMPACTING and self._content.is_mostly_past

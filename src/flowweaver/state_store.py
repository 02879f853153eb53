"""What is asked of a state store: the smallest verbs that keep the promises."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class TakesFiles(Protocol):
    """A store that takes over results that are in files of its disk, instead of copying them."""

    @property
    def spool(self) -> Path:
        """The folder in which such a file is made, without a name."""
        ...


def check_store(given: object, argument: str = "store") -> None:
    """Refuse what is no store where one is asked for.

    Raises:
        TypeError: It is none; `argument` names the culprit.
    """
    if not hasattr(given, "claim"):
        raise TypeError(f"{argument} takes a store such as SQLiteStateStore(path), not {given!r}.")


def spool_of(store: object) -> Path | None:
    """Return where results are to be written for a store to take over; None if it takes none."""
    return store.spool if isinstance(store, TakesFiles) else None


@runtime_checkable
class StateStore(Protocol):
    """Where runs are kept. All methods may be called from any thread.

    Every method raises `StoreError` (or a subclass that says more) when the store is damaged,
    foreign, newer, full or out of reach, and then leaves it as it was. Nothing is coerced and
    nothing decided here: a store keeps rows and answers for their integrity.
    """

    @property
    def url(self) -> str:
        """Where the store is, as a user would write it (``sqlite:////data/state.db``)."""
        ...

    def claim(self, request: ClaimRequest) -> Lease:
        """Find or make the run asked for and take the right to commit to it.

        In one transaction: the newest unfinished run of the workflow and key is continued, or,
        if there is none or `new_run` is set, a new one is made (an unfinished one that is given
        up becomes abandoned); its token grows by one. A `run_id` that exists is continued
        whatever its status; it must be of the same workflow and key (`StoreError` if not).

        Raises:
            RunLockedError: Another process or thread holds this workflow and key.
        """
        ...

    def commit(self, lease: Lease, changes: Changes) -> None:
        """Write all of `changes` durably, or nothing.

        Raises:
            SupersededError: The run's token is no longer that of the lease.
            StoreWriteError: Nothing was written.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give the run free for others. Never raises for a lease that is gone already."""
        ...

    def revision(self) -> Hashable:
        """Return something that differs whenever anything was committed since, by any process.

        Those who follow a store ask for it often; it costs next to nothing.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; the store may be used again afterwards."""
        ...

    def is_held(self, run: RunRecord) -> bool:
        """Return whether a process works on the run at this moment.

        One that is running and not held was interrupted: its process is dead.
        """
        ...

    def runs(self, workflow: str | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """Return runs, newest first."""
        ...

    def unfinished(self, workflow: str, key: str) -> Sequence[RunRecord]:
        """Return the unfinished runs of a workflow with parameters of that digest, newest first.

        It is asked whenever a run starts or is planned, so it must not cost more the more runs
        there were.
        """
        ...

    def run(self, run_id: str) -> RunRecord:
        """Return one run; raises `UnknownNameError` if there is none."""
        ...

    def tasks(
        self,
        run_id: str,
        start: int = 0,
        stop: int | None = None,
        *,
        task: str | None = None,
        statuses: Collection[TaskStatus] | None = None,
    ) -> Sequence[TaskRecord]:
        """Return the TaskRuns of a run in the order they were first written.

        `task` asks for those of one task, the whole and its elements, `statuses` for those that
        stand there, and `start` and `stop` for a slice of what is asked for. A TaskRun keeps its
        place when it is written again, so who follows a run reads on from where it was.

        What is not asked for is not read: of what is, each row is verified, but one that is
        damaged so that it seems to be of another task or status is passed over.
        """
        ...

    def slowest(self, run_id: str, limit: int) -> Sequence[TaskRecord]:
        """Return the TaskRuns of a run that took longest, the longest first."""
        ...

    def tally(self, run_id: str) -> Tally:
        """Count the TaskRuns of a run by where they stand; they are not read one by one."""
        ...

    def attempts(self, run_id: str, task: str | None = None) -> Sequence[AttemptRecord]:
        """Return what was kept of attempts, in order."""
        ...

    def find(self, workflow: str, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest completed TaskRun of that fingerprint in any run, if there is one."""
        ...

    def find_anywhere(self, fingerprint: str, outside: str) -> tuple[str, TaskRecord] | None:
        """Return the newest completed TaskRun of that fingerprint, of whatever task and workflow.

        The run `outside` is left out. It comes with the name of its workflow. It is asked for
        every TaskRun that nothing else stands in for, so it must not cost more the more there are.
        """
        ...

    def begun(self, workflow: str, task: str, fingerprint: str) -> Sequence[TaskRecord]:
        """Return the TaskRuns of that fingerprint that are not completed, newest run first.

        It is asked before each effect that is to happen once for ever, so it must not cost more
        the more runs there were.
        """
        ...

    def result(self, digest: str) -> ResultRecord:
        """Return a stored value, its checksum verified.

        Raises:
            StoreCorruptError: It is missing or not as written.
        """
        ...

    def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """Return the bytes that stored values take, by digest; those that are missing left out."""
        ...

    def state(self, run_id: str, task: str, element: str = "") -> Mapping[str, Encoded]:
        """Return what a task keeps for its next attempt."""
        ...

    def states(self, run_id: str) -> Sequence[StateRecord]:
        """Return what all tasks of a run keep, in any order, those without a TaskRun included."""
        ...

    def code(self, digest: str) -> str | None:
        """Return a piece of normalised source kept under its digest."""
        ...

    def delete(self, run_ids: Sequence[str]) -> None:
        """Delete runs with all that belongs to them; results others refer to stay.

        While anybody works on a run, which may be about to refer to results of earlier ones, all
        results stay until a later sweep.
        """
        ...

    def sweep(self, *, dry_run: bool = False) -> tuple[int, int]:
        """Drop results and code that nothing refers to; return how many and their bytes.

        A TaskRun refers to its result, to results of its run's parameters, and to the code whose
        digests its facts or its run's `info` name. While anybody works on a run, nothing is
        dropped.
        """
        ...

    def exists(self) -> bool:
        """Return whether there is a store already: what only reads makes none."""
        ...

    def check(self, deep: bool = False) -> list[str]:
        """Return what is wrong with the store, in words; changes nothing.

        A quick check looks at the whole, a deep one at every row and result that a run refers to.
        """
        ...

    def describe(self) -> Mapping[str, object]:
        """Return what the store is, as JSON for people: versions, durability, sizes in bytes.

        There are ``url`` and ``runs`` (how many there are) at least.
        """
        ...

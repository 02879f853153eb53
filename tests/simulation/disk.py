"""The simulated store: what is on disk, and each process's faulty way to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence

from flowweaver.errors import StoreWriteError
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
from flowweaver.stores.memory import MemoryStateStore
from tests.simulation.world import World

Written = Callable[[Changes], None]


class Killed(BaseException):
    """The simulated process was killed here."""


class FaultyStore:
    """One process's way to a store that outlives it; commits fail or kill as the world has it.

    Args:
        disk: What outlives the processes.
        world: Says what goes wrong.
        written: Told of each commit just before it is taken in.

    Attributes:
        fatal: Whether the next commit kills: "before" or "after" it is taken in; "" if not.
        leases: Those the process holds.
    """

    def __init__(self, disk: MemoryStateStore, world: World, written: Written) -> None:
        self._disk = disk
        self._world = world
        self._written = written
        self.fatal = ""
        self.leases: list[Lease] = []

    @property
    def url(self) -> str:
        """Where the store is."""
        return "simulated:"

    def claim(self, request: ClaimRequest) -> Lease:
        """Claim on the disk; a kill may come just after."""
        lease = self._disk.claim(request)
        self.leases.append(lease)
        if self._world.happens(self._world.faults.kill / 2):
            raise Killed
        return lease

    def commit(self, lease: Lease, changes: Changes) -> None:
        """Commit on the disk, unless a fault comes in between."""
        faults, world = self._world.faults, self._world
        if self.fatal == "before" or world.happens(faults.kill / 2):
            raise Killed
        if world.happens(faults.refuse):
            raise StoreWriteError("simulated: the disk is full; nothing was written")
        self._disk.commit(lease, Changes())  # a superseded holder is refused before it is noted
        self._written(changes)
        self._disk.commit(lease, changes)
        if self.fatal == "after" or world.happens(faults.kill / 2):
            raise Killed
        if world.happens(faults.doubt):
            raise StoreWriteError("simulated: who knows what was written")

    def exists(self) -> bool:
        """Ask the disk."""
        return self._disk.exists()

    def check(self, deep: bool = False) -> list[str]:
        """Check the disk."""
        return self._disk.check(deep)

    def describe(self) -> Mapping[str, object]:
        """Describe the disk."""
        return self._disk.describe()

    def release(self, lease: Lease) -> None:
        """Release on the disk."""
        self._disk.release(lease)

    def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """Ask the disk."""
        return self._disk.sizes(digests)

    def revision(self) -> Hashable:
        """Ask the disk."""
        return self._disk.revision()

    def close(self) -> None:
        """End the process: the system frees its leases."""
        for lease in self.leases:
            self._disk.release(lease)

    def is_held(self, run: RunRecord) -> bool:
        """Return whether a process works on the run at this moment."""
        return self._disk.is_held(run)

    def runs(self, workflow: str | None = None, limit: int | None = None) -> Sequence[RunRecord]:
        """Ask the disk."""
        return self._disk.runs(workflow, limit)

    def unfinished(self, workflow: str, key: str) -> Sequence[RunRecord]:
        """Ask the disk."""
        return self._disk.unfinished(workflow, key)

    def run(self, run_id: str) -> RunRecord:
        """Ask the disk."""
        return self._disk.run(run_id)

    def tasks(
        self,
        run_id: str,
        start: int = 0,
        stop: int | None = None,
        *,
        task: str | None = None,
        statuses: Collection[TaskStatus] | None = None,
    ) -> Sequence[TaskRecord]:
        """Ask the disk."""
        return self._disk.tasks(run_id, start, stop, task=task, statuses=statuses)

    def slowest(self, run_id: str, limit: int) -> Sequence[TaskRecord]:
        """Ask the disk."""
        return self._disk.slowest(run_id, limit)

    def tally(self, run_id: str) -> Tally:
        """Ask the disk."""
        return self._disk.tally(run_id)

    def attempts(self, run_id: str, task: str | None = None) -> Sequence[AttemptRecord]:
        """Ask the disk."""
        return self._disk.attempts(run_id, task)

    def find(self, workflow: str, task: str, fingerprint: str) -> TaskRecord | None:
        """Ask the disk."""
        return self._disk.find(workflow, task, fingerprint)

    def find_anywhere(self, fingerprint: str, outside: str) -> tuple[str, TaskRecord] | None:
        """Ask the disk."""
        return self._disk.find_anywhere(fingerprint, outside)

    def begun(self, workflow: str, task: str, fingerprint: str) -> Sequence[TaskRecord]:
        """Ask the disk."""
        return self._disk.begun(workflow, task, fingerprint)

    def result(self, digest: str) -> ResultRecord:
        """Ask the disk."""
        return self._disk.result(digest)

    def state(self, run_id: str, task: str, element: str = "") -> Mapping[str, Encoded]:
        """Ask the disk."""
        return self._disk.state(run_id, task, element)

    def states(self, run_id: str) -> Sequence[StateRecord]:
        """Ask the disk."""
        return self._disk.states(run_id)

    def code(self, digest: str) -> str | None:
        """Ask the disk."""
        return self._disk.code(digest)

    def delete(self, run_ids: Sequence[str]) -> None:
        """Delete on the disk."""
        self._disk.delete(run_ids)

    def sweep(self, *, dry_run: bool = False) -> tuple[int, int]:
        """Sweep the disk."""
        return self._disk.sweep(dry_run=dry_run)

"""What must hold whatever happens, looked at whenever a body starts or a commit is written."""

from __future__ import annotations

from collections import Counter

from flowweaver.engine.body.call import Call
from flowweaver.engine.resolution import is_unresolved
from flowweaver.engine.runner import Runner
from flowweaver.records import Changes, TaskRecord
from flowweaver.status import TaskStatus
from flowweaver.stores.memory import MemoryStateStore
from tests.simulation.workflows import Simulated

TaskRunKey = tuple[str, str, str]
"""A TaskRun: run, task, element."""


class ViolationError(AssertionError):
    """Something that must hold did not."""


class Watch:
    """The invariants of one simulated world.

    Args:
        simulated: The workflow.
        disk: The store, if there is one.
        by_name: Whether what is done stays done by its name alone: nothing in this world costs
            attempts. Otherwise what fails for a while changes what others are given.

    Attributes:
        started: How many bodies started.
        repeated: How many bodies of one TaskRun started after its first: it was in flight at a
            kill, retried, or given other inputs.
    """

    def __init__(self, simulated: Simulated, disk: MemoryStateStore | None, *, by_name: bool):
        self._simulated = simulated
        self._disk = disk
        self._by_name = by_name
        self._done: dict[TaskRunKey, TaskRecord] = {}
        self._failed: set[str] = set()
        self._once_open: set[TaskRunKey] = set()
        self._starts: Counter[TaskRunKey] = Counter()
        self.started = 0

    @property
    def repeated(self) -> int:
        """How many bodies started again."""
        return sum(self._starts.values()) - len(self._starts)

    def began(self, runner: Runner, call: Call, *, superseded: bool) -> None:
        """A body starts: what is done must not be done again, and what it needs must be there."""
        self.started += 1
        key = (call.scope.run_id, call.task.name, call.element)
        self._starts[key] += 1
        if self._disk is None:
            return
        if not superseded:
            self._check_not_done(runner, call, key)
        if call.task.options.effect == "once":
            if key in self._once_open:
                raise ViolationError(f"{call.name} may have acted, and was started again")
            self._once_open.add(key)
        if call.task.name in self._simulated.strict:
            self._check_inputs_are_stored(self._disk, call)

    def _check_not_done(self, runner: Runner, call: Call, key: TaskRunKey) -> None:
        done = self._done.get(key)
        if done is None:
            return
        record = runner.run.tasks[call.name].record
        if done.fingerprint == record.fingerprint:
            raise ViolationError(f"{call.name} is done, and was started again")
        if self._is_settled(call.task.name):
            raise ViolationError(
                f"{call.name} is done, and started again for other facts: {record.facts}"
            )

    def _is_settled(self, task: str) -> bool:
        """Whether nothing can have changed what a task is given."""
        return self._by_name and not self._failed & {task, *self._simulated.ancestors[task]}

    def _check_inputs_are_stored(self, disk: MemoryStateStore, call: Call) -> None:
        task = call.task.name
        needed = [(source, "") for source in self._simulated.whole[task]]
        if (paired := self._simulated.paired.get(task)) is not None:
            source, length = paired
            needed.append((source, ".".join(call.element.split(".")[:length])))
        # What is restored from an earlier run is stored there already.
        stored = {
            (record.task, record.element)
            for run in disk.runs()
            for record in disk.tasks(run.id)
            if record.status is TaskStatus.COMPLETED
        }
        for key in needed:
            if key not in stored:
                raise ViolationError(f"{call.name} started before {key} was stored")

    def written(self, changes: Changes) -> None:
        """A commit is about to be taken in: nothing that is done may be undone by it."""
        digests = {result.encoded.digest for result in changes.results}
        for record in changes.tasks:
            key = (record.run_id, record.task, record.element)
            self._check_kept(key, record)
            if record.status is TaskStatus.COMPLETED:
                self._check_result(record, digests)
                self._done[key] = record
                self._once_open.discard(key)
            elif record.status is TaskStatus.FAILED:
                self._failed.add(record.task)
            if _has_ended(record):
                self._once_open.discard(key)
            self._check_times(record)

    def _check_kept(self, key: TaskRunKey, record: TaskRecord) -> None:
        done = self._done.get(key)
        if done is None or record.status is TaskStatus.COMPLETED:
            return
        same = done.fingerprint is not None and done.fingerprint == record.fingerprint
        if same or self._is_settled(record.task):
            raise ViolationError(f"{done} was undone by {record}")
        del self._done[key]

    def _check_result(self, record: TaskRecord, digests: set[str]) -> None:
        assert self._disk is not None
        if record.digest is not None and record.digest not in digests:
            self._disk.result(record.digest)  # raises unless it is there
        if record.digest is None and record.fingerprint is not None:
            raise ViolationError(f"{record} is done without a result")

    def _check_times(self, record: TaskRecord) -> None:
        if record.duration is not None and record.duration < 0:
            raise ViolationError(f"{record} took less than no time")
        if record.attempts < record.failures:
            raise ViolationError(f"{record} failed more often than it was started")

    def resolved(self, key: TaskRunKey) -> None:
        """A person said that a task's effect may happen again."""
        self._once_open.discard(key)


_RETRIED = (TaskStatus.FAILED, TaskStatus.RETRYING, TaskStatus.SKIPPED)


def _has_ended(record: TaskRecord) -> bool:
    """Whether it is known how the last attempt ended, so that there may be another.

    A failure with retries left is kept as cancelled when the run is being stopped.
    """
    if is_unresolved(record):
        return False
    failed = record.status is TaskStatus.CANCELLED and record.failure is not None
    return failed or record.status in _RETRIED

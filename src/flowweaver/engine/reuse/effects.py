"""Effects that are to happen once for ever: which run has had one, or may have.

Before such a body is called, its start is committed; then it is looked for what others have
committed. Of two that start at the same time at least one sees the other, and does not act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from flowweaver.engine.resolution import is_unresolved
from flowweaver.names import task_run_name
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus, TaskStatus

Effect = tuple[str, str]
"""A task, and the digest of what its effect is known by."""


class Effects:
    """Looks for effects in the other runs of a workflow.

    Args:
        store: Where they are.
        workflow: Its name.
        run_id: The run that is not looked into: what it may have done it knows itself.
    """

    def __init__(self, store: StateStore, workflow: str, run_id: str) -> None:
        self._store = store
        self._workflow = workflow
        self._run_id = run_id
        # Of runs that are over, what nobody knows the end of; by the claim that it is good for.
        self._over: dict[tuple[str, int], list[TaskRecord]] = {}

    def had(self, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest TaskRun that has had an effect."""
        return self._store.find(self._workflow, task, fingerprint)

    def objections(self, wanted: Collection[Effect]) -> Mapping[Effect, str]:
        """Return why effects must not be had now, for those that must not."""
        found: dict[Effect, str] = {}
        for task, fingerprint in wanted:
            if (record := self.had(task, fingerprint)) is not None:
                found[task, fingerprint] = (
                    f"Run {record.source_run or record.run_id} has done this for the same inputs "
                    "in the meantime; execute again to take its result."
                )
        for run, record in self._open():
            effect = record.task, record.fingerprint or ""
            if effect in wanted:
                found.setdefault(effect, self._words(run, record))
        return found

    def _open(self) -> Iterator[tuple[RunRecord, TaskRecord]]:
        """Yield the TaskRuns of other runs that may have acted."""
        for run in self._store.runs(self._workflow):
            if run.id == self._run_id or run.status is RunStatus.COMPLETED:
                continue
            for record in self._unresolved(run):
                yield run, record

    def _unresolved(self, run: RunRecord) -> list[TaskRecord]:
        key = run.id, run.token
        if key in self._over:
            return self._over[key]
        records = [record for record in self._store.tasks(run.id) if is_unresolved(record)]
        if run.finished_at is not None:
            self._over[key] = records
        return records

    def _words(self, run: RunRecord, record: TaskRecord) -> str:
        if record.status is TaskStatus.RUNNING and self._store.is_held(run):
            return (
                f"Run {run.id} is doing this now for the same inputs; execute again when it is "
                "over."
            )
        name = task_run_name(record.task, record.element)
        return (
            f"Attempt {record.attempts} of it in run {run.id} may have acted for the same inputs, "
            "and its effect must happen only once. Find out, then say `flowweaver resolve "
            f"{run.id} {name} --done` or `--retry`, and execute again."
        )

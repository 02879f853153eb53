"""Effects that are to happen once for ever: which run has had one, or may have.

Before such a body is called, its start is committed; then one looks for what others have committed.
Of two that start at the same time at least one sees the other, and does not act.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flowweaver.engine.resolution import is_unresolved
from flowweaver.names import task_run_name
from flowweaver.records import TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus

Effect = tuple[str, str]
"""A task, and the digest of what its effect is known by."""


class Effects:
    """Looks for effects in the other runs of a workflow.

    Args:
        store: Where they are.
        workflow: Its name.
        run_id: The run that is not looked into, as it knows itself what it may have done.
    """

    def __init__(self, store: StateStore, workflow: str, run_id: str) -> None:
        self._store = store
        self._workflow = workflow
        self._run_id = run_id

    def had(self, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest TaskRun that has had an effect."""
        return self._store.find(self._workflow, task, fingerprint)

    def objections(self, wanted: Collection[Effect]) -> Mapping[Effect, str]:
        """Return why effects must not be had now, for those that must not."""
        found: dict[Effect, str] = {}
        for task, fingerprint in wanted:
            # In this order: what is done between the two questions is seen by the second.
            begun = self._open(task, fingerprint)
            if (record := self.had(task, fingerprint)) is not None:
                found[task, fingerprint] = (
                    f"Run {record.source_run or record.run_id} has done this for the same inputs "
                    "in the meantime; execute again to take its result."
                )
            elif begun is not None:
                found[task, fingerprint] = self._words(begun)
        return found

    def _open(self, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest TaskRun of another run that may have had an effect."""
        begun = self._store.begun(self._workflow, task, fingerprint)
        others = (record for record in begun if record.run_id != self._run_id)
        return next((record for record in others if is_unresolved(record)), None)

    def _words(self, record: TaskRecord) -> str:
        run_id = record.run_id
        if record.status is TaskStatus.RUNNING and self._store.is_held(self._store.run(run_id)):
            return (
                f"Run {run_id} is doing this now for the same inputs; execute again when it is "
                "over."
            )
        name = task_run_name(record.task, record.element)
        return (
            f"Attempt {record.attempts} of it in run {run_id} may have acted for the same inputs, "
            "and its effect must happen only once. Find out, then say `flowweaver resolve "
            f"{run_id} {name} --done` or `--retry`, and execute again."
        )

"""A past run put together again: what its bodies were given, and its lists of elements."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flowweaver.definitions.part import part_again
from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.history.stored import RecordOf, StoredRun
from flowweaver.engine.homes import Homes
from flowweaver.engine.proofs import PARAMETER, load
from flowweaver.engine.secrets import with_secrets
from flowweaver.engine.setting import Setting
from flowweaver.errors import NoResultError, StoreError
from flowweaver.names import element_path, task_run_name
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.run import Run
from flowweaver.run_source import Identity
from flowweaver.secret import Secret
from flowweaver.serialize import Home, Signer
from flowweaver.state_store import StateStore, check_store
from flowweaver.status import TaskStatus


class Past:
    """Walks through a workflow with the records of a run instead of decisions.

    Args:
        wiring: The workflow as it is now.
        store: Where the run is.
        record: The run.
        record_of: Gives the record of a TaskRun of it, if there is one.
        secrets: Those of its parameters, which are not kept.

    Raises:
        MappingError: What a task was mapped over is no list any more.
    """

    def __init__(
        self,
        wiring: Wiring,
        store: StateStore,
        record: RunRecord,
        record_of: RecordOf,
        secrets: Mapping[str, Secret[Any]] | None = None,
    ) -> None:
        signer = Signer()
        kept = {
            name: load(store, signer, digest, PARAMETER) for name, digest in record.params.items()
        }
        params = with_secrets(wiring, kept, secrets or {})
        setting = self._setting = Setting(wiring, params, store, signer)
        self.graph, self.inputs, self.results = setting.graph, setting.inputs, setting.results
        self._walk(record_of)

    def node(self, identity: Identity) -> int | None:
        """Return the node of a TaskRun; None if there is none."""
        task, element = identity
        node = self.graph.wiring.index.get(task)
        if node is None or not element:
            return node
        return self._setting.elements.node_at(node, element_path(element))

    def result(self, identity: Identity) -> Any:
        """Return the result of a TaskRun; raises `NoResultError` if there is none."""
        node = self.node(identity)
        if node is None:
            raise NoResultError(f"the workflow has no {task_run_name(*identity)!r} any more")
        return self.results.get(node)

    def _walk(self, record_of: RecordOf) -> None:
        scheduler = self._setting.scheduler
        while True:
            for node, error in self._setting.settling.settle():
                if error is not None:
                    raise error
                if scheduler.status[node] is TaskStatus.UPSTREAM_FAILED:
                    self._hand_on(node, record_of(self.graph.identity(node)))
            taken = scheduler.draw()
            if taken is None:
                return
            scheduler.ended(taken)
            self._take_over(taken, record_of(self.graph.identity(taken)))

    def _take_over(self, node: int, record: TaskRecord | None) -> None:
        scheduler, results = self._setting.scheduler, self._setting.results
        status = TaskStatus.CANCELLED if record is None else record.status
        if record is not None and status is TaskStatus.COMPLETED and record.digest is not None:
            results.put_stored(node, record)
            scheduler.completed(node)
        elif status is TaskStatus.SKIPPED:
            scheduler.skipped(node)
        elif record is not None and status is TaskStatus.FAILED:
            self._hand_on(node, record)
            scheduler.failed(node, retryable=False, now=0.0)
        else:
            scheduler.finish(node, TaskStatus.CANCELLED)

    def _hand_on(self, node: int, record: TaskRecord | None) -> None:
        """Take a failure that was allowed for the result."""
        if record is not None and record.failure is not None and self.graph.tolerates(node):
            self._setting.results.put_failure(node, record.failure)


def load_run(workflow: Workflow, store: StateStore, run_id: str) -> Run:
    """Return a past run of the workflow, as `execute` returned it; results are read when asked.

    Raises:
        UnknownNameError: There is no such run.
        StoreError: It is a run of another workflow, or can't be read.
        TypeError: The workflow is none, or the store.
    """
    if not hasattr(workflow, "compile"):
        raise TypeError(f"workflow takes a Workflow, not {workflow!r}.")
    check_store(store)
    record = store.run(run_id)
    if record.workflow != workflow.name:
        raise StoreError(
            f"Run {run_id} is of workflow {record.workflow!r}, not of {workflow.name!r}."
        )
    wiring = part_again(workflow.compile(), record.targets, record.overrides)
    return run_of(wiring, store, record)


def run_of(wiring: Wiring, store: StateStore, record: RunRecord) -> Run:
    """Return a run that a store keeps; `wiring` is the part of its workflow that it did."""
    walk, homes, names = partial(Past, wiring, store, record), Homes(wiring), wiring.index

    def home_of(task: str) -> Home | None:
        return homes.of(names[task]) if task in names else None

    return Run(StoredRun(store, record, names.keys(), walk, home_of))

"""A past run put together again: what its bodies were given, and its lists of elements."""

from __future__ import annotations

from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.proofs import PARAMETER, load
from flowweaver.engine.setting import Setting
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.run_source import Identity
from flowweaver.serialize import Signer
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus


class Past:
    """Walks through a workflow with the records of a run instead of decisions.

    Args:
        wiring: The workflow as it is now.
        store: Where the run is.
        record: The run.

    Raises:
        MappingError: What a task was mapped over is no list any more.
    """

    def __init__(self, wiring: Wiring, store: StateStore, record: RunRecord) -> None:
        signer = Signer()
        params = {
            name: load(store, signer, digest, PARAMETER) for name, digest in record.params.items()
        }
        setting = self._setting = Setting(wiring, params, store, signer)
        self.graph, self.inputs, self.results = setting.graph, setting.inputs, setting.results
        self._walk({(item.task, item.element): item for item in store.tasks(record.id)})

    def node(self, identity: Identity) -> int | None:
        """Return the node of a TaskRun; None if there is none."""
        task, element = identity
        node = self.graph.wiring.index.get(task)
        if node is None or not element:
            return node
        return self._setting.elements.node_at(node, tuple(map(int, element.split("."))))

    def _walk(self, records: dict[Identity, TaskRecord]) -> None:
        scheduler = self._setting.scheduler
        while True:
            for _, error in self._setting.settling.settle():
                if error is not None:
                    raise error
            node = scheduler.take()
            if node is None:
                return
            scheduler.ended(node)
            self._take_over(node, records.get(self.graph.identity(node)))

    def _take_over(self, node: int, record: TaskRecord | None) -> None:
        scheduler, results = self._setting.scheduler, self._setting.results
        status = TaskStatus.CANCELLED if record is None else record.status
        if record is not None and status is TaskStatus.COMPLETED and record.digest is not None:
            results.put_stored(node, record)
            scheduler.completed(node)
        elif status is TaskStatus.SKIPPED:
            scheduler.skipped(node)
        elif record is not None and status is TaskStatus.FAILED:
            is_tolerated = self.graph.options(node).allow_failures and record.element
            if record.failure is not None and is_tolerated:
                results.put_failure(node, record.failure)
            scheduler.failed(node, retryable=False, now=0.0)
        else:
            scheduler.finish(node, TaskStatus.CANCELLED)

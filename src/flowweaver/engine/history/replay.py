"""Past runs, put together again from a store: to read their results, or to replay one task."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import copy_context
from typing import Any

from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.body.call import Call, CallScope, calling
from flowweaver.engine.body.link import LocalLink
from flowweaver.engine.elements import Elements
from flowweaver.engine.history.run import Run, TaskRun
from flowweaver.engine.inputs import Inputs
from flowweaver.engine.results import Results, load
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.engine.settling import Settling
from flowweaver.errors import ParameterError, StoreError, UnknownNameError, near_matches
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.serialize import Signer
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus


def load_run(workflow: Workflow, store: StateStore, run_id: str) -> Run:
    """Return a past run of the workflow, as `execute` returned it; results are read when asked.

    Raises:
        UnknownNameError: There is no such run.
        StoreError: It is a run of another workflow, or can't be read.
    """
    return _Past(workflow.compile(), store, run_id).run


def replay(workflow: Workflow, store: StateStore, run_id: str, task: str) -> Any:
    """Call one body again on its stored inputs and return what it returns; nothing is written.

    Args:
        workflow: The workflow as it is now: its code is what is called.
        store: Where the run is.
        run_id: Which run.
        task: The task's name; of an element with its key, ``page[3]``.

    Raises:
        UnknownNameError: There is no such run or task.
        ParameterError: It is a mapped task, and no element is named.
        NoResultError: Something it takes has no result.
    """
    past = _Past(workflow.compile(), store, run_id)
    node = past.run._node(task)
    if node in past.wiring.mapped:
        raise ParameterError(_which_element(past.run.tasks[task], run_id))
    definition = past.graph.task(node)
    kwargs = past.inputs.arguments(node)
    scope = CallScope(
        workflow.name, run_id, LocalLink(None, None), storing=False, context=copy_context()
    )
    call = Call(scope, node, definition, past.graph.element(node), 1, kwargs)
    with calling(call):
        value = definition.fn(**kwargs)
        if hasattr(value, "__await__"):
            value = asyncio.run(_await(value))
    return value


def _which_element(task: TaskRun, run_id: str) -> str:
    names = [element.name for element in task.elements]
    if not names:
        return f"task {task.name!r} is mapped and has no element in run {run_id} to be replayed"
    shown = ", ".join(names[:3]) + (f" ... {names[-1]}" if len(names) > 3 else "")
    return f"task {task.name!r} is mapped: name the element to be replayed ({shown})"


async def _await(awaitable: Any) -> Any:
    return await awaitable


class _Past:
    """Walks through a workflow with the records of a run instead of decisions."""

    def __init__(self, wiring: Wiring, store: StateStore, run_id: str) -> None:
        record = store.run(run_id)
        if record.workflow != wiring.name:
            raise StoreError(
                f"run {run_id} is of workflow {record.workflow!r}, not of {wiring.name!r}"
            )
        signer = Signer()
        params = {name: load(store, signer, digest) for name, digest in record.params.items()}
        self.wiring = wiring
        self._records = {(item.task, item.element): item for item in store.tasks(run_id)}
        self.graph = RunGraph(wiring)
        self._scheduler = Scheduler(self.graph)
        self._elements = Elements(self.graph, self._scheduler)
        self._results = Results(self.graph, store, signer)
        self.inputs = Inputs(self.graph, self._results, self._elements, params, copying=True)
        self.run = self._walk(record, params)

    def _walk(self, record: RunRecord, params: Mapping[str, Any]) -> Run:
        scheduler = self._scheduler
        run = Run(record, self.graph, scheduler, self._results, self._elements, params)
        settling = Settling(scheduler, self._elements, self._results, self.inputs)
        while True:
            for _, error in settling.settle():
                if error is not None:
                    raise error
            node = scheduler.take()
            if node is None:
                break
            scheduler.ended(node)
            self._take_over(run, node, self._records.get(self.graph.identity(node)))
        run._finished = run._ledger.began
        if record.finished_at is not None:
            run._finished += max(0.0, record.finished_at - record.created_at)
        return run

    def _take_over(self, run: Run, node: int, item: TaskRecord | None) -> None:
        scheduler, ledger = self._scheduler, run._ledger
        scheduler.attempts[node] = 0 if item is None else item.attempts
        if item is None:
            scheduler.cancelled(node)
            return
        ledger.reasons[node] = item.reason
        if item.failure is not None:
            ledger.failures[node] = item.failure
        if item.started_at is not None and item.duration is not None:
            ledger.started[node] = item.started_at - ledger.offset
            ledger.durations[node] = item.duration
        if item.status is TaskStatus.COMPLETED and item.digest is not None:
            self._results.put_stored(node, item.digest)
            if item.source_run is not None:
                ledger.restored[node] = item
            scheduler.completed(node)
        elif item.status is TaskStatus.SKIPPED:
            scheduler.skipped(node)
        elif item.status is TaskStatus.FAILED:
            scheduler.failed(node, retryable=False, now=0.0)
        else:
            scheduler.cancelled(node)


def find_run(store: StateStore, run_id: str) -> RunRecord:
    """Return a run by its id, by the beginning of it if that is unique, or "last" for the newest.

    Raises:
        UnknownNameError: There is none, or there are several.
    """
    runs = store.runs()
    if run_id == "last" and runs:
        return runs[0]
    exact = [run for run in runs if run.id == run_id]
    found = exact or [run for run in runs if run.id.startswith(run_id)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(run.id for run in found[:4])
        raise UnknownNameError(f"{run_id!r} could be any of {listed}; give more of the id")
    known = [run.id for run in runs[:50]]
    raise UnknownNameError(
        f"there is no run {run_id!r} in {store.url}{near_matches(run_id, known)}"
    )

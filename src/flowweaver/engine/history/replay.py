"""One body called again, on the inputs it had in a past run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any

from flowweaver.definitions.part import part_again
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.body.call import Call, CallScope, calling
from flowweaver.engine.body.link import LocalLink
from flowweaver.engine.history.pages import Pages
from flowweaver.engine.history.past import Past, load_run
from flowweaver.errors import ParameterError
from flowweaver.run import TaskRun
from flowweaver.secret import Secret
from flowweaver.serialize.held import values_of
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, TaskStatus


def replay(
    workflow: Workflow,
    store: StateStore,
    run_id: str,
    task: str,
    secrets: Mapping[str, Secret[Any]] | None = None,
    *,
    debug: Callable[[Callable[..., Any], Callable[[], Any]], Any] | None = None,
) -> Any:
    """Call one body again on its stored inputs and return what it returns; nothing is written.

    Args:
        workflow: The workflow as it is now: its code is what is called.
        store: Where the run is.
        run_id: Which run.
        task: The task's name; of an element with its key, ``page[3]``.
        secrets: Those of the run's parameters, which are not kept; defaults are taken as they are.
        debug: Given the body and what calls it; calls that in a debugger.

    Raises:
        UnknownNameError: There is no such run or task.
        ParameterError: It is a mapped task, and no element is named; or its body had no inputs.
        NoResultError: Something it takes has no result.
        SecretError: A secret that it takes was not given.
    """
    run = load_run(workflow, store, run_id)
    wiring = part_again(workflow.compile(), run.targets, run.record.overrides)
    wanted = run.tasks[task]
    if wiring.index[wanted.task] in wiring.mapped and not wanted.element:
        raise ParameterError(_which_element(wanted, run_id))
    if wanted.origin is Origin.OVERRIDDEN:
        raise ParameterError(f"Task {wanted.name!r} was overridden in run {run_id}: no body ran.")
    if wanted.status is TaskStatus.UPSTREAM_FAILED:
        assert wanted.error is not None
        raise ParameterError(
            f"Task {wanted.name!r} was not executed in run {run_id} {wanted.error.message}: it had "
            "no inputs to be replayed on."
        )
    past = Past(wiring, store, run.record, Pages(store, run.id).get, secrets)
    node = past.node((wanted.task, wanted.element))
    if node is None:
        raise ParameterError(f"The workflow has no element {wanted.name!r} any more.")
    definition = past.graph.task(node)
    (kwargs,) = values_of(past.inputs.arguments(node))
    scope = CallScope(
        workflow.name, run_id, LocalLink(None, None), storing=False, context=copy_context()
    )
    call = Call(scope, node, definition, wanted.element, 1, kwargs)

    def called() -> Any:
        value = definition.fn(**kwargs)
        return _awaited(value) if hasattr(value, "__await__") else value

    with calling(call):
        return called() if debug is None else debug(definition.fn, called)


def _which_element(task: TaskRun, run_id: str) -> str:
    names = [element.name for element in task.elements]
    if not names:
        return f"task {task.name!r} is mapped and has no element in run {run_id} to be replayed"
    shown = ", ".join(names[:3]) + (f" ... {names[-1]}" if len(names) > 3 else "")
    return f"task {task.name!r} is mapped: name the element to be replayed ({shown})"


def _awaited(awaitable: Any) -> Any:
    import asyncio

    async def wait() -> Any:
        return await awaitable

    return asyncio.run(wait())

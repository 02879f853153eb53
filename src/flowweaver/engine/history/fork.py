"""A new run made of a past one: with some of its parameters, or of its results, changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.executor import Executor
from flowweaver.engine.history.past import load_run
from flowweaver.engine.options import ExecuteArguments
from flowweaver.engine.parameters import encode_parameters
from flowweaver.errors import ParameterError
from flowweaver.run import Run
from flowweaver.serialize import Encoded, preview
from flowweaver.state_store import StateStore

_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Forked:
    """What a fork of a run executes, and in which words it differs from it."""

    params: Mapping[str, Any]
    overrides: Mapping[str, Any]
    targets: tuple[str, ...] | None
    changes: tuple[str, ...]


def forked(
    workflow: Workflow,
    store: StateStore,
    run_id: str,
    params: Mapping[str, Any],
    overrides: Mapping[str, Any],
) -> Forked:
    """Return what a fork of a run executes: what that had, and what is given instead.

    Raises:
        ParameterError: Nothing is given that the run did not have.
        UnknownNameError: There is no such run.
        StoreError: It is a run of another workflow, or can't be read.
    """
    run = load_run(workflow, store, run_id)
    known = workflow.compile().parameters
    had = {name: value for name, value in run.params.items() if name in known}
    given = {name: run[name] for name in run.record.overrides if name in run.tasks}
    changes = (
        *_changes("parameter", had, params),
        *_changes("override", given, overrides),
        *(f"parameter `{name}` is gone" for name in run.params if name not in known),
    )
    if not changes:
        raise ParameterError(
            f"Nothing would differ from run {run_id}: give a parameter or an override that it did "
            "not have."
        )
    return Forked({**had, **params}, {**given, **overrides}, run.targets or None, changes)


def _changes(noun: str, had: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        now = _encoded(name, value)
        before = _encoded(name, had[name]) if name in had else None
        if before is None:
            yield f"{noun} `{name}` is new: {preview(now, _LONGEST_VALUE)}"
        elif before.known_by != now.known_by:
            old, new = preview(before, _LONGEST_VALUE), preview(now, _LONGEST_VALUE)
            yield f"{noun} `{name}`: {old} -> {new}"


def _encoded(name: str, value: Any) -> Encoded:
    """Return a value as it is kept: secrets are none of it."""
    return encode_parameters({name: value})[name][0]


def fork(
    executor: Executor,
    workflow: Workflow,
    run_id: str,
    /,
    params: Mapping[str, Any] | None = None,
    **arguments: Unpack[ExecuteArguments],
) -> Run:
    """Execute a run again with some parameters or results changed; return the new run.

    It has the parameters, overrides and targets of the run, but for those given, and restores what
    does not depend on these. The run that is forked stays as it is.

    Args:
        executor: Where it runs; its store has the run.
        workflow: The run's workflow as it is now.
        run_id: Which run.
        params: Parameters that it is to have instead.
        **arguments: As for `Executor.execute`; `overrides` beside those of the run.

    Raises:
        ParameterError: Nothing would differ.
        UnknownNameError: There is no such run.
        StoreError: It is a run of another workflow, or can't be read.
    """
    store = executor.state_store
    if store is None:
        raise ParameterError(f"{executor!r} has no store to find run {run_id!r} in.")
    made = forked(workflow, store, run_id, params or {}, arguments.get("overrides") or {})
    arguments.setdefault("targets", made.targets)
    arguments["overrides"] = made.overrides
    arguments["fork_of"] = run_id
    return executor.execute(workflow, made.params, **arguments)

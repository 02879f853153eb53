"""What can be asked of an execution, and what holds where nothing is."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

import click
import pytest

from flowweaver import Around, DefinitionError, MemoryStateStore, SequentialExecutor, Task, Workflow
from flowweaver.cli.plan import plan_command
from flowweaver.cli.run import run_command
from flowweaver.engine.options import GRACE_SECONDS, ExecuteArguments, ExecuteOptions
from flowweaver.events import Observer
from flowweaver.planned import PlanArguments

ONE = Workflow("one", [Task("a", lambda: 1)])


def hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, localns={"Around": Around, "Observer": Observer})


def test_what_type_checkers_see_is_what_there_is() -> None:
    assert hints(ExecuteArguments) == hints(ExecuteOptions)
    assert get_type_hints(PlanArguments).items() <= hints(ExecuteOptions).items()


@pytest.mark.parametrize("command", [run_command, plan_command])
def test_command_and_library_have_the_same_defaults(command: click.Command) -> None:
    asked = command.make_context(command.name, ["pipeline.py"]).params
    options = ExecuteOptions()
    shared = {field.name for field in fields(options)} & asked.keys()
    assert {"reuse", "force", "force_downstream", "new_run", "run_id"} <= shared
    assert {name: asked[name] for name in shared} == {
        name: getattr(options, name) for name in shared
    }


def test_grace_of_command_and_library_is_the_same() -> None:
    asked = run_command.make_context("run", ["pipeline.py"]).params
    assert asked["grace"] == SequentialExecutor().grace == GRACE_SECONDS


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"reuse": "always"}, "reuse must be one of unchanged, completed, never, not 'always'"),
        ({"on_failure": None}, "on_failure must be one of continue, stop, not None"),
        ({"schedule": "fast"}, "schedule must be one of learned, fifo, not 'fast'"),
        ({"memory_limit": "much"}, "memory_limit must be bytes"),
    ],
)
def test_option_that_can_not_be_used_is_refused_before_anything_is_touched(
    asked: dict[str, Any], message: str
) -> None:
    store = MemoryStateStore()
    with pytest.raises(DefinitionError, match=message):
        SequentialExecutor(state_store=store).execute(ONE, **asked)
    assert list(store.runs()) == []


def test_arguments_that_there_are_not_are_named() -> None:
    with pytest.raises(TypeError, match=r"execute\(\) has no argument 'resue'.*'reuse'"):
        SequentialExecutor().execute(ONE, resue="never")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"plan\(\) has no argument 'wait'"):
        ONE.plan(state_store=MemoryStateStore(), wait=3)  # type: ignore[call-arg]


def test_a_plan_can_be_of_the_run_of_an_id() -> None:
    store = MemoryStateStore()
    executor = SequentialExecutor(state_store=store)
    executor.execute(ONE, run_id="mine")
    executor.execute(ONE)
    plan = ONE.plan(state_store=store, run_id="mine")
    assert (plan.run_id, plan["a"].reason) == ("mine", "finished earlier in this run")
    assert ONE.plan(state_store=store, run_id="new").run_id is None

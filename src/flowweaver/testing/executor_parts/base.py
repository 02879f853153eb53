"""What all parts of the executor kit share: the hooks, and how a workflow is run."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from flowweaver.definitions.edges import Each
from flowweaver.definitions.task import Task
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.executor import Executor
from flowweaver.run import Run
from flowweaver.state_store import StateStore

Test = TypeVar("Test", bound=Callable[..., Any])

FACES = ("execute", "execute_async")


class RunIt(Protocol):
    """Runs a workflow to its end, through one of the two faces of an executor."""

    def __call__(
        self,
        workflow: Workflow,
        params: Mapping[str, Any] | None = None,
        *,
        executor: Executor | None = None,
        **arguments: Any,
    ) -> Run: ...


def needs(attribute: str) -> Callable[[Test], Test]:
    """Leave a test out of kits whose attribute of this name says that their executor can't."""

    def mark(test: Test) -> Test:
        test.__dict__["needs"] = attribute
        return test

    return mark


class ExecutorKit:
    """The hooks of the kit, and the fixtures of its tests."""

    slots: int = 4
    many: int = 1000
    stops_bodies: bool = False
    shares_memory: bool = True
    gives_up_bodies: bool = True

    @abstractmethod
    def make_executor(self, state_store: StateStore | None = None, **options: Any) -> Executor:
        """Return a new executor with `slots` slots; `options` are those of `Executor`."""

    @property
    def side_by_side(self) -> bool:
        """Whether two bodies can run at once."""
        return self.slots > 1

    def __init_subclass__(cls) -> None:
        for name in dir(cls):
            needed = getattr(getattr(cls, name), "needs", None)
            if needed is not None and not _has(cls, needed):
                setattr(cls, name, None)

    @pytest.fixture(params=FACES)
    def run(self, request: pytest.FixtureRequest) -> RunIt:
        """Run a workflow, blocking or awaiting."""

        def run_it(
            workflow: Workflow,
            params: Mapping[str, Any] | None = None,
            *,
            executor: Executor | None = None,
            **arguments: Any,
        ) -> Run:
            executor = executor or self.make_executor()
            if request.param == "execute":
                return executor.execute(workflow, params, **arguments)
            return asyncio.run(executor.execute_async(workflow, params, **arguments))

        return run_it

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        """A folder for the journal and flags of bodies."""
        return str(tmp_path)


def _has(cls: type[ExecutorKit], attribute: str) -> bool:
    return cls.slots > 1 if attribute == "side_by_side" else bool(getattr(cls, attribute))


def task_of(
    name: str,
    fn: Callable[..., Any],
    /,
    *fixed: Any,
    after: tuple[str, ...] = (),
    inputs: Mapping[str, str | Each] | None = None,
    options: Mapping[str, Any] | None = None,
    **given: Any,
) -> Task[..., Any]:
    """Make a task of a body, some of whose arguments are given here and now."""
    body = partial(fn, *fixed, **given) if fixed or given else fn
    return Task(name, body, depends_on=after, inputs=dict(inputs or {}), **dict(options or {}))

"""A workflow: a named, validated graph of tasks."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Union, Unpack, overload

from flowweaver import graph
from flowweaver.cache_scope import CacheScope, check_scope
from flowweaver.definitions.agreement import check_types
from flowweaver.definitions.bounds import (
    check_limits,
    check_rate,
    stricter_limits,
    stricter_rate,
)
from flowweaver.definitions.edges import NO_EDGES, Each, Edges, Sources, clean_edges
from flowweaver.definitions.last_runs import last_run_of
from flowweaver.definitions.options import NO_OPTIONS, AddArguments, OptionArguments
from flowweaver.definitions.subflow import inline
from flowweaver.definitions.task import Task, listed, name_of, task
from flowweaver.definitions.wiring import Wiring, check_task, compile_workflow
from flowweaver.errors import DefinitionError, UnknownNameError, near_matches
from flowweaver.lazy import late
from flowweaver.names import check_name, clean_names, normal_name
from flowweaver.shown import Shown
from flowweaver.status import TaskStatus

if TYPE_CHECKING:
    from flowweaver.planned import Plan, PlanArguments
    from flowweaver.run import Run
    from flowweaver.state_store import StateStore

P = ParamSpec("P")
R = TypeVar("R")
TaskLike = Union[Task[..., Any], Callable[..., Any], "Workflow"]


# Plans are made further up the flow of imports, and asked for here.
make_plan = late("engine.plan.plan", "make_plan")


class Workflow(Shown):
    """A named graph of tasks; a definition that any number of runs share.

    A task depends on the task its parameter is named after, on what `depends_on` names, and on
    what `inputs` maps its parameters to. Parameters that no task provides are parameters of the
    workflow.

    Args:
        name: Any printable text; with the parameters, what a run is continued by.
        tasks: Tasks or functions, in any order.
        trust: Names of what can't be seen of their code and yet is no reason to keep other runs
            from taking results, as for a single task: "db.client", a module, or a type.
        limits: At most how many of its tasks of a tag run at once, in all its runs on an executor:
            ``{"db": 2}``. Those of the executor hold besides.
        rate: How often its tasks of a tag may start: ``{"api": "10/s"}``; evenly spaced.
        strict_types: Refuse tasks that take what another certainly does not return, by their
            annotations; otherwise a `TypeClashWarning` says so.
        cache_scope: "store" (default) takes results of the same code with the same inputs from
            other tasks and workflows of the store, too; "workflow" does not.

    Raises:
        DefinitionError: (a `ValueError`) A duplicate name, an unknown dependency, a cycle, a
            self-dependency, or something that is no function.
    """

    def __init__(
        self,
        name: str = "Workflow",
        tasks: Iterable[TaskLike] = (),
        *,
        trust: str | Iterable[str] = (),
        limits: Mapping[str, int] | None = None,
        rate: Mapping[str, str] | None = None,
        strict_types: bool = False,
        cache_scope: CacheScope = "store",
    ) -> None:
        check_scope(cache_scope)
        self.name = check_name(name, "workflow")
        self.trust = clean_names("trust", trust)
        self.limits = check_limits(limits)
        self.rate = check_rate(rate)
        self.strict_types = strict_types
        self.cache_scope: CacheScope = cache_scope
        # Tasks in the order they were added, and the place of each by name: what the compiled
        # graph goes by, too.
        self._tasks: list[Task[..., Any]] = []
        self._places: dict[str, int] = {}
        self._edges: dict[str, Edges] = {}
        self._taken: set[str] = set()
        self._wiring: Wiring | None = None
        for item in listed(tasks, self.name):
            if isinstance(item, Workflow):
                self._inline(item, item.name, (), {})
            else:
                added = _as_task(item)
                check_task(added, added.sources)
                self._register(added)
        if self._tasks:
            self.compile()

    def add_task(
        self,
        item: TaskLike,
        depends_on: Iterable[str] = (),
        inputs: Mapping[str, str | Each] | None = None,
        *,
        name: str | None = None,
        replace: bool = False,
        **options: Unpack[AddArguments],
    ) -> Task[..., Any]:
        """Add a task, or a function as a task, and return the task.

        A workflow is added as a task, too: its tasks are inlined as ``name.task``, its parameters
        take what `inputs` says, and a task of its own name has its result.

        Args:
            item: What to add; with `name` or options, a copy of it so changed.
            depends_on: Tasks, added before, that must be done first.
            inputs: Whose result a parameter takes where the names differ.
            name: The task's name here, so that one function can serve several times.
            replace: Put it in the place of a task of that name, if there is one: so a notebook's
                cell can be run again. Runs under way go on with what was there.
            **options: See `TaskOptions`.

        Raises:
            DefinitionError: The name already exists, or a dependency does not exist.
        """
        if isinstance(item, Workflow):
            if options or replace:
                raise DefinitionError(f"Workflow {item.name!r} as a task takes no options.")
            return self._inline(item, name or item.name, depends_on, inputs or {})
        edges = NO_EDGES
        if not isinstance(item, Task):
            added = _of_function(item, name, options, depends_on, inputs)
        else:
            added = item.with_options(name, **options) if name is not None or options else item
            edges = clean_edges(added.name, depends_on, inputs)
        self._check_edges(added.name, added.depends_on + edges[0], added.sources + edges[1])
        check_task(added, added.sources + edges[1])
        if replace and added.name in self._places:
            self._exchange(added, edges)
            return added
        self._register(added)
        if edges is not NO_EDGES:
            self._edges[added.name] = edges
        if added.name in self._taken:
            self._check_no_cycle(added.name)
        return added

    @overload
    def task(
        self,
        fn: Callable[P, R],
        /,
        *,
        name: str | None = None,
        replace: bool = False,
        **options: Unpack[OptionArguments],
    ) -> Task[P, R]: ...

    @overload
    def task(
        self,
        fn: str | None = None,
        /,
        *,
        name: str | None = None,
        replace: bool = False,
        **options: Unpack[OptionArguments],
    ) -> Callable[[Callable[P, R]], Task[P, R]]: ...

    def task(
        self,
        fn: Any = None,
        /,
        *,
        name: str | None = None,
        replace: bool = False,
        **options: Unpack[OptionArguments],
    ) -> Any:
        """Make a task of a function and add it: ``@workflow.task`` or ``@workflow.task(...)``.

        `replace` is as for `add_task`, all else as for `task`.
        """
        make: Any = task(fn, name=name, **options)
        if isinstance(make, Task):
            return self.add_task(make, replace=replace)
        return lambda fn: self.add_task(make(fn), replace=replace)

    def compile(self) -> Wiring:
        """Return the resolved graph; raises `DefinitionError` where it can't be resolved."""
        if self._wiring is None:
            wiring = compile_workflow(self.name, self._tasks, self._places, self._edges, self.trust)
            check_types(wiring, strict=self.strict_types)
            wiring.cache_scope = self.cache_scope
            self._wiring = wiring
        return self._wiring

    @property
    def parameters(self) -> dict[str, bool]:
        """The workflow's parameters, and whether each must be given."""
        return {name: use.required for name, use in self.compile().parameters.items()}

    def plan(
        self,
        params: Mapping[str, Any] | None = None,
        *,
        state_store: StateStore,
        **wish: Unpack[PlanArguments],
    ) -> Plan:
        """Return what executing this workflow now would do, task by task, and why.

        Nothing is run or written. The decisions are made by what a run makes them by.

        Args:
            params: The workflow's parameters by name.
            state_store: Where earlier runs are kept.
            **wish: `targets`, `from_`, `overrides`, `cache_scope`, `reuse`, `force`,
                `force_downstream`, `trust`, `run_id` and `new_run` as for `execute`.

        Raises:
            ParameterError: The parameters don't fit.
            StoreError: The store can't be read.
        """
        plan: Plan = make_plan(self.compile(), params, state_store, **wish)
        return plan

    @property
    def last_run(self) -> Run | None:
        """The run of this workflow that was started last in this process."""
        return last_run_of(self)

    def get_task(self, task_name: str) -> Task[..., Any] | None:
        """Return the task of that name, or None."""
        place = self._places.get(normal_name(task_name))
        return None if place is None else self._tasks[place]

    def get_all_tasks(self) -> dict[str, Task[..., Any]]:
        """Return all tasks by name."""
        return dict(zip(self._places, self._tasks, strict=True))

    @property
    def edges(self) -> Mapping[str, Edges]:
        """What tasks wait for and take besides what they say themselves, by their names."""
        return MappingProxyType(self._edges)

    def get_dependencies(self, task_name: str) -> list[str]:
        """Return the names of the tasks that must be done before this one starts."""
        wiring = self.compile()
        node = wiring.index.get(normal_name(task_name))
        return [] if node is None else wiring.names(wiring.preds[node])

    def get_execution_plan(self) -> list[list[Task[..., Any]]]:
        """Return the tasks in layers by depth, each sorted by name. For people: nothing runs so."""
        wiring = self.compile()
        return [
            sorted((wiring.tasks[node] for node in layer), key=lambda item: item.name)
            for layer in graph.layers(wiring.preds, wiring.order)
        ]

    def get_task_status(self, task_name: str) -> TaskStatus | None:
        """Return where a task stands in the last run; None if there is no such task."""
        name = normal_name(task_name)
        if name not in self._places:
            return None
        run = self.last_run
        if run is None or name not in run.tasks:
            return TaskStatus.PENDING
        return run.tasks[name].status

    def get_task_result(self, task_name: str) -> Any:
        """Return what a task returned in the last run, or None if it did not complete.

        Raises:
            UnknownNameError: (a `KeyError`) There is no such task.
        """
        name = normal_name(task_name)
        if name not in self._places:
            raise UnknownNameError(
                f"Workflow {self.name!r} has no task {name!r}{near_matches(name, self._places)}"
            )
        if self.get_task_status(name) is not TaskStatus.COMPLETED:
            return None
        run = self.last_run
        return None if run is None else run[name]

    def get_workflow_stats(self) -> dict[str, Any]:
        """Return the counts of tasks by status in the last run, and its seconds so far."""
        run = self.last_run
        counts = {} if run is None else run.counts()
        not_begun = 0 if run is not None else len(self._tasks)
        return {
            "total_tasks": len(self._tasks),
            "completed": counts.get(TaskStatus.COMPLETED, 0),
            "failed": counts.get(TaskStatus.FAILED, 0),
            "pending": counts.get(TaskStatus.PENDING, 0) + not_begun,
            "running": counts.get(TaskStatus.RUNNING, 0) + counts.get(TaskStatus.RETRYING, 0),
            "total_time_seconds": 0.0 if run is None else run.duration,
        }

    def __repr__(self) -> str:
        return f"<Workflow {self.name!r}: {len(self._tasks)} tasks>"

    def __len__(self) -> int:
        return len(self._tasks)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_wiring": None}

    def _register(self, item: Task[..., Any]) -> None:
        if item.name in self._places:
            raise self._known_already(item)
        if self._wiring is not None:
            # Runs under way go by what was compiled, and that is not to change under them.
            self._tasks, self._places = self._tasks.copy(), self._places.copy()
        self._places[item.name] = len(self._tasks)
        self._tasks.append(item)
        self._taken.update(item.signature.named)
        self._wiring = None

    def _exchange(self, item: Task[..., Any], edges: Edges) -> None:
        """Put a task in the place of the one of its name, unless the graph can't be so."""
        kept = self._tasks, self._edges, self._wiring
        self._tasks, self._edges = self._tasks.copy(), {**self._edges, item.name: edges}
        self._tasks[self._places[item.name]] = item
        self._taken.update(item.signature.named)
        self._wiring = None
        try:
            self.compile()
        except DefinitionError:
            self._tasks, self._edges, self._wiring = kept
            raise

    def _known_already(self, item: Task[..., Any]) -> DefinitionError:
        there = self._tasks[self._places[item.name]]
        return DefinitionError(
            f"Task {item.name!r} already exists in workflow {self.name!r} "
            f"({_where(there)}; the second is {_where(item)}). Give one of them another name, or "
            "say add_task(..., replace=True) to exchange the first for the second."
        )

    def _inline(
        self,
        inner: Workflow,
        prefix: str,
        depends_on: Iterable[str],
        inputs: Mapping[str, str | Each],
    ) -> Task[..., Any]:
        before, sources = clean_edges(prefix, depends_on, inputs)
        feeds = dict(sources)
        self._check_edges(prefix, before, sources)
        parts = list(inline(inner.compile(), check_name(prefix, "task"), before, feeds))
        for part in parts:
            if part.task.name in self._places:
                raise self._known_already(part.task)
        for part in parts:
            self._register(part.task)
            self._edges[part.task.name] = (part.depends_on, tuple(part.inputs.items()))
        self.limits = stricter_limits(self.limits, inner.limits)
        self.rate = stricter_rate(self.rate, inner.rate)
        return parts[-1].task

    def _check_edges(self, name: str, depends_on: tuple[str, ...], sources: Sources) -> None:
        places = self._places
        for dependency in depends_on:
            if dependency not in places or dependency == name:
                raise self._no_dependency(name, dependency)
        for _, source in sources:
            if type(source) is str and (source not in places or source == name):
                raise self._no_dependency(name, source)

    def _no_dependency(self, name: str, dependency: str) -> DefinitionError:
        if dependency == name:
            return DefinitionError(f"Task {name!r} depends on itself.")
        return DefinitionError(
            f"Dependency {dependency!r} of task {name!r} does not exist in workflow "
            f"{self.name!r}; add it first{near_matches(dependency, self._places)}"
        )

    def _check_no_cycle(self, name: str) -> None:
        """Find a cycle closed by the task added last, whose name an earlier one takes."""
        try:
            self._follow(name)
        except DefinitionError:
            self._tasks.pop()
            del self._places[name]
            self._edges.pop(name, None)
            raise

    def _follow(self, name: str) -> None:
        pending, seen = [name], {name}
        while pending:
            for dependency in self._direct_dependencies(pending.pop()):
                if dependency == name:
                    self.compile()  # raises, naming all of the cycle
                if dependency not in seen:
                    seen.add(dependency)
                    pending.append(dependency)

    def _direct_dependencies(self, name: str) -> list[str]:
        item = self._tasks[self._places[name]]
        depends_on, inputs = self._edges.get(name, NO_EDGES)
        sources = dict(item.sources + inputs)
        taken = [
            source if isinstance(source, str) else source.source
            for parameter in item.signature.named
            for source in [sources.get(parameter, parameter)]
        ]
        named = (*taken, *item.depends_on, *depends_on)
        return [dependency for dependency in named if dependency in self._places]


def _as_task(item: TaskLike) -> Task[..., Any]:
    if isinstance(item, Task):
        return item
    return _of_function(item, None, {})


def _of_function(
    fn: Any,
    name: str | None,
    options: AddArguments,
    depends_on: Iterable[str] = (),
    inputs: Mapping[str, str | Each] | None = None,
) -> Task[..., Any]:
    if not callable(fn):
        raise DefinitionError(
            f"{reprlib.repr(fn)} is no task; add a function or a Task. A task that is called, as "
            "in Workflow('w', [b(a())]), runs its function at once: list the tasks, [a, b], "
            "and let the parameters of b say what it takes."
        )
    called = name_of(fn) if name is None else name
    if not options:  # as with most, where they come by the hundred thousand
        return Task.of(called, fn, NO_OPTIONS, clean_edges(called, depends_on, inputs))
    given: OptionArguments = {**options}  # type: ignore[typeddict-item]  # none of it is required
    if depends_on or inputs is not None:
        given["depends_on"], given["inputs"] = depends_on, inputs or {}
    return Task(called, fn, **given)


def _where(item: Task[..., Any]) -> str:
    code = getattr(item.fn, "__code__", None)
    if code is None:
        return repr(item.fn)
    return f"{item.fn.__qualname__} at {code.co_filename}:{code.co_firstlineno}"

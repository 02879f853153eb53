"""A workflow's graph, resolved: names to small integers, parameters to sources.

Compiling is linear and reads each function once. What comes out is immutable by custom and shared
by all runs of the workflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowweaver import graph
from flowweaver.errors import DefinitionError, near_matches
from flowweaver.policies import Each
from flowweaver.signature import read_signature
from flowweaver.task import Task

Edges = Mapping[str, tuple[tuple[str, ...], Mapping[str, str | Each]]]
_NO_EDGES: tuple[tuple[str, ...], Mapping[str, str | Each]] = ((), {})


@dataclass(frozen=True, slots=True)
class MappedInput:
    """A parameter that takes one element at a time.

    The source is the task `node`, or the workflow parameter `parameter` where `node` is None.
    The TaskRun with element key ``k`` takes what ``k[offset : offset + depth]`` points to.
    """

    name: str
    node: int | None
    parameter: str
    depth: int
    offset: int


@dataclass(frozen=True, slots=True)
class ParameterUse:
    """A parameter of the workflow: which functions take it and whether one of them needs it."""

    name: str
    required: bool
    users: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class Wiring:
    """The compiled graph. Lists are by node, a node being a task's place in `tasks`.

    Attributes:
        name: The workflow's name.
        tasks: The tasks in the order they were added.
        index: Node by task name.
        preds: Nodes that must be final first.
        succs: Nodes that wait for this one.
        order: All nodes, each after its predecessors.
        takes: (function parameter, node) for each upstream result taken whole.
        uses: (function parameter, workflow parameter) for each parameter used whole.
        mapped: The inputs of tasks that run once per element.
        key_length: For mapped tasks, how many indices the key of an element has.
        defaults: Function parameters that need no value, for nodes that have some.
        parameters: The workflow's parameters by name.
    """

    name: str
    tasks: list[Task[..., Any]]
    index: dict[str, int]
    preds: list[tuple[int, ...]] = field(default_factory=list)
    succs: list[Any] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    takes: list[tuple[tuple[str, int], ...]] = field(default_factory=list)
    uses: dict[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    mapped: dict[int, tuple[MappedInput, ...]] = field(default_factory=dict)
    key_length: dict[int, int] = field(default_factory=dict)
    parameters: dict[str, ParameterUse] = field(default_factory=dict)

    def names(self, nodes: Iterable[int]) -> list[str]:
        """Return the tasks' names of `nodes`."""
        return [self.tasks[node].name for node in nodes]

    def has_default(self, node: int, parameter: str) -> bool:
        """Whether the function of `node` has a default for `parameter`."""
        return parameter in read_signature(self.tasks[node].fn).optional


def compile_workflow(name: str, tasks: Mapping[str, Task[..., Any]], edges: Edges) -> Wiring:
    """Resolve all names of a workflow.

    `edges` holds what was said at `add_task` besides the tasks' own options.

    Raises:
        DefinitionError: An unknown or self-dependency, a cycle, or a function that can't be
            given its parameters by name.
    """
    listed = list(tasks.values())
    wiring = Wiring(name, listed, dict(zip(tasks, range(len(listed)), strict=True)))
    compiler = _Compiler(wiring)
    for node, task in enumerate(listed):
        compiler.wire(node, task, *edges.get(task.name, _NO_EDGES))
    compiler.finish()
    return wiring


class _Compiler:
    """Fills a Wiring, task by task."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.users: dict[str, list[tuple[int, str, bool]]] = {}

    def wire(
        self,
        node: int,
        task: Task[..., Any],
        depends_on: tuple[str, ...],
        inputs: Mapping[str, str | Each],
    ) -> None:
        """Resolve what one task takes and waits for."""
        options, wiring = task.options, self.wiring
        signature = read_signature(task.fn)
        if signature.positional_only:
            raise DefinitionError(
                f"task {task.name!r} takes {signature.positional_only[0]!r} by position only; "
                "results are passed by name, so drop the '/' from its signature"
            )
        depends_on = options.depends_on + depends_on
        if options.inputs:
            inputs = {**options.inputs, **inputs}
        known = signature.required + signature.optional
        if inputs:
            self._check_inputs(task, inputs, known)
        takes: list[tuple[str, int]] = []
        uses: list[tuple[str, str]] = []
        for parameter in known:
            source = inputs.get(parameter, parameter)
            if isinstance(source, Each):
                raise DefinitionError(f"task {task.name!r}: each() can't be used here")
            upstream = wiring.index.get(source)
            if upstream is not None:
                takes.append((parameter, upstream))
            elif parameter in inputs:
                raise self._unknown(task.name, source)
            else:
                uses.append((parameter, source))
                needed = parameter in signature.required
                self.users.setdefault(source, []).append((node, parameter, needed))
        before = {upstream: None for _, upstream in takes}
        for dependency in depends_on:
            upstream = wiring.index.get(dependency)
            if upstream is None:
                raise self._unknown(task.name, dependency)
            if signature.takes_any and upstream not in before:
                takes.append((dependency, upstream))
            before[upstream] = None
        if node in before:
            raise DefinitionError(
                f"task {task.name!r} depends on itself; rename its parameter or say with inputs= "
                "whose result it takes"
            )
        wiring.preds.append(tuple(before))
        wiring.takes.append(tuple(takes))
        if uses:
            wiring.uses[node] = tuple(uses)

    def _check_inputs(
        self, task: Task[..., Any], inputs: Mapping[str, str | Each], known: tuple[str, ...]
    ) -> None:
        for parameter in inputs:
            if parameter not in known:
                raise DefinitionError(
                    f"task {task.name!r} has no parameter {parameter!r} to take an input"
                    f"{near_matches(parameter, known)}"
                )

    def _unknown(self, task: str, dependency: str) -> DefinitionError:
        return DefinitionError(
            f"task {task!r} depends on {dependency!r}, which does not exist in workflow "
            f"{self.wiring.name!r}{near_matches(dependency, self.wiring.index)}"
        )

    def finish(self) -> None:
        """Order the nodes, or name the cycle that forbids it."""
        wiring = self.wiring
        wiring.succs = graph.successors(wiring.preds)
        wiring.order = graph.topological_order(wiring.preds, wiring.succs)
        if len(wiring.order) < len(wiring.tasks):
            among = set(range(len(wiring.tasks))).difference(wiring.order)
            cycle = wiring.names(graph.find_cycle(wiring.preds, among))
            shown = cycle if len(cycle) <= 10 else [*cycle[:9], "..."]
            raise DefinitionError(
                f"workflow {wiring.name!r} has a circular dependency: "
                + " -> ".join(map(repr, [*shown, cycle[0]]))
            )
        for name, users in self.users.items():
            wiring.parameters[name] = ParameterUse(
                name,
                required=any(required for _, _, required in users),
                users=tuple((node, parameter) for node, parameter, _ in users),
            )

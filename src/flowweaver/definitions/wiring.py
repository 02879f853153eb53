"""A workflow's graph, resolved: names to small integers, parameters to sources.

Compiling is linear and reads each function once. What comes out is immutable by custom and shared
by all runs of the workflow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from flowweaver import graph
from flowweaver.cache_scope import CacheScope
from flowweaver.definitions.edges import NO_EDGES, Each, Edges, Sources
from flowweaver.definitions.options import NO_OPTIONS
from flowweaver.definitions.signature import Signature, read_signature
from flowweaver.definitions.task import Task
from flowweaver.errors import DefinitionError, near_matches
from flowweaver.names import split_name

_NO_INPUTS: Mapping[str, str | Each] = {}


class MappedInput(NamedTuple):
    """A parameter that takes one element at a time.

    The source is the task `node`, or the workflow parameter `parameter` where `node` is None;
    `levels` is the length of the keys of the source's own elements (0: it is not mapped). The
    TaskRun with element key ``k`` takes what ``k[offset : offset + depth]`` points to.
    """

    name: str
    node: int | None
    parameter: str
    levels: int
    depth: int
    offset: int


class Mapped(NamedTuple):
    """How a task is mapped: what it takes by element, and the length of its elements' keys.

    `axes` says for each index of the key what it counts; inputs with the same axes are paired.
    """

    inputs: tuple[MappedInput, ...]
    axes: tuple[str, ...]

    @property
    def key_length(self) -> int:
        """How many indices the key of an element has."""
        return len(self.axes)


class ParameterUse(NamedTuple):
    """A parameter of the workflow: which functions take it and whether one of them needs it."""

    name: str
    required: bool
    users: tuple[tuple[int, str], ...]


@dataclass(slots=True, weakref_slot=True, eq=False, repr=False)
class Wiring:
    """The compiled graph. Lists are by node, a node being a task's place in `tasks`.

    Attributes:
        name: The workflow's name.
        tasks: The tasks in the order they were added.
        index: Node by task name.
        preds: Nodes that must be final first.
        succs: Nodes that wait for this one.
        order: All nodes, each after its predecessors.
        take_names: Function parameters that take an upstream result whole.
        take_nodes: Whose result each of them takes.
        uses: (function parameter, workflow parameter) for each parameter used whole, by the
            nodes that use some.
        conditions: What the `when` of a node takes, as (its parameter, the source): the source is
            a parameter of the body, a node, or the name of a workflow parameter.
        mapped: How the nodes that run once per element are mapped.
        parameters: The workflow's parameters by name.
        optioned: Nodes of tasks with options other than the defaults, in order.
        trust: Names of what can't be seen and is vouched for in any task.
        has_coroutines: Whether the function of any task is a coroutine function.
        has_isolated: Whether any task asks for a process of its own.
        edges: What was said when tasks were added, besides what they say themselves.
        cache_scope: Whose results are taken, if nothing else is asked for.
        axes: By name, the axes of tasks that would be mapped, were their lists not given.
        kept: What others have worked out of the graph, to do so once.
    """

    name: str
    tasks: Sequence[Task[..., Any]]
    index: Mapping[str, int]
    preds: list[tuple[int, ...]] = field(default_factory=list)
    succs: list[Any] = field(default_factory=list)
    order: Sequence[int] = ()
    # Two lists, not one of pairs: most tasks share their names with others and take the result of
    # all they wait for, so that neither weighs anything.
    take_names: list[tuple[str, ...]] = field(default_factory=list)
    take_nodes: list[tuple[int, ...]] = field(default_factory=list)
    uses: dict[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    conditions: dict[int, Condition] = field(default_factory=dict)
    mapped: dict[int, Mapped] = field(default_factory=dict)
    parameters: dict[str, ParameterUse] = field(default_factory=dict)
    optioned: list[int] = field(default_factory=list)
    trust: tuple[str, ...] = ()
    has_coroutines: bool = False
    has_isolated: bool = False
    edges: Mapping[str, Edges] = field(default_factory=dict)
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cache_scope: CacheScope = "store"
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def takes(self, node: int) -> list[tuple[str, int]]:
        """Return (function parameter, node) for each upstream result that a node takes whole."""
        return list(zip(self.take_names[node], self.take_nodes[node], strict=True))

    def names(self, nodes: Iterable[int]) -> list[str]:
        """Return the tasks' names of `nodes`."""
        return [self.tasks[node].name for node in nodes]

    def has_default(self, node: int, parameter: str) -> bool:
        """Whether the function of `node` has a default for `parameter`."""
        return parameter in self.tasks[node].signature.optional


class Condition(NamedTuple):
    """What a `when` predicate takes: of its body's arguments, of other tasks, of parameters."""

    shares: tuple[str, ...]
    takes: tuple[tuple[str, int], ...]
    uses: tuple[tuple[str, str], ...]


def compile_workflow(
    name: str,
    tasks: Sequence[Task[..., Any]],
    places: Mapping[str, int],
    edges: Mapping[str, Edges],
    trust: tuple[str, ...] = (),
    axes: Mapping[str, tuple[str, ...]] | None = None,
) -> Wiring:
    """Resolve all names of a workflow.

    Args:
        name: The workflow's.
        tasks: Its tasks.
        places: The place of each task by name.
        edges: What was said at `add_task` besides what the tasks say themselves.
        trust: What is vouched for in all of them.
        axes: See `Wiring`.

    Raises:
        DefinitionError: An unknown or self-dependency, or a cycle.
    """
    wiring = Wiring(name, tasks, places, edges=edges, trust=trust, axes=axes or {})
    compiler = _Compiler(wiring)
    for node, task in enumerate(tasks):
        compiler.wire(node, task, edges.get(task.name, NO_EDGES) if edges else NO_EDGES)
    compiler.finish()
    return wiring


class _Compiler:
    """Fills a Wiring, task by task."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.users: dict[str, list[tuple[int, str, bool]]] = {}
        self.each: dict[int, list[tuple[str, Each]]] = {}
        self.names: dict[tuple[str, ...], tuple[str, ...]] = {}
        # Whether any task waits for one that was added after it.
        self.looks_ahead = False

    def wire(self, node: int, task: Task[..., Any], edges: Edges) -> None:
        """Resolve what one task takes and waits for."""
        wiring, options = self.wiring, task.options
        depends_on, sources = task.depends_on + edges[0], task.sources + edges[1]
        inputs: Mapping[str, str | Each] = dict(sources) if sources else _NO_INPUTS
        names, nodes = self._take(node, task, inputs)
        waited: Collection[int] = nodes
        # Mostly a task takes one result, waits for that alone, and has no options.
        if len(nodes) > 1 or depends_on or options is not NO_OPTIONS or self.each:
            waited = self._waited(node, task, depends_on, inputs, (names, nodes))
        if options is not NO_OPTIONS:
            wiring.optioned.append(node)
            wiring.has_isolated = wiring.has_isolated or options.isolate
        if task.signature.is_coroutine:
            wiring.has_coroutines = True
        for upstream in waited:
            if upstream == node:
                raise DefinitionError(
                    f"Task {task.name!r} depends on itself. Rename its parameter, or say with "
                    "inputs= whose result it takes."
                )
            if upstream > node:
                self.looks_ahead = True
        taken, named = tuple(nodes), tuple(names)
        preds = taken if waited is nodes else tuple(waited)
        wiring.preds.append(preds)
        wiring.take_names.append(self.names.setdefault(named, named))
        wiring.take_nodes.append(preds if taken == preds else taken)

    def _waited(
        self,
        node: int,
        task: Task[..., Any],
        depends_on: tuple[str, ...],
        inputs: Mapping[str, str | Each],
        takes: tuple[list[str], list[int]],
    ) -> Collection[int]:
        """Return what a task waits for; what a function takes as ``**`` is added to `takes`."""
        wiring, signature = self.wiring, task.signature
        names, nodes = takes
        before = dict.fromkeys(nodes)
        for dependency in depends_on:
            upstream = self._node_of(task, dependency)
            is_known = upstream in before or dependency in signature.named
            if signature.takes_any and not is_known:
                names.append(dependency)
                nodes.append(upstream)
            before[upstream] = None
        mapped = [wiring.index.get(each.source) for _, each in self.each.get(node, ())]
        before.update({source: None for source in mapped if source is not None})
        if task.options.when is not None:
            self._condition(node, task.options.when, signature, inputs, before)
        return before

    def _take(
        self,
        node: int,
        task: Task[..., Any],
        inputs: Mapping[str, str | Each],
    ) -> tuple[list[str], list[int]]:
        """Find the source of each parameter; return those tasks provide, and the node of each."""
        names: list[str] = []
        nodes: list[int] = []
        uses: list[tuple[str, str]] = []
        index, signature = self.wiring.index, task.signature
        wanted = signature.named
        if signature.takes_any:
            wanted += tuple(name for name in inputs if name not in wanted)
        for parameter in wanted:
            source = inputs.get(parameter, parameter)
            if isinstance(source, Each):
                self._map(node, parameter, source)
                continue
            upstream = index.get(source)
            if upstream is not None:
                names.append(parameter)
                nodes.append(upstream)
            elif parameter in inputs:
                raise self._unknown(task.name, source)
            else:
                uses.append((parameter, source))
                self._use(node, source, parameter, required=parameter in signature.required)
        if uses:
            self.wiring.uses[node] = tuple(uses)
        return names, nodes

    def _map(self, node: int, parameter: str, each: Each) -> None:
        self.each.setdefault(node, []).append((parameter, each))
        if each.source not in self.wiring.index:
            self._use(node, each.source, "", required=True)

    def _use(self, node: int, source: str, parameter: str, *, required: bool) -> None:
        self.users.setdefault(source, []).append((node, parameter, required))

    def _condition(
        self,
        node: int,
        when: Callable[..., object],
        body: Signature,
        inputs: Mapping[str, str | Each],
        before: dict[int, None],
    ) -> None:
        signature = read_signature(when)
        shares, takes, uses = [], [], []
        for parameter in signature.named:
            if parameter in body.named:
                shares.append(parameter)
                continue
            source = inputs.get(parameter, parameter)
            if isinstance(source, Each):
                raise DefinitionError(
                    f"The condition of task {self.wiring.tasks[node].name!r} takes {parameter!r} "
                    "by element, which only a parameter of its body can."
                )
            if (upstream := self.wiring.index.get(source)) is not None:
                takes.append((parameter, upstream))
                before[upstream] = None
            else:
                uses.append((parameter, source))
                self._use(node, source, "", required=parameter in signature.required)
        self.wiring.conditions[node] = Condition(tuple(shares), tuple(takes), tuple(uses))

    def _node_of(self, task: Task[..., Any], dependency: str) -> int:
        node = self.wiring.index.get(dependency)
        if node is None:
            raise self._unknown(task.name, dependency)
        return node

    def _unknown(self, task: str, dependency: str) -> DefinitionError:
        return DefinitionError(
            f"Task {task!r} depends on {dependency!r}, which does not exist in workflow "
            f"{self.wiring.name!r}{near_matches(dependency, self.wiring.index)}"
        )

    def finish(self) -> None:
        """Order the nodes, or name the cycle that forbids it; then lay out what is mapped."""
        wiring = self.wiring
        wiring.succs = graph.successors(wiring.preds, wiring.index.values())
        if self.looks_ahead:
            wiring.order = graph.topological_order(wiring.preds, wiring.succs)
            if len(wiring.order) < len(wiring.tasks):
                self._raise_cycle()
        else:
            wiring.order = range(len(wiring.tasks))
        for name, users in self.users.items():
            wiring.parameters[name] = ParameterUse(
                name,
                required=any(required for _, _, required in users),
                users=tuple((node, parameter) for node, parameter, _ in users),
            )
        if self.each:
            for node in wiring.order:
                if node in self.each:
                    wiring.mapped[node] = lay_out(wiring, node, self.each[node])
            self._check_names()

    def _check_names(self) -> None:
        """Raise an error for a task that is called like an element of another."""
        index, mapped = self.wiring.index, self.wiring.mapped
        for name in index:
            task, key = split_name(name)
            if key.replace(".", "").isdecimal() and index.get(task) in mapped:
                raise DefinitionError(
                    f"Task {name!r} is called like an element of the mapped task {task!r}. Give "
                    "one of them another name."
                )

    def _raise_cycle(self) -> None:
        wiring = self.wiring
        among = set(range(len(wiring.tasks))).difference(wiring.order)
        cycle = wiring.names(graph.find_cycle(wiring.preds, among))
        shown = cycle if len(cycle) <= 10 else [*cycle[:9], "..."]
        raise DefinitionError(
            f"Workflow {wiring.name!r} has a circular dependency: "
            + " -> ".join(map(repr, [*shown, cycle[0]]))
            + "."
        )


def lay_out(wiring: Wiring, node: int, inputs: list[tuple[str, Each]]) -> Mapped:
    """Decide how the elements of a task are counted.

    An input over elements that are mapped themselves keeps their axes; one over a plain list
    makes an axis of its own. Inputs whose axes agree (one's are the beginning of the other's) are
    paired. Where they don't, the task must say whether they zip or cross.
    """
    task = wiring.tasks[node]
    sources = [(name, each, *_axes(wiring, each)) for name, each in inputs]
    longest = max((axes for *_, axes in sources), key=len)
    agree = all(longest[: len(axes)] == axes for *_, axes in sources)
    combine = task.options.combine
    if not agree and combine is None:
        listed = " and ".join(repr(each.source) for _, each in inputs)
        raise DefinitionError(
            f"Task {task.name!r} is mapped over {listed}. Say with combine='zip' or "
            "combine='cross' how their elements go together."
        )
    crossed = combine == "cross" and len(inputs) > 1
    mapped, axes_of_key = [], longest
    offset = 0
    for name, each, levels, axes in sources:
        upstream = wiring.index.get(each.source)
        mapped.append(MappedInput(name, upstream, each.source, levels, len(axes), offset))
        offset += len(axes) if crossed else 0
    if crossed:
        axes_of_key = tuple(axis for *_, axes in sources for axis in axes)
    elif not agree:
        axes_of_key = tuple(f"zip {task.name} {level}" for level in range(len(longest)))
    return Mapped(tuple(mapped), axes_of_key)


def _axes(wiring: Wiring, each: Each) -> tuple[int, tuple[str, ...]]:
    upstream = wiring.index.get(each.source)
    own = wiring.mapped[upstream].axes if upstream in wiring.mapped else ()
    known = own or wiring.axes.get(each.source, ())
    beyond = tuple(f"{each.source} {level}" for level in range(len(known), each.depth))
    return len(own), (known + beyond)[: each.depth]


def check_task(task: Task[..., Any], sources: Sources) -> None:
    """Check that a task's function can be given what it is to take.

    Raises:
        DefinitionError: It can't be given its parameters by name, or has not those of `sources`.
    """
    signature = task.signature
    if signature.positional_only:
        raise DefinitionError(
            f"Task {task.name!r} takes {signature.positional_only[0]!r} by position only; "
            "results are passed by name, so drop the '/' from its signature."
        )
    for name in task.options.effect_key:
        if name not in signature.named and not signature.takes_any:
            raise DefinitionError(
                f"Task {task.name!r} has no parameter {name!r} that its effect could be known by"
                f"{near_matches(name, signature.named)}"
            )
    known = signature.named
    if task.options.when is not None:
        known += read_signature(task.options.when).named
    for parameter, _ in sources:
        if parameter not in known and not signature.takes_any:
            raise DefinitionError(
                f"Task {task.name!r} has no parameter {parameter!r} to take an input"
                f"{near_matches(parameter, known)}"
            )

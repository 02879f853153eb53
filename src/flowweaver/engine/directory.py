"""Which node of a run goes by which name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flowweaver.engine.run_graph import RunGraph
from flowweaver.names import normal_name, split_name
from flowweaver.run_source import Identity


class Directory:
    """The nodes of a run by the names of their tasks and, as these are added, of elements.

    At rest, it leads to no definition.

    Attributes:
        tasks: The nodes of tasks by name, in the order of the workflow.
    """

    __slots__ = ("_elements", "_graph", "_seen", "tasks")

    def __init__(self, graph: RunGraph) -> None:
        self.tasks: Mapping[str, int] = graph.wiring.index
        self._graph: RunGraph | None = graph
        self._elements: dict[int, dict[str, int]] = {node: {} for node in graph.wiring.mapped}
        self._seen = dict.fromkeys(self._elements, 0)

    def rest(self) -> None:
        """Let go of the graph: nothing is added to it any more."""
        for node in self._elements:
            self.elements(node)
        self._graph = None

    @property
    def mapped(self) -> Collection[int]:
        """The nodes of tasks that run once per element."""
        return self._elements.keys()

    def find(self, name: str) -> Identity | None:
        """Return whose name this is, ``page`` or ``page[3]``; None if nobody's."""
        name = normal_name(name)
        if name in self.tasks:
            return name, ""
        task, element = split_name(name)
        whole = self.tasks.get(task)
        is_there = whole is not None and element in self.elements(whole)
        return (task, element) if is_there else None

    def node(self, identity: Identity) -> int:
        """Return the node of a TaskRun."""
        task, element = identity
        whole = self.tasks[task]
        return self.elements(whole)[element] if element else whole

    def elements(self, node: int) -> Mapping[str, int]:
        """Return the nodes of a task's elements by their keys, in order."""
        known = self._elements.get(node)
        if known is None:
            return {}
        graph = self._graph
        if graph is not None:
            # Nodes only ever are added, so what was seen before stays as it was.
            children, seen = graph.children[node], self._seen[node]
            count = len(children)
            added = {graph.element(child): child for child in children[seen:count]}
            added.pop("", None)
            known.update(added)
            self._seen[node] = count
        return known

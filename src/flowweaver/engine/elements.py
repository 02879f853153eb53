"""The elements of mapped tasks: which there are, and what each of them waits for.

How many elements a mapped task has is known only at run time: when the list it is mapped over is
there, or when the elements it is paired with are known. Then its growth node's time has come, and
elements are added to the scheduler. An element waits for its own sources alone, so there is no
barrier between two mapped stages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flowweaver.definitions.wiring import MappedInput
from flowweaver.engine.run_graph import Key, Role, RunGraph
from flowweaver.engine.scheduler import Scheduler
from flowweaver.errors import FlowWeaverError

LengthOf = Callable[[MappedInput, Key], int]
# Nodes, nested as the keys of the elements they are.
Tree = list[Any]


class MappingError(FlowWeaverError, ValueError):
    """What a task is mapped over has no elements to map over, or lists don't zip."""


class Elements:
    """The elements of one run. Without mapped tasks it costs nothing."""

    def __init__(self, graph: RunGraph, scheduler: Scheduler) -> None:
        self._graph = graph
        self._wiring = wiring = graph.wiring
        self._scheduler = scheduler
        self._node_of: dict[tuple[int, Key], int] = {}
        self._growths: dict[tuple[int, Key], int] = {}
        self._counts: dict[tuple[int, Key], int] = {}
        self._groups: dict[tuple[int, Key], int] = {}
        self._grouped: dict[int, set[int]] = {}
        self._plain = {node: self._plain_preds(node) for node in wiring.mapped}
        for mapped in wiring.mapped.values():
            for taken in mapped.inputs:
                if taken.node is not None and taken.depth < taken.levels:
                    self._grouped.setdefault(taken.node, set()).add(taken.depth)
        if wiring.mapped:
            for node in wiring.order:
                if node in wiring.mapped:
                    self._add_growth(node, ())

    def node_at(self, task: int, key: Key) -> int | None:
        """Return the node of an element, if there is one by now."""
        return self._node_of.get((task, key))

    def tree(self, node: int) -> Tree:
        """Return the elements that a mapped or group node stands for, nested as their keys."""
        return self._tree(self._graph.owner(node), self._graph.key(node))

    def _tree(self, task: int, prefix: Key) -> Tree:
        inner = len(prefix) + 1 < self._wiring.mapped[task].key_length
        keys = [(*prefix, place) for place in range(self._counts.get((task, prefix), 0))]
        return [self._tree(task, key) if inner else self._node_of[task, key] for key in keys]

    def source_of(self, taken: MappedInput, key: Key) -> int | None:
        """Return the node that holds what a mapped input takes for an element, if it is a task."""
        if taken.node is None:
            return None
        place = key[taken.offset : taken.offset + taken.depth]
        if taken.depth < taken.levels:
            return self._groups[taken.node, place]
        return self._holder(taken, place)

    def grow(self, growth: int, length_of: LengthOf) -> None:
        """Add what a growth node is to add, now that its sources are there.

        Raises:
            MappingError: The lengths can't be told or don't agree; nothing was added.
        """
        task, prefix = self._graph.owner(growth), self._graph.key(growth)
        count = self._counts[task, prefix] = self._count(task, prefix, length_of)
        depth = self._wiring.mapped[task].key_length
        groups = self._groups_over(task, prefix)
        for place in range(count):
            key = (*prefix, place)
            if len(key) == depth:
                self._add_element(task, key, groups)
            else:
                self._add_level(task, key)
        self._scheduler.completed(growth)

    def _count(self, task: int, prefix: Key, length_of: LengthOf) -> int:
        counts = {}
        for taken in self._covering(task, prefix):
            place = prefix[taken.offset :]
            if taken.node is not None and len(place) < taken.levels:
                counts[taken.parameter] = self._counts[taken.node, place]
            else:
                counts[taken.parameter] = length_of(taken, place)
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name!r} has {count}" for name, count in counts.items())
            raise MappingError(f"what it zips differs in length: {listed}")
        return next(iter(counts.values()))

    def _covering(self, task: int, prefix: Key) -> Iterator[MappedInput]:
        """The inputs that the index after `prefix` points into."""
        for taken in self._wiring.mapped[task].inputs:
            if taken.offset <= len(prefix) < taken.offset + taken.depth:
                yield taken

    def _add_growth(self, task: int, prefix: Key) -> None:
        preds = []
        for taken in self._covering(task, prefix):
            place = prefix[taken.offset :]
            if taken.node is None:
                continue
            if len(place) < taken.levels:
                preds.append(self._growths[taken.node, place])
            else:
                preds.append(self._holder(taken, place))
        groups = self._groups_over(task, prefix)
        # Registered before it is added: adding it may settle it at once.
        self._growths[task, prefix] = len(self._graph)
        self._scheduler.add(task, tuple(dict.fromkeys(preds)), groups, Role.GROWTH, prefix)

    def _add_level(self, task: int, key: Key) -> None:
        if len(key) in self._grouped.get(task, ()):
            self._groups[task, key] = self._scheduler.add(task, (), (), Role.GROUP, key)
        self._add_growth(task, key)

    def _add_element(self, task: int, key: Key, groups: list[int]) -> None:
        self._node_of[task, key] = len(self._graph)
        sources = (self.source_of(taken, key) for taken in self._wiring.mapped[task].inputs)
        paired = [source for source in sources if source is not None]
        preds = (*self._plain[task], *paired)
        self._scheduler.add(task, tuple(dict.fromkeys(preds)), groups, key=key)

    def _holder(self, taken: MappedInput, place: Key) -> int:
        """The node whose result holds what lies at `place`."""
        assert taken.node is not None
        return self._node_of[taken.node, place[: taken.levels]] if taken.levels else taken.node

    def _groups_over(self, task: int, prefix: Key) -> list[int]:
        depths = self._grouped.get(task, ())
        inner = [self._groups[task, prefix[:d]] for d in depths if d <= len(prefix)]
        return [task, *inner]

    def _plain_preds(self, node: int) -> tuple[int, ...]:
        """What every element waits for besides its own sources."""
        by_element = {taken.node for taken in self._wiring.mapped[node].inputs}
        whole = self._wiring.take_nodes[node]
        others = [pred for pred in self._wiring.preds[node] if pred not in by_element]
        return tuple(dict.fromkeys([*whole, *others]))

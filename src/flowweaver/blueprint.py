"""A workflow's graph as text, kept with its runs so that they can be drawn years later.

The text depends on nothing but the graph, so all runs of an unchanged workflow share one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from flowweaver import graph
from flowweaver.errors import StoreCorruptError

GRAPH_KEY = "graph"
"""Where a run's `info` has the digest of its blueprint, which the store keeps as code."""
REWIRED_KEY = "rewired"
"""Where a run's `info` says that it was gone on with by another graph than it was begun with, so
that it may have records of tasks that its workflow has no more."""

_NO_GRAPH = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What is kept of a workflow's graph.

    Attributes:
        tasks: The tasks' names in the order they were added.
        preds: For each task, the places in `tasks` of those it waits for.
        mapped: The places of the tasks that run once per element.
        sources: By the place of a task, where each of its parameters comes from: the name of a
            task, or ``:name`` for a parameter of the workflow.
        purposes: By the place of a task, the first line of its docstring.
    """

    tasks: tuple[str, ...] = ()
    preds: tuple[tuple[int, ...], ...] = ()
    mapped: frozenset[int] = frozenset()
    sources: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    purposes: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str) -> Blueprint:
        """Return what `blueprint_text` has written."""
        return cls._from(json.loads(text))

    @classmethod
    def from_store(cls, text: str) -> Blueprint:
        """Return what a store says that `blueprint_text` has written.

        Raises:
            StoreCorruptError: It is no graph of tasks.
        """
        try:
            read = cls._from(json.loads(text))
            places = range(len(read.tasks))
            known = [*read.mapped, *read.sources, *read.purposes, *chain(*read.preds)]
            ordered = graph.topological_order(read.preds, graph.successors(read.preds))
            names = [*read.tasks, *read.purposes.values()]
            names += [
                word for found in read.sources.values() for pair in found.items() for word in pair
            ]
            if (
                len(read.preds) != len(places)
                or len(ordered) != len(places)
                or not all(type(place) is int and place in places for place in known)
                or not all(isinstance(name, str) for name in names)
            ):
                raise ValueError("no graph")
        except _NO_GRAPH as error:
            raise StoreCorruptError(
                "The graph that the store keeps of a run makes no sense; put a backup in the "
                "store's place, or execute the workflow again and look at that run."
            ) from error
        return read

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Blueprint:
        return cls(
            tuple(data["tasks"]),
            tuple(map(tuple, data["preds"])),
            frozenset(data["mapped"]),
            {int(node): found for node, found in data["sources"].items()},
            {node: words for words, nodes in data["purposes"].items() for node in nodes},
        )

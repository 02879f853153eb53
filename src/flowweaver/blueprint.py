"""A workflow's graph as text, kept with its runs so that they can be drawn years later.

The text depends on nothing but the graph, so all runs of an unchanged workflow share one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GRAPH_KEY = "graph"
"""Where a run's `info` has the digest of its blueprint, which the store keeps as code."""


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
        data: dict[str, Any] = json.loads(text)
        return cls(
            tuple(data["tasks"]),
            tuple(map(tuple, data["preds"])),
            frozenset(data["mapped"]),
            {int(node): found for node, found in data["sources"].items()},
            {node: words for words, nodes in data["purposes"].items() for node in nodes},
        )

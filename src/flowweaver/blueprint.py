"""A workflow's graph as text, kept with its runs so that they can be drawn years later.

The text depends on nothing but the graph, so all runs of an unchanged workflow share one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import FunctionType
from typing import Any

from flowweaver.definitions.wiring import Wiring

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

    @classmethod
    def of(cls, wiring: Wiring) -> Blueprint:
        """Return the blueprint of a compiled workflow."""
        return cls.from_text(blueprint_text(wiring))


def blueprint_text(wiring: Wiring) -> str:
    """Return the graph of a workflow as text.

    A parameter that takes what has its own name is left out of the sources: that is the rule, and
    with many tasks the text would double.
    """
    names = [task.name for task in wiring.tasks]
    return json.dumps(
        {
            "tasks": names,
            "preds": wiring.preds,
            "mapped": sorted(wiring.mapped),
            "sources": _sources(wiring, names),
            "purposes": _purposes(wiring),
        },
        separators=(",", ":"),
    )


def blueprint_digest(text: str) -> str:
    """Return what a blueprint is kept under."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _sources(wiring: Wiring, names: list[str]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for node, (taken, nodes) in enumerate(zip(wiring.take_names, wiring.take_nodes, strict=True)):
        if taken:
            renamed = {
                name: names[source]
                for name, source in zip(taken, nodes, strict=True)
                if names[source] != name
            }
            if renamed:
                found[node] = renamed
    for node, uses in wiring.uses.items():
        for name, use in uses:
            if name != use:
                found.setdefault(node, {})[name] = f":{use}"
    for node, mapped in wiring.mapped.items():
        for item in mapped.inputs:
            source = f":{item.parameter}" if item.node is None else names[item.node]
            found.setdefault(node, {})[item.name] = source
    return found


def _purposes(wiring: Wiring) -> dict[str, list[int]]:
    """Return the first lines of docstrings; tasks by the thousand may share one function."""
    nodes_of: dict[Any, list[int]] = {}
    for node, task in enumerate(wiring.tasks):
        fn = task.fn
        doc = fn.__doc__ if isinstance(fn, FunctionType) else None
        if doc:
            nodes_of.setdefault(doc, []).append(node)
    found: dict[str, list[int]] = {}
    for doc, nodes in nodes_of.items():
        found.setdefault(doc.strip().partition("\n")[0].strip(), []).extend(nodes)
    return found

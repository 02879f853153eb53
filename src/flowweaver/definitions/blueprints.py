"""Putting down a workflow's graph as text, which `flowweaver.blueprint` reads."""

from __future__ import annotations

import json
from types import FunctionType
from typing import Any

from flowweaver.blueprint import Blueprint
from flowweaver.definitions.wiring import Wiring


def blueprint_of(wiring: Wiring) -> Blueprint:
    """Return the blueprint of a compiled workflow."""
    return Blueprint.from_text(blueprint_text(wiring))


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

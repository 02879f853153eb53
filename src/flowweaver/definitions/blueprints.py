"""Putting down a workflow's graph as text, which `flowweaver.blueprint` reads."""

from __future__ import annotations

import json
from array import array
from hashlib import blake2b
from types import FunctionType
from typing import Any

from flowweaver.blueprint import Blueprint
from flowweaver.definitions.kinds import kinds_of, shape_of
from flowweaver.definitions.wiring import Wiring

_KEY = "blueprint"


def blueprint_of(wiring: Wiring) -> Blueprint:
    """Return the blueprint of a compiled workflow."""
    return Blueprint.from_text(blueprint_text(wiring))


def blueprint_digest(wiring: Wiring) -> str:
    """Return what the blueprint of a compiled workflow is kept under, worked out once.

    It is the digest of what the text is made of: to write the text costs many times as much.
    """
    if _KEY not in wiring.kept:
        kinds = kinds_of(wiring)
        numbers: dict[str, int] = {}
        # By what is said of them, not by kind: the text is the same where only code has changed.
        said = [numbers.setdefault(_purpose(task.fn), len(numbers)) for task in kinds.samples]
        state = blake2b(shape_of(wiring), digest_size=16)
        if any(numbers):
            of_kind = dict(zip(dict.fromkeys(kinds.firsts), said, strict=True))
            by_node = array("L", map(of_kind.__getitem__, kinds.firsts))
            state.update(json.dumps(list(numbers)).encode() + by_node.tobytes())
        wiring.kept[_KEY] = state.hexdigest()
    digest: str = wiring.kept[_KEY]
    return digest


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
    """Return the first lines of docstrings, and the nodes that each is said of."""
    kinds = kinds_of(wiring)
    purpose_of = {
        first: purpose
        for first, task in zip(sorted(set(kinds.firsts)), kinds.samples, strict=True)
        if (purpose := _purpose(task.fn))
    }
    found: dict[str, list[int]] = {}
    if purpose_of:
        for node, first in enumerate(kinds.firsts):
            if first in purpose_of:
                found.setdefault(purpose_of[first], []).append(node)
    return found


def _purpose(fn: Any) -> str:
    doc = fn.__doc__ if isinstance(fn, FunctionType) else None
    return doc.strip().partition("\n")[0].strip() if doc else ""

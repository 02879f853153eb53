"""In which layer each node stands, and where long edges pass through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flowweaver import graph

# An edge over more layers than this is drawn straight: to lead it around everything costs a
# dummy a layer, and nobody follows it with the eye.
_LONGEST_LED = 12
# So many dummies for each node at most; a graph that dense is no drawing any more.
_DUMMIES_A_NODE = 3


@dataclass(slots=True)
class Layered:
    """Nodes in layers. Those from `real` on are dummies: points a long edge passes through.

    `ups` and `downs` are by node, over dummies too. `chains` gives the dummies of an edge, in
    order; edges without are not in it.
    """

    real: int
    layer: list[int]
    layers: list[list[int]]
    ups: list[list[int]]
    downs: list[list[int]]
    chains: dict[tuple[int, int], list[int]] = field(default_factory=dict)


def layered(preds: Sequence[Sequence[int]]) -> Layered:
    """Put each node one layer behind the last of its predecessors (longest path).

    A node without predecessors stands just before the first that waits for it, so that lines
    stay short.
    """
    layer = _layers(preds)
    found = Layered(
        len(preds),
        layer,
        [[] for _ in range(max(layer, default=-1) + 1)],
        [[] for _ in preds],
        [[] for _ in preds],
    )
    for node, place in enumerate(layer):
        found.layers[place].append(node)
    budget = _DUMMIES_A_NODE * len(preds)
    for node, before in enumerate(preds):
        for pred in before:
            span = layer[node] - layer[pred]
            if span > _LONGEST_LED or span - 1 > budget:
                continue
            budget -= span - 1
            _lead(found, pred, node)
    return found


def _layers(preds: Sequence[Sequence[int]]) -> list[int]:
    succs = graph.successors(preds)
    order = graph.topological_order(preds, succs)
    layer = [0] * len(preds)
    for node in order:
        layer[node] = max((layer[pred] + 1 for pred in preds[node]), default=0)
    for node in reversed(order):
        if not preds[node] and succs[node]:
            layer[node] = min(layer[succ] for succ in succs[node]) - 1
    return layer


def _lead(found: Layered, pred: int, node: int) -> None:
    """Lead an edge through a dummy in each layer between its ends."""
    previous, chain = pred, []
    for place in range(found.layer[pred] + 1, found.layer[node]):
        dummy = len(found.layer)
        found.layer.append(place)
        found.layers[place].append(dummy)
        found.ups.append([previous])
        found.downs.append([])
        found.downs[previous].append(dummy)
        chain.append(dummy)
        previous = dummy
    found.ups[node].append(previous)
    found.downs[previous].append(node)
    if chain:
        found.chains[pred, node] = chain

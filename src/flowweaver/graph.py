"""Order, layers, cycles and paths of a graph: pure functions over small integers.

A graph is given as a sequence of predecessors: ``preds[i]`` are the nodes that come before node
``i``. Everything is iterative and linear in nodes and edges, so that a chain of a million nodes
needs no recursion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Preds = Sequence[Sequence[int]]


def successors(preds: Preds, nodes: Iterable[int] | None = None) -> list[Sequence[int]]:
    """Return the nodes that come directly after each node.

    `nodes` are the numbers from 0 on, if the caller has them as objects already: a million more
    of them would weigh as much as the rest of the answer.
    """
    succs: list[Sequence[int]] = [()] * len(preds)
    for node, before in zip(range(len(preds)) if nodes is None else nodes, preds, strict=True):
        for pred in before:
            known = succs[pred]
            if not known:
                succs[pred] = (node,)
            elif type(known) is list:
                known.append(node)
            else:
                succs[pred] = [*known, node]
    return succs


def topological_order(preds: Preds, succs: Sequence[Sequence[int]]) -> list[int]:
    """Return the nodes so that each comes after its predecessors (Kahn, 1962).

    Nodes on or behind a cycle are left out: the order is complete when it is as long as `preds`.
    """
    waiting = [len(before) for before in preds]
    order = [node for node, count in enumerate(waiting) if not count]
    for node in order:  # grows while it is walked
        for succ in succs[node]:
            waiting[succ] -= 1
            if not waiting[succ]:
                order.append(succ)
    return order


def find_cycle(preds: Preds, among: set[int]) -> list[int]:
    """Return the nodes of one cycle in order; each node `among` must have a predecessor there.

    Walking backwards from any such node must come upon a node twice: the walk between is a cycle.
    """
    node = min(among)
    seen: dict[int, int] = {}
    walk: list[int] = []
    while node not in seen:
        seen[node] = len(walk)
        walk.append(node)
        node = next(pred for pred in preds[node] if pred in among)
    return walk[seen[node] :][::-1]


def reached(nodes: Iterable[int], adjacent: Sequence[Sequence[int]]) -> set[int]:
    """Return nodes with all that is reached from them, given what is next to each node."""
    found = set(nodes)
    pending = list(found)
    while pending:
        for node in adjacent[pending.pop()]:
            if node not in found:
                found.add(node)
                pending.append(node)
    return found


def layers(preds: Preds, order: Sequence[int]) -> list[list[int]]:
    """Return the nodes by depth: the first layer has no predecessors. For people to look at."""
    depth = [0] * len(preds)
    for node in order:
        depth[node] = 1 + max((depth[pred] for pred in preds[node]), default=-1)
    found: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for node, level in enumerate(depth):
        found[level].append(node)
    return found


def upward_rank(
    succs: Sequence[Sequence[int]], order: Sequence[int], durations: Sequence[float]
) -> list[float]:
    """Return for each node the longest path from its start to the end of the graph.

    `durations` are seconds by node. This is the upward rank of HEFT (Topcuoglu, Hariri and Wu,
    2002) without communication costs; the largest is the critical path's length.
    """
    rank = [0.0] * len(succs)
    for node in reversed(order):
        rank[node] = durations[node] + max((rank[succ] for succ in succs[node]), default=0.0)
    return rank


def critical_path(
    succs: Sequence[Sequence[int]], order: Sequence[int], durations: Sequence[float]
) -> list[int]:
    """Return the nodes of a longest path by `durations` (seconds), first to last."""
    rank = upward_rank(succs, order, durations)
    path: list[int] = []
    candidates: Sequence[int] = order
    while candidates:
        path.append(max(candidates, key=rank.__getitem__))
        candidates = succs[path[-1]]
    return path

"""How the nodes of a layer follow each other, so that few edges cross.

By the barycentre rule of Sugiyama, Tagawa and Toda (1981): going down the layers and up again,
each is sorted by the mean place of its nodes' neighbours in the layer before.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowweaver.report.graph.layers import Layered


def order_layers(found: Layered, sweeps: int) -> None:
    """Sort the nodes of each layer in place."""
    place = [0.0] * len(found.layer)
    for nodes in found.layers:
        _number(nodes, place)
    for sweep in range(sweeps):
        down = sweep % 2 == 0
        neighbours = found.ups if down else found.downs
        for nodes in found.layers[1:] if down else found.layers[-2::-1]:
            _sort(nodes, neighbours, place)


def _sort(nodes: list[int], neighbours: Sequence[Sequence[int]], place: list[float]) -> None:
    wanted = {}
    for node in nodes:
        near = neighbours[node]
        if len(near) == 1:
            wanted[node] = place[near[0]]
        elif near:
            wanted[node] = sum([place[each] for each in near]) / len(near)
        else:
            wanted[node] = place[node]
    nodes.sort(key=wanted.__getitem__)
    _number(nodes, place)


def _number(nodes: Sequence[int], place: list[float]) -> None:
    """Give the nodes of a layer places around 0, so that layers of any length compare."""
    middle = (len(nodes) - 1) / 2
    for index, node in enumerate(nodes):
        place[node] = index - middle

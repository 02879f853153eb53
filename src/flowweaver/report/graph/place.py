"""Where the nodes of ordered layers stand: as near to their neighbours as the order allows."""

from __future__ import annotations

from collections.abc import Sequence

from flowweaver.report.graph.layers import Layered


def centres(found: Layered, heights: Sequence[float], gap: float, sweeps: int) -> list[float]:
    """Return the middle of each node across the layers, the smallest edge at 0.

    Args:
        found: The nodes, their layers in order.
        heights: How much room each node takes; of a dummy, how much a line takes.
        gap: The room between two of them.
        sweeps: How often to go through all layers.
    """
    at = [0.0] * len(heights)
    for nodes in found.layers:
        wanted = [0.0] * len(nodes)
        _settle(nodes, wanted, heights, gap, at)
    for sweep in range(sweeps):
        down = sweep % 2 == 0
        first, second = (found.ups, found.downs) if down else (found.downs, found.ups)
        for nodes in found.layers if down else reversed(found.layers):
            wanted = [_mean(first[node] or second[node] or (node,), at) for node in nodes]
            _settle(nodes, wanted, heights, gap, at)
    top = min((at[node] - heights[node] / 2 for node in range(len(at))), default=0.0)
    return [middle - top for middle in at]


def _mean(nodes: Sequence[int], at: Sequence[float]) -> float:
    return at[nodes[0]] if len(nodes) == 1 else sum([at[node] for node in nodes]) / len(nodes)


def _settle(
    nodes: Sequence[int],
    wanted: Sequence[float],
    heights: Sequence[float],
    gap: float,
    at: list[float],
) -> None:
    """Place nodes in their order, apart from each other, nearest to where they want to be.

    The least squares under these bounds, by pooling neighbours that would overlap (Ayer and
    others, 1955): a pool stands at the mean of what its members want.
    """
    offsets, reached = [], 0.0
    for node in nodes:
        offsets.append(reached + heights[node] / 2)
        reached += heights[node] + gap
    sums: list[float] = []
    counts: list[int] = []
    for wish, offset in zip(wanted, offsets, strict=True):
        total, count = wish - offset, 1
        while sums and sums[-1] * count >= total * counts[-1]:
            total += sums.pop()
            count += counts.pop()
        sums.append(total)
        counts.append(count)
    index = 0
    for total, count in zip(sums, counts, strict=True):
        mean = total / count
        for place in range(index, index + count):
            at[nodes[place]] = mean + offsets[place]
        index += count

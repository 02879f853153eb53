"""A workflow's drawing: boxes and lines with coordinates, for every level of nesting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowweaver.report.graph.folding import Folded, fold
from flowweaver.report.graph.layers import Layered, layered
from flowweaver.report.graph.order import order_layers
from flowweaver.report.graph.place import centres

BOX_HEIGHT = 40
_LINE_HEIGHT = 8
_GAP = 14
_BETWEEN_LAYERS = 56
_NARROWEST, _WIDEST = 136, 240
_LETTER = 7.2
_FIRST_WIDE = "\u1100"  # from here on nearly all letters are as wide as two Latin ones
_BESIDE_NAME = 44
# Larger drawings get fewer sweeps: they are looked at from afar.
_SWEEPS = ((500, 8), (2_000, 4), (5_000, 2))


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and lines with coordinates. A line leads from box to box by the points between."""

    width: int
    height: int
    x: list[int]
    y: list[int]
    w: list[int]
    lines: list[tuple[int, int, list[int]]]


def draw(names: Sequence[str], preds: Sequence[Sequence[int]]) -> dict[str, dict[str, Any]]:
    """Return the drawing of each level of a workflow, by the name of the nested one, as JSON."""
    whole = [preds[task] if task < len(preds) else () for task in range(len(names))]
    return {group: _level_json(level, names) for group, level in fold(names, whole).items()}


def lay_out(labels: Sequence[str], preds: Sequence[Sequence[int]]) -> Drawing:
    """Return where boxes with these labels go, each to the right of those before it."""
    found = layered(preds)
    sweeps = next((count for size, count in _SWEEPS if len(labels) <= size), 0)
    order_layers(found, sweeps)
    dummies = len(found.layer) - found.real
    heights = [BOX_HEIGHT] * found.real + [_LINE_HEIGHT] * dummies
    middle = centres(found, heights, _GAP, sweeps)
    widths = [_width(label) for label in labels]
    lefts, total = _columns(found, widths)
    return Drawing(
        total,
        round(max((at + h / 2 for at, h in zip(middle, heights, strict=True)), default=0)),
        [lefts[found.layer[node]] for node in range(found.real)],
        [round(middle[node] - BOX_HEIGHT / 2) for node in range(found.real)],
        widths,
        [*_lines(found, lefts, middle, preds)],
    )


def _level_json(level: Folded, names: Sequence[str]) -> dict[str, Any]:
    labels = [box if isinstance(box, str) else names[box] for box in level.boxes]
    drawing = lay_out(labels, level.preds)
    told: dict[str, Any] = {
        "width": drawing.width,
        "height": drawing.height,
        "boxes": list(level.boxes),
        "x": drawing.x,
        "y": drawing.y,
        "w": drawing.w,
        "lines": [[a, b, points] if points else [a, b] for a, b, points in drawing.lines],
    }
    groups = {
        box: list(members)
        for box, members in zip(level.boxes, level.members, strict=True)
        if isinstance(box, str)
    }
    return {**told, "groups": groups} if groups else told


def _width(label: str) -> int:
    letters = sum(2 if letter >= _FIRST_WIDE else 1 for letter in label)
    return round(min(_WIDEST, max(_NARROWEST, _LETTER * letters + _BESIDE_NAME)))


def _columns(found: Layered, widths: Sequence[int]) -> tuple[list[int], int]:
    """Return the left edge of each layer, and the width of all."""
    lefts, reached = [], 0
    for nodes in found.layers:
        lefts.append(reached)
        widest = max((widths[node] for node in nodes if node < found.real), default=_NARROWEST)
        reached += widest + _BETWEEN_LAYERS
    return lefts, max(0, reached - _BETWEEN_LAYERS)


def _lines(
    found: Layered, lefts: Sequence[int], middle: Sequence[float], preds: Sequence[Sequence[int]]
) -> list[tuple[int, int, list[int]]]:
    lines = []
    for node, before in enumerate(preds):
        for pred in before:
            points: list[int] = []
            for dummy in found.chains.get((pred, node), ()):
                points += (lefts[found.layer[dummy]], round(middle[dummy]))
            lines.append((pred, node, points))
    return lines

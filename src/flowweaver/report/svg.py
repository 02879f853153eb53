"""A workflow's graph as a picture of its own: no script, no font and nothing from anywhere."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise

from flowweaver.report.graph import lay_out
from flowweaver.report.graph.drawing import BOX_HEIGHT, Drawing
from flowweaver.serialize.describe import clean, shorten

_PAD = 8
_LETTER = 7.2
# Dark and light alike: what is written takes the reader's own colour.
_COLOURS: Mapping[str, str] = {
    "executed": "#1c8a66",
    "restored": "#3f7dab",
    "overridden": "#8a6d1f",
    "running": "#7a63e0",
    "retrying": "#c07a14",
    "failed": "#d8473d",
    "upstream_failed": "#a06a80",
    "skipped": "#8b92a0",
    "cancelled": "#717889",
    "pending": "#8b92a0",
}
_MARKS: Mapping[str, str] = {
    "executed": "✓",
    "restored": "↺",
    "overridden": "✎",
    "running": "▶",
    "retrying": "↻",
    "failed": "✕",
    "upstream_failed": "⊘",
    "skipped": "»",
    "cancelled": "■",
}


def graph_svg(
    names: Sequence[str],
    preds: Sequence[Sequence[int]],
    outcomes: Sequence[str] = (),
    notes: Sequence[str] = (),
    *,
    downwards: bool = False,
) -> str:
    """Return a graph as SVG.

    Args:
        names: The tasks.
        preds: What each waits for, by place.
        outcomes: How each came out; nothing is marked if not given.
        notes: A few words below each name.
        downwards: Whether what waits stands below what it waits for, not to its right.
    """
    labels = [shorten(clean(name), 60) for name in names]
    drawing = lay_out(labels, preds)
    if downwards:
        drawing = _turned(drawing)
    lines = [_line(drawing, *line, downwards=downwards) for line in drawing.lines]
    boxes = [
        _box(
            drawing,
            place,
            label,
            outcomes[place] if outcomes else "",
            notes[place] if notes else "",
        )
        for place, label in enumerate(labels)
    ]
    width, height = drawing.width + 2 * _PAD, drawing.height + 2 * _PAD
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="{-_PAD} {-_PAD} {width} {height}" role="img" style="max-width:100%" '
        f'font-family="system-ui, sans-serif" font-size="12.5" fill="currentColor">'
        f'<g fill="none" stroke="#8b92a0" stroke-width="1.2">{"".join(lines)}</g>'
        f"{''.join(boxes)}</svg>"
    )


def _turned(drawing: Drawing) -> Drawing:
    """Return a drawing with its layers below each other instead of side by side."""
    lefts = sorted(set(drawing.x))
    row = {left: index for index, left in enumerate(lefts)}
    wide = max(drawing.w, default=0) + 24
    step = BOX_HEIGHT + 14
    x = [round(y / step * wide) for y in drawing.y]
    y = [row[left] * (BOX_HEIGHT + 36) for left in drawing.x]
    lines = [(a, b, list[int]()) for a, b, _ in drawing.lines]
    return Drawing(
        max((at + w for at, w in zip(x, drawing.w, strict=True)), default=0),
        max((at + BOX_HEIGHT for at in y), default=0),
        x,
        y,
        drawing.w,
        lines,
    )


def _line(drawing: Drawing, start: int, end: int, points: list[int], *, downwards: bool) -> str:
    if downwards:
        x0, y0 = drawing.x[start] + drawing.w[start] / 2, drawing.y[start] + BOX_HEIGHT
        x1, y1 = drawing.x[end] + drawing.w[end] / 2, drawing.y[end]
        middle = (y0 + y1) / 2
        return f'<path d="M{x0:g} {y0}C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1}"/>'
    stops: list[tuple[float, float]] = [
        (drawing.x[start] + drawing.w[start], drawing.y[start] + BOX_HEIGHT / 2)
    ]
    for place in range(0, len(points), 2):
        stops += [(points[place], points[place + 1]), (points[place] + 136, points[place + 1])]
    stops.append((drawing.x[end], drawing.y[end] + BOX_HEIGHT / 2))
    path = f"M{stops[0][0]:g} {stops[0][1]:g}"
    for before, after in pairwise(stops):
        bend = (before[0] + after[0]) / 2
        path += f"C{bend:g} {before[1]:g} {bend:g} {after[1]:g} {after[0]:g} {after[1]:g}"
    return f'<path d="{path}"/>'


def _box(drawing: Drawing, place: int, label: str, outcome: str, note: str) -> str:
    x, y, w = drawing.x[place], drawing.y[place], drawing.w[place]
    colour = _COLOURS.get(outcome, _COLOURS["pending"])
    mark = _MARKS.get(outcome, "")
    name = html.escape(shorten(label, int((w - 34) / _LETTER)))
    told = html.escape(f"{label}: {outcome.replace('_', ' ')}" if outcome else label)
    below = f'<text x="28" y="33" font-size="10.5" opacity="0.7">{html.escape(note)}</text>'
    return (
        f'<g transform="translate({x} {y})"><title>{told}</title>'
        f'<rect width="{w}" height="{BOX_HEIGHT}" rx="7" fill="{colour}" fill-opacity="0.12" '
        f'stroke="{colour}"/>'
        f'<text x="10" y="{19 if note else 25}" fill="{colour}">{mark}</text>'
        f'<text x="28" y="{18 if note else 24}" font-weight="600">{name}</text>'
        f"{below if note else ''}</g>"
    )

"""What was measured, as a picture: bars on a logarithmic scale, one panel a case, in plain SVG."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import ceil, floor, log10

from benchmarks.measure import Outcome, label
from benchmarks.model import Entry
from benchmarks.report import figure
from benchmarks.roster import SUBJECTS

_WIDTH, _LEFT, _RIGHT = 900, 340, 90
_BAR, _HEAD, _GAP = 20, 34, 18
_COLOURS = {"FlowWeaver": "#1f6feb", "floor": "#8c959f"}
_PEER_COLOUR = "#d4a72c"


def picture(outcomes: Iterable[Outcome]) -> str:
    """Draw all outcomes that have a value, one below the other."""
    panels, top = [], float(_GAP)
    for outcome in outcomes:
        bars = _bars(outcome)
        if bars:
            panels.append(_panel(outcome, bars, top))
            top += _HEAD + _BAR * len(bars) + _GAP
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top:.0f}"',
        ' font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{top:.0f}" fill="white"/>',
        *panels,
        "</svg>",
        "",
    ])  # fmt: skip


def _bars(outcome: Outcome) -> list[tuple[Entry, int, float]]:
    """Return each entry's value at the largest size it was measured at, the smallest first."""
    found = []
    for entry in outcome.case.entries:
        sizes = outcome.sizes(entry)
        value = outcome.median(entry, sizes[-1]) if sizes else None
        if value is not None and value > 0:
            found.append((entry, sizes[-1], value))
    return sorted(found, key=lambda bar: bar[2])


def _panel(outcome: Outcome, bars: list[tuple[Entry, int, float]], top: float) -> str:
    case = outcome.case
    low = floor(log10(bars[0][2]) - 0.3)
    high = max(ceil(log10(bars[-1][2])), low + 1)
    scale = (_WIDTH - _LEFT - _RIGHT) / (high - low)
    head = f"{case.title} ({case.unit})"
    parts = [f'<text x="12" y="{top + 16:.0f}" font-weight="600">{escape(head)}</text>']
    for row, (entry, size, value) in enumerate(bars):
        y = top + _HEAD - 8 + row * _BAR
        length = (log10(value) - low) * scale
        colour = _COLOURS.get(SUBJECTS[entry.subject].label, _PEER_COLOUR)
        name = escape(f"{label(entry)} ({size:,})")
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 13:.0f}" text-anchor="end">{name}</text>',
            f'<rect x="{_LEFT}" y="{y + 2:.0f}" width="{length:.1f}" height="{_BAR - 5}"'
            f' fill="{colour}"/>',
            f'<text x="{_LEFT + length + 6:.1f}" y="{y + 13:.0f}">{figure(value)}</text>',
        ]
    return "\n".join(parts)

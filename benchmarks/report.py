"""What was measured, as text and as JSON."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from benchmarks.measure import Outcome, label
from benchmarks.model import Entry, Target
from benchmarks.roster import SUBJECTS


def machine() -> dict[str, Any]:
    """Say on what was measured."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "sqlite": sqlite3.sqlite_version,
        "flowweaver": version("flowweaver"),
    }


def leader(outcome: Outcome) -> Entry | None:
    """Return the entry that others are shown over: the first measured one of FlowWeaver."""
    for entry in outcome.case.entries:
        if SUBJECTS[entry.subject].label == "FlowWeaver" and outcome.sizes(entry):
            return entry
    return None


def text(outcome: Outcome) -> str:
    """Write an outcome as a table, the figures to keep below it, then what peers do besides."""
    lines = [
        f"{outcome.case.name}: {outcome.case.title} ({outcome.case.unit}, medians)",
        *_table(outcome),
        *(f"  {label(entry)}: {why}" for entry, why in outcome.skipped.items()),
        *(f"  {verdict(outcome, target)}" for target in outcome.case.targets),
    ]
    return "\n".join(lines)


def _table(outcome: Outcome) -> Iterable[str]:
    measured = [entry for entry in outcome.case.entries if outcome.sizes(entry)]
    sizes = sorted({size for entry in measured for size in outcome.sizes(entry)})
    over = leader(outcome)
    width = max((len(label(entry)) for entry in measured), default=0) + 2
    heads = "".join(f"{size:>13,}" for size in sizes)
    yield f"  {outcome.case.of:<{width}}{heads}{'x FlowWeaver' if over else '':>15}"
    for entry in measured:
        cells = "".join(f"{figure(outcome.median(entry, size)):>13}" for size in sizes)
        ratio = outcome.ratio(entry, over) if over and entry != over else None
        yield f"  {label(entry):<{width}}{cells}{figure(ratio):>15}".rstrip()


def figure(value: float | None) -> str:
    """Write a number with three digits that count, or nothing for None."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def verdict(outcome: Outcome, target: Target) -> str:
    """Say in a line whether a figure is kept."""
    value = outcome.reached(target)
    said = f"{label(target.entry)}: {_meant(outcome, target)} at most {target.at_most:g}"
    if value is None:
        return f"[not measured] {said}"
    kept = "kept" if value <= target.at_most else "MISSED"
    return f"[{kept}] {said}: {figure(value)}"


def _meant(outcome: Outcome, target: Target) -> str:
    if target.against is not None:
        return f"over {label(target.against)}"
    if target.growth_from is not None:
        return f"growth from {target.growth_from:,} {outcome.case.of}"
    return outcome.case.unit


def as_json(outcomes: Iterable[Outcome], rounds: int) -> dict[str, Any]:
    """Return all that was measured, as JSON can hold it."""
    return {
        "machine": machine(),
        "rounds": rounds,
        "cases": [_case_as_json(outcome) for outcome in outcomes],
        "peers": {
            subject.label: {"requirements": subject.requirements, "also does": subject.more}
            for subject in SUBJECTS.values()
            if subject.is_peer
        },
    }


def _case_as_json(outcome: Outcome) -> dict[str, Any]:
    case = outcome.case
    return {
        "name": case.name,
        "title": case.title,
        "unit": case.unit,
        "values": [
            {
                "subject": label(entry),
                "size": size,
                "median": outcome.median(entry, size),
                "rounds": values,
            }
            for (entry, size), values in outcome.values.items()
        ],
        "skipped": {label(entry): why for entry, why in outcome.skipped.items()},
        "targets": [
            {
                "what": f"{label(target.entry)}: {_meant(outcome, target)}",
                "at_most": target.at_most,
                "value": outcome.reached(target),
            }
            for target in case.targets
        ],
    }


def peers_said(outcomes: Iterable[Outcome]) -> str:
    """Say what the peers that were measured do besides, so that figures are read fairly."""
    seen = {entry.subject for outcome in outcomes for entry, _ in outcome.values}
    told = [
        f"  {subject.label}: {subject.more}"
        for subject in SUBJECTS.values()
        if subject.is_peer and subject.name in seen
    ]
    return "\n".join(["What peers do that FlowWeaver does not:", *told]) if told else ""

"""Figures with what they rest on: how often it was tried, and what 0 of so many can mean."""

from __future__ import annotations

import json
import platform
import sqlite3
from dataclasses import asdict, dataclass, field
from pathlib import Path

import flowweaver


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        what: What was tried.
        tried: How often.
        found: What came of it, in words.
        faults: What must not have happened, but did.
        bounded: Whether faults are looked for at all; if not, there is nothing to bound.
    """

    what: str
    tried: int
    found: str
    faults: list[str] = field(default_factory=list)
    bounded: bool = True

    @property
    def bound(self) -> str:
        """With how small a share 0 of so many is compatible, at 95 % ("rule of three")."""
        if not self.bounded:
            return "may be"
        if self.faults:
            return f"{len(self.faults)} faults"
        return f"< {min(1.0, 3 / self.tried):.2%}" if self.tried else "nothing tried"


def versions() -> dict[str, str]:
    """Return what the figures were measured with."""
    return {
        "flowweaver": flowweaver.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()}",
    }


def table(figures: list[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| What | Tried | Found | Faults, 95 % bound |", "|---|---:|---|---|"]
    lines += [
        f"| {figure.what} | {figure.tried:,} | {figure.found} | {figure.bound} |"
        for figure in figures
    ]
    return "\n".join(lines)


def write_json(figures: list[Figure], path: Path, command: str) -> None:
    """Write the figures with versions and command."""
    rows = [{**asdict(figure), "bound": figure.bound} for figure in figures]
    told = {"command": command, "versions": versions(), "figures": rows}
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")

"""What the bodies do, the same for every rival; imports nothing that is not in Python.

`load`, then eight parts on four workers, then three tasks in a row: a second and a half of work.
Each body notes in a journal of its own when it starts and ends.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

PARTS = 8
WORKERS = 4
FINAL = sum(range(1, PARTS + 1)) + 2


def folder() -> Path:
    """Return the folder that this process works in, as its parent said."""
    return Path(sys.argv[1])


def note(what: str, name: str) -> None:
    """Append a line to the journal and have it on disk."""
    line = f"{what} {name} {time.monotonic()}\n"
    file = os.open(folder() / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
        os.fsync(file)
    finally:
        os.close(file)


def worked(name: str, seconds: float, value: int) -> int:
    """Do what a body does: note, take a while, note, return."""
    note("start", name)
    time.sleep(seconds)
    note("end", name)
    return value


def load() -> int:
    """Come first."""
    return worked("load", 0.1, 1)


def part(number: int) -> int:
    """Be one of eight that can go side by side, of very different lengths."""
    return worked(f"part {number}", 0.1 + 0.08 * number, number + 1)


def join(values: list[int]) -> int:
    """Take what all parts returned."""
    return worked("join", 0.1, sum(values))


def check(total: int) -> int:
    """Come next to last."""
    return worked("check", 0.1, total + 1)


def send(total: int) -> int:
    """Come last."""
    return worked("send", 0.1, total + 1)


def finished(value: object) -> None:
    """Leave word that it is complete, and what it came to."""
    (folder() / "final").write_text(repr(value))

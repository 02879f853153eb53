"""What tests ask about processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

LIMIT_SECONDS = 120.0


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, also if nobody has waited for it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False  # it ended this moment, or there are no such files here
    return state == "Z"


def await_gone(*pids: int, within: float = LIMIT_SECONDS) -> None:
    """Block until the processes have ended; raises `TimeoutError` if they do not."""
    end = time.monotonic() + within
    while not all(map(is_gone, pids)):
        if time.monotonic() > end:
            raise TimeoutError(f"still there: {[pid for pid in pids if not is_gone(pid)]}")
        time.sleep(0.01)


def await_file(path: Path, *, lines: int = 1) -> list[str]:
    """Block until a file has that many lines, and return them."""
    end = time.monotonic() + LIMIT_SECONDS
    while not path.exists() or len(found := path.read_text().splitlines()) < lines:
        if time.monotonic() > end:
            raise TimeoutError(f"{path} has not come to {lines} lines")
        time.sleep(0.01)
    return found

"""What the command takes to look at one run of very many tasks, and to keep its store in order."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.model import Unavailable
from benchmarks.subjects.clock import CLOCK, milliseconds
from benchmarks.subjects.flowweaver_here import finish_elsewhere


def show_task(size: int) -> float:
    """Show one task."""
    return _milliseconds(size, "show", "last", "t1")


def show_run(size: int) -> float:
    """Show the run."""
    return _milliseconds(size, "show", "last")


def diff(size: int) -> float:
    """Compare the run with itself."""
    return _milliseconds(size, "diff", "last", "last")


def gc(size: int) -> float:
    """Look for what nothing refers to."""
    return _milliseconds(size, "gc")


def doctor(size: int) -> float:
    """Read every row and result."""
    return _milliseconds(size, "doctor")


def show_task_memory(size: int) -> float:
    """The most memory that showing one task takes."""
    return _megabytes(size, "show", "last", "t1")


def show_run_memory(size: int) -> float:
    """The most memory that showing the run takes."""
    return _megabytes(size, "show", "last")


def diff_memory(size: int) -> float:
    """The most memory that comparing it with itself takes."""
    return _megabytes(size, "diff", "last", "last")


def gc_memory(size: int) -> float:
    """The most memory that looking for what nothing refers to takes."""
    return _megabytes(size, "gc")


def doctor_memory(size: int) -> float:
    """The most memory that reading every row and result takes."""
    return _megabytes(size, "doctor")


def _milliseconds(size: int, *arguments: str) -> float:
    finish_elsewhere(size)
    if os.environ.get(CLOCK) == "processor":
        return _used(arguments)[0]
    return milliseconds(lambda: _used(arguments))


def _megabytes(size: int, *arguments: str) -> float:
    finish_elsewhere(size)
    return _used(arguments)[1]


def _used(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Return the milliseconds of processor time and the most MB that a command has taken."""
    if sys.platform == "win32":
        raise Unavailable("what a process took is not known on this system")
    command = [sys.executable, "-m", "flowweaver", *arguments, "--store", "state.db"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return (used.ru_utime + used.ru_stime) * 1e3, used.ru_maxrss * unit / 1e6

"""What is measured of a piece of work: time, memory, and the cost of an import."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from benchmarks.model import Unavailable

CLOCK = "FLOWWEAVER_BENCH_CLOCK"
"""The variable that says by which clock to measure: "wall" if it is not set, or "processor"."""


def _processor_time() -> float:
    """Return the seconds of this process, and of those that it started and that have ended."""
    if sys.platform == "win32":
        raise Unavailable("the processor time of other processes is not known on this system")
    import resource

    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + ended.ru_utime + ended.ru_stime


_now = _processor_time if os.environ.get(CLOCK) == "processor" else perf_counter


def microseconds_each(work: Callable[[], object], size: int) -> float:
    """Return the microseconds that `work` takes for each of the `size` things it does."""
    gc.collect()
    started = _now()
    work()
    return (_now() - started) / size * 1e6


def milliseconds(work: Callable[[], object]) -> float:
    """Return the milliseconds that `work` takes."""
    return microseconds_each(work, 1000)


def bytes_each(work: Callable[[], object], size: int) -> float:
    """Return the bytes that what `work` returns holds on to, for each of `size` things."""
    gc.collect()
    tracemalloc.start()
    kept = work()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    return held / size


def peak_megabytes(work: Callable[[], object]) -> float:
    """Return by how much `work` raises the largest resident size of the process, in MB."""
    before = _largest_resident_size()
    work()
    return (_largest_resident_size() - before) / 1e6


def _largest_resident_size() -> int:
    if sys.platform == "win32":
        raise Unavailable("the largest resident size is not known on this system")
    import resource

    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def import_milliseconds(statement: str, times: int) -> float:
    """Return how much longer an interpreter takes that also does `statement`; median of `times`.

    Started once beforehand, so that bytecode is compiled and files are in the cache.
    """
    _start(["-c", statement])
    return median(_start(["-c", statement]) - _start(["-c", "pass"]) for _ in range(times))


def started_milliseconds(starts: Sequence[Sequence[str]]) -> float:
    """Return how long interpreters with these arguments take; median of all but the first."""
    _start(starts[0])
    return median(map(_start, starts[1:]))


def _start(arguments: Sequence[str]) -> float:
    command = [sys.executable, *arguments]
    return milliseconds(lambda: subprocess.run(command, check=True, capture_output=True))


def installed_megabytes(_size: int) -> float:
    """Return the size of all packages of this environment, in MB; bytecode left out."""
    files = {
        Path(str(file.locate()))
        for distribution in distributions()
        for file in distribution.files or ()
        if file.suffix != ".pyc"
    }
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def installed_packages(_size: int) -> float:
    """Return how many packages this environment has."""
    return float(len({distribution.metadata["Name"] for distribution in distributions()}))

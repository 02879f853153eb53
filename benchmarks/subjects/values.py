"""Large values: made by one task, stored, taken by two others; and the libraries' own writers."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

from benchmarks.model import Unavailable
from benchmarks.subjects.clock import milliseconds
from flowweaver import Executor, ProcessExecutor, SQLiteStateStore, ThreadedExecutor, Workflow

Make = Callable[[int], Any]
Look = Callable[[Any], Any]
Measure = Callable[[Callable[[], object]], float]

_BYTES_OF_A_ROW = 24
_LOOK_EVERY_SECONDS = 0.005

# Values that cost little to make and to look at, beside what is measured.


def array(size: int) -> Any:
    """Make an array of `size` MB."""
    import numpy

    return numpy.arange(size * 125_000, dtype="f8")


def polars_frame(size: int) -> Any:
    """Make a frame of `size` MB."""
    import polars

    return polars.DataFrame(_columns(size))


def pandas_frame(size: int) -> Any:
    """Make a pandas frame of `size` MB."""
    import pandas

    return pandas.DataFrame(_columns(size))


def arrow_table(size: int) -> Any:
    """Make an Arrow table of `size` MB."""
    import pyarrow

    return pyarrow.table(_columns(size))


def _columns(size: int) -> dict[str, Any]:
    import numpy

    numbers = numpy.arange(size * 1_000_000 // _BYTES_OF_A_ROW)
    return {"number": numbers, "half": numbers / 2, "double": numbers * 2}


def some_bytes(size: int) -> bytes:
    """Make bytes of `size` MB."""
    return bytes(range(250)) * (4000 * size)


def first_of_array(made: Any) -> float:
    """Look at the whole of an array."""
    return float(made.max())


def first_of_frame(made: Any) -> float:
    """Look at the columns of a frame."""
    return float(sum(made[name].max() for name in made.columns))


def first_of_table(made: Any) -> float:
    """Look at the columns of a table."""
    import pyarrow.compute

    return float(sum(pyarrow.compute.max(each).as_py() for each in made.columns))


def first_of_bytes(made: bytes) -> int:
    """Look at the whole of some bytes."""
    return made.count(b"x")


# FlowWeaver.


def _workflow(make: Make, look: Look) -> Workflow:
    workflow = Workflow("large")
    workflow.add_task(make, name="made")
    for name in ("one", "other"):
        workflow.add_task(look, name=name, inputs={"made": "made"})
    return workflow


def _store() -> SQLiteStateStore:
    return SQLiteStateStore.from_url("sqlite:///state.db?durability=full")


def _on_threads(
    make: Make, look: Look, size: int, workers: int = 2, measure: Measure = milliseconds
) -> float:
    executor = ThreadedExecutor(workers, state_store=_store())
    return _executed(executor, _workflow(make, look), size, measure)


def _on_processes(
    make: Make, look: Look, size: int, workers: int = 2, measure: Measure = milliseconds
) -> float:
    with ProcessExecutor(workers, state_store=_store()) as executor:
        return _executed(executor, _workflow(make, look), size, measure)


def _executed(executor: Executor, workflow: Workflow, size: int, measure: Measure) -> float:
    executor.execute(workflow, {"size": 1})  # what is imported and started is no part of it
    return measure(lambda: executor.execute(workflow, {"size": size}))


def array_threads(size: int) -> float:
    """Store an array and hand it to two tasks, on threads."""
    return _on_threads(array, first_of_array, size)


def array_processes(size: int) -> float:
    """The same on processes."""
    return _on_processes(array, first_of_array, size)


def polars_threads(size: int) -> float:
    """Store a polars frame and hand it to two tasks, on threads."""
    return _on_threads(polars_frame, first_of_frame, size)


def polars_processes(size: int) -> float:
    """The same on processes."""
    return _on_processes(polars_frame, first_of_frame, size)


def pandas_threads(size: int) -> float:
    """Store a pandas frame and hand it to two tasks, on threads."""
    return _on_threads(pandas_frame, first_of_frame, size)


def pandas_processes(size: int) -> float:
    """The same on processes."""
    return _on_processes(pandas_frame, first_of_frame, size)


def arrow_threads(size: int) -> float:
    """Store an Arrow table and hand it to two tasks, on threads."""
    return _on_threads(arrow_table, first_of_table, size)


def arrow_processes(size: int) -> float:
    """The same on processes."""
    return _on_processes(arrow_table, first_of_table, size)


def bytes_threads(size: int) -> float:
    """Store bytes and hand them to two tasks, on threads."""
    return _on_threads(some_bytes, first_of_bytes, size)


def bytes_processes(size: int) -> float:
    """The same on processes."""
    return _on_processes(some_bytes, first_of_bytes, size)


# Memory, where one body runs at a time.


def array_threads_memory(size: int) -> float:
    """What an array costs in memory beyond the one that a body holds, over its size."""
    return _on_threads(array, first_of_array, size, 1, _beyond_the_bodys(size))


def array_processes_memory(size: int) -> float:
    """The same on processes, of all of them together."""
    return _on_processes(array, first_of_array, size, 1, _beyond_the_bodys(size))


def polars_threads_memory(size: int) -> float:
    """What a polars frame costs in memory beyond the one that a body holds."""
    return _on_threads(polars_frame, first_of_frame, size, 1, _beyond_the_bodys(size))


def polars_processes_memory(size: int) -> float:
    """The same on processes, of all of them together."""
    return _on_processes(polars_frame, first_of_frame, size, 1, _beyond_the_bodys(size))


def pandas_threads_memory(size: int) -> float:
    """What a pandas frame costs in memory beyond the one that a body holds."""
    return _on_threads(pandas_frame, first_of_frame, size, 1, _beyond_the_bodys(size))


def arrow_threads_memory(size: int) -> float:
    """What an Arrow table costs in memory beyond the one that a body holds."""
    return _on_threads(arrow_table, first_of_table, size, 1, _beyond_the_bodys(size))


def bytes_threads_memory(size: int) -> float:
    """What bytes cost in memory beyond those that a body holds."""
    return _on_threads(some_bytes, first_of_bytes, size, 1, _beyond_the_bodys(size))


def _beyond_the_bodys(size: int) -> Measure:
    """Return what measures the most memory that work takes beside one such value, over its size."""

    def measure(work: Callable[[], object]) -> float:
        before = _megabytes_in_use()
        most, ended = before, threading.Event()

        def watch() -> None:
            nonlocal most
            while not ended.is_set():
                most = max(most, _megabytes_in_use())
                sleep(_LOOK_EVERY_SECONDS)

        thread = threading.Thread(target=watch)
        thread.start()
        work()
        ended.set()
        thread.join()
        return max(0.0, (most - before) / size - 1)

    return measure


def _megabytes_in_use() -> float:
    """Return what this process and those it started have in memory, shared pages counted once."""
    if sys.platform != "linux":
        raise Unavailable("who shares which pages is not known on this system")
    session = os.getsid(0)
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == session:
                    total += _kilobytes_of(entry)
            except OSError:
                continue  # it ended just now
    return total * 1024 / 1e6


def _kilobytes_of(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0

"""Large values: how long they take, and how much memory."""

from __future__ import annotations

from benchmarks.cases.entries import floor, here
from benchmarks.model import Case, Entry, Target

LARGE_WRITE = Case(
    "large-write",
    "Executing a task whose result is large",
    "ms",
    (100,),
    (
        here("write_sqlite", "SQLite store, survives power loss"),
        here("write_json", "JSON store, survives power loss"),
        here("write_memory", "store in memory"),
        here("write_unstored", "no store"),
        floor("write_file", "write a file and sync it"),
    ),
    of="MB",
)
LARGE_READ = Case(
    "large-read",
    "Restoring a large result and asking for it",
    "ms",
    (100,),
    (
        here("read_sqlite", "SQLite store"),
        here("read_json", "JSON store"),
        floor("read_file", "read a file"),
    ),
    of="MB",
)


def _value(function: str, how: str) -> Entry:
    return Entry("values", function, how)


def _large(kind: str, title: str, size: int, *floors: tuple[str, str]) -> Case:
    """Return the case of a kind of large values; it is judged by the first of the floors."""
    threads = _value(f"{kind}_threads", "2 threads, full")
    processes = _value(f"{kind}_processes", "2 processes, full")
    measured = tuple(Entry("library", *floor) for floor in floors)
    targets = tuple(Target(each, 1.3, against=measured[0]) for each in (threads, processes))
    entries = (threads, processes, *measured)
    return Case(f"large-{kind}", title, "ms", (size,), entries, targets, of="MB")


LARGE_ARRAY = _large(
    "array",
    "A NumPy array: made, stored, taken by two tasks",
    300,
    ("array_floor", "numpy.save, sync, numpy.load twice"),
)
LARGE_POLARS = _large(
    "polars",
    "A polars frame: made, stored, taken by two tasks",
    100,
    ("polars_feather", "write_ipc, sync, read_ipc twice"),
    ("polars_parquet", "write_parquet, sync, read_parquet twice"),
)
LARGE_PANDAS = _large(
    "pandas",
    "A pandas frame: made, stored, taken by two tasks",
    100,
    ("pandas_feather", "to_feather, sync, read_feather twice"),
    ("pandas_parquet", "to_parquet, sync, read_parquet twice"),
)
LARGE_ARROW = _large(
    "arrow",
    "An Arrow table: made, stored, taken by two tasks",
    100,
    ("arrow_feather", "write_feather, sync, read_table twice"),
)
LARGE_BYTES = _large(
    "bytes",
    "Bytes: made, stored, taken by two tasks",
    200,
    ("bytes_floor", "write a file, sync, read it twice"),
)
_MEMORY = tuple(
    _value(f"{kind}_memory", how)
    for kind, how in (
        ("array_threads", "array, one thread"),
        ("array_processes", "array, one process"),
        ("polars_threads", "polars frame, one thread"),
        ("polars_processes", "polars frame, one process"),
        ("pandas_threads", "pandas frame, one thread"),
        ("arrow_threads", "Arrow table, one thread"),
        ("bytes_threads", "bytes, one thread"),
    )
)
LARGE_MEMORY = Case(
    "large-memory",
    "Most memory that a large value takes, beyond the one that a body holds",
    "x its size",
    (200,),
    _MEMORY,
    tuple(Target(each, 1.2) for each in _MEMORY),
    of="MB",
)

DROPPED = Case(
    "dropped",
    "Largest memory of a pipeline of 1 MB results, each dropped when consumed",
    "MB",
    (1_000, 10_000),
    (
        here("dropped", "sequential"),
        here("dropped_threads", "4 threads"),
        floor("loop_of_large", "a loop that keeps the last"),
    ),
)

CASES = (
    LARGE_WRITE,
    LARGE_READ,
    LARGE_ARRAY,
    LARGE_POLARS,
    LARGE_PANDAS,
    LARGE_ARROW,
    LARGE_BYTES,
    LARGE_MEMORY,
    DROPPED,
)

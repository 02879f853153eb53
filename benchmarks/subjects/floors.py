"""The floors: the least that the same work costs with nothing but Python's standard library."""

from __future__ import annotations

import ast
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from benchmarks.subjects.clock import (
    import_milliseconds,
    microseconds_each,
    milliseconds,
    peak_megabytes,
    started_milliseconds,
)
from benchmarks.subjects.sources import many_functions

THREADS = 4
PROCESSES = 2
_INSERT = "INSERT INTO result VALUES (?, ?)"


def first() -> int:
    """Do nothing."""
    return 0


def step(x: int) -> int:
    """Do nothing."""
    return x


def loop(size: int) -> float:
    """Call a function in a loop, each call with the result of the one before."""

    def work() -> None:
        names = [f"t{number}" for number in range(size)]
        results = {}
        value = 0
        for name in names:
            results[name] = value = step(value)

    return microseconds_each(work, size)


def pool(size: int) -> float:
    """Submit every call to a thread pool, then ask for every result."""

    def work() -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            futures = [threads.submit(first) for _ in range(size)]
            for future in futures:
                future.result()

    return microseconds_each(work, size)


def pool_chain(size: int) -> float:
    """Submit a call to a thread pool and wait for its result, before the next is submitted."""

    def work() -> None:
        value = 0
        with ThreadPoolExecutor(THREADS) as threads:
            for _ in range(size):
                value = threads.submit(step, value).result()

    return microseconds_each(work, size)


def process_map(size: int) -> float:
    """Map a function over a list in warm processes, one element at a time."""
    with ProcessPoolExecutor(PROCESSES) as processes:
        list(processes.map(step, range(PROCESSES)))
        return microseconds_each(lambda: list(processes.map(step, range(size))), size)


def commits_process(size: int) -> float:
    """Commit one SQLite transaction a task, that survives a kill."""
    return _commits(size, "process")


def commits_full(size: int) -> float:
    """Commit one SQLite transaction a task, that survives power loss."""
    return _commits(size, "full")


def _commits(size: int, durability: str) -> float:
    """Write one row a transaction into SQLite's write-ahead log."""
    connection = _connect("floor.db", "FULL" if durability == "full" else "NORMAL")
    connection.execute("CREATE TABLE result (task TEXT, value BLOB)")

    def work() -> None:
        value = 0
        for number in range(size):
            value = step(value)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_INSERT, (f"t{number}", b"%d" % value))
            connection.execute("COMMIT")

    return microseconds_each(work, size)


def _connect(path: str, synchronous: str) -> sqlite3.Connection:
    """Open a database with a write-ahead log, which SQLite moves into the file by itself."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    return connection


def _finish(path: str, size: int) -> None:
    """Make a store with one finished run in it."""
    from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow

    store = SQLiteStateStore(path, "process")
    workflow = Workflow("finished", [Task(f"t{number}", first) for number in range(size)])
    SequentialExecutor(state_store=store).execute(workflow)
    store.close()


def select(size: int) -> float:
    """Read the rows of a finished run."""
    connection = sqlite3.connect("floor.db")
    connection.execute("CREATE TABLE result (task TEXT, value BLOB)")
    with connection:
        connection.executemany(_INSERT, ((f"t{number}", b"0") for number in range(size)))
    query = "SELECT task, value FROM result"
    return microseconds_each(lambda: connection.execute(query).fetchall(), size)


def rows_again(size: int) -> float:
    """Read the rows of a finished run and write them as another run's, and nothing else."""
    from flowweaver.stores.sqlite import rows, schema

    _finish("finished.db", size)
    connection = _connect("finished.db", "NORMAL")
    (first_id, beyond), (next_id, _) = rows.span(1), rows.span(2)

    def work() -> None:
        found = connection.execute(schema.TASKS, (first_id, beyond)).fetchall()
        connection.execute("BEGIN IMMEDIATE")
        written = ((row[0] - first_id + next_id, *row[1:]) for row in found)
        connection.executemany(schema.PUT_TASK, written)
        connection.execute("COMMIT")

    return microseconds_each(work, size)


def write_file(size: int) -> float:
    """Write `size` MB to a file and sync it."""
    data = os.urandom(size * 1_000_000)

    def work() -> None:
        with Path("floor.bin").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    return milliseconds(work)


def read_file(size: int) -> float:
    """Read a file of `size` MB that was just written."""
    path = Path("floor.bin")
    path.write_bytes(os.urandom(size * 1_000_000))
    return milliseconds(path.read_bytes)


def loop_of_large(size: int) -> float:
    """Make `size` results of 1 MB one after the other, keeping none but the last."""
    return peak_megabytes(lambda: _pass_on(lambda _: bytes(1_000_000), size))


def _pass_on(make: Callable[[bytes], bytes], size: int) -> None:
    value = b""
    for _ in range(size):
        value = make(value)


def graph_of_names(size: int) -> float:
    """Keep a dictionary of each task's function and what it depends on."""

    def work() -> object:
        return {f"t{number}": (step, (f"t{number - 1}",)) for number in range(size)}

    return microseconds_each(work, size)


def interpreter(size: int) -> float:
    """Start Python and do nothing; median of `size` times."""
    return started_milliseconds([["-c", "pass"]] * (size + 1))


def import_sqlite(size: int) -> float:
    """Import the modules of the standard library that a store of one's own would need."""
    return import_milliseconds("import concurrent.futures, dataclasses, json, sqlite3", size)


def parsed(size: int) -> float:
    """Parse a file of so many functions into syntax trees."""
    text = many_functions(size).read_text()
    return milliseconds(lambda: ast.parse(text))

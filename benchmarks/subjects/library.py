"""What large values cost with nothing but their libraries' own writers and readers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.subjects.clock import milliseconds
from benchmarks.subjects.values import (
    array,
    arrow_table,
    first_of_array,
    first_of_bytes,
    first_of_frame,
    first_of_table,
    pandas_frame,
    polars_frame,
    some_bytes,
)


def _written_and_read(
    size: int,
    make: Callable[[int], Any],
    write: Callable[[Any, str], object],
    read: Callable[[str], Any],
    look: Callable[[Any], Any],
) -> float:
    def work(size: int) -> None:
        write(make(size), "floor.bin")
        fd = os.open("floor.bin", os.O_RDWR)
        os.fsync(fd)
        os.close(fd)
        for _ in range(2):
            look(read("floor.bin"))

    work(1)  # importing is no part of it
    Path("floor.bin").unlink()
    return milliseconds(lambda: work(size))


def array_floor(size: int) -> float:
    """`numpy.save`, sync, and `numpy.load` twice."""
    import numpy

    def write(made: Any, path: str) -> None:
        with Path(path).open("wb") as file:
            numpy.save(file, made)

    return _written_and_read(size, array, write, numpy.load, first_of_array)


def polars_parquet(size: int) -> float:
    """Write a frame as Parquet, sync, and read it twice."""
    import polars

    return _written_and_read(
        size, polars_frame, polars.DataFrame.write_parquet, polars.read_parquet, first_of_frame
    )


def polars_feather(size: int) -> float:
    """Write a frame as Feather (Arrow IPC), sync, and read it twice."""
    import polars

    def read(path: str) -> Any:
        return polars.read_ipc(path)

    return _written_and_read(size, polars_frame, polars.DataFrame.write_ipc, read, first_of_frame)


def pandas_feather(size: int) -> float:
    """Write a frame as Feather, sync, and read it twice."""
    import pandas

    def write(made: Any, path: str) -> None:
        made.to_feather(path, compression="uncompressed")

    return _written_and_read(size, pandas_frame, write, pandas.read_feather, first_of_frame)


def pandas_parquet(size: int) -> float:
    """Write a frame as Parquet, sync, and read it twice."""
    import pandas

    def write(made: Any, path: str) -> None:
        made.to_parquet(path)

    return _written_and_read(size, pandas_frame, write, pandas.read_parquet, first_of_frame)


def arrow_feather(size: int) -> float:
    """Write a table as Feather, sync, and read it twice."""
    from pyarrow import feather

    def write(made: Any, path: str) -> None:
        feather.write_feather(made, path, compression="uncompressed")

    return _written_and_read(size, arrow_table, write, feather.read_table, first_of_table)


def bytes_floor(size: int) -> float:
    """Write a file, sync it, and read it twice."""

    def write(made: bytes, path: str) -> None:
        Path(path).write_bytes(made)

    def read(path: str) -> bytes:
        return Path(path).read_bytes()

    return _written_and_read(size, some_bytes, write, read, first_of_bytes)

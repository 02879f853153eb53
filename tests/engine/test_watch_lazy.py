"""Values that read files once they are used: what they read counts for whoever takes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.dataset
import pytest

from flowweaver import Run, SequentialExecutor, SQLiteStateStore, Task, Workflow, each
from tests.engine.reading import execute, reason_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/more").mkdir(parents=True)
    Path("whole").mkdir()
    write("data/a", 1)
    write("data/more/b", 2)


@pytest.fixture
def store() -> SQLiteStateStore:
    return SQLiteStateStore("state.db")


def write(name: str, number: int) -> None:
    frame = pl.DataFrame({"x": [number]})
    frame.write_csv(f"{name}.csv")
    frame.write_parquet(f"{name}.parquet")
    frame.write_parquet(f"whole/{Path(name).name}.parquet")
    frame.write_ipc(f"{name}.arrow")
    frame.write_ndjson(f"{name}.ndjson")
    np.array([number]).tofile(f"{name}.dat")


LAZY: dict[str, Callable[[], Any]] = {
    "csv": lambda: pl.scan_csv("data/a.csv"),
    "parquet": lambda: pl.scan_parquet("data/a.parquet").filter(pl.col("x") > 0),
    "ipc": lambda: pl.scan_ipc("data/a.arrow").select(pl.col("x") + 1),
    "ndjson": lambda: pl.scan_ndjson("data/a.ndjson"),
    "whole path": lambda: pl.scan_csv(str(Path("data/a.csv").absolute())),
    "several": lambda: pl.scan_csv(["data/more/b.csv", "data/a.csv"]),
    "joined": lambda: pl.DataFrame({"x": [0]}).lazy().join(pl.scan_csv("data/a.csv"), how="cross"),
    "pattern": lambda: pl.scan_csv("data/*.csv"),
    "all below": lambda: pl.scan_csv("data/**/*.csv"),
    "folder": lambda: pl.scan_parquet("whole/"),
    "dataset": lambda: pyarrow.dataset.dataset("data/a.parquet"),
    "datasets": lambda: pyarrow.dataset.dataset(
        [pyarrow.dataset.dataset(f"data/{name}.parquet") for name in ("a", "more/b")]
    ),
}
GROWING = ["pattern", "all below", "folder"]


def read(value: Any) -> list[int]:
    if isinstance(value, pl.LazyFrame):
        return value.collect().to_series(-1).to_list()
    return value.to_table().column("x").to_pylist()


def read_all(values: Any) -> list[list[int]]:
    return [read(value) for value in values]


lazily: Any = None


def read_global() -> list[int]:
    return read(lazily)


def read_mapped() -> int:
    return int(lazily[0])


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Give what makes a value a global of this module."""
    return lambda value: monkeypatch.setitem(globals(), "lazily", value)


def taken(make: Callable[[], Any], store: Any) -> Run:
    return executed([Task("made", make), Task("t", read, inputs={"value": "made"})], store)


def executed(tasks: list[Task[..., Any]], store: Any) -> Run:
    return SequentialExecutor(state_store=store).execute(Workflow("w", tasks))


@pytest.mark.parametrize("kind", LAZY)
def test_what_a_result_reads_counts(kind: str, store: Any) -> None:
    before = taken(LAZY[kind], store)["t"]
    assert reason_of(taken(LAZY[kind], store)) is None
    write("data/a", 9)
    run = taken(LAZY[kind], store)
    assert reason_of(run) is not None
    assert run["t"] != before


@pytest.mark.parametrize("kind", GROWING)
def test_file_that_comes_counts_where_it_is_looked_for(kind: str, store: Any) -> None:
    before = taken(LAZY[kind], store)["t"]
    write("data/c", 3)
    assert len(taken(LAZY[kind], store)["t"]) == len(before) + 1


@pytest.mark.parametrize("kind", LAZY)
def test_what_a_global_reads_counts(kind: str, store: Any, keep: Any) -> None:
    keep(LAZY[kind]())
    before = execute(read_global, store)["t"]
    assert reason_of(execute(read_global, store)) is None
    write("data/a", 9)
    keep(LAZY[kind]())
    assert execute(read_global, store)["t"] != before


def test_what_an_element_and_what_is_in_a_list_reads_counts(store: Any) -> None:
    tasks = [
        Task("made", lambda: [pl.scan_csv("data/more/b.csv"), pl.scan_csv("data/a.csv")]),
        Task("all", read_all, inputs={"values": "made"}),
        Task("t", read, inputs={"value": each("made")}),
    ]
    executed(tasks, store)
    write("data/a", 9)
    run = executed(tasks, store)
    assert (run["all"], run["t"]) == ([[2], [9]], [[2], [9]])


def test_mapped_file_of_a_global_counts(store: Any, keep: Any) -> None:
    keep(np.memmap("data/a.dat", dtype=np.int64, mode="r"))
    assert execute(read_mapped, store)["t"] == 1
    assert reason_of(execute(read_mapped, store)) is None
    write("data/a", 9)
    keep(np.memmap("data/a.dat", dtype=np.int64, mode="r"))
    assert execute(read_mapped, store)["t"] == 9

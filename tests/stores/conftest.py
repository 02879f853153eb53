"""What the tests of stores share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from flowweaver.stores import JSONStateStore, SQLiteStateStore

FileStore = SQLiteStateStore | JSONStateStore
MakeStore = Callable[..., FileStore]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Give an empty directory, in memory where there is such a disk: syncing takes most time."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as directory:
        yield Path(directory)


@pytest.fixture(params=["sqlite", "json"])
def kind(request: pytest.FixtureRequest) -> str:
    """Give the kinds of stores that stand in a file, one after the other."""
    return str(request.param)


@pytest.fixture
def path(kind: str, tmp_path: Path) -> Path:
    """Give a path where no store is yet."""
    return tmp_path / f"state.{kind}"


@pytest.fixture
def make_store(kind: str, path: Path) -> MakeStore:
    """Give a function that makes store objects on `path`."""
    made = SQLiteStateStore if kind == "sqlite" else JSONStateStore

    def make(durability: str = "process", **options: float) -> FileStore:
        return made(path, durability, **options)  # type: ignore[arg-type]

    return make

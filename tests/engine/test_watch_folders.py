"""What a body lists or looks for counts: names that come and go, folders that come later."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flowweaver import SQLiteStateStore
from tests.engine.reading import (
    LISTERS,
    execute,
    found_below,
    found_by_glob,
    found_by_path,
    reason_of,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("folder/a.txt").write_text("a")


@pytest.fixture
def store() -> SQLiteStateStore:
    return SQLiteStateStore("state.db")


def copied_whole() -> list[str]:
    target = Path("copy of the folder")
    shutil.rmtree(target, ignore_errors=True)
    copying: Any = Path("folder")
    copying.copy(target)
    return sorted(path.name for path in target.iterdir())


ALL_LISTERS = [*LISTERS, *([copied_whole] if hasattr(Path, "copy") else [])]


class TestListing:
    @pytest.mark.parametrize("body", ALL_LISTERS)
    def test_unchanged_folder_is_no_reason(self, body: Any, store: Any) -> None:
        execute(body, store)
        assert reason_of(execute(body, store)) is None

    @pytest.mark.parametrize("body", ALL_LISTERS)
    def test_new_file_is_seen(self, body: Any, store: Any) -> None:
        before = execute(body, store)["t"]
        Path("folder/b.txt").write_text("b")
        run = execute(body, store)
        assert reason_of(run) is not None
        assert run["t"] != before

    @pytest.mark.parametrize("body", [found_by_glob, found_by_path, found_below])
    def test_file_that_fits_no_pattern_is_no_reason(self, body: Any, store: Any) -> None:
        execute(body, store)
        Path("folder/c.csv").write_text("c")
        Path("d.csv").write_text("d")
        assert reason_of(execute(body, store)) is None

    @pytest.mark.parametrize("body", ALL_LISTERS)
    def test_hidden_file_is_no_reason(self, body: Any, store: Any) -> None:
        execute(body, store)
        Path("folder/.a.txt.swp").write_text("")
        assert reason_of(execute(body, store)) is None


def walked() -> list[str]:
    return [name for _, _, names in os.walk("incoming") for name in names]


def listed_if_there() -> list[str]:
    try:
        return os.listdir("incoming")  # noqa: PTH208 - the event is that of this function
    except FileNotFoundError:
        return []


def iterated_if_there() -> list[str]:
    with suppress(FileNotFoundError):
        return [path.name for path in Path("incoming").iterdir()]
    return []


def made_and_listed() -> list[str]:
    names = listed_if_there()
    Path("incoming").mkdir(exist_ok=True)
    return names


class TestFolderThatIsNotThere:
    @pytest.mark.parametrize("body", [walked, listed_if_there, iterated_if_there])
    def test_it_counts_once_it_has_come(self, body: Any, store: Any) -> None:
        assert execute(body, store)["t"] == []
        assert reason_of(execute(body, store)) is None
        Path("incoming").mkdir()
        Path("incoming/a.csv").touch()
        run = execute(body, store)
        assert reason_of(run) == "the file `incoming`, which it looked for, is there now"
        assert run["t"] == ["a.csv"]
        assert reason_of(execute(body, store)) is None

    def test_one_that_the_body_makes_is_no_reason(self, store: Any) -> None:
        execute(made_and_listed, store)
        assert reason_of(execute(made_and_listed, store)) is None

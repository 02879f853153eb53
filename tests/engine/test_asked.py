"""What a body asks of a path counts as read: whether something is there, its size, its age."""

# ruff: noqa: PTH110, PTH116, PTH204 - in all the ways there are

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from os import path as os_path
from os.path import exists
from pathlib import Path
from typing import Any

import pytest

from flowweaver import Origin, SequentialExecutor, SQLiteStateStore, Task, Workflow
from flowweaver.engine.body.hearing import hear_bodies
from tests.engine.reading import execute, put_together, reason_of

WHETHER: list[Callable[[str], bool]] = [
    os.path.exists,
    os_path.isfile,
    exists,
    lambda path: Path(path).exists(),
    lambda path: Path(path).is_file(),
    lambda path: exists(path.encode()),
    os.path.lexists,
    lambda path: os.access(path, os.F_OK),
]
STATUS: list[Callable[[str], float]] = [
    os.path.getsize,
    lambda path: Path(path).stat().st_size,
    lambda path: os.stat(path).st_size,
    lambda path: os.path.getmtime(path),
    lambda path: os.lstat(path).st_size,
    lambda path: Path(path).lstat().st_size,
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store() -> SQLiteStateStore:
    return SQLiteStateStore("state.db")


@pytest.mark.parametrize("ask", WHETHER)
class TestWhetherThereIsAFile:
    def test_one_that_comes_is_a_reason(self, ask: Any, store: Any) -> None:
        def body() -> bool:
            return bool(ask(put_together()))

        assert execute(body, store)["t"] is False
        assert reason_of(execute(body, store)) is None
        Path("data.csv").touch()
        run = execute(body, store)
        assert reason_of(run) == "the file `data.csv`, which it looked for, is there now"
        assert run["t"] is True

    def test_one_that_goes_is_a_reason_and_what_is_in_it_is_none(
        self, ask: Any, store: Any
    ) -> None:
        def body() -> bool:
            return bool(ask(put_together()))

        Path("data.csv").touch()
        assert execute(body, store)["t"] is True
        Path("data.csv").write_text("other")
        assert reason_of(execute(body, store)) is None
        Path("data.csv").unlink()
        run = execute(body, store)
        assert reason_of(run) == "`data.csv`, which it looked for, is gone"
        assert run["t"] is False


@pytest.mark.parametrize("ask", STATUS)
def test_other_content_is_a_reason_for_who_asks_for_size_or_time(ask: Any, store: Any) -> None:
    def body() -> float:
        return float(ask(put_together()))

    Path("data.csv").write_text("1")
    execute(body, store)
    assert reason_of(execute(body, store)) is None
    Path("data.csv").write_text("222")
    assert str(reason_of(execute(body, store))).endswith("has changed since it was read")


@pytest.mark.parametrize("ask", [os.path.isdir, lambda path: Path(path).is_dir()])
def test_file_where_there_was_a_folder_is_a_reason(ask: Any, store: Any) -> None:
    def body() -> bool:
        return bool(ask("".join(("fol", "der"))))

    Path("folder").mkdir()
    assert execute(body, store)["t"] is True
    Path("folder/a").touch()
    assert reason_of(execute(body, store)) is None
    Path("folder/a").unlink()
    Path("folder").rmdir()
    Path("folder").touch()
    run = execute(body, store)
    assert reason_of(run) == "`folder` is no longer a folder"
    assert run["t"] is False


def test_what_the_body_makes_itself_is_no_reason(store: Any) -> None:
    def body() -> str:
        if not Path("made.txt").exists():
            Path("made.txt").write_text("made")
        if not Path("made").is_dir():
            Path("made").mkdir()
            assert not Path("made/inner.txt").exists()
        return "done"

    execute(body, store)
    assert reason_of(execute(body, store)) is None


def test_what_a_later_task_makes_is_no_reason(store: Any) -> None:
    def asks() -> bool:
        return Path("later.txt").exists()

    def makes(first: bool) -> bool:
        Path("later.txt").write_text("made")
        return first

    def run() -> Any:
        workflow = Workflow("w", [Task("first", asks), Task("second", makes)])
        return SequentialExecutor(state_store=store).execute(workflow)

    run()
    assert {each.origin for each in run().tasks.values()} == {Origin.RESTORED}


def test_what_libraries_ask_is_their_own_concern(store: Any) -> None:
    def body() -> object:
        return shutil.which("no-such-program", path=str(Path.cwd()))

    execute(body, store)
    Path("no-such-program").touch(mode=0o755)
    assert reason_of(execute(body, store)) is None


def test_stat_stays_what_it_was() -> None:
    hear_bodies()
    assert pickle.loads(pickle.dumps(os.stat)) is os.stat
    assert os.stat in os.supports_dir_fd
    assert os.stat in os.supports_follow_symlinks
    with Path("data.csv").open("w") as file:
        assert os.stat(file.fileno()).st_size == 0
    folder = os.open(".", os.O_RDONLY)
    try:
        assert os.stat("data.csv", dir_fd=folder).st_size == 0
    finally:
        os.close(folder)
    with pytest.raises(FileNotFoundError, match="nothing"):
        os.stat("nothing")

"""Where links lead counts for bodies that ask for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow
from tests.engine.reading import execute, reason_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights of their own there")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SQLiteStateStore:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(name, "data.csv").write_text("equal")
    Path("latest").symlink_to("one")
    return SQLiteStateStore("state.db")


def lead(target: str) -> None:
    Path("new").symlink_to(target)
    Path("new").replace("latest")


def resolved() -> str:
    return Path("latest").resolve().name


def resolved_below() -> str:
    return Path("latest/data.csv").resolve().parent.name


def real() -> str:
    return Path(os.path.realpath("latest")).name


def read_whole() -> str:
    return os.readlink(str(Path("latest").absolute()))  # noqa: PTH115


def read_by_path() -> str:
    return str(Path("latest").readlink())


@pytest.mark.parametrize("body", [resolved, resolved_below, real, read_whole, read_by_path])
def test_task_runs_again_if_a_link_leads_elsewhere(
    body: Callable[[], str], store: SQLiteStateStore
) -> None:
    assert execute(body, store)["t"] == "one"
    assert reason_of(execute(body, store)) is None
    lead("two")
    run = execute(body, store)
    assert run["t"] == "two"
    assert "latest` leads elsewhere, or nowhere" in str(reason_of(run))
    assert reason_of(execute(body, store)) is None


def copied() -> str:
    target = Path("copied")
    target.unlink(missing_ok=True)
    copying: Any = Path("latest")
    copying.copy(target, follow_symlinks=False)
    return str(target.readlink())


@pytest.mark.skipif(not hasattr(Path, "copy"), reason="there is no Path.copy")
def test_task_that_copies_a_link_runs_again_if_it_leads_elsewhere(store: SQLiteStateStore) -> None:
    assert execute(copied, store)["t"] == "one"
    lead("two")
    assert execute(copied, store)["t"] == "two"


def whether_it_is_one() -> list[bool]:
    return [Path("plain").is_symlink(), os.path.islink("plain")]  # noqa: PTH114


def test_task_that_asks_whether_there_is_a_link_runs_again_once_there_is(
    store: SQLiteStateStore,
) -> None:
    Path("plain").write_text("equal")
    assert execute(whether_it_is_one, store)["t"] == [False, False]
    assert reason_of(execute(whether_it_is_one, store)) is None
    Path("plain").unlink()
    Path("plain").symlink_to("one/data.csv")
    run = execute(whether_it_is_one, store)
    assert run["t"] == [True, True]
    assert "`plain` is a link now" in str(reason_of(run))
    assert reason_of(execute(whether_it_is_one, store)) is None


def no_link() -> str:
    return Path("one", "data.csv").resolve().parent.name


def test_path_without_a_link_is_no_matter(store: SQLiteStateStore) -> None:
    assert execute(no_link, store)["t"] == "one"
    Path("one/data.csv").write_text("other")
    assert reason_of(execute(no_link, store)) is None


def publish(resolved: str) -> str:
    lead("two")
    return resolved


def test_link_that_a_later_task_changes_runs_nothing_again(store: SQLiteStateStore) -> None:
    workflow = Workflow("w", [Task("resolved", resolved), Task("publish", publish)])
    executor = SequentialExecutor(state_store=store)
    assert executor.execute(workflow)["publish"] == "one"
    run = executor.execute(workflow)
    assert {task.origin.value for task in run.tasks.values() if task.origin} == {"restored"}


def changes_it_itself() -> str:
    before = resolved()
    lead("two")
    return before


def test_link_that_the_body_itself_changes_is_no_input(store: SQLiteStateStore) -> None:
    assert execute(changes_it_itself, store)["t"] == "one"
    assert reason_of(execute(changes_it_itself, store)) is None

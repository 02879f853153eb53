"""Files that tasks make are part of their results: no stale value through a path."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    DefinitionError,
    Executor,
    InputFile,
    OutputFile,
    ProcessExecutor,
    SequentialExecutor,
    SQLiteStateStore,
    Task,
    ThreadedExecutor,
    Workflow,
    WorkflowFailed,
    each,
    task,
)
from tests.cli.command import Project

EXECUTORS: dict[str, Callable[..., Executor]] = {
    "sequential": SequentialExecutor,
    "threads": ThreadedExecutor,
    "asyncio": AsyncExecutor,
    "processes": ProcessExecutor,
}


@dataclasses.dataclass
class Report:
    title: str
    where: list[Path]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("source.txt").write_text("a b")
    return tmp_path


@task
def cleaned(source: InputFile) -> Path:
    Path("clean.txt").write_text(Path(source).read_text().upper())
    return Path("clean.txt")


@task
def words(cleaned: Path) -> int:
    return len(cleaned.read_text().split())


COUNTING = Workflow("counting", [cleaned, words])
SOURCE = {"source": Path("source.txt")}


def executed(
    workflow: Workflow, params: Any = None, kind: Callable[..., Executor] = SequentialExecutor
) -> set[str]:
    """Execute and return the names of the tasks that ran; the plan has to have foreseen it."""
    store = SQLiteStateStore("state.db")
    planned = {
        item.name
        for item in workflow.plan(params, state_store=store).tasks
        if item.action == "restore"
    }
    run = kind(state_store=store).execute(workflow, params)
    ran = {name for name, item in run.tasks.items() if str(item.origin) == "Origin.EXECUTED"}
    assert not planned & ran
    return ran


@pytest.mark.parametrize("kind", EXECUTORS.values(), ids=list(EXECUTORS))
def test_edit_reaches_the_last_task_through_a_file(kind: Callable[..., Executor]) -> None:
    executor = kind(state_store=SQLiteStateStore("state.db"))
    for text, count in (("a b", 2), ("a b c d", 4), ("a b", 2)):
        Path("source.txt").write_text(text)
        assert executor.execute(COUNTING, SOURCE)["words"] == count
        assert Path("clean.txt").read_text() == text.upper()


def test_unchanged_files_run_nothing() -> None:
    assert executed(COUNTING, SOURCE) == {"cleaned", "words"}
    assert executed(COUNTING, SOURCE) == set()


def test_removed_file_is_made_again() -> None:
    executed(COUNTING, SOURCE)
    Path("clean.txt").unlink()
    store = SQLiteStateStore("state.db")
    plan = COUNTING.plan(SOURCE, state_store=store)
    assert "the file `clean.txt` is gone" in next(t.reason for t in plan.tasks)
    assert executed(COUNTING, SOURCE) == {"cleaned"}
    assert Path("clean.txt").read_text() == "A B"


def test_file_that_was_edited_is_made_again() -> None:
    executed(COUNTING, SOURCE)
    Path("clean.txt").write_text("edited")
    run = SequentialExecutor(state_store=SQLiteStateStore("state.db")).execute(COUNTING, SOURCE)
    assert "`clean.txt` has changed since it was made" in run.tasks["cleaned"].reason
    assert (run["words"], Path("clean.txt").read_text()) == (2, "A B")


def test_paths_count_at_any_depth() -> None:
    @task
    def make(text: str) -> Report:
        Path("one.txt").write_text(text)
        return Report("both", [Path("one.txt"), Path("missing.txt")])

    @task
    def read(make: Report) -> str:
        return make.where[0].read_text()

    workflow = Workflow("deep", [make, read])
    assert executed(workflow, {"text": "x"}) == {"make", "read"}
    assert executed(workflow, {"text": "x"}) == set()
    Path("one.txt").unlink()
    assert executed(workflow, {"text": "x"}) == {"make"}


def test_folder_counts_by_what_is_in_it() -> None:
    @task
    def make() -> Path:
        Path("parts/sub").mkdir(parents=True, exist_ok=True)
        Path("parts/sub/a.txt").write_text("a")
        return Path("parts")

    workflow = Workflow("folder", [make])
    assert executed(workflow) == {"make"}
    assert executed(workflow) == set()
    Path("parts/sub/b.txt").write_text("b")
    assert executed(workflow) == {"make"}


def test_folder_that_the_run_goes_on_in_is_only_a_path(here: Path) -> None:
    @task
    def where() -> list[Path]:
        return [here, here.parent, Path()]

    workflow = Workflow("where", [where])
    assert executed(workflow) == {"where"}
    Path("new.txt").write_text("x")
    assert executed(workflow) == set()


def test_outputs_are_named_by_the_task() -> None:
    @task(outputs=["out/{city}.txt"])
    def make(city: str) -> int:
        Path("out").mkdir(exist_ok=True)
        Path("out", f"{city}.txt").write_text(city)
        return 1

    workflow = Workflow("named", [make])
    assert executed(workflow, {"city": "Oslo"}) == {"make"}
    assert executed(workflow, {"city": "Oslo"}) == set()
    Path("out/Oslo.txt").unlink()
    assert executed(workflow, {"city": "Oslo"}) == {"make"}


def by_default(city: str = "Oslo") -> None:
    Path(f"{city}.txt").write_text(city)


@pytest.mark.parametrize("fn", [by_default, partial(by_default, city="Oslo")])
def test_output_is_named_by_what_a_parameter_is_if_nothing_is_given(fn: Any) -> None:
    workflow = Workflow("named", [Task("make", fn, outputs=["{city}.txt"])])
    assert executed(workflow) == {"make"}
    Path("Oslo.txt").unlink()
    assert executed(workflow) == {"make"}


def test_output_that_cant_be_named_by_what_is_given_is_an_error() -> None:
    def make(**given: str) -> int:
        return 1

    workflow = Workflow("missing", [Task("make", make, outputs=["{city}.txt"])])
    with pytest.raises(
        WorkflowFailed, match=r"Task 'make' says that it makes '{city}\.txt', which"
    ):
        executed(workflow)


@pytest.mark.parametrize("path", ["{town}.txt", "{}.txt", "{city", "city}"])
def test_output_that_can_never_be_named_is_refused(path: str) -> None:
    with pytest.raises(DefinitionError, match=f"^Task 'make': outputs '{re.escape(path)}'"):
        Task("make", by_default, outputs=["fine.txt", path])


def test_output_that_is_not_made_is_an_error() -> None:
    @task(outputs=["made.txt"])
    def make() -> None:
        pass

    with pytest.raises(WorkflowFailed, match=r"Task 'make' did not make 'made\.txt'"):
        executed(Workflow("missing", [make]))


@task
def written(text: str, target: OutputFile) -> OutputFile:
    with target.open("w") as file:
        file.write(text)
    return target


@pytest.mark.parametrize("kind", EXECUTORS.values(), ids=list(EXECUTORS))
def test_output_file_is_written_whole_and_followed(kind: Callable[..., Executor]) -> None:
    workflow = Workflow("written", [written])
    params = {"text": "x", "target": OutputFile("t.txt")}
    assert executed(workflow, params, kind) == {"written"}
    assert executed(workflow, params, kind) == set()
    Path("t.txt").write_text("other")
    assert executed(workflow, params, kind) == {"written"}
    assert Path("t.txt").read_text() == "x"


def test_two_tasks_that_write_one_file_are_refused() -> None:
    @task
    def one() -> Path:
        Path("same.txt").write_text("one")
        return Path("same.txt")

    @task
    def two(one: Path) -> Path:
        Path("same.txt").write_text("two")
        return Path("same.txt")

    with pytest.raises(WorkflowFailed, match=r"Tasks 'one' and 'two' both write 'same\.txt'"):
        executed(Workflow("twice", [one, two]))


def test_elements_that_write_one_file_are_refused() -> None:
    @task(inputs={"n": each("numbers")})
    def write(n: int) -> Path:
        Path("same.txt").write_text(str(n))
        return Path("same.txt")

    with pytest.raises(WorkflowFailed, match=r"'write\[0\]' and 'write\[1\]' both write"):
        executed(Workflow("twice", [write]), {"numbers": [1, 2]})


def test_file_that_is_handed_on_as_it_is_belongs_to_both() -> None:
    @task
    def make() -> Path:
        Path("made.txt").write_text("x")
        return Path("made.txt")

    @task
    def check(make: Path) -> Path:
        return make

    workflow = Workflow("handed on", [make, check])
    assert executed(workflow) == {"make", "check"}
    assert executed(workflow) == set()


def test_what_was_done_to_the_world_once_is_not_done_again_for_a_file() -> None:
    @task(effect="once")
    def send() -> Path:
        Path("sent.txt").write_text("sent")
        return Path("sent.txt")

    @task
    def fails(send: Path) -> None:
        raise OSError("down")

    workflow = Workflow("once", [send, fails])
    executor = SequentialExecutor(state_store=SQLiteStateStore("state.db"))
    executor.execute(workflow, raise_on_failure=False)
    Path("sent.txt").unlink()
    run = executor.execute(workflow, raise_on_failure=False)
    assert str(run.tasks["send"].origin) == "Origin.RESTORED"


def test_command_shows_what_a_body_was_seen_to_read(here: Path) -> None:
    project = Project(here)
    project.write(
        "rates.py",
        """
        from pathlib import Path
        from flowweaver import Workflow, task

        @task
        def rates(year: int) -> list[str]:
            return [path.read_text() for path in sorted(Path("rates").glob("*.csv"))]

        reading = Workflow("reading", [rates])
        """,
    )
    (here / "rates").mkdir()
    (here / "rates" / "2026.csv").write_text("1.08")
    project.run("run", "rates.py", "-q", "-p", "year=2026")
    read = "rates/2026.csv, rates/*.csv (what it finds)"
    assert f"seen to read: {read}\n" in project.run("show", "last", "rates").stdout
    explained = project.run("explain", "last", "rates").stdout
    assert "    it depends on its code, parameter `year`\n" in explained
    assert f"    its body was seen to read {read}\n" in explained
    as_json = [
        {"path": "rates/2026.csv", "kind": "file"},
        {"path": "rates/*.csv", "kind": "pattern"},
    ]
    assert project.json("explain", "last", "rates")[0]["read"] == as_json
    assert project.json("show", "last", "rates")["tasks"][0]["read"] == as_json
    project.close()


def of_default(source: InputFile = "source.txt") -> tuple[str, str]:  # type: ignore[assignment]
    return type(source).__name__, Path(source).read_text()


def of_listed(source: list[InputFile] = ["source.txt"]) -> tuple[str, str]:  # type: ignore[list-item]  # noqa: B006
    return of_default(source[0])


def of_bound(source: InputFile, mark: str = "") -> tuple[str, str]:
    return type(source).__name__, Path(source).read_text() + mark


@pytest.mark.parametrize("executor", EXECUTORS)
def test_text_that_is_a_default_is_a_path_where_one_is_asked_for(executor: str) -> None:
    workflow = Workflow(
        "w",
        [
            Task("default", of_default),
            Task("listed", of_listed),
            Task("bound", partial(of_bound, "source.txt")),
        ],
    )
    for text in ("a b", "c"):
        Path("source.txt").write_text(text)
        run = EXECUTORS[executor](state_store=SQLiteStateStore("state.db")).execute(workflow)
        kind = type(Path()).__name__
        assert (run["default"], run["listed"]) == ((kind, text), (kind, text))
        assert run["bound"] == ("str", text)


def giving(fn: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(fn)
    def wrapper(mark: str = "!") -> Any:
        return fn(mark=mark, source=Path("source.txt"))

    return wrapper


@giving
def of_wrapper(mark: str = "!", source: Path = "source.txt") -> str:  # type: ignore[assignment]
    return source.read_text() + mark


def test_default_is_left_to_a_wrapper_that_gives_it() -> None:
    assert SequentialExecutor().execute(Workflow("w", [Task("t", of_wrapper)]))["t"] == "a b!"

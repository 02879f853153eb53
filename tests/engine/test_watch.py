"""What a body reads counts, though nobody has said so: its result is not reused once it differs."""

from __future__ import annotations

import os
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flowweaver import (
    AsyncExecutor,
    Executor,
    InputFile,
    MemoryStateStore,
    Origin,
    ProcessExecutor,
    Secret,
    SequentialExecutor,
    SQLiteStateStore,
    Task,
    ThreadedExecutor,
    Workflow,
    each,
    task,
)
from flowweaver.engine.body import watch
from tests.engine.reading import (
    READERS,
    TRACES,
    execute,
    found_by_glob,
    handed_as_folder,
    named_in_code,
    named_within,
    opened,
    opened_in_coroutine,
    put_together,
    reason_of,
    text_of,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("1\n")
    Path("folder").mkdir()
    Path("folder/a.txt").write_text("a")
    return tmp_path


@pytest.fixture
def store(tmp_path: Path) -> SQLiteStateStore:
    return SQLiteStateStore("state.db")


def scanned(pattern: str) -> list[int]:
    return pl.scan_csv(pattern).collect()["a"].to_list()


class TestReading:
    @pytest.mark.parametrize("body", READERS)
    def test_unchanged_file_is_no_reason(self, body: Any, store: Any) -> None:
        execute(body, store)
        assert reason_of(execute(body, store)) is None

    @pytest.mark.parametrize("body", READERS)
    def test_changed_file_is_read_again(self, body: Any, store: Any) -> None:
        before = execute(body, store)["t"]
        Path("data.csv").write_text("2\n")
        run = execute(body, store)
        assert str(reason_of(run)).endswith("data.csv` has changed since it was read")
        assert run["t"] != before

    def test_folder_that_is_handed_on_is_read_with_all_in_it(self, store: Any) -> None:
        Path("folder/a.txt").write_text("a\n1\n")
        assert execute(handed_as_folder, store)["t"] == ["a"]
        assert reason_of(execute(handed_as_folder, store)) is None
        Path("folder/a.txt").write_text("b\n1\n")
        assert execute(handed_as_folder, store)["t"] == ["b"]
        Path("folder/c.txt").write_text("b\n1\n")
        run = execute(handed_as_folder, store)
        assert reason_of(run) == "`folder/**` finds other files than before"

    @pytest.mark.parametrize(
        "pattern",
        [
            "lake/**/*.csv",
            "lake/y=*/m=*/*.csv",
            "lake/y=1/m=1/part-*",
            "lake/y=1/m=?/part-[ab].csv",
        ],
    )
    def test_pattern_that_is_handed_on_is_read_with_all_it_finds(
        self, pattern: str, store: Any
    ) -> None:
        body = partial(scanned, pattern)
        part = Path("lake/y=1/m=1/part-a.csv")
        part.parent.mkdir(parents=True)
        part.write_text("a\n1\n")
        assert execute(body, store)["t"] == [1]
        assert reason_of(execute(body, store)) is None
        part.write_text("a\n2\n")
        assert execute(body, store)["t"] == [2]
        part.with_name("part-b.csv").write_text("a\n3\n")
        run = execute(body, store)
        assert reason_of(run) == f"`{pattern}` finds other files than before"
        assert sorted(run["t"]) == [2, 3]

    def test_constant_that_names_it_from_here_keeps_no_path_short(
        self, store: Any, folder: Path, monkeypatch: Any
    ) -> None:
        def by_whole_path() -> str:
            return folder.joinpath("data.csv").read_text()

        execute(by_whole_path, store)
        Path("elsewhere").mkdir()
        Path("elsewhere/data.csv").write_text("1\n")
        Path("data.csv").write_text("2\n")
        monkeypatch.chdir("elsewhere")
        assert execute(by_whole_path, SQLiteStateStore("../state.db"))["t"] == "2\n"

    def test_plan_says_so(self, store: Any) -> None:
        execute(opened, store)
        Path("data.csv").write_text("2\n")
        planned = Workflow("w", [Task("t", opened)]).plan(state_store=store)["t"]
        assert planned.action == "run"
        assert planned.reason == "the file `data.csv` has changed since it was read"

    def test_time_alone_is_no_reason(self, store: Any) -> None:
        execute(opened, store)
        os.utime("data.csv", (1, 1))
        assert reason_of(execute(opened, store)) is None

    def test_what_was_put_back_is_no_reason(self, store: Any) -> None:
        execute(opened, store)
        Path("data.csv").write_text("2\n")
        execute(opened, store)
        Path("data.csv").write_text("1\n")
        assert execute(opened, store)["t"] == "1\n"

    def test_restored_runs_hand_it_on(self, store: Any) -> None:
        for _ in range(3):
            execute(opened, store)
        Path("data.csv").write_text("2\n")
        assert execute(opened, store)["t"] == "2\n"

    def test_file_that_was_there_before_is_missed(self, store: Any) -> None:
        def optional() -> str:
            try:
                return Path("data.csv").read_text()
            except FileNotFoundError:
                return "nothing"

        execute(optional, store)
        Path("data.csv").unlink()
        run = execute(optional, store)
        assert reason_of(run) == "the file `data.csv`, which it read, is gone"
        assert run["t"] == "nothing"

    def test_file_that_was_looked_for_is_there_now(self, store: Any) -> None:
        def optional() -> str:
            try:
                return Path("more.csv").read_text()
            except FileNotFoundError:
                return "nothing"

        execute(optional, store)
        assert reason_of(execute(optional, store)) is None
        Path("more.csv").write_text("more")
        run = execute(optional, store)
        assert reason_of(run) == "the file `more.csv`, which it looked for, is there now"
        assert run["t"] == "more"

    def test_database_counts(self, store: Any) -> None:
        def rows() -> list[Any]:
            connection = sqlite3.connect("data.db")
            try:
                return connection.execute("SELECT * FROM numbers").fetchall()
            finally:
                connection.close()

        def insert(statement: str) -> None:
            connection = sqlite3.connect("data.db")
            connection.execute(statement)
            connection.commit()
            connection.close()

        insert("CREATE TABLE numbers (n)")
        execute(rows, store)
        assert reason_of(execute(rows, store)) is None
        insert("INSERT INTO numbers VALUES (1)")
        assert execute(rows, store)["t"] == [(1,)]

    def test_file_that_others_change_meanwhile_is_read_again(self, store: Any) -> None:
        is_read, is_changed = threading.Event(), threading.Event()

        def change() -> None:
            is_read.wait(30)
            Path("data.csv").write_text("2\n")
            is_changed.set()

        somebody = threading.Thread(target=change)
        somebody.start()

        def slow() -> str:
            text = Path("data.csv").read_text()
            is_read.set()
            is_changed.wait(30)
            return text

        task = Task("t", slow, version="1")
        executor = SequentialExecutor(state_store=store)
        executor.execute(Workflow("w", [task]))
        run = executor.execute(Workflow("w", [task]))
        assert reason_of(run) == "the file `data.csv` changed while it was read"
        assert run["t"] == "2\n"
        assert reason_of(executor.execute(Workflow("w", [task]))) is None

    def test_result_that_other_workflows_take_stands_by_the_file(self, store: Any) -> None:
        execute(opened, store)
        Path("data.csv").write_text("2\n")
        other = Workflow("other", [Task("o", opened)])
        assert SequentialExecutor(state_store=store).execute(other)["o"] == "2\n"

    def test_file_named_within_arguments_counts(self, store: Any) -> None:
        workflow = Workflow("w", [Task("t", named_within)])
        executor = SequentialExecutor(state_store=store)
        config = {"config": {"tables": [{"path": "data.csv"}]}}
        executor.execute(workflow, config)
        assert reason_of(executor.execute(workflow, config)) is None
        Path("data.csv").write_text("2\n")
        assert reason_of(executor.execute(workflow, config)) is not None

    @pytest.mark.parametrize("words", ["cat <{0}", "cat {0}|tail", "cat {0}; true", "dd if={0}"])
    def test_file_that_a_shell_is_told_of_counts(self, words: str, store: Any) -> None:
        def told() -> int:
            return os.system(words.format(put_together()) + " >/dev/null 2>&1")

        execute(told, store)
        assert reason_of(execute(told, store)) is None
        Path("data.csv").write_text("2\n")
        assert reason_of(execute(told, store)) is not None

    def test_element_reads_its_own_file(self, store: Any) -> None:
        paths = ["data.csv", "folder/a.txt"]

        def workflow() -> Workflow:
            return Workflow("w", [Task("t", text_of, inputs={"path": each("paths")})])

        executor = SequentialExecutor(state_store=store)
        executor.execute(workflow(), {"paths": paths})
        Path("folder/a.txt").write_text("b")
        run = executor.execute(workflow(), {"paths": paths})
        origins = [element.origin for element in run.tasks["t"].elements]
        assert origins == [Origin.RESTORED, Origin.EXECUTED]
        assert run["t"] == ["1\n", "b"]

    def test_mode_completed_looks_at_no_file(self, store: Any) -> None:
        execute(opened, store)
        Path("data.csv").write_text("2\n")
        executor = SequentialExecutor(state_store=store)
        run = executor.execute(Workflow("w", [Task("t", opened)]), reuse="completed")
        assert reason_of(run) is None

    def test_trusted_file_is_no_matter(self, store: Any) -> None:
        trusting = Workflow("w", [Task("t", opened, trust=["*.csv"])])
        executor = SequentialExecutor(state_store=store)
        executor.execute(trusting)
        Path("data.csv").write_text("2\n")
        assert reason_of(executor.execute(trusting)) is None

    def test_more_files_than_are_noted_are_read_again(
        self, store: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watch, "_MOST", 3)

        def read_all() -> list[str]:
            return [Path(f"folder/{number}").read_text() for number in range(5)]

        for number in range(5):
            Path(f"folder/{number}").write_text("")
        execute(read_all, store)
        assert "more than 3 files" in str(reason_of(execute(read_all, store)))


class TestWhatIsNoInput:
    """A body's own traces, and what belongs to tools, run nothing anew."""

    @pytest.mark.parametrize("body", TRACES)
    def test_is_no_reason(self, body: Any, store: Any) -> None:
        Path("late_module.py").write_text("VALUE = 1\n")
        execute(body, store)
        for trace in ("log.txt", ".cache/hits"):
            if Path(trace).exists():
                Path(trace).write_text("something else")
        for name in ("beside.py", "a.txt", "ab.csv"):
            Path(name).write_text("")
        assert reason_of(execute(body, store)) is None

    def test_file_that_only_a_docstring_names_is_no_reason(self, store: Any) -> None:
        def body() -> int:
            """data.csv"""
            return 1

        execute(body, store)
        Path("data.csv").write_text("2\n")
        assert reason_of(execute(body, store)) is None

    def test_input_file_is_told_of_once(self, store: Any) -> None:
        def read(file: InputFile) -> str:
            return file.read_text()

        executor, workflow = SequentialExecutor(state_store=store), Workflow("w", [Task("t", read)])
        executor.execute(workflow, {"file": "data.csv"})
        Path("data.csv").write_text("2\n")
        run = executor.execute(workflow, {"file": "data.csv"})
        assert "data.csv" in str(reason_of(run))
        assert "since it was read" not in str(reason_of(run))

    def test_path_with_a_secret_is_not_kept(self, store: Any) -> None:
        secret = Secret("hunter2-hunter2")

        def read(secret: Secret) -> int:
            return len(Path(f"{secret.reveal()}.txt").read_text())

        Path("hunter2-hunter2.txt").write_text("y")
        SequentialExecutor(state_store=store).execute(
            Workflow("w", [Task("t", read)]), {"secret": secret}
        )
        assert b"hunter2" not in Path("state.db").read_bytes()


@pytest.mark.parametrize(
    "executor", [SequentialExecutor, ThreadedExecutor, AsyncExecutor, ProcessExecutor]
)
class TestEveryExecutor:
    @pytest.mark.parametrize("body", [opened, opened_in_coroutine, named_in_code, found_by_glob])
    def test_notes_what_bodies_read(self, body: Any, executor: type[Executor], store: Any) -> None:
        execute(body, store, executor)
        assert reason_of(execute(body, store, executor)) is None
        Path("data.csv").write_text("2\n")
        Path("folder/a.txt").write_text("b\n1\n")
        assert reason_of(execute(body, store, executor)) is not None

    def test_notes_what_isolated_bodies_read(self, executor: type[Executor], store: Any) -> None:
        isolated = Workflow("w", [Task("t", opened, isolate=True)])
        executor(state_store=store).execute(isolated)
        Path("data.csv").write_text("2\n")
        assert executor(state_store=store).execute(isolated)["t"] == "2\n"


def test_bodies_side_by_side_are_told_apart(store: Any) -> None:
    both = threading.Barrier(2)

    def one() -> str:
        both.wait()
        return Path("data.csv").read_text()

    def other() -> str:
        both.wait()
        return Path("folder/a.txt").read_text()

    def workflow() -> Workflow:
        return Workflow("w", [Task("one", one, version="1"), Task("other", other, version="1")])

    executor = ThreadedExecutor(max_workers=2, state_store=store)
    executor.execute(workflow())
    Path("data.csv").write_text("2\n")
    both = threading.Barrier(1)
    run = executor.execute(workflow())
    assert run.tasks["one"].origin is Origin.EXECUTED
    assert run.tasks["other"].origin is Origin.RESTORED


def test_body_that_executes_a_workflow_reads_what_that_reads(store: Any) -> None:
    def outer() -> str:
        return str(SequentialExecutor().execute(Workflow("inner", [Task("i", opened)]))["i"])

    execute(outer, store)
    assert reason_of(execute(outer, store)) is None
    Path("data.csv").write_text("2\n")
    assert execute(outer, store)["t"] == "2\n"


def test_path_is_kept_as_it_was_given(store: Any, folder: Path, monkeypatch: Any) -> None:
    def read(path: str) -> str:
        return Path(path).read_text()

    store = SQLiteStateStore(folder / "state.db")
    workflow = Workflow("w", [Task("t", read)])
    executor = SequentialExecutor(state_store=store)
    executor.execute(workflow, {"path": str(folder / "data.csv")})
    monkeypatch.chdir("folder")
    run = executor.execute(workflow, {"path": str(folder / "data.csv")})
    assert reason_of(run) is None


def test_without_a_store_nothing_is_noted() -> None:
    @task
    def read() -> str:
        return Path("data.csv").read_text()

    executor = SequentialExecutor()
    executor.execute(Workflow("w", [read]))
    Path("data.csv").write_text("2\n")
    assert executor.execute(Workflow("w", [read]))["read"] == "2\n"


def test_memory_store_notes_it_too() -> None:
    store = MemoryStateStore()
    execute(opened, store)
    Path("data.csv").write_text("2\n")
    assert execute(opened, store)["t"] == "2\n"

"""What programs print that a body starts in a process worker: kept in its log, and passed on."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowweaver import ProcessExecutor, Secret, SQLiteStateStore, Task, Workflow
from flowweaver.executors._workers.nursery import StartMethod

ECHO = "echo {0}; echo {0} to err >&2"


def log_of(
    tmp_path: Path, *bodies: object, method: StartMethod = "forkserver", **params: object
) -> dict[str, str]:
    """Execute bodies on one worker and return what was kept of their attempts, by task."""
    store = SQLiteStateStore(tmp_path / "state.db")
    tasks = [body if isinstance(body, Task) else Task(body.__name__, body) for body in bodies]
    executor = ProcessExecutor(1, state_store=store, start_method=method)
    run = executor.execute(Workflow("w", tasks), params, raise_on_failure=False)
    found: dict[str, str] = {}
    for attempt in store.attempts(run.id):
        found[attempt.task] = found.get(attempt.task, "") + attempt.log
    return found


def mixed() -> None:
    print("first")
    subprocess.run(["sh", "-c", ECHO.format("program")], check=True)
    print("second")
    os.write(1, b"raw\n")
    os.system("echo shell")
    print("third")


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_what_programs_print_stands_between_what_the_body_prints(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], method: StartMethod
) -> None:
    log = log_of(tmp_path, mixed, method=method)["mixed"]
    assert log.splitlines() == [
        "first", "program", "program to err", "second", "raw", "shell", "third",
    ]  # fmt: skip
    printed = capfd.readouterr()
    assert printed.out.splitlines() == ["first", "program", "second", "raw", "shell", "third"]
    assert printed.err.splitlines() == ["program to err"]


def copies() -> None:
    print("before")
    pid = os.fork()
    if not pid:
        print("copy")
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.map(print, ["pool"])
    print("after")


def test_forked_copies_are_heard_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert log_of(tmp_path, copies)["copies"].splitlines() == ["before", "copy", "pool", "after"]
    assert capfd.readouterr().out.splitlines() == ["before", "copy", "pool", "after"]


def test_each_body_has_its_own(tmp_path: Path) -> None:
    def one() -> None:
        os.system("echo of one")

    def two() -> None:
        os.system("echo of two")

    assert log_of(tmp_path, one, two) == {"one": "of one\n", "two": "of two\n"}


def test_killed_at_its_limit_it_keeps_what_its_program_printed(tmp_path: Path) -> None:
    def hangs() -> None:
        print("body")
        subprocess.run(["sh", "-c", "echo program; exec sleep 600"], check=True)

    task = Task("hangs", hangs, timeout=2)
    assert log_of(tmp_path, task)["hangs"].splitlines() == ["body", "program"]


def test_last_words_of_what_ends_its_process_are_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def aborts() -> None:
        print("body")
        os.write(2, b"terminate called\n")
        os.abort()

    log = log_of(tmp_path, Task("aborts", aborts, effect="once"))["aborts"]
    assert log.splitlines() == ["body", "terminate called"]
    assert "terminate called" in capfd.readouterr().err


def test_programs_that_print_a_lot_are_not_held_up(tmp_path: Path) -> None:
    def big() -> None:
        subprocess.run(["sh", "-c", "seq 1 300000; echo the end"], check=True)

    log = log_of(tmp_path, big)["big"]
    assert log.startswith("1\n2\n3\n")
    assert log.endswith("300000\nthe end\n")
    assert "characters left out" in log


def test_secrets_are_taken_out_of_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def tells(key: Secret[str]) -> None:
        subprocess.run(["sh", "-c", f"echo it is {key.reveal()}"], check=True)

    key = "hunter2-hunter2"
    log = log_of(tmp_path, tells, key=Secret(key))["tells"]
    assert "it is" in log
    assert key not in log + capfd.readouterr().out


def test_without_a_store_programs_keep_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def where() -> bool:
        os.system("echo hello")
        return os.path.samestat(os.fstat(1), os.fstat(sys.stdout.fileno()))

    assert ProcessExecutor(1).execute(Workflow("w", [Task("where", where)]))["where"]
    assert capfd.readouterr().out == "hello\n"

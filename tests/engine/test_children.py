"""Processes that a body starts and that outlive it tell each body what they read for it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from flowweaver import Origin, Run, SequentialExecutor, SQLiteStateStore, Task, Workflow
from flowweaver.engine.body.children import Children, line_of, unforked
from tests.engine.reading import text_of

POOLS: list[ProcessPoolExecutor] = []


@pytest.fixture(autouse=True)
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    while POOLS:
        POOLS.pop().shutdown()


def read(name: str) -> str:
    """Read by a pool that is started once and stays."""
    if not POOLS:
        POOLS.append(ProcessPoolExecutor(1, multiprocessing.get_context("spawn")))
    return POOLS[0].submit(text_of, str(Path.cwd() / "".join((name, ".txt")))).result()


def first() -> str:
    return read("one")


def second(first: str) -> str:
    return first + read("two")


def third(second: str) -> int:
    return len(second)


def run() -> Run:
    workflow = Workflow("w", [Task("first", first), Task("second", second), Task("third", third)])
    return SequentialExecutor(state_store=SQLiteStateStore("state.db")).execute(workflow)


def test_each_body_has_what_was_read_for_it() -> None:
    for name in ("one", "two"):
        Path(f"{name}.txt").write_text("1")
    run()
    assert {each.origin for each in run().tasks.values()} == {Origin.RESTORED}
    Path("two.txt").write_text("2")
    told = {name: str(each.reason) for name, each in run().tasks.items()}
    assert told["first"].startswith("unchanged since")
    assert told["second"].endswith("two.txt` has changed since it was read")
    Path("one.txt").write_text("2")  # now by a pool that was there before
    assert str(run().tasks["first"].reason).endswith("one.txt` has changed since it was read")


def test_each_hears_what_is_told_while_it_listens() -> None:
    path = Path(unforked.path())
    early, late = Children(), Children()
    with path.open("ab") as file:  # others may listen as well
        file.write(line_of(("heard", "a", False, None)))
    latest = Children()
    assert [*early.told()] == [("heard", "a", False, None)]
    assert [*latest.told()] == []
    assert [*late.told()] == [("heard", "a", False, None)]


COLLECTED = """
import os
from flowweaver.engine.body import children

unforked = children.unforked
unforked.path()
fstat, heard = os.fstat, []

def fstat_with_a_collection(fd):
    os.fstat = fstat
    heard.append(children.Children())  # as a finalizer's file does that is heard
    return fstat(fd)

os.fstat = fstat_with_a_collection
children.Children()
print(len(heard))
"""


def test_what_is_done_for_garbage_in_between_may_listen_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COLLECTED], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


FORKED = """
import os
from flowweaver.engine.body.children import Children, line_of, unforked

path = unforked.path()
first = Children()
with open(path, "ab") as file:
    file.write(line_of(("heard", "a", False, None)))
assert [*first.told()] == [("heard", "a", False, None)]
assert os.stat(path).st_size == 0  # all have heard it
with open(path, "ab") as file:
    file.write(line_of(("heard", "a", False, None)))
before = Children()
pid = os.fork()
if pid == 0:
    assert [*before.told()] == []
    assert unforked.path() != path
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print(os.stat(path).st_size > 0, path)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_copy_of_a_process_has_children_of_its_own_and_files_go_with_it() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True)
    is_kept, path = done.stdout.split()
    assert is_kept == "True"
    assert not Path(path).exists()

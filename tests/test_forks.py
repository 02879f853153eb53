"""A process that user code forks is no runner, wherever it comes back from."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from flowweaver.forks import keep_free_in_copies
from tests.stores.forks import in_child

SCRIPT = """
import asyncio, multiprocessing, os, sys
from flowweaver import *

def note(text):
    fd = os.open("acts", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{text}\\n".encode())
    os.close(fd)

def forked():
    pid = os.fork()
    if pid == 0:
        note("child")
        return True
    os.waitpid(pid, 0)
    return False

def raises(x):
    note(f"raises {x}")
    if x == 2 and forked():
        raise OSError("exec failed")
    return x

def returns(x):
    note(f"returns {x}")
    return -1 if x == 2 and forked() else x

def exits(x):
    note(f"exits {x}")
    if x == 2 and forked():
        sys.exit(3)
    return x

def speaks(x):
    note(f"speaks {x}")
    if x == 2 and forked():
        try:
            current_task().state["said"] = "by the child"
        except FlowWeaverError as error:
            note("refused")
            os._exit(0)
    return x

async def awaits(x):
    note(f"awaits {x}")
    await asyncio.sleep(0.01)
    if x == 2:
        forked()
    await asyncio.sleep(0.01)
    note(f"awaited {x}")
    return x

def gives_awaitable(x):
    note(f"gives {x}")
    if x == 2:
        forked()
    return asyncio.sleep(0.01, x)

def judged(x):
    note(f"judged {x}")
    return x

def condition(x):
    if x == 2:
        forked()
    return True

def retried(x):
    note(f"retried {x} {current_task().attempt}")
    if x == 2 and current_task().attempt == 1:
        raise ConnectionError("once")
    return x

def predicate(error):
    forked()
    return True

def pooled(x):
    note(f"pooled {x}")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return sum(pool.map(abs, [0, x]))

def observe(event):
    if event.kind is EventKind.TASK_FINISHED and event.task == "returns" and event.element == "1":
        forked()

if __name__ == "__main__":
    kind = sys.argv[1]
    store = {"state_store": SQLiteStateStore("m.db")} if sys.argv[2] == "store" else {}
    options = {"isolate": True} if kind == "isolated" else {}
    makers = {
        "sequential": SequentialExecutor,
        "threads": lambda **given: ThreadedExecutor(4, **given),
        "async": lambda **given: AsyncExecutor(4, **given),
        "processes": lambda **given: ProcessExecutor(2, **given),
        "isolated": lambda **given: ThreadedExecutor(2, **given),
    }
    bodies = [raises, returns, exits, speaks, awaits, gives_awaitable, pooled]
    tasks = [
        Task(fn.__name__, fn, inputs={"x": each("xs")}, **options) for fn in bodies
    ]
    tasks.append(Task("judged", judged, inputs={"x": each("xs")}, when=condition, **options))
    tasks.append(
        Task("retried", retried, inputs={"x": each("xs")}, retries=1, retry_on=predicate, **options)
    )
    executor = makers[kind](observers=(observe,), **store)
    run = executor.execute(Workflow("m", tasks), {"xs": [0, 1, 2, 3]})
    print({name: run[name] for name in run.tasks} == {task.name: [0, 1, 2, 3] for task in tasks})
    if kind == "processes":
        executor.close()
"""
KINDS = ["sequential", "threads", "async", "processes", "isolated"]


@pytest.mark.parametrize("store", ["store", "none"])
@pytest.mark.parametrize("kind", KINDS)
def test_child_that_comes_back_ends_and_the_run_is_as_without_it(
    tmp_path: Path, kind: str, store: str
) -> None:
    (tmp_path / "main.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "main.py", kind, store],
        capture_output=True,  # waits for the pipes: a child that lives on would hold them
        text=True,
        timeout=120,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout == "True\n", done.stderr
    acts = Counter((tmp_path / "acts").read_text().splitlines())
    assert acts.pop("child") == 9
    assert acts.pop("refused") == 1
    assert {act: count for act, count in acts.items() if count > 1} == {}
    told = done.stderr.count("was forked by a task and came back from it")
    assert told == 7  # all but the one that exits and the one that is refused
    assert "exec failed" in done.stderr


def test_lock_is_free_in_a_copy_that_is_made_while_others_use_it() -> None:
    lock = threading.Lock()
    keep_free_in_copies(lock)
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            with lock:
                pass

    thread = threading.Thread(target=use)
    thread.start()
    try:
        for _ in range(20):
            assert in_child(lambda: os._exit(0 if lock.acquire(timeout=60) else 1)) == 0
    finally:
        stop.set()
        thread.join()


def test_child_of_a_body_holds_nothing_of_the_workers(tmp_path: Path) -> None:
    """Else their server would live on until the child ends."""
    (tmp_path / "main.py").write_text(
        """
import os, stat
from contextlib import suppress
from flowweaver import Task, ThreadedExecutor, Workflow

def sockets():
    found = set()
    for fd in range(256):
        with suppress(OSError):
            status = os.fstat(fd)
            if stat.S_ISSOCK(status.st_mode):
                found.add(status.st_ino)
    return found

def alone():
    return 1

def forks(alone):
    ours = sockets()
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, str(len(sockets() & ours)).encode())
        os._exit(0)
    os.wait()
    return len(ours) > 0, int(os.read(reading, 100))

tasks = [Task("alone", alone, isolate=True), Task("forks", forks)]
print(ThreadedExecutor(2).execute(Workflow("w", tasks))["forks"])
"""
    )
    # Python itself warns of forks beside threads from 3.12 on.
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "main.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (done.stdout, done.stderr) == ("(True, 0)\n", "")

"""The hook that hears what bodies open is in nobody's way."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from flowweaver import MemoryStateStore, SequentialExecutor, Task, Workflow
from flowweaver.engine.body import asking, loading, watching

TRACING = """
import sys, threading
from flowweaver.engine.body.hearing import hear_bodies

hear_bodies()
failed = []
sys.setswitchinterval(1e-6)

def trace(frame, event, arg):
    return None

def switch():
    for _ in range(3_000):
        try:
            sys.settrace(trace)
            sys.settrace(None)
        except RuntimeError as error:
            failed.append(error)

threads = [threading.Thread(target=switch) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed)
"""


def test_debuggers_set_their_trace_functions_in_many_threads_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", TRACING], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


BEGINNING_TWICE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from flowweaver.engine.body.hearing import hear_bodies

hooks, is_second = [], threading.Event()
add = sys.addaudithook

def added(hook):
    hooks.append(hook)
    if len(hooks) == 2:
        is_second.set()
    is_second.wait(1)  # so that another that is on its way here comes
    add(hook)

sys.addaudithook = added
ready = threading.Barrier(2)
with ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda _: (ready.wait(), hear_bodies()), range(2)))
print(len(hooks))
"""


def test_two_threads_that_begin_to_hear_at_once_do_so_once() -> None:
    done = subprocess.run([sys.executable, "-c", BEGINNING_TWICE], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


COLLECTING = """
import gc, sys, threading, time
from flowweaver.engine.body.hearing import hear_bodies

hear_bodies()
died = []
ran = []
sys.unraisablehook = lambda told: died.append(told.exc_value)

def trace(frame, event, arg):
    sys.settrace(None)

def start_many():
    for _ in range(500):
        threading.Thread(target=ran.append, args=(1,)).start()

threading.settrace(trace)
gc.set_threshold(1, 2, 2)
gc.callbacks.append(lambda phase, info: time.sleep(1e-5))  # gives way to other threads
threads = [threading.Thread(target=start_many) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.callbacks.clear()
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(len(ran), died)
"""


def test_threads_start_under_a_debugger_though_collections_give_way() -> None:
    done = subprocess.run([sys.executable, "-c", COLLECTING], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("3000 []\n", "")


LEFT_LOCKED = """
import threading
from flowweaver.engine.body import watching

watching.watch_threads()
threading.settrace(lambda *event: None)
watching._starting.acquire()  # as an interrupt leaves it that falls in between
ran = []

def start():
    inner = threading.Thread(target=ran.append, args=(1,))
    inner.start()
    inner.join()

outer = threading.Thread(target=start)
outer.start()
outer.join(60)
print(ran)
"""


def test_interrupt_that_leaves_the_lock_locked_hangs_no_thread() -> None:
    done = subprocess.run([sys.executable, "-c", LEFT_LOCKED], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[1]\n", "")


def test_what_goes_wrong_in_hearing_is_no_matter_of_the_bodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(path: str) -> None:
        os.stat(path)  # noqa: PTH116 - what is asked on the way is not heard either
        raise AttributeError("as of a standard library that is still being set up")

    def body() -> tuple[bool, int]:
        import heard_late

        return Path("heard_late.py").exists(), heard_late.VALUE

    tmp_path.joinpath("heard_late.py").write_text("VALUE = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for module in (asking, loading):
        monkeypatch.setattr(module, "owner_of_file", unknown)
    run = SequentialExecutor(state_store=MemoryStateStore()).execute(
        Workflow("w", [Task("t", body)])
    )
    assert run["t"] == (True, 1)


def test_interrupt_at_any_line_of_the_noting_leaves_no_thread_deaf() -> None:
    code = watching.noting.__code__
    heard: list[int] = []
    for number in sorted({line for _, _, line in code.co_lines() if line}):

        def press(frame: FrameType, event: str, _: object, at: int = number) -> Any:
            if frame.f_code is not code:
                return None
            if event == "line" and frame.f_lineno == at:
                sys.settrace(None)
                raise KeyboardInterrupt
            return press

        before = sys.gettrace()
        sys.settrace(press)
        try:
            with suppress(KeyboardInterrupt):
                watching.noting(lambda: None)
        finally:
            sys.settrace(before)
        watching.noting(heard.append, number)
        assert heard.pop() == number

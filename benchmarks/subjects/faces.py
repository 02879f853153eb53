"""What people look at: the report, and the live page that follows a run."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.model import Unavailable
from benchmarks.subjects.clock import milliseconds
from benchmarks.subjects.flowweaver_here import sqlite, threaded
from flowweaver import StateStore, Task, Workflow, each
from flowweaver.report.following import FollowedRun
from flowweaver.report.graph import lay_out
from flowweaver.report.page import report_page
from flowweaver.report.view.assemble import DETAILS_IN_REPORT, View
from flowweaver.report.view.sources import StoredRun

# What runs while it is followed: so many elements a second, on 8 threads.
_PAUSE = 0.004
_FOLLOWED = """
import time
from flowweaver import SQLiteStateStore, Task, ThreadedExecutor, Workflow, each

def element(n):
    time.sleep({pause})
    return n

flow = Workflow("followed", [Task("numbers", lambda: list(range({size})))])
flow.add_task(element, name="element", inputs={{"n": each("numbers")}})
store = SQLiteStateStore("followed.db", durability="process")
ThreadedExecutor(max_workers=8, state_store=store).execute(flow)
"""


def _mapped(size: int) -> Workflow:
    workflow = Workflow("mapped", [Task("numbers", lambda: list(range(size)))])
    workflow.add_task(lambda n: {"n": n}, name="element", inputs={"n": each("numbers")})
    return workflow


def _grid(size: int) -> Workflow:
    """Define tasks of which each waits for two of those a little before it."""
    chance, workflow = random.Random(7), Workflow("grid")
    for number in range(size):
        before = {f"t{chance.randrange(max(0, number - 80), number)}" for _ in range(2) if number}
        workflow.add_task(lambda: 1, name=f"t{number}", depends_on=sorted(before))
    return workflow


def _page(store: StateStore) -> str:
    run = store.runs(limit=1)[0]
    return report_page(View(StoredRun(store, run)).as_json(details=DETAILS_IN_REPORT))


def _executed(workflow: Workflow) -> StateStore:
    store = sqlite("process")
    threaded(store).execute(workflow)
    return store


def report_of_elements(size: int) -> float:
    """Make the report of a fan-out."""
    store = _executed(_mapped(size))
    return milliseconds(lambda: _page(store))


def report_of_tasks(size: int) -> float:
    """Make the report of as many tasks, drawn as a graph."""
    store = _executed(_grid(size))
    return milliseconds(lambda: _page(store))


def size_of_elements(size: int) -> float:
    """Megabytes of the report of a fan-out."""
    return len(_page(_executed(_mapped(size))).encode()) / 1e6


def size_of_tasks(size: int) -> float:
    """Megabytes of the report of as many tasks."""
    return len(_page(_executed(_grid(size))).encode()) / 1e6


def layout(size: int) -> float:
    """Lay out a graph."""
    wiring = _grid(size).compile()
    names = [task.name for task in wiring.tasks]
    return milliseconds(lambda: lay_out(names, wiring.preds))


@contextmanager
def _running(size: int) -> Iterator[tuple[StateStore, subprocess.Popen[bytes]]]:
    """Run a fan-out in another process; yield its store once it has begun."""
    from flowweaver import SQLiteStateStore

    code = _FOLLOWED.format(size=size, pause=_PAUSE)
    process = subprocess.Popen([sys.executable, "-c", code])
    store = SQLiteStateStore(Path("followed.db"))
    try:
        while not store.runs(limit=1):
            if process.poll() is not None:
                raise RuntimeError("what was to be followed has ended")
            time.sleep(0.01)
        yield store, process
    finally:
        process.kill()
        process.wait()
        store.close()


def following(size: int) -> float:
    """Percent of a core that following a run of another process takes, until it ends."""
    with _running(size) as (store, process):
        followed = FollowedRun(store, store.runs(limit=1)[0].id)
        began, worked, since = time.monotonic(), time.process_time(), 0
        while process.poll() is None:
            look = time.monotonic()
            revision = followed.refresh()
            if followed.since(since) is None:
                followed.whole()
            since = revision
            time.sleep(max(0.5, min(1.0, 15 * (time.monotonic() - look))))
        return 100 * (time.process_time() - worked) / (time.monotonic() - began)


def longest_frame(size: int) -> float:
    """The longest task of the browser, in ms, while the page follows a run to its end.

    The first second, in which the page is loaded and drawn, is left out.
    """
    path = shutil.which("chromium")
    if path is None:
        raise Unavailable("needs Chromium: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise Unavailable("needs playwright: make test installs it") from None
    with _running(size) as (store, process), _served(store) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(server.url)
        page.goto(f"http://127.0.0.1:{server.port}/#/run/{store.runs(limit=1)[0].id}/timeline")
        page.locator(".stage").wait_for()
        page.wait_for_timeout(1000)
        page.evaluate(
            "() => { window.longest = 0; new PerformanceObserver((list) => list.getEntries()"
            ".forEach((e) => { window.longest = Math.max(window.longest, e.duration); }))"
            ".observe({ entryTypes: ['longtask'] }); }"
        )
        while process.poll() is None:
            page.wait_for_timeout(200)
        found = float(page.evaluate("window.longest"))
        browser.close()
        return found


@contextmanager
def _served(store: StateStore) -> Iterator[Any]:
    from flowweaver.ui.serving import Server

    server, ready = Server(store, store.url), threading.Event()
    thread = threading.Thread(target=server.run, args=(ready.set,), daemon=True)
    thread.start()
    ready.wait(30)
    try:
        yield server
    finally:
        server.stop()
        thread.join(10)

"""Ctrl-C at a line of the engine: wherever it falls in a run, the run ends, and can be continued.

Ctrl-C is delivered to the main thread between any two steps of the interpreter, so it can fall
into the middle of whatever the engine or a store does there. A trace function raises it at the
n-th line run by them, for growing n, until a whole run goes by undisturbed.
"""

from __future__ import annotations

import gc
import linecache
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from threading import Event, Lock
from types import CodeType, FrameType
from typing import Any
from unittest.mock import patch

import pytest

import flowweaver
from flowweaver import (
    Executor,
    JSONStateStore,
    MemoryStateStore,
    Run,
    RunStatus,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.engine import executor as driving

PACKAGE = str(Path(flowweaver.__file__).parent)
EXECUTORS: dict[str, Callable[..., Executor]] = {
    "sequential": SequentialExecutor,
    "threaded": lambda **options: ThreadedExecutor(2, **options),
}
STORES: dict[str, Callable[[Path], StateStore]] = {
    "json": lambda folder: JSONStateStore(folder / "state.json", durability="process"),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db", durability="process"),
}
DRIVE = driving._drive.__code__
LIMIT_SECONDS = 120.0
"""Longer than any run here takes, and the grace that none of them may have to wait for."""


class Interrupter:
    """Presses Ctrl-C at the n-th line that a run's own code comes to in this thread."""

    def __init__(self, line: int, probe: Callable[[], object] = lambda: None) -> None:
        self._left = line
        self._probe = probe
        self.seen: object = None
        self._lock = Lock()
        self.pressed = self._is_over = False

    def over(self) -> bool:
        """Press no more; return whether it was pressed."""
        with self._lock:
            self._is_over = True
            return self.pressed

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        """Trace what is called by the loop that drives a run, and is FlowWeaver's."""
        code = frame.f_code
        if self.pressed or code is DRIVE or _is_for_an_end(code):
            return None
        return self._line if code.co_filename.startswith(PACKAGE) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line" and not self.pressed and _can_fall_at(frame.f_code, frame.f_lineno):
            self._left -= 1
            if self._left == 0:
                with self._lock:
                    self.pressed = not self._is_over
                    self.seen = self._probe()
                if self.pressed:
                    raise KeyboardInterrupt
        return self._line


def _is_for_an_end(code: CodeType) -> bool:
    """Whether this is called when an object goes, where Python reports an interrupt and goes on."""
    is_callback = code.co_name == "<lambda>" and code.co_varnames[:1] == ("_",)  # of a reference
    return is_callback or code.co_name == "__del__"


@cache
def _can_fall_at(code: CodeType, number: int) -> bool:
    """Whether the interpreter would raise an interrupt at this line.

    A `with` statement's line comes a second time when it is left, just before `__exit__` is called:
    there a trace function can raise, and so leave a lock locked, but the interpreter never does.
    """
    return not linecache.getline(code.co_filename, number).lstrip().startswith("with ")


@contextmanager
def pressing(interrupter: Interrupter) -> Iterator[None]:
    """Trace the loop that drives a run; what comes before takes longer when it is traced."""
    drive = driving._drive

    def traced(*arguments: Any) -> None:
        before = sys.gettrace()
        sys.settrace(interrupter)
        try:
            drive(*arguments)
        finally:
            sys.settrace(before)

    # What an earlier test has left may be let go of here, where an interrupt would go unheard.
    gc.disable()
    try:
        with patch.object(driving, "_drive", traced):
            yield
    finally:
        gc.enable()


@contextmanager
def limited() -> Iterator[None]:
    """Fail what hangs, instead of hanging with it."""

    def over(number: int, frame: FrameType | None) -> None:
        raise AssertionError("the run hangs")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def noted(name: str, folder: Path) -> str:
    with (folder / "journal").open("a") as journal:
        journal.write(f"{name}\n")
    return name


def fails_at_first(name: str, folder: Path) -> str:
    noted(name, folder)
    if (folder / "journal").read_text().split().count(name) == 1:
        raise ConnectionError("once")
    return name


# Made once, for all runs: what the bodies mean is worked out for the first of them alone.
DIAMOND = [
    Task("a", partial(noted, "a")),
    Task("b", partial(fails_at_first, "b"), retries=1, depends_on="a"),
    Task("c", partial(noted, "c"), depends_on="a"),
    Task("d", partial(noted, "d"), depends_on=["b", "c"]),
]
PAYMENT = [Task("pay", partial(noted, "pay"), effect="once"), Task("next", partial(noted, "next"))]


def interrupted(
    executor: Executor,
    pressed: Workflow,
    interrupter: Interrupter,
    parameters: Mapping[str, object] | None = None,
) -> Run:
    """Execute, pressing Ctrl-C in the course of it; return the run."""
    with limited(), pressing(interrupter):
        try:
            executor.execute(pressed, parameters)
        except KeyboardInterrupt:
            assert interrupter.pressed
    assert pressed.last_run is not None
    return pressed.last_run


def lines_from(first: int, step: int) -> Iterator[int]:
    yield from range(first, 1_000_000, step)


@pytest.mark.parametrize("make", EXECUTORS.values(), ids=EXECUTORS)
def test_run_ends_wherever_it_is_interrupted(make: Callable[..., Executor], tmp_path: Path) -> None:
    for line in lines_from(1, 3):
        pressed, folder = Workflow("pressed", DIAMOND), tmp_path / str(line)
        folder.mkdir()
        interrupter = Interrupter(line)
        run = interrupted(make(grace=LIMIT_SECONDS), pressed, interrupter, {"folder": folder})
        assert run.status in (RunStatus.CANCELLED, RunStatus.COMPLETED), line
        assert all(task.status.is_final for task in run.tasks.values()), line
        if not interrupter.pressed:
            return


# A file that an interrupt has left open closes itself, and says so.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("open_store", STORES.values(), ids=STORES)
@pytest.mark.parametrize("make", EXECUTORS.values(), ids=EXECUTORS)
def test_interrupted_run_is_continued_and_nothing_done_is_done_again(
    make: Callable[..., Executor], open_store: Callable[[Path], StateStore], tmp_path: Path
) -> None:
    for line in lines_from(1, 67):
        pressed, folder = Workflow("pressed", DIAMOND), tmp_path / str(line)
        folder.mkdir()
        journal, given = folder / "journal", {"folder": folder}
        store = open_store(folder)
        interrupter = Interrupter(line)
        run = interrupted(make(state_store=store, grace=LIMIT_SECONDS), pressed, interrupter, given)
        done = {name for name, task in run.tasks.items() if task.status is TaskStatus.COMPLETED}
        before = journal.read_text().split() if journal.exists() else []
        with limited():
            again = make(state_store=open_store(folder)).execute(pressed, given)
        assert {name: again[name] for name in again.tasks} == {name: name for name in "abcd"}
        assert (again.id == run.id) == (run.status is not RunStatus.COMPLETED), line
        assert done.isdisjoint(journal.read_text().split()[len(before) :]), line
        store.close()
        if not interrupter.pressed:
            return


@pytest.mark.parametrize("make", EXECUTORS.values(), ids=EXECUTORS)
def test_effect_that_must_happen_once_never_happens_twice(
    make: Callable[..., Executor], tmp_path: Path
) -> None:
    for line in lines_from(1, 4):
        paying, folder = Workflow("paying", PAYMENT), tmp_path / str(line)
        folder.mkdir()
        store, given = MemoryStateStore(), {"folder": folder}
        interrupter = Interrupter(line)
        interrupted(make(state_store=store, grace=LIMIT_SECONDS), paying, interrupter, given)
        for _ in range(2):
            with limited():
                make(state_store=store).execute(paying, given, raise_on_failure=False)
        # Each completed run does it once more; an unresolved one never goes on.
        runs = [run.status for run in store.runs()]
        paid = (folder / "journal").read_text().split().count("pay")
        assert paid <= max(1, runs.count(RunStatus.COMPLETED)), line
        if not interrupter.pressed:
            return


def beside_a_slow_one(begun: Event, release: Event, interrupter: Interrupter) -> Workflow:
    """Return a workflow with a body that goes on until the press, or until all others are done."""

    def slow() -> bool:
        begun.set()
        return release.wait(LIMIT_SECONDS)

    def last(two: int) -> None:
        if not interrupter.over():
            release.set()

    # By a version, as to look at all that these bodies hold would take longer than to run them.
    return Workflow(
        "pressed",
        [
            Task("slow", slow, version="1"),
            Task("one", lambda: 1, version="1"),
            Task("two", lambda one: one + 1, version="1"),
            Task("last", last, version="1"),
            Task("after", lambda slow, last: slow, version="1"),
        ],
    )


@pytest.mark.parametrize("open_store", [lambda: None, MemoryStateStore], ids=["none", "memory"])
def test_what_runs_on_a_thread_is_let_finish(open_store: Callable[[], StateStore | None]) -> None:
    seen = []
    for line in lines_from(1, 23):
        begun, release = Event(), Event()

        def has_begun(begun: Event = begun, release: Event = release) -> bool:
            release.set()
            return begun.is_set()

        interrupter = Interrupter(line, has_begun)
        pressed = beside_a_slow_one(begun, release, interrupter)
        executor = ThreadedExecutor(2, state_store=open_store(), grace=LIMIT_SECONDS)
        run = interrupted(executor, pressed, interrupter)
        seen.append(interrupter.seen)
        if not interrupter.pressed:
            break
        if interrupter.seen:
            assert run["slow"] is True, line
    assert any(seen)

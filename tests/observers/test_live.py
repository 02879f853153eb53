"""Progress on a terminal: a display that is redrawn in place."""

import threading
from collections.abc import Iterator
from typing import TextIO

import pytest

from flowweaver import SQLiteStateStore, Task, ThreadedExecutor, Workflow, each, task
from flowweaver.observers.live import LiveProgress
from flowweaver.observers.progress import progress
from tests.observers.awaiting import LongAwaited
from tests.observers.terminal import LIMIT_SECONDS, Terminal

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture(autouse=True)
def _a_plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal() as terminal:
        yield terminal


@pytest.fixture
def stream(terminal: Terminal) -> Iterator[TextIO]:
    with open(terminal.slave, "w", closefd=False) as stream:
        yield stream


class Gate:
    """Bodies wait here until the test has seen what it came for."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def open(self) -> None:
        self._event.set()

    def wait(self) -> None:
        assert self._event.wait(LIMIT_SECONDS)


def while_running(workflow: Workflow, stream: TextIO, look, gate: Gate, **options) -> None:
    """Execute a workflow whose last task waits at the gate; look at the terminal meanwhile."""
    shown = progress(stream)
    executor = ThreadedExecutor(max_workers=20, observers=(shown,), **options)
    thread = threading.Thread(
        target=executor.execute, args=(workflow,), kwargs={"raise_on_failure": False}
    )
    thread.start()
    try:
        look()
    finally:
        gate.open()
        thread.join(LIMIT_SECONDS)
        shown.close()
    assert not thread.is_alive()


def test_a_terminal_gets_the_live_display(stream):
    assert isinstance(progress(stream), LiveProgress)


def test_counts_and_what_runs_are_shown_while_it_runs(terminal, stream):
    gate = Gate()

    def first():
        return 1

    def slow(first):
        gate.wait()

    def look():
        terminal.wait_for("1/3")
        terminal.wait_for("executed 1")
        terminal.wait_for("  slow  ")

    def last(slow):
        return 1

    while_running(Workflow("w", [first, slow, last]), stream, look, gate)


def test_seconds_go_by_without_an_event(terminal, stream):
    gate = Gate()

    def slow():
        gate.wait()

    def look():
        terminal.wait_for("slow  1.")
        terminal.wait_for("slow  2.")

    while_running(Workflow("w", [slow]), stream, look, gate)


def test_restored_tasks_are_counted_apart(terminal, stream, tmp_path):
    store, gate = SQLiteStateStore(tmp_path / "state.db"), Gate()

    def first():
        return 1

    def slow(first):
        gate.wait()

    ThreadedExecutor(state_store=store).execute(Workflow("w", [first]))
    while_running(
        Workflow("w", [first, slow]),
        stream,
        lambda: terminal.wait_for("restored 1"),
        gate,
        state_store=store,
    )


def test_a_failure_is_told_at_once(terminal, stream):
    gate = Gate()

    def broken():
        raise ValueError("no row")

    def slow():
        gate.wait()

    def look():
        terminal.wait_for("broken failed: ValueError: no row")
        terminal.wait_for("failed 1")

    while_running(Workflow("w", [broken, slow]), stream, look, gate)


def test_a_waiting_retry_is_told_and_counted(terminal, stream):
    gate = Gate()

    @task(retries=1, backoff=1.0)
    def flaky():
        if not gate._event.is_set():
            raise ValueError("no row")

    def slow():
        gate.wait()

    def look():
        terminal.wait_for("flaky failed, attempt 1, again in 1.0 s: ValueError: no row")
        terminal.wait_for("retrying 1")

    while_running(Workflow("w", [flaky, slow]), stream, look, gate)


def test_what_a_run_waits_for_is_told_above(terminal, stream):
    with progress(stream) as shown:
        LongAwaited(observers=(shown,)).execute(Workflow("w", [Task("t", lambda: 1)]))
    terminal.wait_for("waiting: The pool is empty: start a worker.")


def test_of_many_running_tasks_some_are_named_and_the_rest_counted(terminal, stream):
    gate = Gate()
    workflow = Workflow("w")
    for n in range(20):
        workflow.add_task(task(f"slow{n}")(gate.wait))
    while_running(workflow, stream, lambda: terminal.wait_for("  and 12 more"), gate)


def test_a_hostile_message_moves_no_cursor(terminal, stream):
    gate = Gate()

    def broken():
        raise ValueError("\x1b]0;title\x07[red]x[/red]")

    def slow():
        gate.wait()

    while_running(
        Workflow("w", [broken, slow]),
        stream,
        lambda: terminal.wait_for(r"ValueError: \x1b]0;title\x07[red]x[/red]"),
        gate,
    )


def test_the_display_is_taken_away_and_the_cursor_given_back(terminal, stream):
    gate = Gate()

    def slow():
        gate.wait()

    while_running(Workflow("w", [slow]), stream, lambda: terminal.wait_for("slow"), gate)
    terminal.wait_for(SHOW_CURSOR)
    assert terminal.text.rindex(SHOW_CURSOR) > terminal.text.rindex(HIDE_CURSOR)


def test_it_is_redrawn_by_time_and_not_by_event(terminal, stream):
    workflow = Workflow("many")
    for n in range(5_000):
        workflow.add_task(task(f"t{n}")(int))
    gate = Gate()
    while_running(workflow, stream, lambda: None, gate)
    assert terminal.text.count("executed") < 1_000


def test_elements_of_a_fan_out_are_counted_and_named(terminal, stream):
    gate = Gate()

    @task(inputs={"page": each("pages")})
    def load(page):
        if page == 9:
            gate.wait()

    def look():
        terminal.wait_for("executed 3")
        terminal.wait_for("  load[1] (9)  ")
        terminal.wait_for("3/4")

    workflow = Workflow("w", [Task("pages", lambda: [7, 9, 8]), load])
    while_running(workflow, stream, look, gate)


def test_one_observer_can_watch_one_run_after_another(terminal, stream):
    shown = progress(stream)
    executor = ThreadedExecutor(observers=(shown,))
    for name in ("first", "second"):
        gate = Gate()
        workflow = Workflow(name, [task("slow")(gate.wait)])
        thread = threading.Thread(target=executor.execute, args=(workflow,))
        thread.start()
        terminal.wait_for(f"{name} ")
        gate.open()
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive()
    shown.close()

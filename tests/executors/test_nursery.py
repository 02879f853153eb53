"""The process that starts workers may end at any time: no innocent task fails of it."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest

from flowweaver import Event, EventKind, ProcessExecutor, Task, TaskStatus, Workflow, each
from flowweaver.executors._workers import nursery
from flowweaver.testing import bodies
from tests.executors import deadly
from tests.executors.processes import await_gone, is_gone


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def test_call_after_its_end_finds_another() -> None:
    with ProcessExecutor(1) as executor:
        workflow = Workflow("w", [Task("pids", deadly.pids)])
        worker, server = executor.execute(workflow)["pids"]
        os.kill(server, signal.SIGKILL)
        await_gone(worker, server)
        run = executor.execute(workflow)
        assert set(run["pids"]).isdisjoint({worker, server})
        assert run.tasks["pids"].attempts == 1


def test_call_that_was_not_begun_is_begun_elsewhere_and_counts_once(folder: str) -> None:
    with ProcessExecutor(1) as executor:
        task = Task("taken", lambda given: given, effect="once")
        run = executor.execute(Workflow("w", [task]), {"given": deadly.LoadKills(folder, 2)})
        assert (run["taken"], run.tasks["taken"].attempts) == ("loaded", 1)
        assert bodies.notes(folder) == ["loads"] * 3


def test_what_ends_it_whenever_it_is_loaded_fails_in_the_end(folder: str) -> None:
    with ProcessExecutor(1) as executor:
        workflow = Workflow("w", [Task("taken", lambda given: given)])
        given = deadly.LoadKills(folder, 1000)
        run = executor.execute(workflow, {"given": given}, raise_on_failure=False)
        error = run.tasks["taken"].error
        assert run.tasks["taken"].status is TaskStatus.FAILED
        assert error is not None
        assert "was lost with the process that starts workers" in error.message


def test_attempt_that_had_begun_counts_and_another_is_made(folder: str) -> None:
    with ProcessExecutor(1) as executor:
        workflow = Workflow("w", [Task("ends", deadly.end_starter_once)])
        run = executor.execute(workflow, {"folder": folder, "attempt": 1})
        assert (run["ends"], run.tasks["ends"].attempts) == (2, 2)
        assert bodies.notes(folder) == ["begins 1", "begins 2"]


def test_body_that_ends_it_each_time_fails_at_the_third_death(folder: str) -> None:
    with ProcessExecutor(1) as executor:
        workflow = Workflow("w", [Task("ends", deadly.end_starter_once)])
        params = {"folder": folder, "attempt": 1000}
        run = executor.execute(workflow, params, raise_on_failure=False)
        assert run.tasks["ends"].status is TaskStatus.FAILED
        assert run.tasks["ends"].attempts == 3
        error = run.tasks["ends"].error
        assert error is not None
        assert error.trace == ""


def test_effect_that_had_begun_and_must_happen_once_waits_for_a_person(folder: str) -> None:
    with ProcessExecutor(1) as executor:
        task = Task("ends", deadly.end_starter_once, effect="once")
        params = {"folder": folder, "attempt": 1}
        run = executor.execute(Workflow("w", [task]), params, raise_on_failure=False)
        assert run.tasks["ends"].status is TaskStatus.FAILED
        assert bodies.notes(folder) == ["begins 1"]


def test_run_survives_its_end_again_and_again_and_attempts_are_those_that_began(
    folder: str,
) -> None:
    killed = 0

    def kill_now_and_then(event: Event) -> None:
        nonlocal killed
        if event.kind is EventKind.TASK_FINISHED and int(event.element or 1) % 50 == 0:
            server = executor._pool.nursery._server
            if server is not None:
                server.process.kill()
                killed += 1

    with ProcessExecutor(3, observers=(kill_now_and_then,)) as executor:
        workflow = Workflow("w", [Task("short", deadly.short, inputs={"x": each("xs")})])
        run = executor.execute(workflow, {"xs": list(range(300)), "folder": folder})
    assert run["short"] == list(range(300))
    assert killed
    begun = Counter(note.split()[0] for note in bodies.notes(folder))
    for element in run.tasks["short"].elements:
        # A worker may be lost between its word that it begins and the body's own.
        assert begun[element.element] <= element.attempts <= begun[element.element] + 1


def test_worker_asked_for_as_it_ends_comes_from_another() -> None:
    kept = nursery.Nursery("forkserver")
    first = kept.start_worker()
    first.server.send_signal(signal.SIGSTOP)
    started: list[nursery.WorkerHandle] = []
    thread = threading.Thread(target=lambda: started.append(kept.start_worker()))
    thread.start()
    thread.join(0.2)
    first.server.kill()
    thread.join(60)
    (second,) = started
    assert second.server is not first.server
    assert not is_gone(second.pid)
    for worker in (first, second):
        worker.end()
        worker.close()
    kept.close()


def test_one_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nursery, "_ENDING_SECONDS", 0.1)
    kept = nursery.Nursery("forkserver")
    worker = kept.start_worker()
    worker.server.send_signal(signal.SIGSTOP)
    kept.close()
    assert is_gone(worker.server.pid)
    await_gone(worker.pid)
    worker.close()

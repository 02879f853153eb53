"""Crashes at chosen points: in a commit, in a body, in a worker, while Ctrl-C is pressed."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import asdict
from dataclasses import replace as changed
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from flowweaver import JSONStateStore, SQLiteStateStore
from flowweaver.engine.resolution import resolve
from flowweaver.names import task_run_name
from flowweaver.records import Changes, Lease
from tests.faults.boundaries import kill_myself
from tests.faults.children import (
    DONE,
    FAILED,
    INTERRUPTED,
    KILLED,
    LIMIT_SECONDS,
    Victim,
    finish,
    is_alive,
    last_words,
    run,
    start,
)
from tests.faults.kills import Watched, scratch, undisturbed
from tests.faults.victims import Note, notes


def killed_at_commit(executor: str, store: str, number: int, moment: str) -> dict[str, Any]:
    """Kill a run before or after a commit takes effect, and resume it."""
    with scratch() as base:
        expected, _ = undisturbed(_made(base / "undisturbed", store, executor))
        victim = _made(base / "killed", store, executor)
        watched = Watched(victim, expected)
        assert run(changed(victim, arm=partial(_kill_at_commit, number, moment))) == KILLED
        watched.killed()
        assert run(victim) == DONE, last_words(victim)
        watched.ended()
        return {**asdict(watched.damage), "starts": _starts(victim)}


def _made(directory: Path, store: str, executor: str, workflow: str = "orders") -> Victim:
    directory.mkdir()
    return Victim(directory, store, executor, workflow)


def _starts(victim: Victim) -> dict[str, int]:
    """Return how often each body started, by name and element."""
    started = Counter(note.key for note in notes(victim.journal) if note.what == "start")
    return {task_run_name(task, element): n for (task, element), n in started.items()}


def _kill_at_commit(number: int, moment: str) -> None:
    count = 0
    for kind in (JSONStateStore, SQLiteStateStore):
        original = kind.commit

        def commit(self: Any, lease: Lease, changes: Changes, original: Any = original) -> None:
            nonlocal count
            count += 1
            if count == number and moment == "before":
                kill_myself()
            original(self, lease, changes)
            if count == number:
                kill_myself()

        kind.commit = commit  # type: ignore[method-assign, assignment]


def killed_in_effect(store: str, executor: str, answer: str) -> dict[str, Any]:
    """Kill a run whose effect may have happened; resume; have a person decide; resume again."""
    with scratch() as base:
        victim = _made(base / "killed", store, executor, "payment")
        Path(victim.directory, "flag").touch()
        # The first commit keeps the graph, the second says that it was started, the third that it
        # is done.
        assert run(changed(victim, arm=partial(_kill_at_commit, 3, "before"))) == KILLED
        resumed, said = run(victim), last_words(victim)
        before = _starts(victim)
        again = run(victim)
        kept = victim.open_store()
        (found,) = kept.runs()
        resolve(kept, found.id, "pay", done=answer == "done", result="paid")
        kept.close()
        ended = run(victim)
        return {
            "resumed": resumed == again == FAILED,
            "said": said,
            "before": before,
            "ended": ended == DONE,
            "starts": _starts(victim),
        }


def killed_parent(store: str) -> dict[str, Any]:
    """Kill the process whose workers are in the middle of bodies, and resume."""
    with scratch() as base:
        victim = _made(base / "killed", store, "processes", "hanging")
        pid = start(victim)
        begun = _await_starts(victim, 2)
        os.kill(pid, signal.SIGKILL)
        finish(pid)
        outlived = _await_death([note.pid for note in begun], 2.0)
        Path(victim.directory, "flag").touch()
        assert run(victim) == DONE, last_words(victim)
        ended = [note.key for note in notes(victim.journal) if note.what == "end"]
        return {"outlived": outlived, "ends": len(ended), "starts": _starts(victim)}


def killed_worker(store: str) -> dict[str, Any]:
    """Kill one of two workers; the other's task must not notice."""
    with scratch() as base:
        victim = _made(base / "killed", store, "processes", "hanging")
        pid = start(victim)
        begun = {note.task: note.pid for note in _await_starts(victim, 2)}
        os.kill(begun["hang"], signal.SIGKILL)
        _await_starts(victim, 3)
        Path(victim.directory, "flag").touch()
        return {"ended": finish(pid) == DONE, "starts": _starts(victim)}


def _await_starts(victim: Victim, count: int) -> list[Note]:
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        begun = [note for note in notes(victim.journal) if note.what == "start"]
        if len(begun) >= count:
            return begun
        time.sleep(0.005)
    raise TimeoutError(f"no {count} bodies started: {last_words(victim)}")


def _await_death(pids: list[int], seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (alive := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.005)
    return alive


def interrupted(executor: str, store: str, times: int, seed: int) -> dict[str, Any]:
    """Press Ctrl-C at random moments, and resume."""
    random, ends, faults = Random(seed), Counter[int](), []
    with scratch() as base:
        expected, seconds = undisturbed(_made(base / "undisturbed", store, executor))
        for number in range(times):
            victim = _made(base / str(number), store, executor)
            watched = Watched(victim, expected)
            pid = start(victim)
            time.sleep(0.02 + random.random() * seconds)
            os.kill(pid, signal.SIGINT)
            status = finish(pid)
            ends[status] += 1
            if status not in (DONE, INTERRUPTED):
                faults.append(f"ended with {status}: {last_words(victim)}")
            watched.killed()
            if run(victim) != DONE:
                faults.append(f"could not be resumed: {last_words(victim)}")
            watched.ended()
            faults += watched.damage.faults
    return {"faults": faults, "interrupted": ends[INTERRUPTED]}


def killed_in_backoff(store: str, executor: str) -> dict[str, Any]:
    """Kill a run while a task waits for its next attempt, twice; it fails all its attempts."""
    with scratch() as base:
        victim = _made(base / "killed", store, executor, "hopeless")
        killed = []
        for attempt in (1, 2):
            pid = start(victim)
            _await_failure(victim, attempt)
            os.kill(pid, signal.SIGKILL)
            killed.append(finish(pid) == KILLED)
        ended = run(victim)
        kept = victim.open_store()
        (found,) = kept.runs()
        record = next(record for record in kept.tasks(found.id) if record.task == "hopeless")
        kept.close()
        return {
            "killed": all(killed),
            "attempts": [note.attempt for note in notes(victim.journal) if note.what == "start"],
            "failed": ended == FAILED,
            "kept": record.attempts,
        }


def _await_failure(victim: Victim, attempt: int) -> None:
    """Wait until the store says of an attempt that it failed and will be repeated."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        if _failures(victim) >= attempt:
            return
        time.sleep(0.01)
    raise TimeoutError(f"attempt {attempt} did not fail: {last_words(victim)}")


def _failures(victim: Victim) -> int:
    kept = victim.open_store()
    try:
        records = [record for found in kept.runs() for record in kept.tasks(found.id)]
        return max((record.failures for record in records), default=0)
    finally:
        kept.close()

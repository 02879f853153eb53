"""Crashes at chosen points: in a commit, in a body, in a worker, while Ctrl-C is pressed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from dataclasses import replace as changed
from functools import partial
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from flowweaver import JSONStateStore, SQLiteStateStore
from flowweaver.engine.resolution import resolve
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

_ENGINE = str(Path("flowweaver", "engine"))
_HANG_SECONDS = 20.0


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
    return {f"{task}[{element}]" if element else task: n for (task, element), n in started.items()}


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
        # The first commit says that it was started, the second that it is done.
        assert run(changed(victim, arm=partial(_kill_at_commit, 2, "before"))) == KILLED
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


def interrupted_at_lines(executor: str, first: int, every: int, most: int) -> dict[str, Any]:
    """Press Ctrl-C at one line of the engine after the other, and resume."""
    faults: list[str] = []
    tried = 0
    with scratch() as base:
        expected, _ = undisturbed(_made(base / "undisturbed", "sqlite process", executor, "small"))
        for line in range(first, first + every * most, every):
            victim = _made(base / str(line), "sqlite process", executor, "small")
            watched = Watched(victim, expected)
            try:
                status = finish(start(changed(victim, arm=partial(_press_at, line))), _HANG_SECONDS)
            except TimeoutError as error:
                faults.append(f"line {line}: {error}")
                continue
            where = _where(victim)
            if status not in (DONE, INTERRUPTED):
                faults.append(f"line {line} ({where}): ended with {status}: {last_words(victim)}")
            watched.killed()
            if run(victim) != DONE:
                faults.append(f"line {line} ({where}): not resumed: {last_words(victim)}")
            watched.ended()
            faults += [f"line {line} ({where}): {fault}" for fault in watched.damage.faults]
            tried += bool(where)
            if not where:
                break  # there are not so many lines
    return {"faults": faults, "tried": tried}


def _where(victim: Victim) -> str:
    path = victim.directory / "interrupted"
    return path.read_text() if path.exists() else ""


def _press_at(line: int) -> None:
    """Raise what Ctrl-C raises at a line of the engine, in the thread that executes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        nonlocal count
        if _ENGINE not in frame.f_code.co_filename:
            return None
        if event == "line":
            count += 1
            if count == line:
                place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                Path(_journal_directory(frame), "interrupted").write_text(place)
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)


def _journal_directory(frame: FrameType) -> str:
    at: FrameType | None = frame
    while at is not None:
        if "victim" in at.f_locals:
            return str(at.f_locals["victim"].directory)
        at = at.f_back
    raise LookupError("no victim is executed here")

"""Several processes on one run: who gets it, who takes it over, and who is refused."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path

from tests.faults.children import (
    DONE,
    IMPATIENT,
    KILLED,
    LIMIT_SECONDS,
    LOCKED,
    SUPERSEDED,
    WRITE_ERROR,
    Victim,
    finish,
    last_words,
    run,
    start,
)
from tests.faults.kills import done_tasks, scratch
from tests.faults.victims import notes


@dataclass
class Contest:
    """What came of contests; `faults` must stay empty."""

    rounds: int = 0
    runners: int = 0
    refused: int = 0
    blocked: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def crowd(store: str, runners: int, rounds: int) -> Contest:
    """Have many processes execute one workflow at the same moment, round after round."""
    contest = Contest()
    for _ in range(rounds):
        with scratch() as directory:
            _crowd_round(Victim(directory, store, "threads"), runners, contest)
    return contest


def _crowd_round(victim: Victim, runners: int, contest: Contest) -> None:
    ready, go = os.pipe()
    pids = [start(changed(victim, arm=_wait_for(ready, go))) for _ in range(runners)]
    os.close(ready)
    os.close(go)  # now they all go at once
    ends = Counter(finish(pid) for pid in pids)
    contest.rounds += 1
    contest.runners += runners
    contest.refused += ends[LOCKED]
    if ends[DONE] < 1 or ends[DONE] + ends[LOCKED] != runners:
        contest.faults.append(f"the runners ended with {dict(ends)}: {last_words(victim)}")
    finished = Counter(note.key for note in notes(victim.journal) if note.what == "end")
    contest.faults += [f"{key} ran {count} times" for key, count in finished.items() if count > 1]
    if len(finished) != len([key for key, record in done_tasks(victim).items() if record.digest]):
        contest.faults.append("what the store has is not what ran")


def _wait_for(ready: int, go: int) -> Callable[[], None]:
    def wait() -> None:
        os.close(go)
        os.read(ready, 1)  # returns when nobody holds the other end any more
        os.close(ready)

    return wait


def take_overs(store: str, rounds: int) -> Contest:
    """Kill the holder of a run while another process waits for it: how long until it goes on?"""
    contest = Contest()
    for _ in range(rounds):
        with scratch() as directory:
            holder = Victim(directory, store, "threads", params={"seconds": 0.2})
            pid = start(holder)
            _await_start(holder.journal, 1)
            waiter = start(changed(holder, arguments={"wait": None}))
            time.sleep(0.05)  # so that it is waiting; if it is not yet, the figure gets worse
            known = len(notes(holder.journal))
            os.kill(pid, signal.SIGKILL)
            killed_at = time.monotonic()
            assert finish(pid) == KILLED
            status = finish(waiter)
            if status != DONE:
                contest.faults.append(f"who waited ended with {status}: {last_words(holder)}")
            later = [note for note in notes(holder.journal)[known:] if note.moment > killed_at]
            contest.seconds += [note.moment - killed_at for note in later[:1]]
            contest.rounds += 1
    return contest


def paused_holders(store: str, rounds: int) -> Contest:
    """Pause the holder of a run, take the run over, let the holder go on: it must not commit."""
    contest = Contest()
    for number in range(rounds):
        with scratch() as directory:
            executor = ("sequential", "threads", "async")[number % 3]
            holder = Victim(directory, store, executor, params={"seconds": 0.1})
            pid = start(holder)
            _await_start(holder.journal, 1 + number % 6)
            os.kill(pid, signal.SIGSTOP)
            arguments = {"take_over": True}
            status = run(
                changed(holder, store=IMPATIENT[store], executor="threads", arguments=arguments)
            )
            if status == WRITE_ERROR:
                # It was paused in the middle of a commit, and so keeps the file locked.
                contest.blocked += 1
            elif status != DONE:
                contest.faults.append(f"who took over ended with {status}: {last_words(holder)}")
            before = done_tasks(holder)
            os.kill(pid, signal.SIGCONT)
            ended = finish(pid)
            if ended == SUPERSEDED:
                contest.refused += 1
            elif status == DONE:
                contest.faults.append(f"the paused holder ended with {ended}")
            if status == DONE and done_tasks(holder) != before:
                contest.faults.append("the paused holder has committed")
            contest.rounds += 1
    return contest


def _await_start(journal: str, count: int) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while sum(note.what == "start" for note in notes(journal)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError("the holder never got that far")
        time.sleep(0.001)


def new_runs(store: str, runners: int, length: int) -> Contest:
    """Have many processes each make a run of its own in one store, all at once."""
    contest = Contest(rounds=1, runners=runners)
    with scratch() as base:
        shared = base / "store"
        shared.mkdir()
        victims = []
        for number in range(runners):
            directory = base / str(number)
            directory.mkdir()
            Path(directory / "store").symlink_to(shared)
            victims.append(Victim(directory, store, "threads", f"chain of {length}"))
        pids = [start(victim) for victim in victims]
        ends = [finish(pid) for pid in pids]
        for victim, end in zip(victims, ends, strict=True):
            if end != DONE:
                contest.faults.append(f"a runner ended with {end}: {last_words(victim)}")
        for victim in victims:
            ran = Counter(note.key for note in notes(victim.journal) if note.what == "end")
            if set(ran.values()) != {1} or len(ran) != length:
                contest.faults.append(f"a run of {length} tasks ran {sum(ran.values())} bodies")
    return contest

"""Processes that write to one store take turns."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from flowweaver.stores.common import turns
from flowweaver.stores.common.locks import lock_directory
from flowweaver.stores.common.turns import Turns
from tests.stores.forks import in_child, kill_myself


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def names(store: Path) -> list[str]:
    return sorted(path.name for path in lock_directory(store).iterdir())


def test_one_has_the_turn_until_it_ends(store: Path) -> None:
    one, other = Turns(store), Turns(store)
    assert one.begin(0)
    assert one.held
    assert not other.begin(0.01)
    assert not other.held
    one.end()
    assert other.begin(0)
    other.end()


def test_one_at_a_time_while_files_come_and_go(store: Path) -> None:
    inside = most = turns = 0

    def work() -> None:
        nonlocal inside, most, turns
        for _ in range(40):
            mine = Turns(store)
            assert mine.begin(60)
            inside += 1
            most = max(most, inside)
            turns += 1
            time.sleep(0)
            inside -= 1
            mine.end()
            mine.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, turns) == (1, 240)
    assert not lock_directory(store).exists()


def test_who_waits_gets_its_turn_from_one_who_always_comes_again(store: Path) -> None:
    over = threading.Event()
    greedy_turns = 0

    def greedy() -> None:
        nonlocal greedy_turns
        mine = Turns(store)
        while not over.is_set():
            assert mine.begin(60)
            time.sleep(0.001)
            mine.end()
            greedy_turns += 1

    thread = threading.Thread(target=greedy)
    thread.start()
    patient = Turns(store)
    for _ in range(20):
        assert patient.begin(60)
        patient.end()
        patient._passed = 0.0  # as after a while
    over.set()
    thread.join(60)
    # Five milliseconds of turns of one millisecond each, and some for what a busy machine does.
    assert greedy_turns < 20 * 60


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the pauses that are made from now on, which take no time."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no locks to share")
@pytest.mark.parametrize("waiting", [True, False])
def test_who_has_just_had_a_turn_lets_those_go_first_who_wait(
    store: Path, slept: list[float], waiting: bool
) -> None:
    mine, other = Turns(store), Turns(store)
    assert mine.begin(0)
    mine.end()
    if waiting:
        other._queue.share()
    mine._passed -= turns._BURST_SECONDS  # it has gone on for long enough
    assert mine.begin(60)
    assert slept == [turns._FIRST_PAUSE_IN_QUEUE] * waiting


def test_who_has_waited_for_long_looks_more_often(store: Path, slept: list[float]) -> None:
    mine, other = Turns(store), Turns(store)
    assert other._gate.try_lock()
    assert not mine.begin(0.05)
    first, last = slept[:3], slept[-3:]
    assert max(last) <= turns._SHORTEST_PAUSE_IN_QUEUE < min(first) / 1.5


def test_files_are_there_only_while_one_is_open(store: Path) -> None:
    one, other = Turns(store), Turns(store)
    for mine in (one, other):
        assert mine.begin(0)
        mine.end()
    assert names(store) == ["next-writer", "writer"]
    one.close()
    assert not lock_directory(store).exists()
    assert other.begin(0)  # with files made anew
    assert not one.begin(0.01)
    one.close()
    assert {"next-writer", "writer"} <= set(names(store))
    other.end()
    other.close()
    assert not lock_directory(store).exists()


def test_turn_of_the_dead_is_free(store: Path) -> None:
    def body() -> None:
        assert Turns(store).begin(0)
        kill_myself()

    assert in_child(body) < 0
    mine = Turns(store)
    assert mine.begin(0)
    mine.close()


def test_forked_child_has_no_turn_and_keeps_none(store: Path) -> None:
    mine = Turns(store)
    assert mine.begin(0)
    ready, over = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        wrong = mine.held or mine.begin(0.01) or Turns(store).begin(0.01)
        mine.end()
        os.write(ready[1], b"y" if wrong else b"n")
        os.read(over[0], 1)
        os._exit(0)
    assert os.read(ready[0], 1) == b"n"
    assert not Turns(store).begin(0.01)  # the child's `end` has freed nothing
    mine.end()
    assert Turns(store).begin(0)  # though the child lives on
    os.write(over[1], b"x")
    os.waitpid(pid, 0)
    for fd in (*ready, *over):
        os.close(fd)


def test_interrupted_waiting_leaves_the_gate_free(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, waiter = Turns(store), Turns(store)
    assert holder.begin(0)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            waiter.begin(60)
    holder.end()
    assert holder.begin(0)
    holder.end()

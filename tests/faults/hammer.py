"""One SQLite file hammered by writers, checkpoints, readers, openings, forks and kills at once.

Before 3.51.3 SQLite has a race between a checkpoint and a commit. Here checkpoints are due all the
time, and what SQLite writes is held up now and then, so that the window is wide. What is
acknowledged must be there afterwards, each row whole and the file sound.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from flowweaver.errors import StoreError
from flowweaver.records import Changes, ClaimRequest, Lease
from flowweaver.stores import SQLiteStateStore
from flowweaver.stores.common.turns import Turns
from flowweaver.stores.sqlite import journal
from flowweaver.testing.stores import completed, result_of
from tests.faults.boundaries import hold_up_sqlite
from tests.faults.kills import scratch

# All that may come together; and what the race needs, which those who read keep away.
CASTS = (
    ("writer", "writer", "writer", "checkpointer", "opener", "forker", "reader", "reader"),
    ("writer", "writer", "checkpointer"),
)
_LIMIT_SECONDS = 120.0
_PASSED, _FAILED = 0, 1


@dataclass
class Hammered:
    """What came of rounds; `faults` must stay empty."""

    rounds: int = 0
    commits: int = 0
    kills: int = 0
    faults: list[str] = field(default_factory=list)


def hammer(rounds: int, seed: int, *, alone: bool = True) -> Hammered:
    """Hammer a new file in each round; with `alone` off, nobody waits for the turn to write."""
    found = Hammered()
    for number in range(seed, seed + rounds):
        with scratch() as directory:
            _Round(directory, Random(number), alone).play(CASTS[number % len(CASTS)], found)
        found.rounds += 1
    return found


class _Round:
    def __init__(self, directory: Path, random: Random, alone: bool) -> None:
        self._directory = directory
        self._random = random
        self._alone = alone
        self._over = directory / "over"
        self._players: dict[int, str] = {}
        self._number = 0
        self._is_crowded = False

    def play(self, cast: Sequence[str], found: Hammered) -> None:
        """Let them play for a moment, kill some, then look at what they leave."""
        self._is_crowded = len(cast) > 3
        for role in cast:
            self._start(role)
        for _ in range(self._random.randrange(1, 4)):
            time.sleep(self._random.uniform(0.03, 0.15))
            self._kill_one()
            found.kills += 1
        time.sleep(self._random.uniform(0.03, 0.15))
        self._over.touch()
        for pid, role in self._players.items():
            if (status := _ended(pid)) != _PASSED:
                found.faults.append(f"{role} ended with {status}: {self._last_words()}")
        found.faults += self._look(found)

    def _kill_one(self) -> None:
        pid = self._random.choice(list(self._players))
        role = self._players.pop(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self._start(role)

    def _start(self, role: str) -> None:
        self._number += 1
        work = _WORK[role]
        player = _Player(self._directory, self._over, f"{role}{self._number}")
        seed = self._random.randrange(2**32)
        pid = self._child(lambda: work(player), seed)
        self._players[pid] = role

    def _child(self, work: Callable[[], None], seed: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        status = _FAILED
        try:
            journal._DUE_ROWS = 40
            if not self._alone:
                Turns.begin = _at_once  # type: ignore[method-assign]
            if self._is_crowded:
                hold_up_sqlite(Random(seed), 0.05, 0.001)
            work()
            status = _PASSED
        except BaseException:
            with self._errors.open("a") as errors:
                traceback.print_exc(file=errors)
        finally:
            os._exit(status)

    @property
    def _errors(self) -> Path:
        return self._directory / "errors"

    def _last_words(self) -> str:
        return self._errors.read_text()[-1500:] if self._errors.exists() else ""

    def _look(self, found: Hammered) -> list[str]:
        """Return what is wrong with the store, seen by a process that has no part in it."""
        store = _store(self._directory)
        try:
            wrong = store.check(deep=True)
            if not wrong:
                for run in store.runs():
                    wrong += self._look_at(store, run.id, run.key, found)
            store.sweep()  # what kills have left
        except StoreError as error:
            wrong = [str(error)]
        finally:
            store.close()
        left = {path.name for path in self._directory.glob("state.db*")} - {"state.db"}
        return wrong + ([f"left behind: {sorted(left)}"] if left else [])

    def _look_at(
        self, store: SQLiteStateStore, run_id: str, key: str, found: Hammered
    ) -> list[str]:
        names = [record.task for record in store.tasks(run_id)]
        told = self._directory / f"{key}.told"
        acknowledged = told.stat().st_size if told.exists() else 0
        found.commits += len(names)
        if names != [f"t{number}" for number in range(len(names))]:
            return [f"the tasks of {key} are {names}"]
        if not acknowledged <= len(names) <= acknowledged + 1:
            return [f"{key} was told of {acknowledged} commits, and {len(names)} are there"]
        return []


@dataclass
class _Player:
    directory: Path
    over: Path
    name: str

    @property
    def is_over(self) -> bool:
        return self.over.exists()


def _at_once(turns: Turns, seconds: float) -> bool:
    turns.held = True
    return True


def _store(directory: Path) -> SQLiteStateStore:
    return SQLiteStateStore(directory / "state.db", durability="process")


def _commit(store: SQLiteStateStore, lease: Lease, number: int, told: int) -> None:
    """Commit a TaskRun and note that it was acknowledged."""
    # Each commit changes several pages of several tables.
    value = result_of(f'"{lease.run.key} {number}"'.encode() * (1 + number % 7 * 100))
    record = completed(
        lease.run.id, f"t{number}", value, fingerprint=value.encoded.digest[:32], facts="{}"
    )
    store.commit(lease, Changes(tasks=[record], results=[value]))
    os.write(told, b".")


def _write(player: _Player) -> None:
    """Commit one TaskRun after the other."""
    store = _store(player.directory)
    lease = store.claim(ClaimRequest("hammer", player.name))
    told = os.open(player.directory / f"{player.name}.told", os.O_WRONLY | os.O_CREAT)
    number = 0
    while not player.is_over:
        _commit(store, lease, number, told)
        number += 1
    store.release(lease)
    store.close()


def _open(player: _Player) -> None:
    """Open the store for each commit and close it again."""
    told = os.open(player.directory / f"{player.name}.told", os.O_WRONLY | os.O_CREAT)
    number = 0
    while not player.is_over:
        store = _store(player.directory)
        lease = store.claim(ClaimRequest("hammer", player.name, wait=_LIMIT_SECONDS))
        _commit(store, lease, number, told)
        store.release(lease)
        store.close()
        number += 1


def _move(player: _Player) -> None:
    """Move the log into the file, and again at once: the race needs a log that is moved already."""
    store = _store(player.directory)
    store.release(store.claim(ClaimRequest("hammer", player.name)))
    database = store._database
    while not player.is_over:
        for _ in range(2):
            database._in_turn(lambda opened, _: database._journal_of(opened).checkpoint(), _nothing)
        time.sleep(0.01)
    store.close()


def _nothing(_: object) -> None:
    """Leave the connection alone."""


def _fork(player: _Player) -> None:
    """Commit, and fork children that look and commit, too."""
    store = _store(player.directory)
    lease = store.claim(ClaimRequest("hammer", player.name))
    told = os.open(player.directory / f"{player.name}.told", os.O_WRONLY | os.O_CREAT)
    number = 0
    while not player.is_over:
        _commit(store, lease, number, told)
        number += 1
        pid = os.fork()
        if pid == 0:
            child = _Player(player.directory, player.over, f"{player.name} child {number}")
            os._exit(_child_of_fork(child, store))
        if (status := _ended(pid)) != _PASSED:
            raise AssertionError(f"a forked child ended with {status}")
    store.release(lease)
    store.close()


def _child_of_fork(child: _Player, store: SQLiteStateStore) -> int:
    try:
        store.runs()
        lease = store.claim(ClaimRequest("hammer", child.name))
        told = os.open(child.directory / f"{child.name}.told", os.O_WRONLY | os.O_CREAT)
        _commit(store, lease, 0, told)
        store.release(lease)
        store.close()
    except BaseException:
        with (child.directory / "errors").open("a") as errors:
            traceback.print_exc(file=errors)
        return _FAILED
    return _PASSED


def _read(player: _Player) -> None:
    """Read all there is, and close now and then."""
    store = _store(player.directory)
    number = 0
    while not player.is_over:
        for run in store.runs():
            for record in store.tasks(run.id):
                assert record.digest is not None
                store.result(record.digest)
        number += 1
        if number % 3 == 0:
            store.close()
    store.close()


def _ended(pid: int) -> int:
    """Return how a child ended, which it must within a limit."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return -signal.SIGALRM
        time.sleep(0.001)


_WORK = {
    "writer": _write,
    "checkpointer": _move,
    "opener": _open,
    "forker": _fork,
    "reader": _read,
}

if __name__ == "__main__":
    print(hammer(int(sys.argv[1]), int(sys.argv[2]), alone="unsafe" not in sys.argv))

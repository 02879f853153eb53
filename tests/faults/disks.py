"""Disks that are full or broken at each commit of a run: nothing goes on that was not stored."""

from __future__ import annotations

import resource
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as changed
from functools import partial
from pathlib import Path

from flowweaver import JSONStateStore, SQLiteStateStore
from flowweaver.records import Changes, Lease
from tests.faults.boundaries import BROKEN, FULL, ONCE, Boundaries
from tests.faults.children import DONE, STORE_ERROR, WRITE_ERROR, Victim, last_words, run
from tests.faults.kills import Key, done_tasks, scratch, undisturbed
from tests.faults.victims import notes

LENGTH = 50
_WAYS = (FULL, BROKEN, ONCE)
# Which of a commit's calls fails: its first write, its second, a sync.
_DEEPEST = 4


@dataclass
class Failures:
    """What came of failing disks; `faults` must stay empty."""

    tried: int = 0
    refused: int = 0
    resumed: int = 0
    faults: list[str] = field(default_factory=list)


def failing_commits(store: str, every: int = 1) -> Failures:
    """Have each commit of a run fail, one run for each."""
    failures = Failures()
    with scratch() as base:
        expected, _ = undisturbed(_chain(base / "undisturbed", store))
        commits = LENGTH + 1  # each task's, and the run's own
        for number in range(1, commits + 1, every):
            way, depth = _WAYS[number % len(_WAYS)], number % _DEEPEST
            _try(
                _chain(base / str(number), store),
                partial(_fail_at, number, way, depth),
                expected,
                failures,
                f"{store}, {way} at call {depth} of commit {number}",
            )
    return failures


def full_disks(store: str, count: int = 6) -> Failures:
    """Have files be unable to grow beyond a size, as the system itself has it."""
    failures = Failures()
    with scratch() as base:
        undamaged = _chain(base / "undisturbed", store)
        expected, _ = undisturbed(undamaged)
        whole = max(path.stat().st_size for path in (undamaged.directory / "store").iterdir())
        for size in [whole * (95 - 4 * number) // 100 for number in range(count)]:
            limit = _limit_pages if store.startswith("sqlite") else _limit_size
            victim = _chain(base / str(size), store)
            _try(victim, partial(limit, size), expected, failures, f"{store}, {size} bytes")
    return failures


def _chain(directory: Path, store: str) -> Victim:
    directory.mkdir()
    return Victim(directory, store, workflow=f"chain of {LENGTH}")


def _try(
    victim: Victim,
    arm: Callable[[], None],
    expected: dict[Key, str | None],
    failures: Failures,
    example: str,
) -> None:
    failures.tried += 1
    status = run(changed(victim, arm=arm))
    done = done_tasks(victim)
    if status in (WRITE_ERROR, STORE_ERROR):
        failures.refused += 1
    elif status != DONE:
        failures.faults.append(f"{example}: ended with {status}: {last_words(victim)}")
    started = [note.key for note in notes(victim.journal) if note.what == "start"]
    failures.faults += [f"{example}: {fault}" for fault in _started_too_early(started, done)]
    status = run(victim)
    again = [note.key for note in notes(victim.journal) if note.what == "start"][len(started) :]
    if status != DONE:
        failures.faults.append(f"{example}: the resume ended with {status}: {last_words(victim)}")
    elif set(again) & set(done):
        failures.faults.append(f"{example}: done work ran again")
    elif {key: record.digest for key, record in done_tasks(victim).items()} != expected:
        failures.faults.append(f"{example}: the resume came to something else")
    else:
        failures.resumed += 1
    shutil.rmtree(victim.directory)


def _started_too_early(started: list[Key], done: dict[Key, object]) -> list[str]:
    """Return which links of the chain were started though the one before was not stored."""
    early = []
    for name, _ in started:
        number = int(name[1:])
        if number and (f"t{number - 1}", "") not in done:
            early.append(f"{name} was started before what it takes was stored")
    return early


def _fail_at(number: int, way: str, depth: int) -> None:
    """Have the calls of a commit fail from a certain one on."""
    boundaries = Boundaries(-1, way)
    boundaries.arm()
    count = 0
    for kind in (JSONStateStore, SQLiteStateStore):
        original = kind.commit

        def commit(
            self: SQLiteStateStore, lease: Lease, changes: Changes, original=original
        ) -> None:
            nonlocal count
            count += 1
            if count == number:
                boundaries.at = boundaries.count + 1 + depth
            original(self, lease, changes)

        kind.commit = commit  # type: ignore[method-assign, assignment]


def _limit_size(size: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def _limit_pages(size: int) -> None:
    connect = sqlite3.connect

    def limited(*arguments: object, **more: object) -> sqlite3.Connection:
        connection = connect(*arguments, **more)  # type: ignore[arg-type, call-overload]
        connection.execute(f"PRAGMA max_page_count = {size // 4096}")
        return connection

    sqlite3.connect = limited  # type: ignore[assignment]

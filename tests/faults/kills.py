"""Kill a run at random, or at every boundary in turn; resume; compare all there is to compare."""

from __future__ import annotations

import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from flowweaver import TaskStatus
from flowweaver.records import TaskRecord
from flowweaver.serialize import digest_of
from tests.faults.children import DONE, KILLED, Victim, is_alive, kill_after, last_words, run, start
from tests.faults.victims import Note, notes

Key = tuple[str, str]

# Workers notice within this time that their parent is dead.
_ORPHANS_SECONDS = 2.0
_MOST_BOUNDARIES = 2_000
_BACKUP = re.compile(r"state\.db\.v\d+\.backup")


@dataclass
class Damage:
    """What kills have done, of what must never happen and of what may.

    `again`, `lost`, `changed` and `left_over` must stay empty. `repeated` has, for each kill, how
    many bodies ran again because they were in flight; `boundaries` is how many there were.
    """

    kills: int = 0
    boundaries: int = 0
    again: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return self.again + self.lost + self.changed + self.left_over

    def add(self, other: Damage) -> None:
        self.kills += other.kills
        self.again += other.again
        self.lost += other.lost
        self.changed += other.changed
        self.left_over += other.left_over
        self.repeated += other.repeated

    def in_flight(self) -> str:
        """Say how many bodies ran again for each kill: mean and maximum."""
        if not self.repeated:
            return "none"
        return f"mean {statistics.mean(self.repeated):.2f}, maximum {max(self.repeated)}"


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a directory of one's own, removed in the end."""
    directory = Path(tempfile.mkdtemp(prefix="flowweaver-faults-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def done_tasks(victim: Victim) -> dict[Key, TaskRecord]:
    """Return what the store has completed, looked at in a copy so that nothing is mended."""
    original, copy = victim.directory / "store", victim.directory / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    if not original.exists():
        return {}
    shutil.copytree(original, copy)
    store = victim.open_store(copy)
    try:
        journal = digest_of(victim.all_params()["journal"])  # other runs may be there as well
        own = [found for found in store.runs() if found.params["journal"] == journal]
        records = [record for found in own for record in store.tasks(found.id)]
        done = [record for record in records if record.status is TaskStatus.COMPLETED]
        for record in done:
            if record.digest is not None:
                store.result(record.digest)
        return {(record.task, record.element): record for record in done}
    finally:
        store.close()


def digests(done: dict[Key, TaskRecord]) -> dict[Key, str | None]:
    """Return the digests of results."""
    return {key: record.digest for key, record in done.items()}


def undisturbed(victim: Victim) -> tuple[dict[Key, str | None], float]:
    """Return what a run comes to that nobody disturbs, and how many seconds it takes."""
    began = time.monotonic()
    assert run(victim) == DONE, last_words(victim)
    seconds = time.monotonic() - began
    return digests(done_tasks(victim)), seconds


class Watched:
    """One run that is killed and resumed until it is done, watched at each step."""

    def __init__(self, victim: Victim, expected: dict[Key, str | None]) -> None:
        self.victim = victim
        self.expected = expected
        self.done: dict[Key, TaskRecord] = {}
        self.damage = Damage()
        self.seen = 0
        victim.directory.mkdir(exist_ok=True)

    def killed(self) -> None:
        """Compare journal and store after a kill."""
        self.damage.kills += 1
        done = done_tasks(self.victim)
        fresh = self._fresh_notes()
        self._compare(done, fresh)
        self.damage.repeated.append(self._in_flight(done))
        self._check_orphans(fresh)

    def ended(self) -> None:
        """Compare journal, store and the undisturbed run once the run is done."""
        done = done_tasks(self.victim)
        self._compare(done, self._fresh_notes())
        found = digests(done)
        for key in self.expected.keys() | found.keys():
            if found.get(key, "missing") != self.expected.get(key, "missing"):
                self.damage.changed.append(f"{key} is not as undisturbed")
        last = {note.key: note.digest for note in notes(self.victim.journal) if note.digest}
        for key, digest in last.items():
            if found.get(key) != digest:
                self.damage.changed.append(f"{key} is not as its body returned it")
        self._check_files()

    def _fresh_notes(self) -> list[Note]:
        all_notes = notes(self.victim.journal)
        fresh, self.seen = all_notes[self.seen :], len(all_notes)
        return fresh

    def _compare(self, done: dict[Key, TaskRecord], fresh: list[Note]) -> None:
        for note in fresh:
            if note.what == "start" and note.key in self.done:
                self.damage.again.append(f"{note.key} was done and ran again")
        for key, record in self.done.items():
            if key not in done:
                self.damage.lost.append(f"{key} was done and is not any more")
            elif done[key].digest != record.digest:
                self.damage.changed.append(f"{key} changed")
        self.done = done

    def _in_flight(self, done: dict[Key, TaskRecord]) -> int:
        """How many bodies that began will run again: begun, not failed in their turn, not done."""
        last = {note.key: note for note in notes(self.victim.journal) if note.what == "start"}
        return sum(key not in done for key in last)

    def _check_orphans(self, fresh: list[Note]) -> None:
        pids = {note.pid for note in fresh if note.pid}
        deadline = time.monotonic() + _ORPHANS_SECONDS
        while (alive := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
            time.sleep(0.005)
        if alive:
            self.damage.left_over.append(f"workers {alive} outlived their parent")

    def _check_files(self) -> None:
        """A kill may leave a half-written file; a sweep takes it away, and nothing else is left."""
        store = self.victim.open_store()
        store.sweep()
        store.close()
        kept = {"state.db", "state.json", "state.db.results", "state.json.results"}
        there = {path.name for path in (self.victim.directory / "store").iterdir()}
        left = sorted(name for name in there - kept if not _BACKUP.fullmatch(name))
        if left:
            self.damage.left_over.append(f"files {left}")


def random_kills(
    executor: str,
    store: str,
    kills: int,
    seed: int,
    *,
    a_run: Sequence[int] = (1, 1, 4, 12),
    early: bool = False,
) -> Damage:
    """Kill runs at random moments until so many were killed.

    Args:
        executor: One of `EXECUTORS`.
        store: One of `STORES`.
        kills: How many in all.
        seed: Decides when.
        a_run: How often one run is killed, to choose from.
        early: Kill in the first moments.
    """
    random, total = Random(f"{seed} {executor} {store}"), Damage()
    if not kills:
        return total
    with scratch() as base:
        victim = Victim(base, store, executor)
        expected, seconds = undisturbed(victim)
        number = 0
        while total.kills < kills:
            number += 1
            watched = Watched(Victim(base / str(number), store, executor), expected)
            most = min(random.choice(a_run), kills - total.kills)
            _kill_until_done(watched, most, 0.05 if early else seconds, random)
            total.add(watched.damage)
            shutil.rmtree(watched.victim.directory)
    return total


def _kill_until_done(watched: Watched, most: int, seconds: float, random: Random) -> None:
    while watched.damage.kills < most:
        # A resume has less to do: kill early as well as late.
        delay = random.random() * seconds * random.choice((0.3, 1.0))
        status = kill_after(start(watched.victim), delay)
        if status == DONE:
            break
        assert status == KILLED, last_words(watched.victim)
        watched.killed()
    if watched.damage.kills:
        status = run(watched.victim)
        assert status == DONE, last_words(watched.victim)
    watched.ended()


Arm = Callable[[int], Callable[[], None]]


def sweep(
    make: Callable[[Path], Victim], arm: Arm, *, every: int = 1, most: int | None = None
) -> Damage:
    """Kill a run at its first boundary, the next, and so on until there are no more.

    Args:
        make: Makes the victim in a directory.
        arm: Returns what has a child killed at a boundary.
        every: Take only every so many boundaries.
        most: Take no more than the first so many.
    """
    total = Damage()
    with scratch() as base:
        expected, _ = undisturbed(_made(make, base / "undisturbed"))
        for boundary in range(1, _MOST_BOUNDARIES, every):
            victim = _made(make, base / str(boundary))
            watched = Watched(victim, expected)
            status = run(_armed(victim, arm(boundary)))
            if status == DONE:
                total.boundaries = boundary - 1
                return total
            assert status == KILLED, last_words(victim)
            watched.killed()
            status = run(victim)
            assert status == DONE, last_words(victim)
            watched.ended()
            total.add(watched.damage)
            shutil.rmtree(victim.directory)
            if total.kills == most:
                return total
    raise AssertionError("there is no end of boundaries")


def _made(make: Callable[[Path], Victim], directory: Path) -> Victim:
    directory.mkdir()
    return make(directory)


def _armed(victim: Victim, arm: Callable[[], None]) -> Victim:
    prepared = victim.arm

    def both() -> None:
        if prepared is not None:
            prepared()
        arm()

    return Victim(
        victim.directory,
        victim.store,
        victim.executor,
        victim.workflow,
        victim.params,
        victim.arguments,
        both,
    )

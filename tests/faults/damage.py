"""Flip bits of a store and cut it; whoever uses it then is refused, or finds what was there."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path
from random import Random
from typing import Any

from flowweaver import FlowWeaverError, SequentialExecutor
from tests.faults.children import DONE, FAILED, Victim, run
from tests.faults.kills import Key, scratch
from tests.faults.victims import WORKFLOWS, notes

REFUSED, SAME, PREFIX = "refused", "the same", "the same but for the last commits"
WRONG, RESET, STARTED, CRASHED, TOUCHED = (
    "wrong values",
    "silent resets",
    "bodies started on a damaged store",
    "errors that name nothing",
    "refused but not left alone",
)


@dataclass
class Ruin:
    """What came of damage: how often each outcome, and an example of each that must not be."""

    outcomes: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def note(self, outcome: str, example: str) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if outcome not in (REFUSED, SAME, PREFIX):
            self.faults.append(f"{outcome}: {example}")


class Subject:
    """A sound store and the run in it, to be copied, damaged and used again and again.

    The run is completed, or all of it but its last task is, which takes all other results.
    """

    def __init__(self, base: Path, store: str, *, completed: bool) -> None:
        self.victim = Victim(base / "sound", store, workflow="audit")
        self.victim.directory.mkdir(parents=True)
        if completed:
            Path(self.victim.directory, "flag").touch()
        assert run(self.victim) == (DONE if completed else FAILED)
        Path(self.victim.directory, "flag").touch()
        # One by one, so the order in which bodies end is the order of commits.
        ended = [note.key for note in notes(self.victim.journal) if note.what == "end"]
        self.order = list(dict.fromkeys(ended))
        self.may_run = set() if completed else {("verdict", "")}
        self.base = base
        self.number = 0
        self.values = self._use(self.copy())

    def copy(self) -> Victim:
        """Return a fresh copy of the sound store, to be damaged."""
        self.number += 1
        victim = changed(self.victim, directory=self.base / str(self.number))
        shutil.copytree(self.victim.directory / "store", victim.directory / "store")
        return victim

    def _use(self, victim: Victim) -> dict[str, Any]:
        """Execute, and read every result."""
        store = victim.open_store()
        try:
            # Under the parameters of the sound one, so that it is the same run.
            params = self.victim.all_params()
            made = SequentialExecutor(state_store=store).execute(WORKFLOWS["audit"], params)
            return {name: made[name] for name in made.tasks}
        finally:
            store.close()

    def outcome(self, victim: Victim, *, cut: bool) -> str:
        """Use a damaged store, and say what came of it."""
        Path(self.victim.journal).unlink(missing_ok=True)
        before = _files(victim)[0].read_bytes()
        warned_of = cut and not _files(victim)[0].read_bytes().endswith(b"\n")
        try:
            with _warnings() as said:
                values = self._use(victim)
        except FlowWeaverError:
            if self._ran() - self.may_run:
                return STARTED
            return REFUSED if self._is_left_alone(before, _files(victim)[0]) else TOUCHED
        except Exception:
            logging.getLogger(__name__).exception("what a damaged store came to")
            return CRASHED
        if values != self.values:
            return WRONG
        ran = self._ran() - self.may_run
        if not ran:
            return SAME
        told = bool(said) or not warned_of
        return PREFIX if cut and self._is_tail(ran) and told else RESET

    def _is_left_alone(self, before: bytes, path: Path) -> bool:
        """Whether all that there was is there still.

        What is looked at when it is needed (results, what earlier runs have to give) may be found
        damaged after the claim, which has noted the run in the store then.
        """
        after = path.read_bytes()
        if path.suffix == ".json":
            return after.startswith(before)
        if after == before:
            return True
        earlier = self.base / "before.db"
        earlier.write_bytes(before)
        return _rows(earlier) <= _rows(path)

    def _ran(self) -> set[Key]:
        return {note.key for note in notes(self.victim.journal)}

    def _is_tail(self, ran: set[Key]) -> bool:
        """Whether what ran again is what was committed last."""
        places = sorted(self.order.index(key) for key in ran if key in self.order)
        return places == list(range(len(self.order) - len(places), len(self.order)))


def flips(store: str, count: int, seed: int) -> Ruin:
    """Flip one bit at a time, anywhere in a store's files."""
    return _damaged(store, count, Random(f"{seed} flips {store}"), _flip)


def cuts(store: str, count: int, seed: int) -> Ruin:
    """Cut a store's file at any byte."""
    return _damaged(store, count, Random(f"{seed} cuts {store}"), _cut)


def _damaged(store: str, count: int, random: Random, damage: Any) -> Ruin:
    ruin = Ruin()
    with scratch() as base:
        subjects = [
            Subject(base / "completed", store, completed=True),
            Subject(base / "unfinished", store, completed=False),
        ]
        for number in range(count):
            subject = subjects[number % 2]
            victim = subject.copy()
            where = damage(victim, random)
            ruin.note(subject.outcome(victim, cut=damage is _cut), f"{store}, {where}")
            shutil.rmtree(victim.directory)
    return ruin


def _flip(victim: Victim, random: Random) -> str:
    files = _files(victim)
    main = files[0]
    file = main if random.random() < 0.8 else random.choice(files)
    content = bytearray(file.read_bytes())
    place, bit = random.randrange(len(content)), random.randrange(8)
    content[place] ^= 1 << bit
    file.write_bytes(content)
    return f"bit {bit} of byte {place} of {file.name}"


def _cut(victim: Victim, random: Random) -> str:
    main = _files(victim)[0]
    size = main.stat().st_size
    place = random.randrange(1, size)
    with main.open("r+b") as file:
        file.truncate(place)
    return f"{main.name} cut to {place} of {size} bytes"


def _files(victim: Victim) -> list[Path]:
    """Return the files of a store, its main file first."""
    files = [path for path in (victim.directory / "store").rglob("*") if path.is_file()]
    return sorted(files, key=lambda path: (path.parent != victim.directory / "store", path.name))


def _rows(path: Path) -> Counter[tuple[Any, ...]]:
    """Return the rows of a database, but of runs only which there are: a claim changes them."""
    rows: Counter[tuple[Any, ...]] = Counter()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.text_factory = bytes  # a flipped bit may have made it no text
        for table in ("task", "attempt", "state", "result", "code"):
            rows.update((table, *row) for row in db.execute(f"SELECT * FROM {table}"))
        rows.update(("run", *row) for row in db.execute("SELECT id FROM run"))
    return rows


@contextmanager
def _warnings() -> Iterator[list[str]]:
    said: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, handler = logging.getLogger("flowweaver"), Handler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)

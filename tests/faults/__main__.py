"""The kill harness: ``python -m tests.faults --kills 300`` attacks the promises for a while.

It prints a table of what was tried and what came of it, and ends with 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import TypeVar

from tests.faults.boundaries import HALF, KILL
from tests.faults.children import EXECUTORS, STORES
from tests.faults.contests import crowd, new_runs, paused_holders, take_overs
from tests.faults.damage import PREFIX, REFUSED, SAME, cuts, flips
from tests.faults.definitions import BAD, refused
from tests.faults.disks import failing_commits, full_disks
from tests.faults.figures import Figure, table, versions, write_json
from tests.faults.hammer import hammer
from tests.faults.kills import Damage, random_kills, scratch
from tests.faults.names import HOSTILE, hostile_names
from tests.faults.sweeps import COMPACTION, MIGRATION, sweep_of
from tests.faults.values import CHANGED, KEPT, awkward, generated
from tests.faults.values import REFUSED as NOT_KEPT
from tests.simulation import Tally, ViolationError, simulate

BOTH = ("sqlite", "json")
FILES = ("sqlite", "sqlite rollback", "json", "json process")


@dataclass(frozen=True)
class Size:
    """How much of each is tried."""

    kills: int
    every: int = 1
    crowds: int = 50
    take_overs: int = 20
    flips: int = 1_000
    cuts: int = 300
    every_commit: int = 1
    values: int = 10_000
    worlds: int = 2_000


# From so many random kills on, all the rest is tried in full.
FULL_FROM = 1_000


def full(kills: int) -> Size:
    """Return a size: every boundary and commit, and as much of what is drawn as of the kills."""
    whole, share = Size(kills), min(1.0, kills / FULL_FROM)
    return replace(
        whole,
        crowds=ceil(whole.crowds * share),
        take_overs=ceil(whole.take_overs * share),
        flips=ceil(whole.flips * share),
        cuts=ceil(whole.cuts * share),
        values=ceil(whole.values * share),
        worlds=ceil(whole.worlds * share),
    )


def quick(kills: int) -> Size:
    """Return a size that takes a minute or so: a sample of boundaries and commits, too."""
    return Size(
        kills,
        every=17,
        crowds=2,
        take_overs=2,
        flips=24,
        cuts=12,
        every_commit=13,
        values=500,
        worlds=100,
    )


def kills(size: Size, seed: int) -> Iterator[Figure]:
    """Kill at random moments, over executors and stores."""
    cells = [(executor, store) for store in STORES for executor in EXECUTORS]
    total = Damage()
    for number, (executor, store) in enumerate(cells):
        share = size.kills * (number + 1) // len(cells) - size.kills * number // len(cells)
        damage = random_kills(executor, store, share, seed)
        total.add(damage)
        progress(f"{executor} x {store}: {damage.kills} kills, {damage.faults or 'no fault'}")
    where = f"random SIGKILLs, {len(EXECUTORS)} executors x {len(STORES)} stores"
    yield Figure(
        f"{where}: completed tasks run again", total.kills, str(len(total.again)), total.again
    )
    yield Figure(f"{where}: results lost", total.kills, str(len(total.lost)), total.lost)
    yield Figure(f"{where}: values changed", total.kills, str(len(total.changed)), total.changed)
    yield Figure(
        f"{where}: processes and files left behind",
        total.kills,
        str(len(total.left_over)),
        total.left_over,
    )
    in_flight = f"{where}: bodies run again, being in flight"
    yield Figure(in_flight, total.kills, total.in_flight(), bounded=False)


def boundaries(size: Size, seed: int) -> Iterator[Figure]:
    """Kill at each write, sync, rename and SQL statement in turn, from an empty folder on."""
    for store in FILES:
        for how in (KILL, HALF):
            when = "in" if how == HALF else "before"
            yield _swept(f"kill {when} each boundary of a run, {store}", store, how, size)
    yield _swept("kill at each boundary of a migration, sqlite", MIGRATION, KILL, size)
    yield _swept("kill at each boundary of a compaction, json", COMPACTION, KILL, size)


def _swept(what: str, subject: str, how: str, size: Size) -> Figure:
    damage = sweep_of(subject, how, every=size.every)
    progress(f"{what}: {damage.kills} of {damage.boundaries}, {damage.faults or 'no fault'}")
    whole = damage.kills - len(damage.faults)
    found = f"{whole} of {damage.kills} whole ({damage.boundaries} boundaries)"
    return Figure(what, damage.kills, found, damage.faults)


def hammering(size: Size, seed: int) -> Iterator[Figure]:
    """Have writers, checkpoints, readers, forks and kills meet in one SQLite file."""
    found = told("one SQLite file hammered", hammer(size.kills, seed))
    what = "rounds of writers, checkpoints, readers, openings, forks and kills in one SQLite file"
    counts = f"{len(found.faults)} ({found.commits:,} commits, {found.kills:,} killed)"
    yield Figure(f"{what}: malformed, lost or refused", found.rounds, counts, found.faults)


def contests(size: Size, seed: int) -> Iterator[Figure]:
    """Have processes contend for runs."""
    for store in BOTH:
        found = told(f"8 runners on one run, {store}", crowd(store, 8, size.crowds))
        what = f"8 runners on one run x {found.rounds} rounds, {store}: bodies run twice"
        yield Figure(what, found.runners, f"{len(found.faults)}", found.faults)
    for store in BOTH:
        found = told(f"8 runs at once, {store}", new_runs(store, 8, 50))
        what = f"8 runners with a run of 50 tasks each in one store, {store}: not all complete"
        yield Figure(what, found.runners, f"{len(found.faults)}", found.faults)
    for store in BOTH:
        found = told(f"take-over, {store}", take_overs(store, size.take_overs))
        median = statistics.median(found.seconds)
        what = f"taking over after kill -9, {store}: median until the next body starts"
        yield Figure(what, found.rounds, f"{median:.2f} s", found.faults)
    for store in BOTH:
        found = told(f"paused holder, {store}", paused_holders(store, size.crowds))
        what = f"holder paused, superseded and woken, {store}: stale commits"
        blocked = f" ({found.blocked} kept the file locked)" if found.blocked else ""
        yield Figure(what, found.rounds, f"{len(found.faults)}{blocked}", found.faults)


def damage(size: Size, seed: int) -> Iterator[Figure]:
    """Flip bits and cut files."""
    for store in BOTH:
        for what, ruin in (
            (f"bits flipped, {store}", flips(store, size.flips, seed)),
            (f"files cut, {store}", cuts(store, size.cuts, seed)),
        ):
            told(what, ruin)
            yield Figure(
                f"{what}: wrong values, silent resets, bodies started",
                sum(ruin.outcomes.values()),
                f"{len(ruin.faults)} ({_listed(ruin.outcomes, (REFUSED, SAME, PREFIX))})",
                ruin.faults,
            )


def disks(size: Size, seed: int) -> Iterator[Figure]:
    """Fill and break disks."""
    for store in ("sqlite", "sqlite rollback", "json"):
        for what, failures in (
            (
                f"disk full or I/O error at each commit, {store}",
                failing_commits(store, size.every_commit),
            ),
            (f"file that can grow no more, {store}", full_disks(store)),
        ):
            told(what, failures)
            found = f"{len(failures.faults)}; resumed {failures.resumed} of {failures.tried}"
            yield Figure(f"{what}: dependents started", failures.tried, found, failures.faults)


def values(size: Size, seed: int) -> Iterator[Figure]:
    """Send values through stores."""
    for store in BOTH:
        for what, (outcomes, wrong) in (
            (f"awkward values made and restored, {store}", awkward(store)),
            (f"generated values, {store}", generated(store, size.values, seed)),
        ):
            told(what, outcomes)
            found = _listed(outcomes, (KEPT, NOT_KEPT, CHANGED))
            yield Figure(what, sum(outcomes.values()), found, wrong)


def names(size: Size, seed: int) -> Iterator[Figure]:
    """Use hostile names."""
    with scratch() as directory:
        refused, inert, harmful = hostile_names(directory)
    what = "hostile names in JSON, SQL, file system, HTML, Mermaid, DOT, terminal"
    yield Figure(what, len(HOSTILE), f"{refused} refused, {inert} inert everywhere", harmful)


def definitions(size: Size, seed: int) -> Iterator[Figure]:
    """Give bad definitions."""
    count, wrong = refused()
    yield Figure("bad definitions refused by name before any body", len(BAD), str(count), wrong)


def simulation(size: Size, seed: int) -> Iterator[Figure]:
    """Simulate random workflows in faulty worlds."""
    tally, wrong = Tally(), []
    for number in range(seed, seed + size.worlds):
        try:
            tally.add(simulate(number))
        except ViolationError as error:
            wrong.append(str(error))
    told("simulated", tally)
    found = f"{len(wrong)} ({tally.executions:,} executions, {tally.kills:,} killed)"
    yield Figure("simulated workflows with faults: violations", tally.workflows, found, wrong)


_PARTS = (
    kills, boundaries, hammering, contests, damage, disks, values, names, definitions, simulation,
)  # fmt: skip
SECTIONS = {part.__name__: part for part in _PARTS}


def _listed(outcomes: Mapping[str, int], kinds: tuple[str, ...]) -> str:
    return ", ".join(f"{outcomes[kind]:,} {kind}" for kind in kinds if outcomes.get(kind))


T = TypeVar("T")


def told(what: str, result: T) -> T:
    """Say what came of something, and return it."""
    progress(f"{what}: {result}")
    return result


def progress(text: str) -> None:
    """Say how far it has come."""
    print(f"[{time.strftime('%H:%M:%S')}] {text[:2000]}", file=sys.stderr, flush=True)


def main() -> int:
    """Attack; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--kills",
        type=int,
        default=300,
        metavar="N",
        help="random kills in all (300 if not given). Rounds of contests, flips, cuts, generated "
        f"values and simulated worlds are scaled with it, and in full from {FULL_FROM} on; every "
        "boundary and every commit is tried whatever it is",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a small sample of all but the random kills"
    )
    parser.add_argument("--only", default=",".join(SECTIONS), help="some of these, by comma")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    asked = parser.parse_args()
    size = quick(asked.kills) if asked.quick else full(asked.kills)
    figures = [
        figure for name in asked.only.split(",") for figure in SECTIONS[name](size, asked.seed)
    ]
    print(table(figures))
    print("\n" + ", ".join(f"{name} {version}" for name, version in versions().items()))
    faults = [fault for figure in figures for fault in figure.faults]
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    if asked.json is not None:
        write_json(figures, asked.json, " ".join(["python -m tests.faults", *sys.argv[1:]]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Measures cases: each value in a process of its own, all entries in turn, several rounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.environments import make_home, python_of
from benchmarks.model import Case, Entry, Subject, Target, Unavailable
from benchmarks.roster import ROOT, SUBJECTS

PROBE_SECONDS = 120
"""How long one measurement may take, start of the interpreter included."""
SECONDS_EACH = 0.001
"""How long it may take for each of the things that a size counts, where that is longer."""


@dataclass(slots=True)
class Outcome:
    """What was measured of a case: values by (entry, size), round by round; and what was not."""

    case: Case
    values: dict[tuple[Entry, int], list[float]] = field(default_factory=dict)
    skipped: dict[Entry, str] = field(default_factory=dict)

    def median(self, entry: Entry, size: int) -> float | None:
        """Return the median over the rounds, or None if there is no value."""
        values = self.values.get((entry, size))
        return median(values) if values else None

    def sizes(self, entry: Entry) -> list[int]:
        """Return the sizes the entry was measured at, ascending."""
        return sorted(size for one, size in self.values if one == entry)

    def ratio(self, entry: Entry, against: Entry, size: int | None = None) -> float | None:
        """Return the median, over the rounds, of the ratio of two entries' values.

        Values of one round were measured close to each other in time, so a machine that is
        busy in one round and idle in the next disturbs this ratio less than that of medians.
        """
        common = set(self.sizes(entry)) & set(self.sizes(against))
        at = max(common, default=None) if size is None else size
        if at is None or at not in common:
            return None
        pairs = zip(self.values[entry, at], self.values[against, at], strict=False)
        return median(mine / theirs for mine, theirs in pairs)

    def reached(self, target: Target) -> float | None:
        """Return the value of a target, or None if it was not measured."""
        if target.against is not None:
            return self.ratio(target.entry, target.against, target.size)
        size = target.size or max(self.sizes(target.entry), default=None)
        value = None if size is None else self.median(target.entry, size)
        if value is None or target.growth_from is None:
            return value
        start = self.median(target.entry, target.growth_from)
        return value / start if start and size != target.growth_from else None


def measure(
    case: Case,
    *,
    rounds: int,
    sizes: tuple[int, ...] | None = None,
    wanted: Callable[[Subject], bool] = lambda _: True,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Measure a case.

    Args:
        case: What to measure.
        rounds: How often; entries take turns within a round.
        sizes: Others than the case's.
        wanted: Whether a subject is to be measured.
        tell: Is told what is measured next.
    """
    outcome = Outcome(case)
    for number in range(1, rounds + 1):
        for size in sizes or case.sizes:
            for entry in case.entries:
                if wanted(SUBJECTS[entry.subject]) and _is_due(outcome, entry, size, number):
                    tell(f"{case.name} round {number}: {label(entry)}, {size:,} {case.of}")
                    _measure_entry(outcome, entry, size)
    return outcome


def label(entry: Entry) -> str:
    """Return how an entry is shown."""
    name = SUBJECTS[entry.subject].label
    return f"{name}, {entry.how}" if entry.how else name


def _is_due(outcome: Outcome, entry: Entry, size: int, number: int) -> bool:
    if entry in outcome.skipped or (entry.rounds is not None and number > entry.rounds):
        return False
    return entry.most is None or size <= entry.most


def _measure_entry(outcome: Outcome, entry: Entry, size: int) -> None:
    try:
        value = probe(entry, size)
    except Unavailable as error:
        outcome.skipped[entry] = f"{size:,} {outcome.case.of}: {error}"
    else:
        outcome.values.setdefault((entry, size), []).append(value)


def probe(entry: Entry, size: int) -> float:
    """Measure an entry once, in a process and a folder of its own.

    Raises:
        Unavailable: It can't be measured; the text says why.
    """
    python = python_of(SUBJECTS[entry.subject])
    module, _, function = entry.function.rpartition(".")
    with tempfile.TemporaryDirectory(dir=make_home(), prefix="run-") as folder:
        answer = Path(folder) / "answer.json"
        arguments = [module or entry.subject, function, str(size), str(answer)]
        # What is measured here is what stands here, whatever is installed.
        paths = [ROOT] if SUBJECTS[entry.subject].requirements else [ROOT / "src", ROOT]
        limit = max(PROBE_SECONDS, round(size * SECONDS_EACH))
        errors = _run([str(python), "-m", "benchmarks.probe", *arguments], folder, paths, limit)
        if not answer.exists():
            raise Unavailable(_last_line(errors))
        told = json.loads(answer.read_text())
    if "skipped" in told:
        raise Unavailable(told["skipped"])
    return float(told["value"])


def _run(command: list[str], folder: str, paths: Iterable[Path], limit: int) -> str:
    """Run a command, at most `limit` seconds long; return what it said on its error stream."""
    path = os.pathsep.join(map(str, paths))
    environment = {**os.environ, "PYTHONPATH": path, "HOME": folder, "PYTHONHASHSEED": "0"}
    log = Path(folder) / "probe.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=sys.platform != "win32",
        )
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"took longer than {limit} s") from None
        finally:
            _end(process)
    return log.read_text(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it has left running, such as a server of its own."""
    if sys.platform == "win32":
        process.kill()
    else:
        import signal
        from contextlib import suppress

        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(text: str) -> str:
    lines: Iterable[str] = (line.strip() for line in reversed(text.splitlines()))
    return next((line for line in lines if line), "ended without an answer")

"""Kill the same workflow at random moments on FlowWeaver and on public rivals, and resume it.

``python -m benchmarks.rivals.kill_loop --kills 30`` makes an environment of its own for each rival
(versions are pinned in the roster of the benchmarks), kills and resumes, and prints how much
completed work ran again and how often a person had to step in.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from benchmarks.environments import python_of
from benchmarks.model import Unavailable
from benchmarks.rivals.victims.work import FINAL
from benchmarks.roster import SUBJECTS

HERE = Path(__file__).parent
# Which script is run for which subject of the roster.
VICTIMS = {
    "flowweaver_here": "flowweaver_here.py",
    "peers.flowweaver_022": "flowweaver_022.py",
    "peers.luigi": "luigi_files.py",
    "peers.dbos": "dbos_sqlite.py",
}
# A body counts as completed when it had ended so long before the kill: time enough to commit.
COMMIT_SECONDS = 0.25
LIMIT_SECONDS = 60.0
_MOST_KILLS_A_RUN = 3


@dataclass
class Tally:
    """What kills cost on one subject.

    Attributes:
        subject: Its name and version.
        kills: How often it was killed in the middle of its work.
        again: Completed bodies that ran again.
        in_flight: Bodies in flight at a kill that ran again, as they must.
        went_on: Bodies that ended after their process was killed, in others left behind.
        wrong: Runs that came to another result than an undisturbed one.
        manual: How often a run could not be resumed and its state had to be removed by hand.
    """

    subject: str
    kills: int = 0
    again: int = 0
    in_flight: int = 0
    went_on: int = 0
    wrong: int = 0
    manual: int = 0


@dataclass(frozen=True)
class Line:
    """A line of the journal."""

    what: str
    name: str
    moment: float


@dataclass(frozen=True)
class Kill:
    """How things stood at a kill: the length of the journal, what was done, what was under way."""

    known: int
    done: frozenset[str]
    in_flight: frozenset[str]
    moment: float


class Victim:
    """One run of the workflow, in a folder of its own."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command = [*command, str(folder)]
        self._folder = folder
        self._groups: list[int] = []
        self.kills: list[Kill] = []
        folder.mkdir(parents=True)

    @property
    def is_complete(self) -> bool:
        """Whether the run has come to its end."""
        return (self._folder / "final").exists()

    @property
    def result(self) -> str:
        """What it came to."""
        return (self._folder / "final").read_text()

    def lines(self) -> list[Line]:
        """Return what bodies noted."""
        path = self._folder / "journal"
        if not path.exists():
            return []
        found = []
        for line in path.read_text().splitlines():
            what, *name, moment = line.split()
            found.append(Line(what, " ".join(name), float(moment)))
        return found

    def start(self) -> subprocess.Popen[bytes]:
        """Start or resume it."""
        with (self._folder / "said").open("ab") as said:
            process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=said, stderr=said, start_new_session=True
            )
        self._groups.append(process.pid)
        return process

    def forget(self) -> None:
        """Remove all state but the journal, as a person would who can't resume."""
        for path in self._folder.iterdir():
            if path.name not in ("journal", "said"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def clean_up(self) -> None:
        """End what killed processes have left behind."""
        for group in self._groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)


def killed_again_and_again(name: str, kills: int, seed: int) -> Tally:
    """Kill and resume runs of a subject until it was killed so often.

    Raises:
        Unavailable: It can't be installed here.
    """
    subject = SUBJECTS[name]
    # Where this process finds modules is not where a rival's environment has them.
    isolated = ["-E"] if subject.requirements else []
    command = [str(python_of(subject)), *isolated, str(HERE / "victims" / VICTIMS[name])]
    random, tally = Random(seed), Tally(subject.label)
    base = Path(tempfile.mkdtemp(prefix="kill-loop-"))
    try:
        seconds = _undisturbed(Victim(command, base / "undisturbed"))
        number = 0
        while tally.kills < kills:
            number += 1
            victim = Victim(command, base / str(number))
            try:
                _one_run(victim, random, seconds, kills, tally)
            finally:
                victim.clean_up()
    finally:
        shutil.rmtree(base, ignore_errors=True)
    return tally


def _undisturbed(victim: Victim) -> float:
    """Return the seconds that bodies take from the first to the last when nobody disturbs."""
    process = victim.start()
    process.wait(LIMIT_SECONDS)
    lines = victim.lines()
    if not victim.is_complete or victim.result != repr(FINAL):
        raise Unavailable("it does not run the workflow undisturbed")
    return lines[-1].moment - lines[0].moment


def _one_run(victim: Victim, random: Random, seconds: float, kills: int, tally: Tally) -> None:
    for _ in range(_MOST_KILLS_A_RUN):
        if tally.kills >= kills:
            break
        known = len(victim.lines())
        process = victim.start()
        if not _wait_for_work(victim, process, known):
            break
        time.sleep(random.random() * seconds)
        if process.poll() is not None:
            break
        _kill(victim, process, tally)
    _resume(victim, tally)


def _wait_for_work(victim: Victim, process: subprocess.Popen[bytes], known: int) -> bool:
    """Wait until a body starts; return False if the process ends before."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while len(victim.lines()) == known:
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _kill(victim: Victim, process: subprocess.Popen[bytes], tally: Tally) -> None:
    process.send_signal(signal.SIGKILL)
    now = time.monotonic()
    process.wait()
    tally.kills += 1
    lines = victim.lines()
    begun = {line.name for line in lines if line.what == "start"}
    ended = {line.name: line.moment for line in lines if line.what == "end"}
    done = frozenset(name for name, moment in ended.items() if moment < now - COMMIT_SECONDS)
    victim.kills.append(Kill(len(lines), done, frozenset(begun - ended.keys()), now))


def _resume(victim: Victim, tally: Tally) -> None:
    """Resume until it is complete, then count what the kills have cost."""
    while not victim.is_complete:
        process = victim.start()
        try:
            process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if not victim.is_complete:
            tally.manual += 1
            victim.forget()
    tally.wrong += victim.result != repr(FINAL)
    _count(victim, tally)


def _count(victim: Victim, tally: Tally) -> None:
    lines = victim.lines()
    for kill in victim.kills:
        later = lines[kill.known :]
        starts = {line.name: line.moment for line in reversed(later) if line.what == "start"}
        ends = [line for line in later if line.what == "end" and line.moment > kill.moment]
        tally.again += len(kill.done & starts.keys())
        tally.in_flight += len(kill.in_flight & starts.keys())
        tally.went_on += sum(end.moment < starts.get(end.name, float("inf")) for end in ends)


def table(tallies: list[Tally]) -> str:
    """Return the tallies as a Markdown table."""
    lines = [
        "| | Kills | Completed work run again | In flight, run again | Went on after the kill "
        "| Wrong results | Manual steps |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {tally.subject} | {tally.kills} | {tally.again} | {tally.in_flight} | {tally.went_on} "
        f"| {tally.wrong} | {tally.manual} |"
        for tally in tallies
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the loop on each subject and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals.kill_loop")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--only", default=",".join(VICTIMS), help="some of these, by comma")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the tallies there as well")
    asked = parser.parse_args()
    tallies = []
    for name in asked.only.split(","):
        try:
            tallies.append(killed_again_and_again(name, asked.kills, asked.seed))
            print(tallies[-1], file=sys.stderr, flush=True)
        except Unavailable as error:
            print(f"{name}: {error}", file=sys.stderr)
    print(table(tallies))
    print(f"\nPython {platform.python_version()}, {platform.system()} {platform.release()}")
    if asked.json is not None:
        asked.json.write_text(json.dumps([asdict(tally) for tally in tallies], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

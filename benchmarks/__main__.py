"""The command: ``python -m benchmarks [CASE ...]``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.arguments import whole_number
from benchmarks.cases import CASES
from benchmarks.environments import make_home
from benchmarks.measure import Outcome, measure
from benchmarks.model import Subject
from benchmarks.picture import picture
from benchmarks.report import as_json, machine, peers_said, text
from benchmarks.subjects.clock import CLOCK

_CHOICES: dict[str, Callable[[Subject], bool]] = {
    "all": lambda _: True,
    "fast": lambda subject: subject.quick,
    "none": lambda subject: not subject.is_peer,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure the cases asked for, print what came out, and write it where asked to."""
    asked = _parser().parse_args(arguments)
    os.environ[CLOCK] = asked.clock
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    outcomes: list[Outcome] = []
    try:
        for name in asked.cases or CASES:
            outcomes.append(_measured(name, asked))
            print(f"\n{text(outcomes[-1])}", flush=True)
    except KeyboardInterrupt:
        print("\nstopped; what was measured so far is kept", file=sys.stderr)
    print(f"\n{peers_said(outcomes)}")
    asked.json.write_text(json.dumps(as_json(outcomes, asked.rounds), indent=1) + "\n")
    asked.svg.write_text(picture(outcomes), encoding="utf-8")
    print(f"\nwritten: {asked.json}, {asked.svg}")
    return 0


def _measured(name: str, asked: argparse.Namespace) -> Outcome:
    return measure(
        CASES[name],
        rounds=asked.rounds,
        sizes=asked.sizes,
        wanted=_CHOICES[asked.peers],
        tell=lambda said: print(said, file=sys.stderr),
    )


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {case.name:<14} {case.title}" for case in CASES.values())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure FlowWeaver, the floors and the peers in turn.",
        epilog=f"cases:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    home = make_home()
    add = parser.add_argument
    add("cases", nargs="*", metavar="CASE", type=_case, help="which cases (all if none is named)")
    add("--peers", choices=_CHOICES, default="all", help="fast: those that install quickly")
    add("--rounds", type=whole_number, default=3, metavar="N", help="how often (default: 3)")
    add("--clock", choices=("wall", "processor"), default="wall", help="what times are of")
    add("--sizes", type=_sizes, metavar="N,N", help="other sizes than those of the cases")
    add("--json", type=Path, default=home / "report.json", metavar="FILE")
    add("--svg", type=Path, default=home / "report.svg", metavar="FILE")
    return parser


def _case(given: str) -> str:
    if given not in CASES:
        raise argparse.ArgumentTypeError(
            f"there is no case {given!r}; there are {', '.join(CASES)}"
        )
    return given


def _sizes(given: str) -> tuple[int, ...]:
    return tuple(whole_number(part) for part in given.split(","))


if __name__ == "__main__":
    sys.exit(main())

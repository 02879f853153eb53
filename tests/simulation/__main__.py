"""Simulate many seeds: ``python -m tests.simulation --seed 1 --count 5000``."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation import Tally, ViolationError, simulate


def main() -> int:
    """Simulate; return 1 after the first seed that shows a fault, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many seeds")
    asked = parser.parse_args()
    tally, began = Tally(), time.monotonic()
    for seed in range(asked.seed, asked.seed + asked.count):
        try:
            tally.add(simulate(seed))
        except ViolationError as error:
            print(error, file=sys.stderr)
            return 1
    minutes = (time.monotonic() - began) / 60
    print(
        f"{tally.workflows} workflows ({tally.workflows / minutes:.0f} a minute), "
        f"{tally.executions} executions, {tally.kills} of them killed; {tally.bodies} bodies "
        f"started, {tally.repeated} of them again: no violation"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

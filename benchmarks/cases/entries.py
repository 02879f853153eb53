"""How entries of cases are written down, and what several cases share."""

from __future__ import annotations

from benchmarks.model import Entry

UP_TO_100K = (100, 1_000, 10_000, 100_000)
UP_TO_10K = (100, 1_000, 10_000)
US = "us a task"


def here(function: str, how: str = "", most: int | None = None) -> Entry:
    return Entry("flowweaver_here", function, how, most)


def floor(function: str, how: str, most: int | None = None) -> Entry:
    return Entry("floors", function, how, most)


# Slow peers are asked for few tasks, and once: a figure of theirs is within a few percent then,
# while what it is compared with is many times smaller.
def slow(subject: str, function: str, how: str = "") -> Entry:
    return Entry(subject, function, how, most=100, rounds=1)

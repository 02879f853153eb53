"""Workflows that get killed, and bodies that keep a journal of their own of what really ran.

The journal is a file opened for appending and synced after every line, so it tells what happened
whatever the store says: ``start task element attempt pid moment`` when a body starts and ``end
task element attempt digest`` just before it returns.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from flowweaver import Workflow, current_task, each, fixed, task
from flowweaver.serialize import digest_of

# Taken before a test puts something else in their places.
_open, _write, _sync, _close = os.open, os.write, os.fsync, os.close

PAGES = 4
LARGE = 300_000


@dataclass(frozen=True)
class Note:
    """A line of the journal."""

    what: str
    task: str
    element: str
    attempt: int
    pid: int = 0
    moment: float = 0.0
    digest: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.task, self.element


def notes(journal: str | Path) -> list[Note]:
    """Return the journal's lines; one that a kill has torn is left out."""
    path = Path(journal)
    return list(_parsed(path.read_text())) if path.exists() else []


def _parsed(text: str) -> Iterator[Note]:
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        what, name, element, attempt, *rest = line.rstrip("\n").split("\t")
        if what == "start":
            yield Note(what, name, element, int(attempt), int(rest[0]), float(rest[1]))
        else:
            yield Note(what, name, element, int(attempt), digest=rest[0])


def begin(journal: str) -> None:
    """Note that a body starts."""
    _append(journal, "start", os.getpid(), time.monotonic())


def end(journal: str, value: Any) -> Any:
    """Note what a body is about to return, and return it."""
    _append(journal, "end", digest_of(value))
    return value


def _append(journal: str, what: str, *rest: object) -> None:
    now = current_task()
    line = "\t".join(map(str, (what, now.name, now.element, now.attempt, *rest))) + "\n"
    file = _open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        _write(file, line.encode())
        _sync(file)
    finally:
        _close(file)


@task
def pages(journal, seconds):
    begin(journal)
    time.sleep(seconds)
    return end(journal, list(range(PAGES)))


@task(inputs={"page": each("pages")}, retries=2, backoff=fixed(0.001))
def fetch(page, journal, seconds):
    begin(journal)
    time.sleep(seconds)
    if page == 1 and current_task().attempt == 1:
        raise ConnectionError("away at first")
    return end(journal, {"page": page, page: (page, b"\0" * page), "none": None})


@task(inputs={"row": each("fetch")})
async def clean(row, journal, seconds):
    begin(journal)
    await asyncio.sleep(seconds)
    return end(journal, (row["page"], Decimal(row["page"]) / 3))


@task
def nothing(journal):
    begin(journal)
    return end(journal, 0)


@task
def blob(pages, journal):
    begin(journal)
    return end(journal, bytes(LARGE) + bytes(pages))


@task
def report(clean, blob, nothing, journal, seconds):
    begin(journal)
    time.sleep(seconds)
    return end(journal, {"sum": sum(part for _, part in clean), "size": len(blob), "zero": nothing})


ORDERS = Workflow("orders", [pages, fetch, clean, nothing, blob, report])
TASK_RUNS = 4 + 2 * PAGES


@task
def first(journal):
    begin(journal)
    return end(journal, [1, ""])


@task
def second(first, journal):
    begin(journal)
    return end(journal, (first[0], None))


@task
def third(second, journal):
    begin(journal)
    return end(journal, {1: second})


SMALL = Workflow("small", [first, second, third])


def link(before, journal):
    begin(journal)
    return end(journal, before + 1)


def chain(length: int) -> Workflow:
    """Return a workflow of `length` tasks in a row."""
    workflow = Workflow(f"chain of {length}")
    workflow.add_task(task("t0")(chain_start))
    for number in range(1, length):
        name = f"t{number}"
        workflow.add_task(task(name)(link), inputs={"before": f"t{number - 1}"})
    return workflow


def chain_start(journal):
    begin(journal)
    return end(journal, 0)


@task(effect="once")
def pay(journal, flag):
    begin(journal)
    while not Path(flag).exists():
        time.sleep(0.005)
    return end(journal, "paid")


@task
def receipt(pay, journal):
    begin(journal)
    return end(journal, f"{pay}, thank you")


PAYMENT = Workflow("payment", [pay, receipt])


@task
def verdict(pages, fetch, clean, nothing, blob, report, journal, flag):
    begin(journal)
    if not Path(flag).exists():
        raise PermissionError("not yet")
    return end(journal, [pages, fetch, clean, nothing, digest_of(blob), report])


AUDIT = Workflow("audit", [pages, fetch, clean, nothing, blob, report, verdict])


@task
def hang(journal, flag):
    begin(journal)
    while not Path(flag).exists():
        time.sleep(0.005)
    return end(journal, "done")


@task(retries=2, backoff=fixed(1))
def hopeless(journal):
    begin(journal)
    raise ConnectionError("away for good")


HOPELESS = Workflow("hopeless", [hopeless])
HANGING = Workflow("hanging", [hang, hang.with_options("sibling")])

WORKFLOWS = {
    "hanging": HANGING,
    "hopeless": HOPELESS,
    "audit": AUDIT,
    "orders": ORDERS,
    "small": SMALL,
    "payment": PAYMENT,
    "chain of 50": chain(50),
}

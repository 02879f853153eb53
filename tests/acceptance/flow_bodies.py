"""Bodies and the workflow of the flow tests; importable, so that worker processes find them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from flowweaver import Workflow, current_task, each, task


def note(folder: str, what: str) -> None:
    """Append one synced line to the journal of what really ran."""
    line = f"{what}\n".encode()
    file = os.open(Path(folder) / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
        os.fsync(file)
    finally:
        os.close(file)


def journal(folder: Path) -> list[str]:
    """Return the lines of the journal."""
    path = folder / "journal"
    return path.read_text().splitlines() if path.exists() else []


def pause() -> None:
    """Take a moment, so that a kill finds something to hit."""
    time.sleep(float(os.environ.get("FLOW_PAUSE", "0")))


@task
def pages(folder: str, count: int) -> list[int]:
    note(folder, "pages")
    return list(range(count))


@task(inputs={"page": each("pages")})
def fetch(folder: str, page: int) -> dict[str, int]:
    pause()
    note(folder, f"fetch {page}")
    return {"page": page, "words": page * 10}


@task(inputs={"fetched": each("fetch")})
async def count_words(folder: str, fetched: dict[str, int]) -> int:
    pause()
    note(folder, f"count {fetched['page']}")
    return fetched["words"]


def is_wanted(wanted: bool) -> bool:
    return wanted


@task(when=is_wanted)
def extra(folder: str, wanted: bool) -> str:
    note(folder, "extra")
    return "extra"


@task
def total(count_words: list[int], extra: str = "none") -> tuple[int, str]:
    return sum(count_words), extra


@task(inputs={"page": each("pages")})
def flaky(folder: str, page: int, broken: int) -> int:
    note(folder, f"flaky {page}")
    if page == broken:
        raise ValueError(f"page {page} is broken")
    return page


@task(trigger="any_failed")
def clean_up(folder: str, flaky: list[int]) -> str:
    note(folder, "clean_up")
    return "cleaned"


@task
def scaled(amount: int, factor: int = 2) -> int:
    return amount * factor


@task
def described(scaled: int) -> str:
    return f"scaled to {scaled}"


@task
def amount(total: tuple[int, str]) -> int:
    return total[0]


@task
def report(total: tuple[int, str], scaling: str) -> str:
    return f"{total} {scaling}"


def flow() -> Workflow:
    """Fan-out in two stages, a condition, a clean-up task and a nested workflow."""
    scaling = Workflow("scaling", [scaled, described])
    whole = Workflow("flow", [pages, fetch, count_words, extra, total, flaky, clean_up, amount])
    whole.add_task(scaling, inputs={"amount": "amount"})
    whole.add_task(report)
    return whole


def talk(folder: str) -> None:
    attempt = current_task().attempt
    print(f"attempt {attempt}")  # in one piece, as bodies side by side write to one terminal
    logging.getLogger("talk").warning("logged")
    if attempt == 1:
        raise ConnectionError(folder)


async def talk_async() -> None:
    print("awaited")


def start_a_program() -> None:
    print("before")
    subprocess.run([sys.executable, "-c", "print('said by a program')"], check=True)
    print("after")


def silent() -> str:
    return "said nothing"

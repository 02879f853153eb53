"""Files of workflows that the tests of the command run."""

GOOD = """
from flowweaver import Workflow, task

@task
def fetch(city: str = "Oslo", count: int = 2) -> list[str]:
    return [city] * count

@task
def join(fetch: list[str]) -> str:
    return "+".join(fetch)

good = Workflow("good", [fetch, join])
"""

BROKEN = """
from flowweaver import Workflow, task

@task
def fetch():
    return 1

@task(retries=1)
def parse(fetch):
    raise ValueError("row 3 is \\x1b[31mbad")

@task
def load(parse):
    return parse

@task
def other(fetch):
    return fetch

broken = Workflow("broken", [fetch, parse, load, other])
"""

# `first` waits until the file `go` is there; so `second` runs only if nothing stops the run.
WAITING = """
import pathlib
import time

from flowweaver import Workflow, task

def sit():
    pathlib.Path("running").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.01)

@task
def first():
    sit()
    return 1

@task
def second(first):
    return 2

waiting = Workflow("waiting", [first, second])
"""

WAITING_ASYNC = """
import asyncio
import pathlib

from flowweaver import Workflow, task

@task
async def first():
    pathlib.Path("running").touch()
    while not pathlib.Path("go").exists():
        await asyncio.sleep(0.01)
    return 1

@task
async def second(first):
    return 2

waiting = Workflow("waiting", [first, second])
"""

# Nothing but a signal ends it: each body blocks for an hour, in one call.
HANGING = """
import pathlib
import time

from flowweaver import Workflow, task

@task
def first():
    pathlib.Path("running").touch()
    time.sleep(3600)

@task
def second(first):
    return 2

hanging = Workflow("hanging", [first, second])
"""

HANGING_ASYNC = """
import asyncio
import pathlib

from flowweaver import Workflow, task

@task
async def first():
    pathlib.Path("running").touch()
    await asyncio.sleep(3600)

@task
async def second(first):
    return 2

hanging = Workflow("hanging", [first, second])
"""

MAPPED = """
from pathlib import Path

from flowweaver import Workflow, each, task

@task(inputs={"page": each("pages")})
def load(page: Path) -> str:
    if page.suffix == ".bad":
        raise ValueError(page.name)
    return page.stem

@task
def total(load: list[str]) -> str:
    return "+".join(load)

mapped = Workflow("mapped", [load, total])
"""

LARGE = """
from flowweaver import Workflow, task

@task
def large() -> bytes:
    return b"x" * 2_000_000

workflow = Workflow("large", [large])
"""

DOUBLES = """
from flowweaver import Workflow, each, task

@task
def numbers(count: int = 2):
    return list(range(count))

@task(inputs={"number": each("numbers")})
def double(number):
    return 2 * number

@task
def total(double):
    return sum(double)

doubles = Workflow("doubles", [numbers, double, total])
"""

"""Task bodies for the executor kit: importable by name, telling what they do through files.

They assume neither shared memory nor a common working directory, only a folder that all can
write to. Nothing here sleeps to hope: what waits, waits for a file, within a limit.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import Any

from flowweaver.engine.body.current import CurrentTask, current_task

LIMIT_SECONDS = 30.0
_POLL_SECONDS = 0.005
_span: ContextVar[str] = ContextVar("flowweaver_testing_span", default="in no span")


@contextmanager
def span(current: CurrentTask) -> Iterator[None]:
    """Stand for a span of tracing around a body."""
    token = _span.set(f"{current.name}, attempt {current.attempt}")
    yield
    _span.reset(token)


def in_span() -> str:
    """Return which span this runs in."""
    return _span.get()


async def in_span_later() -> str:
    """Return which span this still runs in after a while."""
    await asyncio.sleep(0)
    return _span.get()


def note(folder: str, line: str) -> None:
    """Append a line to the folder's journal, whoever else does at the same time."""
    file = os.open(Path(folder, "journal"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def notes(folder: str) -> list[str]:
    """Return the lines of the folder's journal."""
    journal = Path(folder, "journal")
    return journal.read_text("utf-8").splitlines() if journal.exists() else []


def await_note(folder: str, line: str) -> None:
    """Block until the journal has the line; raises `TimeoutError` as `await_flag` does."""
    end = time.monotonic() + LIMIT_SECONDS
    while line not in notes(folder):
        if time.monotonic() > end:
            raise TimeoutError(f"nobody noted {line!r}")
        time.sleep(_POLL_SECONDS)


def raise_flag(folder: str, name: str) -> None:
    """Let those go on who wait for this flag."""
    Path(folder, f"{name}.flag").touch()


def await_flag(folder: str, name: str) -> None:
    """Block until the flag is raised.

    Raises:
        TimeoutError: It was not raised within the limit.
    """
    flag, end = Path(folder, f"{name}.flag"), time.monotonic() + LIMIT_SECONDS
    while not flag.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"nobody raised {name!r}")
        time.sleep(_POLL_SECONDS)


async def await_flag_async(folder: str, name: str) -> None:
    """Await that the flag is raised; raises `TimeoutError` as `await_flag` does."""
    flag, end = Path(folder, f"{name}.flag"), time.monotonic() + LIMIT_SECONDS
    while not flag.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"nobody raised {name!r}")
        await asyncio.sleep(_POLL_SECONDS)


# Bodies that return something -------------------------------------------------------------


def one() -> int:
    """Return 1."""
    return 1


async def one_async() -> int:
    """Return 1 after a turn of the loop."""
    await asyncio.sleep(0)
    return 1


def add(left: int, right: int) -> int:
    """Return the sum."""
    return left + right


async def add_async(left: int, right: int) -> int:
    """Return the sum after a turn of the loop."""
    await asyncio.sleep(0)
    return left + right


def add_later(left: int, right: int) -> Awaitable[int]:
    """Return something to await."""
    return add_async(left, right)


class _Promise:
    def __init__(self, value: int) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, int]:
        yield from asyncio.sleep(0).__await__()
        return self.value


def promise() -> _Promise:
    """Return an awaitable that is no coroutine."""
    return _Promise(1)


def give(value: Any) -> Any:
    """Return what is given."""
    return value


KINDS = {
    "text": "",
    "list": "",
    "mapping": "",
    "tuple": "",
    "shared": "",
    "bytes": "",
    "array": "numpy",
    "pandas": "pandas",
    "polars": "polars",
    "arrow": "pyarrow",
}
"""The kinds of value that `sized` makes, one for each form that values are kept in, and what has to
be installed for them."""


def sized(kind: str, size: int) -> Any:
    """Return a value of a kind that takes about so many bytes."""
    if kind == "text":
        return "ä" * (size // 2)
    if kind == "bytes":
        return b"b" * size
    numbers = [*range(size // 4)]
    if kind == "list":
        return numbers
    if kind == "mapping":
        return {f"{number}": number for number in numbers}
    if kind == "tuple":
        return tuple(numbers)
    if kind == "shared":
        return [numbers, numbers]
    library = import_module(KINDS[kind])
    if kind == "array":
        return library.array(numbers)
    columns = {"number": numbers}
    return library.table(columns) if kind == "arrow" else library.DataFrame(columns)


def is_sized(value: Any, kind: str, size: int) -> bool:
    """Return whether a value is what `sized` makes."""
    made = sized(kind, size)
    if kind == "array":
        return bool((value == made).all())
    return bool(value.equals(made) if KINDS[kind] else value == made)


def describe(value: Any) -> str:
    """Return type and repr of what is given."""
    return f"{type(value).__name__} {value!r}"


def collect(**results: Any) -> dict[str, Any]:
    """Return all that is given, by name."""
    return results


def with_defaults(size: int = 3, *, unit: str = "m") -> str:
    """Return both, as given or by default."""
    return f"{size} {unit}"


def append_to(numbers: list[int], number: int) -> list[int]:
    """Change what is given, and return it."""
    numbers.append(number)
    return numbers


class Scale:
    """Something callable that is no function."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, number: int) -> int:
        """Scale the number."""
        return number * self.factor

    def method(self, number: int) -> int:
        """Scale the number."""
        return number * self.factor


# Bodies that tell of themselves -----------------------------------------------------------


def told(folder: str, name: str, **_: Any) -> str:
    """Note that this ran, and return its name."""
    note(folder, name)
    return name


def names_of_tables(folder: str) -> list[str]:
    """Return the names of tables in a folder."""
    return sorted(path.name for path in Path(folder).glob("*.csv"))


async def told_async(folder: str, name: str, **_: Any) -> str:
    """Note that this ran, and return its name."""
    note(folder, name)
    await asyncio.sleep(0)
    return name


def tell_of_the_attempt(folder: str) -> dict[str, Any]:
    """Return and note all that `current_task` knows; fail at the first attempt."""
    task = current_task()
    known = {
        "run_id": task.run_id,
        "workflow": task.workflow,
        "name": task.name,
        "element": task.element,
        "attempt": task.attempt,
        "idempotency_key": task.idempotency_key,
        "logger": task.logger.logger.name,
    }
    note(folder, f"{task.attempt} {task.idempotency_key}")
    if task.attempt == 1:
        raise ConnectionError("once")
    return known


async def tell_of_the_attempt_async(folder: str) -> dict[str, Any]:
    """Do as `tell_of_the_attempt`, in a coroutine."""
    await asyncio.sleep(0)
    return tell_of_the_attempt(folder)


# Bodies that wait for each other ----------------------------------------------------------


def meet(folder: str, name: str, party: int) -> str:
    """Say that this has come, and go on when as many as `party` have."""
    note(folder, name)
    if len(notes(folder)) >= party:
        raise_flag(folder, "all here")
    await_flag(folder, "all here")
    return name


async def meet_async(folder: str, name: str, party: int) -> str:
    """Do as `meet`, in a coroutine."""
    note(folder, name)
    if len(notes(folder)) >= party:
        raise_flag(folder, "all here")
    await await_flag_async(folder, "all here")
    return name


def wait_for_flag(folder: str, flag: str, name: str = "") -> str:
    """Note the start, wait for a flag, note the end."""
    note(folder, f"{name} begins")
    await_flag(folder, flag)
    note(folder, f"{name} ends")
    return name


async def wait_for_flag_async(folder: str, flag: str, name: str = "") -> str:
    """Do as `wait_for_flag`, in a coroutine."""
    note(folder, f"{name} begins")
    try:
        await await_flag_async(folder, flag)
    except asyncio.CancelledError:
        note(folder, f"{name} cancelled")
        raise
    note(folder, f"{name} ends")
    return name


async def swallow_cancellation(folder: str, flag: str) -> str:
    """Go on after being cancelled, until the flag is raised."""
    while True:
        try:
            await await_flag_async(folder, flag)
        except asyncio.CancelledError:
            continue
        return "late"


def raise_the_flag(folder: str, flag: str, **_: Any) -> None:
    """Raise a flag."""
    raise_flag(folder, flag)


def pass_through(folder: str, name: str, turns: int = 3) -> None:
    """Note coming and going, with something to do between."""
    note(folder, f"+{name}")
    for _ in range(turns):
        time.sleep(0)
    note(folder, f"-{name}")


async def pass_through_async(folder: str, name: str, turns: int = 3) -> None:
    """Note coming and going, with turns of the loop between."""
    note(folder, f"+{name}")
    for _ in range(turns):
        await asyncio.sleep(0)
    note(folder, f"-{name}")

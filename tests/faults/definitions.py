"""Bad definitions: each is refused before any body runs, and the error names the culprit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from flowweaver import SequentialExecutor, Task, Workflow, each

started: list[str] = []


def note() -> int:
    started.append("a body")
    return 1


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


def positional(a: int, /) -> int:
    return a


def typed(count: int) -> int:
    return count


def _run(*tasks: Task[..., Any], **params: Any) -> None:
    SequentialExecutor().execute(Workflow("w", [Task("first", note), *tasks]), params)


def _chain(length: int, *, closed: bool) -> None:
    tasks = [
        Task(f"t{n}", lambda **_: 1, depends_on=[f"t{(n - 1) % length}"] if n or closed else [])
        for n in range(length)
    ]
    _run(*tasks)


def _twice() -> None:
    Workflow("w", [Task("same", note), Task("same", generator)])


def _twins() -> None:
    Workflow("w", [Task("caf\u00e9", note), Task("cafe\u0301", note)])


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "duplicate name": (lambda: Workflow("w", [Task("same", note), Task("same", note)]), "same"),
    "names that look alike": (_twins, "caf\u00e9"),
    "self-dependency": (lambda: _run(Task("loop", note, depends_on=["loop"])), "loop"),
    "cycle of 2": (
        lambda: _run(Task("a", lambda b: b), Task("b", lambda a: a)),
        "'a' -> 'b' -> 'a'|'b' -> 'a' -> 'b'",
    ),
    "cycle of 10,000": (lambda: _chain(10_000, closed=True), "circular"),
    "missing dependency": (lambda: _run(Task("a", note, depends_on=["gone"])), "gone"),
    "misspelt dependency": (
        lambda: _run(Task("fetch", note), Task("a", note, depends_on=["fetsh"])),
        "did you mean 'fetch'",
    ),
    "misspelt input": (
        lambda: _run(Task("fetch", note), Task("a", lambda x: x, inputs={"x": "fetsh"})),
        "did you mean 'fetch'",
    ),
    "input that is no parameter": (lambda: _run(Task("a", note, inputs={"x": "first"})), "'x'"),
    "unknown parameter": (lambda: _run(Task("a", typed), count=1, cuont=2), "cuont"),
    "missing parameter": (lambda: _run(Task("a", typed)), "count"),
    "parameter of a wrong type": (lambda: _run(Task("a", typed), count="many"), "count"),
    "value for a task": (lambda: _run(first=1), "first"),
    "not callable": (lambda: Task("a", 5), "'a'"),  # type: ignore[arg-type]
    "generator": (lambda: Task("a", generator), "'a'"),
    "async generator": (lambda: Task("a", async_generator), "'a'"),
    "positional-only parameter": (lambda: _run(Task("pos", positional), a=1), "'a'"),
    "negative retries": (lambda: Task("a", note, retries=-1), "retries"),
    "retries that are no number": (lambda: Task("a", note, retries=True), "retries"),
    "no time at all": (lambda: Task("a", note, timeout=0), "timeout"),
    "unknown option": (lambda: Task("a", note, retry=3), "retries"),  # type: ignore[call-arg]
    "unknown effect": (lambda: Task("a", note, effect="twice"), "effect"),  # type: ignore[arg-type]
    "unknown trigger": (lambda: Task("a", note, trigger="any"), "trigger"),  # type: ignore[arg-type]
    "two maps without a word how": (
        lambda: _run(
            Task("a", lambda x, y: 1, inputs={"x": each("p"), "y": each("q")}), p=[], q=[]
        ),
        "combine",
    ),
    "bad backoff": (lambda: Task("a", note, backoff=-1), "backoff"),
    "bad retry_on": (lambda: Task("a", note, retry_on=5), "retry_on"),  # type: ignore[arg-type]
    "task that is none": (lambda: Workflow("w", [5]), "5"),  # type: ignore[list-item]
    "places that are none": (lambda: SequentialExecutor(limits={"db": 0}), "db"),
    "rate that can't be read": (lambda: SequentialExecutor(rate={"api": "often"}), "api"),
    "unknown reuse": (
        lambda: SequentialExecutor().execute(Workflow("w", [note]), reuse="maybe"),  # type: ignore[arg-type]
        "reuse",
    ),
    "force of a task that is not there": (
        lambda: SequentialExecutor().execute(Workflow("w", [note]), force=["gone"]),
        "gone",
    ),
}


def refused() -> tuple[int, list[str]]:
    """Try each bad definition: how many were refused by name, and what was not."""
    import re

    from flowweaver import FlowWeaverError

    wrong = []
    for name, (define, culprit) in BAD.items():
        started.clear()
        try:
            define()
        except (FlowWeaverError, TypeError) as error:
            if not re.search(culprit, str(error)):
                wrong.append(f"{name}: the error names no culprit: {error}")
        except Exception as error:
            wrong.append(f"{name}: {error!r}")
        else:
            wrong.append(f"{name}: was not refused")
        if started:
            wrong.append(f"{name}: a body ran")
    return len(BAD) - len(wrong), wrong

"""Context managers around bodies."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    CurrentTask,
    Executor,
    MemoryStateStore,
    Origin,
    ProcessExecutor,
    SequentialExecutor,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    each,
    task,
)

SPAN: contextvars.ContextVar[str] = contextvars.ContextVar("span", default="none")
EXECUTORS = [
    SequentialExecutor,
    ThreadedExecutor,
    AsyncExecutor,
    lambda **o: ProcessExecutor(1, **o),
]
IDS = ["sequential", "threads", "async", "processes"]


@contextmanager
def noted(current: CurrentTask) -> Iterator[None]:
    """Note when a body begins, and how it ends."""
    path = Path(os.environ["NOTES"])
    name = f"{current.name}[{current.element}]" if current.element else current.name

    def note(text: str) -> None:
        with path.open("a") as file:
            file.write(f"{text}\n")

    note(f"> {name} {current.attempt}")
    token = SPAN.set(f"span of {name}")
    try:
        yield
    except Exception as error:
        note(f"! {name} {error}")
        raise
    finally:
        SPAN.reset(token)
        note(f"< {name}")


@task
def span() -> str:
    return SPAN.get()


@task
async def later() -> str:
    await asyncio.sleep(0)
    return SPAN.get()


@task(retries=1, backoff=0.001)
def fail() -> None:
    raise ValueError("no")


@task(inputs={"x": each("xs")})
def element(x: int) -> str:
    return f"{x} in {SPAN.get()}"


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "notes"
    monkeypatch.setenv("NOTES", str(path))
    return path


@pytest.mark.parametrize("make", EXECUTORS, ids=IDS)
@pytest.mark.parametrize("body", [span, later], ids=["plain", "async"])
def test_a_body_runs_inside_on_every_executor(notes: Path, make: Any, body: Any) -> None:
    executor: Executor = make(around=(noted,))
    run = executor.execute(Workflow("w", [body]))
    assert run[body.name] == f"span of {body.name}"
    assert notes.read_text().splitlines() == [f"> {body.name} 1", f"< {body.name}"]


@pytest.mark.parametrize("make", EXECUTORS, ids=IDS)
def test_each_attempt_and_each_element_has_its_own(notes: Path, make: Any) -> None:
    workflow = Workflow("w", [element, fail])
    run = make(around=(noted,)).execute(workflow, {"xs": [7, 8]}, raise_on_failure=False)
    assert run["element"] == ["7 in span of element[0]", "8 in span of element[1]"]
    assert str(run.tasks["fail"].error) == "ValueError: no"
    attempts = [line for line in notes.read_text().splitlines() if "fail" in line]
    assert attempts == ["> fail 1", "! fail no", "< fail", "> fail 2", "! fail no", "< fail"]


@asynccontextmanager
async def asynchronous(current: CurrentTask) -> AsyncIterator[None]:
    """Take an event loop to be entered."""
    token = SPAN.set(f"awaited span of {current.name}")
    await asyncio.sleep(0)
    yield
    await asyncio.sleep(0)
    SPAN.reset(token)


@pytest.mark.parametrize("make", EXECUTORS, ids=IDS)
def test_an_asynchronous_one_suits_async_functions(make: Any) -> None:
    assert make().execute(Workflow("w", [later]), around=(asynchronous,))["later"] == (
        "awaited span of later"
    )


def test_an_asynchronous_one_is_passed_over_for_plain_functions(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = SequentialExecutor(around=(asynchronous,)).execute(Workflow("w", [span]))
    assert run["span"] == "none"
    assert "the body runs without it" in caplog.text


def test_the_executors_own_is_outermost() -> None:
    seen: list[str] = []

    def naming(text: str) -> Any:
        @contextmanager
        def around(_: CurrentTask) -> Iterator[None]:
            seen.append(f"> {text}")
            yield
            seen.append(f"< {text}")

        return around

    executor = SequentialExecutor(around=(naming("executor"),))
    executor.execute(Workflow("w", [span]), around=(naming("run"),))
    assert seen == ["> executor", "> run", "< run", "< executor"]


class Awkward:
    """Raises where it is told to, and swallows what a body raises."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __call__(self, _: CurrentTask) -> Awkward:
        if self.where == "call":
            raise OSError("call")
        return self

    def __enter__(self) -> None:
        if self.where == "enter":
            raise OSError("enter")

    def __exit__(self, *error: object) -> bool:
        if self.where == "exit":
            raise OSError("exit")
        return True


@pytest.mark.parametrize("where", ["call", "enter", "exit", "nowhere"])
def test_what_it_raises_or_swallows_changes_no_outcome(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="flowweaver")
    executor = SequentialExecutor(around=(Awkward(where),))
    run = executor.execute(Workflow("w", [span, fail]), raise_on_failure=False)
    assert run["span"] == "none"
    assert (run.tasks["fail"].status, run.tasks["fail"].attempts) == (TaskStatus.FAILED, 2)
    assert str(run.tasks["fail"].error) == "ValueError: no"
    assert [record.levelname for record in caplog.records] == ["ERROR"] * (
        0 if where == "nowhere" else 3
    )


def test_a_plain_function_that_returns_a_coroutine_is_awaited_inside() -> None:
    @contextmanager
    def around(_: CurrentTask) -> Iterator[None]:
        token = SPAN.set("outside")
        yield
        SPAN.reset(token)

    workflow = Workflow("w", [Task("wrapped", lambda: later())])
    assert SequentialExecutor(around=(around,)).execute(workflow)["wrapped"] == "outside"


def test_it_is_no_part_of_what_a_result_depends_on(notes: Path) -> None:
    store, workflow = MemoryStateStore(), Workflow("w", [span])
    SequentialExecutor(state_store=store, around=(noted,)).execute(workflow)
    again = SequentialExecutor(state_store=store).execute(workflow)
    assert again.tasks["span"].origin is Origin.RESTORED
    assert len(notes.read_text().splitlines()) == 2
    assert store.code(_code_of(store)) is not None


def _code_of(store: MemoryStateStore) -> str:
    (run, *_) = store.runs()
    (record,) = store.tasks(run.id)
    code: str = json.loads(record.facts)["code"]
    return code

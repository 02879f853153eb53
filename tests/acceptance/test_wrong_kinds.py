"""What is given in the wrong kind is refused in one sentence that says what is taken instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    JSONStateStore,
    MemoryStateStore,
    SequentialExecutor,
    SQLiteStateStore,
    StoreError,
    Task,
    Workflow,
    load_run,
    replay,
    secret_env,
    task,
)


def one() -> int:
    return 1


w = Workflow("w", [Task("one", one)])

REFUSED: dict[str, tuple[Callable[[Any], object], list[Any], str]] = {
    "tasks": (lambda wrong: Workflow("w", wrong), [one, 5, None], "takes a list of tasks, not"),
    "stores of executors": (
        lambda wrong: SequentialExecutor(state_store=wrong),
        ["state.db", Path("state.db")],
        "state_store takes a store such as",
    ),
    "stores of plans": (
        lambda wrong: w.plan(state_store=wrong),
        ["state.db", None],
        "state_store takes a store such as",
    ),
    "stores of past runs": (
        lambda wrong: load_run(w, wrong, "run"),
        ["state.db", None],
        "store takes a store such as",
    ),
    "stores of replays": (
        lambda wrong: replay(w, wrong, "run", "one"),
        ["state.db", None],
        "store takes a store such as",
    ),
    "workflows of past runs": (
        lambda wrong: load_run(wrong, MemoryStateStore(), "run"),
        ["w", None, one],
        "workflow takes a Workflow, not",
    ),
    "workflows of executions": (
        lambda wrong: SequentialExecutor().execute(wrong),
        ["w", None, one],
        "runs a Workflow, not",
    ),
    "parameters": (
        lambda wrong: SequentialExecutor().execute(w, wrong),
        [["a"], "a", 1],
        "params maps parameters to values by name, not",
    ),
    "parameters of plans": (
        lambda wrong: w.plan(wrong, state_store=MemoryStateStore()),
        [["a"], "a", 1],
        "params maps parameters to values by name, not",
    ),
    "observers": (
        lambda wrong: SequentialExecutor(observers=wrong),
        [print, "log", 3],
        "observers takes a list of observers, not",
    ),
    "an observer": (
        lambda wrong: SequentialExecutor(observers=[wrong]),  # type: ignore[arg-type]
        [3, None],
        "An observer is a function of an event, or a name, not",
    ),
    "limits": (
        lambda wrong: SequentialExecutor(limits=wrong),
        [3, "api=2", ["api"]],
        "limits must say what holds by tag, not",
    ),
    "rates": (
        lambda wrong: Workflow("w", rate=wrong),
        ["10/s", 10],
        "rate must say what holds by tag, not",
    ),
    "functions": (lambda wrong: task(wrong), [3, ["a"]], "takes a function, or the name of"),
    "paths": (SQLiteStateStore, [None, 3, "", b"x.db"], "takes the path of its file, not"),
    "paths of JSON": (JSONStateStore, [None, 3, ""], "takes the path of its file, not"),
    "variables": (secret_env, [None, 3, ""], "secret_env takes the name of a variable, not"),
}


@pytest.mark.parametrize(
    ("use", "wrong", "said"),
    [(use, wrong, said) for use, wrongs, said in REFUSED.values() for wrong in wrongs],
    ids=[f"{name}-{wrong!r:.9}" for name, (_, wrongs, _) in REFUSED.items() for wrong in wrongs],
)
def test_wrong_kind_is_refused_with_what_is_taken(
    use: Callable[[Any], object], wrong: Any, said: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        use(wrong)


def test_store_in_memory_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=r"MemoryStateStore\(\) is in memory"):
        SQLiteStateStore(":memory:")
    with pytest.raises(StoreError, match=r"MemoryStateStore\(\) is in memory"):
        SQLiteStateStore.from_url("sqlite:///:memory:")
    assert [*tmp_path.iterdir()] == []

"""What is known of an exception, and whether it is tried again."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    DefinitionError,
    Executor,
    MemoryStateStore,
    ProcessExecutor,
    SequentialExecutor,
    Task,
    Workflow,
)
from flowweaver.engine.body.failures import failure_of, leaves_of
from flowweaver.engine.body.faults import is_retryable
from flowweaver.errors import UnstorableError

REFUSED, LATE, ODD = ConnectionError("refused"), TimeoutError("late"), ValueError("odd")


def group(*errors: Exception) -> ExceptionGroup[Any]:
    return ExceptionGroup("several", errors)


class TestRetryable:
    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (REFUSED, True),
            (ODD, False),
            (group(REFUSED, REFUSED), True),
            (group(REFUSED, LATE), True),
            (group(REFUSED, group(group(LATE))), True),
            (group(REFUSED, ODD), False),
            (group(REFUSED, group(LATE, ODD)), False),
            (BaseExceptionGroup("several", [REFUSED, KeyboardInterrupt()]), False),
        ],
    )
    def test_types_ask_for_groups_of_nothing_else(
        self, error: BaseException, expected: bool
    ) -> None:
        assert is_retryable(error, (ConnectionError, TimeoutError)) is expected

    def test_a_groups_own_type_can_be_asked_for(self) -> None:
        assert is_retryable(group(ODD), ExceptionGroup)
        assert is_retryable(group(ODD), Exception)

    def test_predicate_is_given_the_group(self) -> None:
        given: list[BaseException] = []
        assert not is_retryable(group(REFUSED), lambda error: bool(given.append(error)))
        assert isinstance(given[0], ExceptionGroup)

    def test_group_that_holds_itself_ever_deeper_is_no_trouble(self) -> None:
        error: Exception = REFUSED
        for _ in range(20_000):
            error = group(error)
        assert is_retryable(error, ConnectionError)
        assert list(leaves_of(error)) == [REFUSED]

    def test_value_that_cant_be_stored_is_not_made_again(self) -> None:
        assert not is_retryable(UnstorableError("result", "no"), Exception)


class TestMessages:
    def test_members_of_a_group_are_named(self) -> None:
        failure = failure_of(group(REFUSED, group(LATE)))
        assert failure.kind == "ExceptionGroup"
        assert failure.message == (
            "several (2 sub-exceptions): ConnectionError: refused; TimeoutError: late"
        )

    def test_of_many_members_some_are_named(self) -> None:
        message = failure_of(group(*[REFUSED] * 10)).message
        assert message.endswith("; ConnectionError: refused; and 7 more")

    def test_member_that_cant_be_shown_hides_no_other(self) -> None:
        class HostileError(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        message = failure_of(group(HostileError(), LATE)).message
        assert "can't be shown: RuntimeError in __str__" in message
        assert message.endswith("TimeoutError: late")

    def test_other_errors_are_as_they_are(self) -> None:
        assert failure_of(REFUSED).message == "refused"


async def gathers(outcomes: list[str]) -> str:
    """Fail in a group until nothing but the last outcome is left."""

    async def fail() -> None:
        raise ConnectionError("refused")

    if len(outcomes) > 1:
        outcomes.pop()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
            tasks.create_task(fail())
    return outcomes[0]


@pytest.mark.parametrize("make", [SequentialExecutor, AsyncExecutor])
def test_group_of_a_task_group_is_tried_again(make: type[Executor]) -> None:
    task = Task("gathers", gathers, retries=3, retry_on=(ConnectionError,))
    run = make().execute(Workflow("w", [task]), {"outcomes": ["done", "first", "second"]})
    assert (run["gathers"], run.tasks["gathers"].attempts) == ("done", 3)


def test_group_from_a_process_is_tried_again_and_named() -> None:
    task = Task("gathers", gathers, retries=1, retry_on=(ConnectionError,))
    with ProcessExecutor(1) as executor:
        params = {"outcomes": ["done", "first"]}  # each attempt gets a copy of its own
        run = executor.execute(Workflow("w", [task]), params, raise_on_failure=False)
    assert run.tasks["gathers"].attempts == 2
    error = run.tasks["gathers"].error
    assert error is not None
    assert error.message.endswith("ConnectionError: refused; ConnectionError: refused")


class Unwilling:
    def __reduce__(self) -> str:
        raise ValueError("no way")


def refuses() -> None:
    raise DefinitionError("of the body's own")


@pytest.mark.parametrize(
    ("task", "has_trace"),
    [
        (Task("t", threading.Lock), False),
        (Task("t", lambda: 1, outputs=["never made.txt"]), False),
        (Task("t", Unwilling), True),
        (Task("t", refuses), True),
    ],
    ids=["can't be stored", "not made", "the body's class refuses", "the body refuses"],
)
def test_trace_is_that_of_others_code(task: Task[..., Any], has_trace: bool) -> None:
    executor = SequentialExecutor(state_store=MemoryStateStore())
    run = executor.execute(Workflow("w", [task]), raise_on_failure=False)
    failure = run.tasks["t"].error
    assert failure is not None
    assert bool(failure.trace) is has_trace
    assert (__file__ in failure.trace) is has_trace

"""Exceptions that quote secrets, as whoever executes a workflow meets them."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from flowweaver import Secret, SequentialExecutor, Workflow, WorkflowFailed, task
from flowweaver.engine.body.quoting import without_secrets

PLANTED = "planted-and-quoted"


class OwnError(Exception):
    def __init__(self, said: str) -> None:
        super().__init__("nothing")
        self.said = said

    def __str__(self) -> str:
        return f"own: {self.said}"


class StubbornError(Exception):
    """Has its message from where nobody can change it."""

    def __str__(self) -> str:
        return f"stubborn: {PLANTED}"


class HostileError(Exception):
    def __repr__(self) -> str:
        raise RuntimeError(PLANTED)

    __str__ = __repr__


def chained() -> BaseException:
    try:
        try:
            raise KeyError(PLANTED)
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        return error


def noted() -> BaseException:
    error = ValueError("plain")
    error.add_note(f"while {PLANTED}")
    return error


ERRORS: list[BaseException] = [
    ValueError(PLANTED),
    ValueError({"headers": [PLANTED]}, 1, b"x" + PLANTED.encode()),
    FileNotFoundError(2, "No such file", f"/tmp/{PLANTED}"),
    UnicodeDecodeError("utf-8", PLANTED.encode(), 0, 1, PLANTED),
    OwnError(PLANTED),
    StubbornError(),
    HostileError(PLANTED),
    ExceptionGroup(PLANTED, [ValueError(PLANTED), chained()]),
    SystemExit(PLANTED),
    chained(),
    noted(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_is_raised_quotes_no_secret(error: BaseException) -> None:
    @task
    def quoting(token: Secret[str]) -> Any:
        raise error

    with pytest.raises(WorkflowFailed) as raised:
        SequentialExecutor().execute(Workflow("w", [quoting]), {"token": PLANTED})
    shown = "".join(traceback.format_exception(raised.value))
    failure = raised.value.run.tasks["quoting"].error
    assert failure is not None
    for text in (shown, failure.message, failure.trace, repr(vars(raised.value.__cause__))):
        assert PLANTED not in text


def test_kind_and_traceback_stay() -> None:
    Secret(PLANTED)
    found = without_secrets(chained())
    assert type(found) is ValueError
    assert found.__traceback__ is not None
    assert repr(found.__cause__) == "KeyError('***')"


def test_exception_that_quotes_none_is_left_alone() -> None:
    Secret(PLANTED)
    error = ValueError({"a": [1]}, b"bytes")
    assert without_secrets(error) is error
    assert error.args == ({"a": [1]}, b"bytes")
    assert without_secrets(None) is None


def test_kind_of_a_failure_is_masked() -> None:
    @task
    def quoting(token: Secret[str]) -> None:
        raise type(f"Error-of-{token.reveal()}", (Exception,), {})("x")

    with pytest.raises(WorkflowFailed) as raised:
        SequentialExecutor().execute(Workflow("w", [quoting]), {"token": PLANTED})
    failure = raised.value.run.tasks["quoting"].error
    assert failure is not None
    assert PLANTED not in failure.kind
    assert PLANTED not in "".join(traceback.format_exception(raised.value))

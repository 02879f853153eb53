"""Observers by name."""

from __future__ import annotations

import logging

import pytest

from flowweaver import SequentialExecutor, Task, UnknownNameError, Workflow

ONE = Workflow("one", [Task("a", lambda: 1)])


def test_an_observer_is_known_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="flowweaver.events"):
        SequentialExecutor(observers=("log",)).execute(ONE)
    assert [record.name for record in caplog.records] == ["flowweaver.events"] * 3


def test_it_gets_what_follows_its_name(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="mine"):
        SequentialExecutor().execute(ONE, observers=("log://mine",))
    assert {record.name for record in caplog.records} == {"mine"}


def test_a_name_that_there_is_not_is_an_error_at_once() -> None:
    with pytest.raises(UnknownNameError, match=r"no observer 'lgo', only log.*; did you mean"):
        SequentialExecutor(observers=("lgo",))
    with pytest.raises(UnknownNameError, match="no observer 'lgo'"):
        SequentialExecutor().execute(ONE, observers=("lgo",))

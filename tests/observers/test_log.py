"""Events as log records."""

import logging

import pytest

from flowweaver import SequentialExecutor, Workflow
from flowweaver.observers.log import EventLog
from tests.observers.awaiting import LongAwaited


def good():
    return "a secret result"


def bad(good):
    raise ValueError("first\nsecond")


def after(bad):
    return bad


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    with caplog.at_level(logging.DEBUG, logger="flowweaver.events"):
        executor = SequentialExecutor(observers=(EventLog(),))
        executor.execute(Workflow("w", [good, bad, after]), raise_on_failure=False)
    return [record for record in caplog.records if record.name == "flowweaver.events"]


def levels(records: list[logging.LogRecord], task: str) -> list[int]:
    return [record.levelno for record in records if record.task == task]


def test_a_completed_task_is_logged_at_debug_and_info(records):
    assert levels(records, "good") == [logging.DEBUG, logging.INFO]


def test_a_failed_task_is_logged_as_an_error(records):
    assert levels(records, "bad") == [logging.DEBUG, logging.ERROR]


def test_a_task_that_did_not_start_is_logged_as_a_warning(records):
    assert levels(records, "after") == [logging.WARNING]


def test_a_run_is_logged_at_its_start_and_end(records):
    assert levels(records, "") == [logging.INFO, logging.INFO]


def test_records_carry_the_run_and_the_attempt(records):
    started = next(record for record in records if record.task == "good")
    assert (started.workflow, started.attempt) == ("w", 1)
    assert started.run_id in records[0].getMessage()


def test_a_message_is_one_line(records):
    assert all("\n" not in record.getMessage() for record in records)


def test_results_are_not_logged(records):
    assert all("secret" not in record.getMessage() for record in records)


def test_what_a_run_waits_for_is_a_warning(caplog):
    LongAwaited(observers=(EventLog(),)).execute(Workflow("w", [good]))
    (told,) = [each for each in caplog.records if each.name == "flowweaver.events"]
    assert (told.levelno, told.task) == (logging.WARNING, "")
    assert told.getMessage() == "waiting: The pool is empty: start a worker."


def test_events_go_to_the_logger_that_is_given(caplog):
    caplog.set_level(logging.INFO, logger="mine")
    SequentialExecutor(observers=(EventLog(logging.getLogger("mine")),)).execute(
        Workflow("w", [good])
    )
    assert {record.name for record in caplog.records} == {"mine"}

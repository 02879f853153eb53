"""Which failures wait for a person: by a field of theirs, not by how their kind is spelt."""

from __future__ import annotations

import pytest

from flowweaver import MemoryStateStore, ParameterError, SequentialExecutor, Task, Workflow
from flowweaver.engine.resolution import is_unresolved, resolve, unresolved
from flowweaver.records import Failure, TaskRecord
from flowweaver.status import TaskStatus


class Unresolved(Exception):
    """An exception of a user's script, where names stand alone."""


Unresolved.__module__ = "__main__"


def raises() -> None:
    raise Unresolved("this happened for certain")


def failed(failure: Failure) -> TaskRecord:
    return TaskRecord("r", "t", status=TaskStatus.FAILED, failure=failure)


def test_attempt_that_was_cut_short_is_unresolved_once_and_stays_so() -> None:
    failure = unresolved("attempt 1 was cut short")
    assert is_unresolved(failed(failure))
    assert unresolved(failure) is failure


def test_failure_that_an_older_version_kept_as_unresolved_is() -> None:
    assert is_unresolved(failed(Failure("Unresolved", "attempt 1 was cut short; it may")))


def test_exception_of_that_name_is_a_failure_like_any_other() -> None:
    store = MemoryStateStore()
    workflow = Workflow("w", [Task("t", raises, effect="once")])
    run = SequentialExecutor(state_store=store).execute(workflow, raise_on_failure=False)
    (record,) = store.tasks(run.id)
    assert record.failure is not None
    assert record.failure.kind == "Unresolved"
    assert not is_unresolved(record)
    with pytest.raises(ParameterError, match="there is nothing to resolve"):
        resolve(store, run.id, "t", done=True)

"""How much a cluster is given, by how long bodies take."""

from __future__ import annotations

from contextvars import Context

import pytest

from flowweaver import Task
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.body.link import LocalLink
from flowweaver.executors._cluster.pace import JobPace
from flowweaver.testing import bodies

SCOPE = CallScope("w", "run", LocalLink(None, None), storing=False, context=Context())
TASK = Task("t", bodies.one)


def call_of(seconds: float, attempt: int = 1) -> Call:
    call = Call(SCOPE, 0, TASK, "", attempt, {})
    call.duration = seconds
    return call


@pytest.mark.parametrize(
    ("seconds", "jobs", "together"),
    [(2e-6, 10, 100), (5e-4, 10, 20), (0.001, 16, 1), (0.01, 10, 1), (0.05, 4, 1), (60.0, 4, 1)],
)
def test_a_tenth_of_a_second_of_work_is_given_ahead(
    seconds: float, jobs: int, together: int
) -> None:
    pace = JobPace()
    pace.note(call_of(seconds))
    assert (pace.jobs, pace.together(call_of(0.0))) == (jobs, together)


def test_what_was_never_seen_goes_alone() -> None:
    assert (JobPace().jobs, JobPace().together(call_of(0.0))) == (4, 1)


def test_what_failed_before_goes_alone() -> None:
    pace = JobPace()
    pace.note(call_of(2e-6))
    assert pace.together(call_of(0.0, attempt=2)) == 1

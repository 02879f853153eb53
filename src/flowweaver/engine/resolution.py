"""Attempts of an effect that must happen once, whose end nobody knows: a person decides."""

from __future__ import annotations

from flowweaver.records import Failure, TaskRecord
from flowweaver.status import TaskStatus

_KIND = "Unresolved"


def unresolved(cause: Failure | str) -> Failure:
    """Return the failure of a task with ``effect="once"`` that may or may not have acted."""
    return Failure(
        _KIND,
        f"{cause}; it may have acted, and its effect must happen only once. Find out, then say "
        "`flowweaver resolve RUN TASK --done` or `--retry`",
    )


def is_unresolved(record: TaskRecord) -> bool:
    """Whether a record is of an attempt whose end nobody knows."""
    if record.status is TaskStatus.RUNNING:
        return True
    return record.failure is not None and record.failure.kind == _KIND

"""What a row may say: who can write to a store can make its checksums, too.

What is read is of the shape that is written, or it is damage. So nobody further up has to ask
whether a time is one that there can be, or what is given as a dict is a dict.
"""

from __future__ import annotations

from flowweaver.records import AttemptRecord, FileRecord, RunRecord, TaskRecord

# What clocks and calendars can tell, about from the year 68 to 9892; and more than there can be.
_FIRST, _LAST = -6e10, 2.5e11
_MOST = 2**62

DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading what is not of the shape that is written raises."""

OptionalTime = float | None


def check_run(run: RunRecord) -> RunRecord:
    """Return a run that was read.

    Raises:
        ValueError: It is not of the shape that is written.
    """
    texts = (run.id, run.workflow, run.key, run.runner, *run.params, *run.params.values())
    if not (
        _are_texts(*texts)
        and (run.seal is None or _are_texts(run.seal))
        and (run.base is None or _are_texts(run.base))
        and _are_times(run.created_at, run.claimed_at, run.finished_at)
        and _are_counts(run.token)
        and isinstance(run.params, dict)
        and isinstance(run.info, dict)
    ):
        raise ValueError("a run of another shape")
    return run


def check_task(record: TaskRecord) -> TaskRecord:
    """Return a TaskRun that was read; see `check_run`."""
    retry_at, started_at, finished_at = record.retry_at, record.started_at, record.finished_at
    # Spelled out: rows are read by the ten thousand.
    if not (
        (started_at is None or _FIRST < started_at < _LAST)
        and (finished_at is None or _FIRST < finished_at < _LAST)
        and (retry_at is None or _FIRST < retry_at < _LAST)
        and 0 <= record.attempts < _MOST
        and 0 <= record.failures < _MOST
        and 0 <= record.elements < _MOST
        and record.element.__class__ is str
        and record.facts.__class__ is str
        and record.reason.__class__ is str
        and record.cause.__class__ is str
        and record.likeness.__class__ is str
        and (not record.files or all(map(_is_file, record.files)))
        and (not record.seen or all(map(_is_file, record.seen)))
    ):
        raise ValueError("a TaskRun of another shape")
    return record


def check_attempt(record: AttemptRecord) -> AttemptRecord:
    """Return an attempt that was read; see `check_run`."""
    if not (
        _are_times(record.started_at) and _are_counts(record.number) and _are_texts(record.log)
    ):
        raise ValueError("an attempt of another shape")
    return record


def _are_texts(*values: object) -> bool:
    return all(value.__class__ is str for value in values)


def _are_counts(*values: object) -> bool:
    return all(type(value) is int and 0 <= value < _MOST for value in values)


def _are_times(*values: OptionalTime) -> bool:
    return all(value is None or _FIRST < value < _LAST for value in values)


def _is_file(file: FileRecord) -> bool:
    return _are_texts(*file)

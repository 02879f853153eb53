"""Runs and TaskRuns as JSON: stable keys, described in docs/cli.md."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flowweaver.cli.mapped import tasks_of, told
from flowweaver.files.seen import read_of
from flowweaver.records import AttemptRecord, Failure, RunRecord, TaskRecord
from flowweaver.report.counts import counts_of
from flowweaver.run import Run


def run_as_json(run: RunRecord, standing: str | None = None) -> dict[str, Any]:
    """Return a run without its tasks; `standing` is what it is shown as, if not its status."""
    return {
        "id": run.id,
        "workflow": run.workflow,
        "status": standing or run.status.value,
        "created_at": _moment(run.created_at),
        "claimed_at": _moment(run.claimed_at),
        "finished_at": _moment(run.finished_at),
        "runner": run.runner,
        "info": dict(run.info),
    }


def run_with_tasks(run: Run, standing: str | None = None) -> dict[str, Any]:
    """Return a run with its tasks and how many came out how."""
    return {
        **run_as_json(run.record, standing),
        "counts": counts_of(run),
        "tasks": [task_as_json(told(task)) for task in tasks_of(run)],
    }


def task_as_json(task: TaskRecord) -> dict[str, Any]:
    """Return one TaskRun."""
    return {
        "task": task.task,
        "element": task.element,
        "label": task.label,
        "status": task.status.value,
        "origin": None if task.origin is None else task.origin.value,
        "attempts": task.attempts,
        "started_at": _moment(task.started_at),
        "finished_at": _moment(task.finished_at),
        "duration": task.duration,
        "reason": task.reason,
        "source_run": task.source_run,
        "error": failure_as_json(task.failure),
    }


def read_as_json(task: TaskRecord) -> list[dict[str, str]]:
    """Return what the body of a TaskRun was seen to read."""
    return [read._asdict() for read in read_of(task.seen)]


def attempt_as_json(attempt: AttemptRecord) -> dict[str, Any]:
    """Return one attempt that was kept."""
    return {
        "number": attempt.number,
        "element": attempt.element,
        "started_at": _moment(attempt.started_at),
        "duration": attempt.duration,
        "error": failure_as_json(attempt.failure),
    }


def failure_as_json(failure: Failure | None) -> dict[str, Any] | None:
    """Return why something failed."""
    if failure is None:
        return None
    return {
        "kind": failure.kind,
        "message": failure.message,
        "trace": failure.trace,
        "exit_code": failure.exit_code,
        "causes": list(failure.causes),
    }


def _moment(epoch: float | None) -> str | None:
    """Return seconds since the epoch as ISO 8601 in UTC."""
    if epoch is None:
        return None
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")

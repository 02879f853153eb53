"""The run itself: where it stands, when it ran, with what, and the commands that show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowweaver.report.standing import standing_of
from flowweaver.report.typed import as_typed
from flowweaver.report.view.past import Past
from flowweaver.report.view.sources import Source
from flowweaver.status import RunStatus

_INFO = ("executor", "flowweaver", "python", "target")


def status_of(source: Source) -> str:
    """Return where a run stands, as it is shown."""
    return standing_of(source.run, is_held=source.store_url is None or source.is_worked_on)


def is_live(source: Source) -> bool:
    """Whether a run goes on."""
    return status_of(source) == RunStatus.RUNNING.value


def run_head(source: Source, past: Past, parameters: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the run itself; what there is none of is left out."""
    run = source.run
    seconds = None if run.finished_at is None else run.finished_at - run.claimed_at
    told = {
        "id": run.id,
        "workflow": run.workflow,
        "status": status_of(source),
        "began": run.created_at,
        "continued": run.claimed_at if run.token > 1 else None,
        "ended": run.finished_at,
        "seconds": None if seconds is None else round(max(0.0, seconds), 4),
        "executions": run.token,
        "by": run.runner,
        "store": source.store_url,
        "parameters": list(parameters),
        "expected_seconds": _expected(past),
        "commands": _commands(source),
        "targets": list(run.targets) or None,
        "info": {key: run.info[key] for key in _INFO if isinstance(run.info.get(key), str)},
    }
    return {key: value for key, value in told.items() if value is not None}


def _expected(past: Past) -> float | None:
    """Return how long a run takes: the median of those that were completed in one go."""
    spans = sorted(
        run.finished_at - run.claimed_at
        for run in past.runs
        if run.finished_at is not None and run.status is RunStatus.COMPLETED and run.token == 1
    )
    return round(max(0.0, spans[len(spans) // 2]), 4) if spans else None


def _commands(source: Source) -> dict[str, str]:
    """Return the commands that show, continue or repeat a run."""
    run = source.run
    if source.store_url is None:
        return {}
    where = ("--store", source.store_url)

    def of_run(command: str, *options: str) -> str:
        if run.id.startswith("-"):
            return as_typed([command, *options, *where, "--", run.id])
        return as_typed([command, run.id, *options, *where])

    commands = {
        "show": of_run("show"),
        "logs": of_run("logs"),
        "report": of_run("report"),
        "as JSON": of_run("report", "--json"),
    }
    target, given = run.info.get("target"), source.given_again()
    if isinstance(target, str) and given is not None:
        is_unfinished = run.status.is_unfinished
        this = ("--run-id", run.id) if is_unfinished else ()
        commands["continue" if is_unfinished else "again"] = as_typed(
            ["run", *given, *this, *where, "--", target, *run.targets]
        )
    return commands

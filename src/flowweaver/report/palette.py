"""The colours of statuses, the same in every picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flowweaver.definitions.workflow import Workflow
from flowweaver.status import TaskStatus


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours of a box, as ``#rrggbb``; `ink` is that of its text."""

    fill: str
    line: str
    ink: str


STATUS_COLOURS: Mapping[TaskStatus, Colours] = {
    TaskStatus.PENDING: Colours("#f6f8fa", "#8c959f", "#24292f"),
    TaskStatus.RUNNING: Colours("#bf8700", "#7d4e00", "#ffffff"),
    TaskStatus.RETRYING: Colours("#bc4c00", "#762c00", "#ffffff"),
    TaskStatus.COMPLETED: Colours("#1a7f37", "#116329", "#ffffff"),
    TaskStatus.FAILED: Colours("#cf222e", "#82071e", "#ffffff"),
    TaskStatus.SKIPPED: Colours("#eaeef2", "#8c959f", "#57606a"),
    TaskStatus.UPSTREAM_FAILED: Colours("#ffcecb", "#a40e26", "#660018"),
    TaskStatus.CANCELLED: Colours("#8250df", "#512a97", "#ffffff"),
}


def last_statuses(workflow: Workflow, names: Iterable[str]) -> list[TaskStatus]:
    """Return where tasks stand in the workflow's last run, in their order."""
    return [workflow.get_task_status(name) or TaskStatus.PENDING for name in names]

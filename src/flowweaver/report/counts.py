"""How the tasks of a run came out, one by one and in number."""

from __future__ import annotations

from collections.abc import Mapping

from flowweaver.names import shown_name
from flowweaver.records import TaskRecord
from flowweaver.run import Run
from flowweaver.status import OUTCOMES, outcome_of

COUNTED = OUTCOMES
"""The outcomes by which TaskRuns are counted, in the order in which they are told."""


def counts_of(run: Run) -> dict[str, int]:
    """Return how many TaskRuns of a run came out how, with all of `COUNTED` and "total" as keys."""
    outcomes = run.outcomes()
    return {
        "total": sum(outcomes.values()),
        **{outcome: outcomes.get(outcome, 0) for outcome in COUNTED},
    }


def outcome(record: TaskRecord) -> str:
    """Return how a TaskRun came out: its status, but a completed one by its origin."""
    return outcome_of(record.status, record.origin)


def display_name(task: TaskRecord) -> str:
    """Return the name of a TaskRun; an element of a fan-out as ``page[3] (Oslo)``."""
    return shown_name(task.task, task.element, task.label)


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Return counts as one line: "5 tasks: 3 executed, 1 failed, 1 upstream failed"."""
    total = counts["total"]
    head = f"{total} task{'' if total == 1 else 's'}"
    parts = [f"{counts[key]} {key.replace('_', ' ')}" for key in COUNTED if counts.get(key)]
    return f"{head}: {', '.join(parts)}" if parts else head

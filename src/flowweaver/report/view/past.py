"""Earlier runs of the same workflow: how long tasks took, what to expect, what was different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.view.sources import Source
from flowweaver.status import Origin, TaskStatus

RUNS_SHOWN = 10
# Earlier runs are read for durations as long as there are no more TaskRuns in them than this.
_RECORDS_READ = 20_000


@dataclass(slots=True)
class Past:
    """What is known of the runs before one.

    Attributes:
        runs: Those that are listed, newest first.
        read: The records of those that were read, newest first.
    """

    runs: Sequence[RunRecord] = ()
    read: list[tuple[RunRecord, Sequence[TaskRecord]]] = field(default_factory=list)
    _index: dict[tuple[str, str], TaskRecord] | None = None

    def completed(self, task: str, element: str) -> TaskRecord | None:
        """Return the newest record of the same TaskRun that says it was completed."""
        if self._index is None:
            self._index = {}
            for _, records in self.read:
                for record in records:
                    if record.status is TaskStatus.COMPLETED:
                        self._index.setdefault((record.task, record.element), record)
        return self._index.get((task, element))

    def durations(self) -> dict[str, list[float | None]]:
        """Return by task its seconds in each run that was read, oldest first.

        Of a mapped task it is the sum over its elements; None where nothing was executed.
        """
        found: dict[str, list[float | None]] = {}
        for place, (_, records) in enumerate(reversed(self.read)):
            for record in records:
                if _was_executed(record):
                    spans = found.setdefault(record.task, [None] * len(self.read))
                    spans[place] = (spans[place] or 0.0) + (record.duration or 0.0)
        return found


def past_of(source: Source) -> Past:
    """Read the runs before one, no more of them than is worth the time."""
    runs = source.earlier(RUNS_SHOWN)
    past, budget = Past(runs), _RECORDS_READ
    for run in runs:
        records = source.tasks_of(run.id)
        past.read.append((run, records))
        budget -= len(records)
        if budget <= 0:
            break
    return past


def history(past: Past) -> dict[str, Any]:
    """Return the strip of earlier runs and the seconds each task took in them, oldest first."""
    return {
        "runs": [run_mark(run) for run in reversed(past.runs)],
        "measured": [run.id for run, _ in reversed(past.read)],
        "seconds": {
            task: [None if span is None else round(span, 4) for span in spans]
            for task, spans in past.durations().items()
        },
    }


def run_mark(run: RunRecord) -> dict[str, Any]:
    """Return of a run what a list or a strip shows of it."""
    finished = run.finished_at
    return {
        "id": run.id,
        "status": run.status.value,
        "began": run.created_at,
        "seconds": None if finished is None else round(max(0.0, finished - run.claimed_at), 4),
    }


def expected(past: Past) -> dict[str, float]:
    """Return the seconds each task is expected to take: the median of earlier runs."""
    return {
        task: round(median(known), 4)
        for task, spans in past.durations().items()
        if (known := [span for span in spans if span is not None])
    }


def _was_executed(record: TaskRecord) -> bool:
    return (
        record.origin is Origin.EXECUTED
        and record.status is TaskStatus.COMPLETED
        and record.digest is not None
        and record.duration is not None
    )

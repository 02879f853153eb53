"""Earlier runs of the same workflow: how long tasks took, what to expect, what was different."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.view.sources import Source
from flowweaver.status import Origin, TaskStatus

RUNS_SHOWN = 10
# Earlier runs are read for durations as long as there are no more TaskRuns in them than this.
_RECORDS_READ = 20_000
_PAGE = 2_000


class Past:
    """What is known of the runs before one.

    Their records are read page by page: held is how long tasks took, and where to find what a
    TaskRun is compared with.

    Attributes:
        runs: Those that are listed, newest first.
        measured: Those among them that were read, newest first.
    """

    def __init__(self, source: Source) -> None:
        self.runs: Sequence[RunRecord] = source.earlier(RUNS_SHOWN)
        self.measured: list[RunRecord] = []
        self._source = source
        self._spans: list[dict[str, float]] = []
        self._index: dict[tuple[str, str], tuple[str, int]] | None = None
        budget = _RECORDS_READ
        for run in self.runs:
            spans: dict[str, float] = {}
            for record in self._records(run.id):
                budget -= 1
                if _was_executed(record):
                    spans[record.task] = spans.get(record.task, 0.0) + (record.duration or 0.0)
            self.measured.append(run)
            self._spans.append(spans)
            if budget <= 0:
                break

    def completed(self, task: str, element: str) -> TaskRecord | None:
        """Return the newest record of the same TaskRun that says it was completed.

        One that stands behind very many others is not found.
        """
        if self._index is None:
            self._index = {}
            for run in self.measured:
                for place, record in enumerate(self._records(run.id)):
                    if len(self._index) == _RECORDS_READ:
                        break
                    if record.status is TaskStatus.COMPLETED:
                        self._index.setdefault((record.task, record.element), (run.id, place))
        found = self._index.get((task, element))
        if found is None:
            return None
        run_id, place = found
        return self._source.tasks_of(run_id, place, place + 1)[0]

    def durations(self) -> dict[str, list[float | None]]:
        """Return by task its seconds in each run that was read, oldest first.

        Of a mapped task it is the sum over its elements; None where nothing was executed.
        """
        spans = self._spans[::-1]
        names = dict.fromkeys(name for each in spans for name in each)
        return {name: [each.get(name) for each in spans] for name in names}

    def _records(self, run_id: str) -> Iterator[TaskRecord]:
        start = 0
        while records := self._source.tasks_of(run_id, start, start + _PAGE):
            yield from records
            start += _PAGE


def history(past: Past) -> dict[str, Any]:
    """Return the strip of earlier runs and the seconds each task took in them, oldest first."""
    return {
        "runs": [run_mark(run) for run in reversed(past.runs)],
        "measured": [run.id for run in reversed(past.measured)],
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

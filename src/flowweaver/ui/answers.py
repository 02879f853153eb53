"""What the page asks a store for, as JSON: its runs, and how two of them differ."""

from __future__ import annotations

from typing import Any

from flowweaver.engine.history.pages import Pages
from flowweaver.records import RunRecord
from flowweaver.report.standing import standing
from flowweaver.report.view.compared import compared
from flowweaver.report.view.past import RUNS_SHOWN, run_mark
from flowweaver.state_store import StateStore

MOST_RUNS = 500


def runs_json(store: StateStore) -> dict[str, Any]:
    """Return the newest runs of a store, and of each workflow a strip of its last ones."""
    runs = store.runs(limit=MOST_RUNS)
    strips: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        strip = strips.setdefault(run.workflow, [])
        if len(strip) < RUNS_SHOWN:
            strip.append(_mark(store, run))
    return {
        "store": store.url,
        "runs": [{**_mark(store, run), **_beside(run)} for run in runs],
        "strips": {workflow: marks[::-1] for workflow, marks in strips.items()},
        "more": len(runs) == MOST_RUNS,
    }


def compared_json(store: StateStore, first: str, second: str) -> dict[str, Any]:
    """Return how two runs differ.

    Raises:
        UnknownNameError: There is none of an id.
    """
    old, new = store.run(first), store.run(second)
    return compared(store, (old, Pages(store, first)), (new, Pages(store, second)))


def _mark(store: StateStore, run: RunRecord) -> dict[str, Any]:
    return {**run_mark(run), "status": standing(store, run)}


def _beside(run: RunRecord) -> dict[str, Any]:
    told: dict[str, Any] = {"workflow": run.workflow, "by": run.runner, "claimed": run.claimed_at}
    for key in ("tasks", "target"):
        if isinstance(run.info.get(key), int | str):
            told[key] = run.info[key]
    return told

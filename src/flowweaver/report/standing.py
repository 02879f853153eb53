"""Where runs stand: a run that is marked as running while nobody works on it was interrupted."""

from __future__ import annotations

from flowweaver.records import RunRecord
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus

INTERRUPTED = "interrupted"


def standing(store: StateStore, run: RunRecord) -> str:
    """Return where a run of a store stands, as it is shown."""
    return standing_of(run, is_held=run.status is not RunStatus.RUNNING or store.is_held(run))


def standing_of(run: RunRecord, *, is_held: bool) -> str:
    """Return where a run stands, given whether a process works on it."""
    if run.status is RunStatus.RUNNING and not is_held:
        return INTERRUPTED
    return run.status.value

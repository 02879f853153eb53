"""How an execution ends: what its run came to, and what the next execution is to know of it."""

from __future__ import annotations

from collections.abc import Collection

from flowweaver.engine.carried import Carried
from flowweaver.engine.invocation import Invocation
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.reuse.seal import Outline
from flowweaver.engine.setting import Setting
from flowweaver.engine.unchanged import Unchanged
from flowweaver.records import DIFFERS_KEY, OUTLINE_KEY, Lease
from flowweaver.run import Run
from flowweaver.status import RunStatus, TaskStatus, came_to


class Ending:
    """Records that one execution of a run is over.

    Args:
        run: The run as its users see it.
        setting: The parts that walk through its workflow.
        recorder: Keeps store and observers up to date.
        unchanged: Tells what the run is sealed with; None without a store.
        carried: What the run has taken over from the one before, if it has as a whole.
        beyond: Where those tasks of the run stand that are not asked for this time.
    """

    __slots__ = ("_beyond", "_carried", "_recorder", "_run", "_setting", "_unchanged")

    def __init__(
        self,
        run: Run,
        setting: Setting,
        recorder: Recorder,
        unchanged: Unchanged | None,
        carried: Carried | None,
        beyond: Collection[TaskStatus],
    ) -> None:
        self._run = run
        self._setting = setting
        self._recorder = recorder
        self._unchanged = unchanged
        self._carried = carried
        self._beyond = beyond

    def record(self) -> None:
        """Record what the run came to, now that all that was asked for is final."""
        status, outline = came_to([*self._run.counts(), *self._beyond]), self._outline()
        recorder, carried, info, base = self._recorder, self._carried, {}, None
        if outline is not None and outline.is_worth_keeping:
            info[OUTLINE_KEY] = self._kept(outline)
        if carried is not None:
            base = carried.base if status is RunStatus.COMPLETED else None
            recorder.carried(carried.rows(whole=base is None))
            if base is not None:
                info[DIFFERS_KEY], text = carried.differing()
                recorder.code(info[DIFFERS_KEY], text)
        recorder.finished(status, None if outline is None else outline.seal, base, info)

    def committed(self) -> None:
        """What was recorded is on disk: the run before may go."""
        if self._carried is not None:
            self._carried.arrived()

    def _outline(self) -> Outline | None:
        """Return what the run is sealed with, if nothing of it has to be looked at anew."""
        setting, is_done = self._setting, {TaskStatus.COMPLETED}
        if self._unchanged is None or not setting.results.are_plain:
            return None
        return self._unchanged.outline if set(setting.scheduler.status) == is_done else None

    def _kept(self, outline: Outline) -> str:
        """Have the store keep all that the results depend on; return what it is kept under."""
        store = self._setting.results.store
        if store is not None and store.code(outline.seal) is None:
            self._recorder.code(outline.seal, outline.text())
        return outline.seal


def beyond(invocation: Invocation, lease: Lease) -> list[TaskStatus]:
    """Return where those tasks of a run stand that are not asked for this time."""
    if lease.run.targets == invocation.targets:
        return []
    known = {record.task: record.status for record in lease.tasks if not record.element}
    names, asked = invocation.scope_of(lease.run).index, invocation.wiring.index
    return [known.get(name, TaskStatus.PENDING) for name in names if name not in asked]

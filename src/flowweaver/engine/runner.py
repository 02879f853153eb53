"""The runner: the one loop that joins scheduler, executor, store and observers.

It is a generator that says what has to be waited for: a number of seconds (or None, for ever)
until something arrives in the inbox, or changes to be committed. Who drives it, blocking or
awaiting, does the waiting. So there is one loop, with a sync and an async face.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping

from flowweaver.engine.abandoning import abandon
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.deadlines import Deadlines
from flowweaver.engine.files import MadeFiles
from flowweaver.engine.finisher import Finisher
from flowweaver.engine.flight import Flight
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.live import LiveRun
from flowweaver.engine.overriding import Override
from flowweaver.engine.precedence import Precedence, Rank
from flowweaver.engine.pressure import Pressure
from flowweaver.engine.protocols import Backend
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.retention import Retention
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.engine.reuse.seal import Outline
from flowweaver.engine.setting import Setting
from flowweaver.engine.starter import Starter
from flowweaver.engine.starts import Starts
from flowweaver.engine.stopping import Stopping
from flowweaver.engine.unchanged import Unchanged, conclude
from flowweaver.engine.upstream import Upstream
from flowweaver.records import Changes
from flowweaver.run import Run
from flowweaver.status import TaskStatus, came_to

Step = float | Changes | None

# No clock can be asked to wait for ever, so the runner wakes up now and then.
_LONGEST_SLEEP = 3600.0


class Runner:
    """Runs one execution of a run; see the module's words on `steps`.

    Args:
        run: The run as its users see it.
        live: What is known of the run, kept up to date here and nowhere else.
        setting: The parts that walk through its workflow.
        scope: What all calls of the run share.
        inbox: Where finished calls arrive.
        recorder: Keeps store and observers up to date.
        reuse: Decides what is restored; None without a store.
        unchanged: Tells what the run is sealed with, likewise.
        retention: Drops results that nobody takes any more, if they are to be dropped.
        rank: Gives the tasks' priorities for so many places, if there is anything to go by;
            asked once something has to be executed.
        pressure: Weighs results held in memory, if they are to keep to a limit.
        beyond: Where those tasks of the run stand that are not asked for this time.
        overrides: Values given in place of tasks.
        grace: Seconds that running bodies get when the run is stopped.
        unstoppable: Tasks whose bodies go on when a limit of theirs is over.
    """

    def __init__(
        self,
        run: Run,
        live: LiveRun,
        setting: Setting,
        scope: CallScope,
        inbox: Inbox,
        *,
        recorder: Recorder,
        reuse: Reuse | None,
        unchanged: Unchanged | None,
        retention: Retention | None,
        rank: Rank | None,
        pressure: Pressure | None,
        beyond: Collection[TaskStatus],
        overrides: Mapping[int, Override],
        grace: float,
        unstoppable: Collection[str],
    ) -> None:
        scheduler, ledger = setting.scheduler, live.ledger
        self.run = run
        self._setting = setting
        self._ledger = ledger
        self._inbox = inbox
        self._recorder = recorder
        self._reuse = reuse
        self._beyond = beyond
        self._unchanged = unchanged
        self._overrides = overrides
        self._scope = scope
        self._flight = flight = Flight()
        self._stopping = Stopping(inbox, ledger.clock, grace)
        self.starts = starts = Starts(flight, recorder)
        self._deadlines = Deadlines(scheduler, ledger.clock, flight, unstoppable)
        made = MadeFiles()
        precedence = Precedence(
            scheduler, setting.graph.size, rank=rank, retention=retention, pressure=pressure
        )
        self._starter = Starter(
            setting, scope, inbox, ledger, recorder, reuse, flight, starts, self._deadlines,
            precedence, made,
        )  # fmt: skip
        self._finisher = Finisher(
            setting, ledger, recorder, reuse, flight, starts, precedence, made,
            Upstream(run, setting.graph, scheduler, ledger), self._stopping,
        )  # fmt: skip

    def open(self, backend: Backend) -> None:
        """Take the backend that calls are submitted to, and the values given in place of tasks."""
        self._flight.open(backend)
        for node, override in self._overrides.items():
            task = self._setting.graph.task(node)
            self._finisher.given(override.as_call(self._scope, node, task))

    def stop(self) -> None:
        """Start nothing more, as after one Ctrl-C. From any thread or signal handler."""
        self._stopping.stop()

    def give_up(self) -> None:
        """Don't wait for running bodies any longer, as after a second Ctrl-C."""
        self._stopping.give_up()

    def press(self) -> None:
        """Ctrl-C was pressed: stop kindly the first time, give up what runs the second."""
        self._stopping.press()

    @property
    def pressed(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._stopping.pressed

    @property
    def error(self) -> BaseException | None:
        """What the first attempt raised that made its task fail."""
        return self._finisher.error

    def abandon(self) -> None:
        """Cancel all that neither is final nor runs: an interrupt has torn what was being done."""
        abandon(self._flight, self._setting, self._ledger, self._inbox, self._reuse)
        self._recorder.forget()

    def steps(self) -> Generator[Step, None, None]:
        """Run until all tasks are final, yielding what has to be waited for.

        Can be called again to go on where an interrupt left off: as it is if that fell into the
        waiting, after `abandon` if not.
        """
        scheduler, recorder, inbox = self._setting.scheduler, self._recorder, self._inbox
        flight, stopping, clock = self._flight, self._stopping, self._ledger.clock
        while scheduler.unfinished:
            if stopping.requested:
                stopping.begin()
                scheduler.stop()
            # Hold free slots while a commit is about to unblock something more urgent.
            if not scheduler.awaits(flight.committing):
                self._start_ready()
            if recorder.changes is not None:
                yield recorder.changes
                self._finisher.committed()
            elif scheduler.stopped and not flight.calls and not inbox:
                break  # an interrupt has come in between, and what is missing will never come
            elif scheduler.unfinished and not stopping.requested:
                if not inbox:
                    scheduler.rest()
                    patience = self._patience()
                    if clock.skip is None or patience is None or flight.calls:
                        yield patience
                    else:
                        clock.skip(patience)
                self._collect(inbox.drain())
                self._look_at_clock()
        yield from self._finish()

    def _start_ready(self) -> None:
        scheduler, flight, stopping = self._setting.scheduler, self._flight, self._stopping
        begin, submit, ended = self._starter.begin, flight.backend.submit, self._finisher.ended
        while True:
            # What was settled has values to be noted before those who take them can start.
            if scheduler.news:
                self._finisher.settle()
            if len(flight.calls) >= flight.window or stopping.requested:
                return
            node = scheduler.draw()
            if node is None:
                return
            call = begin(node)
            if call is not None and submit(call):
                ended(call)

    def _collect(self, batch: list[Call | None]) -> None:
        calls = self._flight.calls
        for call in batch:
            # What is not in flight was given up, or is handed in a second time.
            if call is not None and calls.get(call.node) is call:
                self._finisher.ended(call)
        self._flight.arrived(len(batch))

    def _patience(self) -> float | None:
        """Return how many seconds the runner can sleep if nothing arrives."""
        clock = self._ledger.clock
        moments = [self._setting.scheduler.next_due(), self._stopping.give_up_at]
        known = [moment for moment in moments if moment is not None]
        if not known:
            return None
        return min(max(0.0, min(known) - clock.monotonic()), _LONGEST_SLEEP)

    def _look_at_clock(self) -> None:
        due, give_up_at = self._setting.scheduler.next_due(), self._stopping.give_up_at
        if due is None and give_up_at is None:
            return
        now = self._ledger.clock.monotonic()
        if due is not None and due <= now:
            for call, error in self._deadlines.passed(now):
                self._finisher.end_by_force(call, error, now)
        if give_up_at is not None and give_up_at <= now:
            self._give_up_running(now)

    def _give_up_running(self, now: float) -> None:
        self._stopping.give_up_at = None
        for call in list(self._flight.calls.values()):
            call.interrupted = True
            self._finisher.end_by_force(call, InterruptedError("the run was stopped"), now)

    def _finish(self) -> Generator[Step, None, None]:
        scheduler = self._setting.scheduler
        if scheduler.news:
            self._finisher.settle()
        status = came_to([*self.run.counts(), *self._beyond])
        store, carried = self._setting.results.store, self._ledger.carried
        conclude(status, self._recorder, store, self._outline(), carried)
        yield self._recorder.changes
        self._finisher.committed()
        if carried is not None:
            carried.arrived()

    def _outline(self) -> Outline | None:
        """Return what the run is sealed with, if nothing of it has to be looked at anew."""
        setting, is_done = self._setting, {TaskStatus.COMPLETED}
        if self._unchanged is None or not setting.results.are_plain:
            return None
        return self._unchanged.outline if set(setting.scheduler.status) == is_done else None

"""The runner: the one loop that joins scheduler, executor, store and observers.

It is a generator that says what has to be waited for: a number of seconds (or None, for ever)
until something arrives in the inbox, or changes to be committed. Who drives it, blocking or
awaiting, does the waiting. So there is one loop, with a sync and an async face.
"""

from __future__ import annotations

from collections.abc import Collection, Generator

from flowweaver.engine.alarms import Alarms
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.deadlines import Deadlines
from flowweaver.engine.ending import Ending
from flowweaver.engine.files import MadeFiles
from flowweaver.engine.finisher import Finisher
from flowweaver.engine.flight import Flight
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.precedence import Precedence
from flowweaver.engine.protocols import Backend
from flowweaver.engine.recorder import Recorder
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.engine.setting import Setting
from flowweaver.engine.starter import Starter
from flowweaver.engine.starts import Starts
from flowweaver.engine.stopping import Stopping
from flowweaver.engine.upstream import Upstream
from flowweaver.records import Changes
from flowweaver.run import Run

Step = float | Changes | None


class Runner:
    """Runs one execution of a run; see the module's words on `steps`.

    Args:
        run: The run as its users see it.
        setting: The parts that walk through its workflow.
        scope: What all calls of the run share.
        inbox: Where finished calls arrive.
        ledger: What is noted of the nodes.
        recorder: Keeps store and observers up to date.
        reuse: Decides what is restored; None without a store.
        precedence: Orders what is ready.
        ending: Records what the run came to.
        grace: Seconds that running bodies get when the run is stopped.
        unstoppable: Tasks whose bodies go on when a limit of theirs is over.

    Attributes:
        run: The run as its users see it.
        starts: The attempts under way that the store does not know of.
    """

    def __init__(
        self,
        run: Run,
        setting: Setting,
        scope: CallScope,
        inbox: Inbox,
        ledger: Ledger,
        *,
        recorder: Recorder,
        reuse: Reuse | None,
        precedence: Precedence,
        ending: Ending,
        grace: float,
        unstoppable: Collection[str],
    ) -> None:
        scheduler, clock = setting.scheduler, ledger.clock
        self.run = run
        self._scheduler = scheduler
        self._inbox = inbox
        self._recorder = recorder
        self._ending = ending
        self._flight = flight = Flight()
        self._stopping = stopping = Stopping(inbox, clock, grace)
        self.starts = starts = Starts(flight, recorder)
        deadlines, made = Deadlines(scheduler, clock, flight, unstoppable), MadeFiles()
        self._starter = Starter(
            setting, scope, inbox, ledger, recorder, reuse, flight, starts, deadlines, precedence,
            made,
        )  # fmt: skip
        self._finisher = finisher = Finisher(
            setting, ledger, recorder, reuse, flight, starts, precedence, made,
            Upstream(run, setting.graph, scheduler, ledger), stopping,
        )  # fmt: skip
        self._alarms = Alarms(scheduler, clock, flight, deadlines, stopping, finisher)

    def give(self, call: Call) -> None:
        """Take a value given in place of what a task would return, as a call that was none."""
        self._finisher.given(call)

    def open(self, backend: Backend) -> None:
        """Take the backend that calls are submitted to."""
        self._flight.open(backend)

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
        self._finisher.abandon(self._inbox)

    def steps(self) -> Generator[Step, None, None]:
        """Run until all tasks are final, yielding what has to be waited for.

        Can be called again to go on where an interrupt left off: as it is if that fell into the
        waiting, after `abandon` if not.
        """
        scheduler, recorder, inbox = self._scheduler, self._recorder, self._inbox
        flight, stopping, alarms = self._flight, self._stopping, self._alarms
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
                    patience = alarms.patience()
                    if not alarms.skip(patience):
                        yield patience
                self._collect(inbox.drain())
                alarms.ring()
        yield from self._finish()

    def _start_ready(self) -> None:
        scheduler, flight, stopping = self._scheduler, self._flight, self._stopping
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

    def _finish(self) -> Generator[Step, None, None]:
        if self._scheduler.news:
            self._finisher.settle()
        self._ending.record()
        yield self._recorder.changes
        self._finisher.committed()
        self._ending.committed()

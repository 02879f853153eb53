"""Starts that are committed before their ends, so that an attempt which is cut short is counted.

What is over soon is committed once, start and end together. The start of what lasts is committed on
its own; not by the runner, whose thread may be performing that very body, but by a thread which
looks a few times a second at what is under way. Nothing is done for each attempt but to note it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from flowweaver.engine.body.call import Call
from flowweaver.engine.flight import Flight
from flowweaver.engine.recorder import Recorder
from flowweaver.records import Changes

# How long an attempt goes on before its start is committed, and how often that is looked at: so
# that it is on disk when the body has run for a tenth of a second.
_LASTING_SECONDS = 0.04
_LOOK_EVERY_SECONDS = 0.02
# How long a run waits in the end for a commit that hangs: an interrupt may have torn its store.
_ENDING_SECONDS = 1.0


class Starts:
    """The attempts of one run whose starts the store does not know.

    The runner adds them and takes them out; all else is asked by another thread.

    Attributes:
        wake: Called when there is something again after `rest`.
    """

    __slots__ = ("_calls", "_flight", "_is_resting", "_recorder", "wake")

    def __init__(self, flight: Flight, recorder: Recorder) -> None:
        self._flight = flight
        self._recorder = recorder
        self._calls: dict[Call, None] = {}
        self._is_resting = True
        self.wake: Callable[[], None] = _nobody

    def add(self, call: Call) -> None:
        """Note an attempt that is about to start."""
        self._calls[call] = None
        if self._is_resting:
            self._is_resting = False
            self.wake()

    def discard(self, call: Call) -> None:
        """Forget an attempt: what is to be committed of it says more than that it started."""
        self._calls.pop(call, None)

    def rest(self) -> bool:
        """Return whether there is nothing to look at, so that `wake` will be called."""
        if self._calls:
            return False
        self._is_resting = True
        # What is added at this moment may or may not have seen that.
        return not self._calls

    def lasting(self, now: float) -> Changes | None:
        """Return what is to be committed of attempts that last, if there are any.

        To be asked while no commit of the runner is under way: what is in flight then is not yet
        among what the runner has committed.
        """
        records = []
        for call in list(self._calls):
            if self._flight.calls.get(call.node) is not call:
                self._calls.pop(call, None)
            elif call.started is not None and now - call.started >= _LASTING_SECONDS:
                self._calls.pop(call, None)
                records.append(self._recorder.begun(call))
        return Changes(tasks=records) if records else None


class StartWatch:
    """Has starts committed, in a thread of its own that sleeps while nothing is under way.

    Args:
        starts: Those of a run.
        commit: Commits those that last.
        lost: Told why that failed; nothing more is committed then.
    """

    def __init__(
        self, starts: Starts, commit: Callable[[], None], lost: Callable[[Exception], None]
    ) -> None:
        self._starts = starts
        self._commit = commit
        self._lost = lost
        self._woken = threading.Event()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Watch, from the first attempt on."""
        self._starts.wake = self._wake
        return self

    def __exit__(self, *_: object) -> None:
        """Commit nothing more."""
        self._starts.wake = _nobody
        self._over.set()
        self._woken.set()
        # Not yet if an interrupt has come before its start.
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(_ENDING_SECONDS)

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._watch, name="flowweaver-starts", daemon=True
            )
            self._thread.start()
        self._woken.set()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY_SECONDS):
            try:
                self._commit()
            except Exception as error:
                self._lost(error)
                return
            self._woken.clear()
            # Who ends this sets `_over` first: its call may be the one that was just cleared.
            if self._starts.rest() and not self._over.is_set():
                self._woken.wait()


def _nobody() -> None:
    """Stand for who would be told."""

"""Starts that are committed on their own, for whoever looks at the store."""

from __future__ import annotations

from flowweaver.engine.flight import Flight
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.recorder import Recorder

# How long an attempt may run before its start is committed on its own; shorter ones are
# committed once, with their end.
SHOWN_AFTER_SECONDS = 0.1


class Showing:
    """Has the start of attempts that take long committed.

    Attributes:
        unshown: The nodes whose attempts go on without the store knowing.
    """

    __slots__ = ("_due", "_flight", "_ledger", "_recorder", "unshown")

    def __init__(self, flight: Flight, ledger: Ledger, recorder: Recorder) -> None:
        self._flight = flight
        self._ledger = ledger
        self._recorder = recorder
        self._due = 0.0
        self.unshown: set[int] = set()

    def look(self, now: float) -> None:
        """Record the starts of what has run for long enough."""
        # Not at every look: where there are thousands of places, going through them takes a while.
        if not self.unshown or now < self._due:
            return
        self._due = now + SHOWN_AFTER_SECONDS / 2
        for node in list(self.unshown):
            call = self._flight.calls.get(node)
            if call is None:
                self.unshown.discard(node)
            elif call.started is not None and now - call.started >= SHOWN_AFTER_SECONDS:
                self.unshown.discard(node)
                self._ledger.started[node] = call.started
                self._recorder.running(node)

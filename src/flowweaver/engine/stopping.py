"""How a run comes to be stopped before its end: kindly at first, then at once."""

from __future__ import annotations

from flowweaver.engine.clock import Clock
from flowweaver.engine.inbox import Inbox


class Stopping:
    """What was asked for by whoever wants a run to stop. From any thread or signal handler.

    Attributes:
        requested: Whether it was asked for since the runner last looked.
        pressed: Whether Ctrl-C was pressed.
        give_up_at: When what still runs is not waited for any longer; None for not at all.
    """

    __slots__ = ("_clock", "_grace", "_inbox", "give_up_at", "pressed", "requested")

    def __init__(self, inbox: Inbox, clock: Clock, grace: float) -> None:
        self._inbox = inbox
        self._clock = clock
        self._grace = grace
        self.requested = False
        self.pressed = False
        self.give_up_at: float | None = None

    def stop(self) -> None:
        """Start nothing more, as after one Ctrl-C."""
        self.requested = True
        self._inbox.put(None)

    def give_up(self) -> None:
        """Don't wait for running bodies any longer, as after a second Ctrl-C."""
        self.give_up_at = 0.0
        self.stop()

    def press(self) -> None:
        """Ctrl-C was pressed: stop kindly the first time, give up what runs the second."""
        if self.pressed:
            self.give_up()
        self.pressed = True
        self.stop()

    def begin(self) -> None:
        """The runner has seen that it is to stop: what runs gets its grace from now on."""
        self.requested = False
        if self.give_up_at is None:
            self.give_up_at = self._clock.monotonic() + self._grace

"""What is noted of each node of a run while it goes on."""

from __future__ import annotations

from flowweaver.engine.carried import Carried
from flowweaver.engine.clock import Clock
from flowweaver.engine.timings import Timings
from flowweaver.facts import Facts
from flowweaver.reasons import Reason, words_of
from flowweaver.records import Failure, TaskRecord


class Ledger:
    """What the runner notes of each node of a run; written by the runner alone.

    Attributes:
        clock: What the run goes by.
        began: When this execution began, by the monotonic clock.
        ended: When it ended; None while it goes on.
        ran: When the attempts that count ran, by the same clock, and who performed them.
        failures: Why nodes failed.
        restored: The records of nodes that were looked at and not executed.
        carried: The records of nodes that were not even looked at, as they are the run before's;
            None if all were looked at.
        overridden: The nodes whose results were given.
        reasons: Why nodes were executed, restored or skipped.
        facts: What the result of each node depends on, as far as it has been looked at.
    """

    __slots__ = (
        "_offset", "began", "carried", "clock", "ended", "facts", "failures",
        "overridden", "ran", "reasons", "restored",
    )  # fmt: skip

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.began = clock.monotonic()
        self._offset = clock.wall() - self.began
        self.ended: float | None = None
        self.ran = Timings()
        self.failures: dict[int, Failure] = {}
        self.restored: dict[int, TaskRecord] = {}
        self.carried: Carried | None = None
        self.overridden: set[int] = set()
        self.reasons: dict[int, Reason] = {}
        self.facts: dict[int, Facts] = {}

    @property
    def seconds(self) -> float:
        """How long this execution took, or has taken so far."""
        return (self.clock.monotonic() if self.ended is None else self.ended) - self.began

    def is_restored(self, node: int) -> bool:
        """Whether a node was not executed, as its result was there."""
        return node in self.restored or (self.carried is not None and self.carried.has(node))

    def restored_at(self, node: int) -> TaskRecord | None:
        """Return the record that a node was restored from; None if it was not."""
        if self.carried is not None and self.carried.has(node):
            return self.carried.record(node)
        return self.restored.get(node)

    def words(self, node: int) -> str:
        """Return in words why a node was executed, restored or skipped; "" if that is not known."""
        reason = self.reasons.get(node)
        if reason is None and self.carried is not None and self.carried.has(node):
            return self.carried.record(node).reason
        return "" if reason is None else words_of(reason)

    def wall(self, moment: float) -> float:
        """Return a moment of the monotonic clock as seconds since the epoch.

        Taken from one reading of the wall clock, so that times within a run never go backwards.
        """
        return moment + self._offset

"""Calls that a worker is given at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from flowweaver.executors._workers.session import Session
from flowweaver.executors._workers.sidelines import Permits
from flowweaver.plugins import Call


class Batch:
    """Calls of one run, in order, and how far a worker has come with them.

    The pool's lock guards all of it.

    Attributes:
        session: The run's.
        calls: Those whose end is not known here. Beyond the first, none was begun, unless it has
            ended and its outcome is still on its way.
        is_cut: Whether some were taken back after the worker had been given them.
    """

    def __init__(self, session: Session, calls: Iterable[Call]) -> None:
        self.session = session
        self.calls = deque(calls)
        self.is_cut = False
        self._permits: Permits | None = None

    def begin(self, permits: Permits) -> int:
        """Let a worker begin the calls, and return how many they are."""
        self._permits = permits
        self.is_cut = False
        permits.give(len(self.calls))
        return len(self.calls)

    def rewind(self) -> None:
        """Forget the worker that was given the calls; another one gets those that are left."""
        self._permits = None

    def cut(self, *, keep: int = 0) -> list[Call]:
        """Take back the calls that were not begun, but never the first `keep`; return them."""
        count = max(0, len(self.calls) - keep)
        if self._permits is not None and count:
            count = self._permits.take(count)
            self.is_cut = self.is_cut or count > 0
        back = [self.calls.pop() for _ in range(count)]
        back.reverse()
        return back

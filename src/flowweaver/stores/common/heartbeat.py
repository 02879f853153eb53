"""A thread that renews leases for as long as there are any."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from flowweaver.errors import StoreError

_LOG = logging.getLogger("flowweaver.stores")


class Heartbeat:
    """Calls `renew` with the leases there are, `every` so many seconds.

    It is a help, not a guard: a body that keeps the interpreter to itself holds it up as well. What
    keeps others' work safe is that each commit is checked.
    """

    def __init__(self, renew: Callable[[Sequence[int]], None], every: float) -> None:
        self._renew = renew
        self._every = every
        self._leases: set[int] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, lease: int) -> None:
        """Renew a lease from now on; does nothing for one that is renewed already."""
        with self._changed:
            self._leases.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._beat, name="flowweaver-leases", daemon=True
                )
                self._thread.start()

    def remove(self, lease: int) -> None:
        """Renew a lease no longer."""
        with self._changed:
            self._leases.discard(lease)
            self._changed.notify_all()

    def stop(self) -> None:
        """Renew nothing until a lease is added again."""
        with self._changed:
            self._leases.clear()
            self._changed.notify_all()

    def _beat(self) -> None:
        while leases := self._due():
            try:
                self._renew(leases)
            except StoreError as error:
                _LOG.warning("Leases could not be renewed: %s", error)

    def _due(self) -> list[int]:
        with self._changed:
            self._changed.wait_for(lambda: not self._leases, self._every)
            if not self._leases:
                self._thread = None
            return list(self._leases)

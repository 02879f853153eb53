"""Jobs that wait for what their cluster does not have: nothing else would say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Protocol

from flowweaver.executors._cluster.parcels import Shipment
from flowweaver.plugins import TaskOptions

_PATIENCE_SECONDS = 5.0


class Offering(Protocol):
    """A cluster, as far as it says what it has."""

    def lack(self, options: TaskOptions) -> str:
        """Return what keeps it from performing such a job at all, and what to do; "" if nothing."""
        ...


class Unserved:
    """Says once what a cluster lacks for jobs that nobody begins.

    Args:
        cluster: Where the jobs are.
        say: Told what is missing.
        patience: How long a job may wait before the cluster is asked.
    """

    def __init__(
        self, cluster: Offering, say: Callable[[str], None], patience: float | None = None
    ) -> None:
        self._cluster = cluster
        self._say = say
        self.patience = _PATIENCE_SECONDS if patience is None else patience
        self._since = monotonic()
        self._waiting: frozenset[str] = frozenset()
        self._said: set[str] = set()

    def look(self, jobs: Mapping[str, Shipment]) -> None:
        """Look now and then at the jobs that are there."""
        now = monotonic()
        if now - self._since < self.patience:
            return
        begun_none = {job_id for job_id, shipment in jobs.items() if not _is_begun(shipment)}
        waited = self._waiting & begun_none
        self._since, self._waiting = now, frozenset(begun_none)
        with suppress(Exception):  # a cluster that is lost is told of by whoever needs it
            self._tell(jobs[job_id].calls[0].task.options for job_id in waited)

    def _tell(self, waiting: Iterable[TaskOptions]) -> None:
        kinds = {tuple(sorted(options.resources.items())): options for options in waiting}
        for options in kinds.values():
            lack = self._cluster.lack(options)
            if lack and lack not in self._said:
                self._said.add(lack)
                self._say(lack)


def _is_begun(shipment: Shipment) -> bool:
    return any(call.started is not None for call in shipment.calls)


def wants(resources: Mapping[str, float]) -> str:
    """Return resources as people read them: ``gpu 1 and licence 2``."""
    return " and ".join(f"{name} {amount:g}" for name, amount in sorted(resources.items()))

"""Which jobs of a run are on a cluster, and which calls are in them."""

from __future__ import annotations

import itertools
import secrets

from flowweaver.executors._cluster.parcels import Shipment
from flowweaver.plugins import Call


class Manifest:
    """Jobs on a cluster by id, and calls by job. Not thread-safe: hold the backend's lock."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self._shipments: dict[str, Shipment] = {}
        self._job_of: dict[Call, str] = {}

    def new_id(self) -> str:
        """Return an id that no other job of any run has."""
        return f"{self._prefix}-{next(self._numbers)}"

    @property
    def jobs(self) -> int:
        """How many jobs are on the cluster."""
        return len(self._shipments)

    @property
    def calls(self) -> int:
        """How many calls are in them."""
        return len(self._job_of)

    def add(self, job_id: str, shipment: Shipment) -> None:
        """Enter a job with its calls."""
        self._shipments[job_id] = shipment
        self._job_of.update(dict.fromkeys(shipment.calls, job_id))

    def shipment(self, job_id: str) -> Shipment | None:
        """Return the calls of a job, unless it was taken off."""
        return self._shipments.get(job_id)

    def shipments(self) -> dict[str, Shipment]:
        """Return the calls of all jobs that are there, by job."""
        return dict(self._shipments)

    def take_off(self, job_id: str) -> Shipment | None:
        """Take a job off with all of its calls; return it, unless that was done before."""
        shipment = self._shipments.pop(job_id, None)
        for call in shipment.calls if shipment is not None else ():
            self._job_of.pop(call, None)
        return shipment

    def drop(self, call: Call) -> str | None:
        """Take a call off; return its job's id if no call of the job is left."""
        job_id = self._job_of.pop(call, None)
        if job_id is None or any(other in self._job_of for other in self._shipments[job_id].calls):
            return None
        del self._shipments[job_id]
        return job_id

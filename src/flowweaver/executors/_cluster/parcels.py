"""Calls packed into jobs: each function once, each call's arguments on their own."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field

from flowweaver.engine.call import Call
from flowweaver.executors._cluster.job import Job, Request
from flowweaver.executors._workers.packing import Packer, UnsendableError
from flowweaver.executors._workers.wire import Packed
from flowweaver.task import Task


@dataclass(slots=True, eq=False)
class Shipment:
    """A job on its way: its calls, in order, and how they were packed."""

    id: str
    calls: list[Call]
    packing: Packing
    payload: bytes = b""
    refused: list[tuple[Call, UnsendableError]] = field(default_factory=list)


class Packing:
    """One way of packing a run's calls.

    Args:
        packer: Packs functions and arguments.
        shared: Whether several bodies share a worker's process, so that one that is to be given
            up has to be performed apart.
    """

    def __init__(self, packer: Packer, *, shared: bool) -> None:
        self._packer = packer
        self._shared = shared
        # By what a packed function is made of; the task keeps the ids from being used again.
        self._functions: dict[tuple[int, int, int], tuple[Packed, object]] = {}

    def adapted(self, call: Call, missing: str) -> Packing | None:
        """Return a packing that may serve where this one's was refused, if there is one."""
        packer = self._packer.adapted(call.task, missing)
        if packer is None or packer.main is not None:  # a cluster has no main module to run again
            return None
        return Packing(packer, shared=self._shared)

    def ship(self, job_id: str, calls: Sequence[Call]) -> Shipment:
        """Return the calls as a shipment; those that can't be packed are `refused`."""
        shipment = Shipment(job_id, [], self)
        functions: dict[int, tuple[int, Packed]] = {}
        requests = []
        for call in calls:
            try:
                packed = self._function(call.task)
                arguments = self._packer.pack_arguments(call)
            except UnsendableError as error:
                shipment.refused.append((call, error))
                continue
            number, _ = functions.setdefault(id(packed), (len(functions), packed))
            shipment.calls.append(call)
            requests.append(Request(number, call.task.name, call.element, call.attempt, arguments))
        if requests:
            packed_functions = tuple(packed for _, packed in functions.values())
            shipment.payload = self._payload(shipment, packed_functions, tuple(requests))
        return shipment

    def _payload(
        self, shipment: Shipment, functions: tuple[Packed, ...], requests: tuple[Request, ...]
    ) -> bytes:
        first, is_alone = shipment.calls[0], len(requests) == 1
        options, scope = first.task._options, first.scope
        apart = self._shared and (
            options.isolate or options.timeout is not None or options.idle_timeout is not None
        )
        return pickle.dumps(
            Job(
                shipment.id,
                scope.workflow,
                scope.run_id,
                scope.storing,
                apart and is_alone,
                apart and options.isolate,
                is_alone,
                functions,
                requests,
            ),
            5,
        )

    def _function(self, task: Task[..., object]) -> Packed:
        options = task.options
        key = id(task.fn), id(options.retry_on), id(options.when)
        if key not in self._functions:
            self._functions[key] = self._packer.pack_function(task), task
        return self._functions[key][0]

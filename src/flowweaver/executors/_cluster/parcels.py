"""Calls packed into jobs: each function once, each call's arguments on their own."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowweaver.executors._cluster.job import Job, Reference, Request
from flowweaver.executors._cluster.pace import goes_alone
from flowweaver.executors._cluster.shelf import LARGE_BYTES, Shelf
from flowweaver.executors._workers import modules
from flowweaver.executors._workers.packing import Packer, UnsendableError, made_of
from flowweaver.executors._workers.wire import Packed, size_of
from flowweaver.plugins import Call, Task, TaskOptions

# To hear of each start at once takes longer than most short bodies do. It is only for those that
# may have to be given up or may not be repeated.
_TELLS_AFTER_SECONDS = 0.02


@dataclass(slots=True, eq=False)
class Shipment:
    """A job on its way: its calls, in order, and how they were packed."""

    id: str
    calls: list[Call]
    packing: Packing
    payload: bytes = b""
    references: list[object] = field(default_factory=list)
    refused: list[tuple[Call, UnsendableError]] = field(default_factory=list)


class Packing:
    """One way of packing a run's calls.

    Args:
        packer: Packs functions and arguments.
        shelf: Large values that are on the cluster already.
        shared: Whether several bodies share a worker's process, so that one that may be given up
            has to be performed apart.
    """

    def __init__(self, packer: Packer, shelf: Shelf, *, shared: bool) -> None:
        self._packer = packer
        self._shelf = shelf
        self._shared = shared
        self._meant = modules.here.meant()
        # By `made_of`; the task is kept so that its ids are not used again.
        self._functions: dict[tuple[int, ...], tuple[Packed, object]] = {}

    def adapted(self, call: Call, missing: str) -> Packing | None:
        """Return a packing to try after a worker has refused this one's, or None."""
        packer = self._packer.adapted(call.task, missing)
        if packer is None or packer.main is not None:  # a cluster has no main module to run again
            return None
        return Packing(packer, self._shelf, shared=self._shared)

    def ship(self, job_id: str, calls: Sequence[Call]) -> Shipment:
        """Return the calls as a shipment; those that can't be packed are `refused`."""
        shipment = Shipment(job_id, [], self)
        functions: dict[int, tuple[int, Packed]] = {}
        requests = []
        for call in calls:
            try:
                packed = self._function(call.task)
                arguments = self._arguments(call, shipment.references)
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

    def _arguments(self, call: Call, references: list[object]) -> Packed:
        """Pack the arguments of a call, large ones by reference.

        A referenced value may be lost with its worker, which costs an attempt. So later attempts
        take no references, nor does a call that can't be repeated.
        """
        if call.attempt > 1 or call.task.options.acts_once:
            return self._packer.pack_arguments(call)
        if not call.scope.storing and not self._shelf.is_empty:
            call = _with_arguments(call, lambda value: self._known(value, references))
        packed = self._packer.pack_arguments(call)
        if size_of(packed) > LARGE_BYTES:
            storing = call.scope.storing
            call = _with_arguments(call, lambda value: self._put(value, storing, references))
            packed = self._packer.pack_arguments(call)
        return packed

    def _known(self, value: Any, references: list[object]) -> Any:
        found = self._shelf.same(value)
        return value if found is None else _referred(found, references)

    def _put(self, value: Any, storing: bool, references: list[object]) -> Any:
        packed = self._packer.pack(value)
        if size_of(packed) <= LARGE_BYTES:
            return value
        found = self._shelf.equal(value) if storing else None
        return _referred(self._shelf.sent(packed) if found is None else found, references)

    def _payload(
        self, shipment: Shipment, functions: tuple[Packed, ...], requests: tuple[Request, ...]
    ) -> bytes:
        first, is_alone = shipment.calls[0], len(requests) == 1
        options, scope = first.task.options, first.scope
        apart = self._shared and (
            options.isolate or options.timeout is not None or options.idle_timeout is not None
        )
        return pickle.dumps(
            Job(
                shipment.id,
                scope.workflow,
                scope.run_id,
                self._meant,
                scope.storing,
                apart and is_alone,
                apart and options.isolate,
                _tells_after(options) if is_alone else None,
                functions,
                requests,
            ),
            5,
        )

    def _function(self, task: Task[..., object]) -> Packed:
        key = made_of(task)
        if key not in self._functions:
            self._functions[key] = self._packer.pack_function(task)[0], task
        return self._functions[key][0]


def _tells_after(options: TaskOptions) -> float:
    return 0.0 if goes_alone(options) else _TELLS_AFTER_SECONDS


def _with_arguments(call: Call, change: Callable[[Any], Any]) -> Call:
    """Return the call with changed arguments; one object stays one object."""
    seen: dict[int, Any] = {}

    def changed(value: Any) -> Any:
        if id(value) not in seen:
            seen[id(value)] = change(value)
        return seen[id(value)]

    kwargs = {name: changed(value) for name, value in call.kwargs.items()}
    other = Call(call.scope, call.node, call.task, call.element, call.attempt, kwargs)
    if call.condition is not None:
        other.condition = {name: changed(value) for name, value in call.condition.items()}
    return other


def _referred(found: object, references: list[object]) -> Reference:
    references.append(found)
    return Reference(len(references) - 1)

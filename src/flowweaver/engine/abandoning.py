"""What is done when an interrupt has torn the runner's own work."""

from __future__ import annotations

from flowweaver.engine.flight import Flight
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.ledger import Ledger
from flowweaver.engine.resolution import unresolved
from flowweaver.engine.reuse.decide import Reuse
from flowweaver.engine.setting import Setting
from flowweaver.status import TaskStatus


def abandon(
    flight: Flight, setting: Setting, ledger: Ledger, inbox: Inbox, reuse: Reuse | None
) -> None:
    """Cancel every node that is neither final nor running elsewhere.

    What was about to be committed is dropped, so it is done again when the run is continued;
    but an effect that must happen only once waits for a person.
    """
    scheduler, running = setting.scheduler, flight.elsewhere()
    unresolved_ones = _begun_once(flight, setting, reuse) - running.keys()
    for node in unresolved_ones:
        cause = f"attempt {scheduler.attempts[node]} was torn by an interrupt"
        ledger.failures[node] = unresolved(cause)
    durable, flight.durable, flight.committing, flight.held = flight.durable, [], [], []
    for call in list(flight.calls.values()):
        if call.node not in running:
            flight.backend.cancel(call)
        elif call.finished:
            inbox.put(call)  # it may have been taken out, to no avail
    flight.calls = running
    scheduler.abandon(durable, unresolved_ones, running.keys())


def _begun_once(flight: Flight, setting: Setting, reuse: Reuse | None) -> set[int]:
    """Return the nodes of effects that must happen only once and may have."""
    known = {*flight.durable, *(call.node for call in flight.held)}
    return {
        node
        for node, status in enumerate(setting.scheduler.status)
        if status is TaskStatus.RUNNING
        and node not in known
        and setting.graph.options(node).acts_once
        and not _is_done_already(node, reuse)
    }


def _is_done_already(node: int, reuse: Reuse | None) -> bool:
    own = None if reuse is None else reuse.own(node)
    return own is not None and own.status is TaskStatus.COMPLETED

"""What observers are told of a run: events, each complete when it is made.

An observer hears of a change only once it is committed; only starts are told at once.
"""

from __future__ import annotations

from flowweaver.engine.live import LiveRun
from flowweaver.engine.run_graph import RunGraph
from flowweaver.events import Event, EventKind, Notifier
from flowweaver.records import Failure
from flowweaver.run import Run
from flowweaver.status import Origin, TaskStatus


class Teller:
    """Makes the events of one run, and passes them on when their time has come.

    Args:
        run: The run as observers see it.
        live: What is known of it.
        graph: Its graph.
        notifier: Who tells observers.
        storing: Whether what happens waits for a commit.
    """

    def __init__(
        self, run: Run, live: LiveRun, graph: RunGraph, notifier: Notifier, *, storing: bool
    ) -> None:
        self._run = run
        self._live = live
        self._graph = graph
        self._notifier = notifier
        self._storing = storing
        self._held: list[Event] = []

    def run_started(self) -> None:
        """Tell that this execution of the run begins."""
        self._notifier.tell(self._of_run(EventKind.RUN_STARTED))

    def waiting(self, words: str) -> None:
        """Tell that tasks wait for what their executor has none of. From any thread."""
        self._notifier.tell(self._of_run(EventKind.RUN_WAITING, words))

    def run_finished(self) -> None:
        """Tell that it is over, once that is committed."""
        self._held.append(self._of_run(EventKind.RUN_FINISHED))

    def started(self, node: int) -> None:
        """Tell that an attempt starts, at once unless what came before is still to be told."""
        event = self._of_node(EventKind.TASK_STARTED, node, TaskStatus.RUNNING)
        if self._held:
            self._held.append(event)
        else:
            self._notifier.tell(event)

    def retrying(self, node: int, failure: Failure | None, delay: float) -> None:
        """Tell that an attempt failed, and that there will be another."""
        kind, status = EventKind.TASK_RETRYING, self._live.status[node]
        self._tell(self._of_node(kind, node, status, failure, delay))

    def finished(self, node: int, status: TaskStatus) -> None:
        """Tell that a TaskRun is final."""
        failure = None
        if status is not TaskStatus.COMPLETED:
            failure = self._live.ledger.failures.get(node)
        self._tell(self._of_node(EventKind.TASK_FINISHED, node, status, failure))

    def committed(self) -> None:
        """Pass on what waited for a commit."""
        held, self._held = self._held, []
        for event in held:
            self._notifier.tell(event)

    def forget(self) -> None:
        """Drop what waits: an interrupt may have torn it."""
        self._held = []

    def _tell(self, event: Event) -> None:
        if self._storing:
            self._held.append(event)
        else:
            self._notifier.tell(event)

    def _of_run(self, kind: EventKind, reason: str = "") -> Event:
        ledger, record = self._live.ledger, self._live.record
        is_over = kind is EventKind.RUN_FINISHED
        happened = ledger.began + (ledger.seconds if is_over else 0.0)
        if kind is EventKind.RUN_WAITING:
            happened = ledger.clock.monotonic()
        return Event(
            kind,
            self._run,
            time=ledger.wall(happened),
            run_status=record.status,
            duration=ledger.seconds if is_over else None,
            reason=reason,
            tasks=self._graph.size,
        )

    def _of_node(
        self,
        kind: EventKind,
        node: int,
        status: TaskStatus,
        failure: Failure | None = None,
        delay: float | None = None,
    ) -> Event:
        live, ledger = self._live, self._live.ledger
        restored = ledger.restored_at(node)
        began, seconds, _ = ledger.ran.get(node)
        happened = ledger.clock.monotonic()
        if kind is EventKind.TASK_STARTED:
            seconds = None
        elif restored is not None:
            seconds = restored.duration
        elif began is not None and seconds is not None:
            happened = began + seconds
        origin = None
        if status is TaskStatus.COMPLETED:
            origin = Origin.RESTORED if restored else live.origin_to_be(node)
        return Event(
            kind,
            self._run,
            *self._graph.identity(node),
            status,
            live.attempts[node],
            failure,
            delay,
            ledger.wall(happened),
            live.record.status,
            seconds,
            origin,
            ledger.words(node),
            elements=self._graph.counts.get(self._graph.owner(node), 0),
            label=self._graph.labels.get(node, "" if restored is None else restored.label),
        )

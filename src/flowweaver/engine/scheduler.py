"""The scheduler: a state machine without I/O, clock or threads.

It is told what happened (an attempt ended so, a commit went through, time passed) and answers what
is to be done (start this, wait until then). All that decides the fate of a TaskRun is here, so it
can be tested by simulation with any clock and any order of completions. Nodes are small integers;
times are seconds of whatever clock the caller keeps.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from operator import itemgetter

from flowweaver.status import TaskStatus
from flowweaver.wiring import Wiring

_PENDING, _RUNNING, _RETRYING = TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.RETRYING
_COMPLETED, _FAILED = TaskStatus.COMPLETED, TaskStatus.FAILED
_SKIPPED, _UPSTREAM_FAILED = TaskStatus.SKIPPED, TaskStatus.UPSTREAM_FAILED
_CANCELLED = TaskStatus.CANCELLED


class Scheduler:
    """Decides what runs when.

    Args:
        wiring: The graph.
        stop_on_failure: Start nothing more once a task has failed.
        rng: The source of jitter.

    Attributes:
        status: TaskStatus by node.
        attempts: Starts by node, earlier executions of the run included.
        failures: How much of its retry budget a node has used, for nodes that have used some.
        running: How many attempts hold a place.
        unfinished: How many nodes are not final yet.
        settled: Nodes that became final without an attempt of theirs ending, in order, since the
            caller last emptied the list.
    """

    __slots__ = (
        "_hurt", "_options", "_preds", "_ready", "_rng", "_stop_on_failure", "_succs", "_timers",
        "_waiting", "attempts", "failures", "running", "settled", "status", "stopped",
        "unfinished",
    )  # fmt: skip

    def __init__(
        self,
        wiring: Wiring,
        *,
        stop_on_failure: bool = False,
        rng: random.Random | None = None,
    ) -> None:
        count = len(wiring.tasks)
        self._options = [task._options for task in wiring.tasks]
        self._preds: list[tuple[int, ...]] = wiring.preds
        self._succs: list[Sequence[int]] = wiring.succs
        self._waiting = [len(before) for before in wiring.preds]
        self._ready = deque(node for node, before in enumerate(self._waiting) if not before)
        self._hurt: set[int] = set()
        self._timers: list[tuple[float, int, int, TaskStatus]] = []
        self._stop_on_failure = stop_on_failure
        self._rng = rng or random.Random()
        self.status: list[TaskStatus] = [_PENDING] * count
        self.attempts = [0] * count
        self.failures: dict[int, int] = {}
        self.running = 0
        self.unfinished = count
        self.settled: list[int] = []
        self.stopped = False

    def take(self) -> int | None:
        """Start the next ready node: count an attempt and return it, or None if none is ready."""
        if not self._ready:
            return None
        node = self._ready.popleft()
        self.status[node] = _RUNNING
        self.attempts[node] += 1
        self.running += 1
        return node

    def restored(self, node: int, attempts: int) -> None:
        """The node just taken needs no attempt: its result is there from earlier."""
        self.running -= 1
        self.attempts[node] = attempts
        self.completed(node)

    def put_off(self, node: int, due: float) -> None:
        """The node just taken must wait: a restart cut its wait for a retry short."""
        self.running -= 1
        self.attempts[node] -= 1
        self._retry(node, due)

    def completed(self, node: int) -> None:
        """The node's result is as durable as it gets: release those who wait for it."""
        self.status[node] = _COMPLETED
        self.unfinished -= 1
        waiting, ready = self._waiting, self._ready
        for succ in self._succs[node]:
            waiting[succ] -= 1
            if not waiting[succ]:
                if self.stopped or succ in self._hurt:
                    self._settle(succ)
                else:
                    ready.append(succ)

    def failed(self, node: int, *, retryable: bool, now: float) -> float | None:
        """An attempt failed: return the time of the next one, or None if the node has failed."""
        used = self.failures[node] = self.failures.get(node, 0) + 1
        options = self._options[node]
        if retryable and used <= options.retries and not self.stopped:
            due = now + options.backoff.delay(used, self._rng)
            self._retry(node, due)
            return due
        self._finish(node, _FAILED)
        if self._stop_on_failure:
            self.stop()
        return None

    def limit(self, node: int, due: float) -> None:
        """Have `wake` say so when the running attempt of a node is not over at `due`."""
        heappush(self._timers, (due, node, self.attempts[node], _RUNNING))

    def cancelled(self, node: int) -> None:
        """An attempt was cut short because the run is being stopped."""
        self._finish(node, _CANCELLED)

    def next_due(self) -> float | None:
        """Return when `wake` should next be called, or None if nothing waits for a time."""
        return self._timers[0][0] if self._timers else None

    def wake(self, now: float) -> list[int]:
        """Make ready what has waited long enough; return the nodes that are over their limit."""
        over = []
        while self._timers and self._timers[0][0] <= now:
            _, node, attempt, status = heappop(self._timers)
            if self.status[node] is not status or self.attempts[node] != attempt:
                continue  # what the timer was for is over
            if status is _RUNNING:
                over.append(node)
            else:
                self.status[node] = _PENDING
                self._ready.append(node)
        return over

    def stop(self) -> None:
        """Start nothing more: what waits to start or to be retried is cancelled."""
        if self.stopped:
            return
        self.stopped = True
        ready, self._ready = self._ready, deque()
        for node in ready:
            self._cancel(node)
        for _, node, _, status in sorted(self._timers, key=itemgetter(0, 1)):
            if status is _RETRYING and self.status[node] is status:
                self._cancel(node)

    def _retry(self, node: int, due: float) -> None:
        self.status[node] = _RETRYING
        heappush(self._timers, (due, node, self.attempts[node], _RETRYING))

    def _cancel(self, node: int) -> None:
        self.settled.append(node)
        self._finish(node, _CANCELLED)

    def _settle(self, node: int) -> None:
        """All that this node waits for is final: it can start, or never will."""
        verdict = self._verdict(node)
        if verdict is None:
            self._ready.append(node)
        else:
            self.settled.append(node)
            self._finish(node, verdict)

    def _finish(self, node: int, status: TaskStatus) -> None:
        """Make a node final without a result, and all that can't start because of it."""
        final = [(node, status)]
        while final:  # not by recursion: a chain may be as long as memory allows
            node, status = final.pop()
            self.status[node] = status
            self.unfinished -= 1
            for succ in self._succs[node]:
                self._hurt.add(succ)
                self._waiting[succ] -= 1
                if not self._waiting[succ]:
                    verdict = self._verdict(succ)
                    if verdict is None:
                        self._ready.append(succ)
                    else:
                        self.settled.append(succ)
                        final.append((succ, verdict))

    def _verdict(self, node: int) -> TaskStatus | None:
        """Return what becomes of a node whose predecessors are all final; None if it can start."""
        if self.stopped:
            return _CANCELLED
        before = {self.status[pred] for pred in self._preds[node]}
        if _FAILED in before or _UPSTREAM_FAILED in before:
            return _UPSTREAM_FAILED
        if _CANCELLED in before:
            return _CANCELLED
        return _SKIPPED if _SKIPPED in before else None

"""The scheduler: a state machine without I/O, clock or threads.

It is told what happened (an attempt ended so, a commit went through, time passed) and answers what
is to be done (start this, wait until then). All that decides the fate of a TaskRun is here, so it
can be tested by simulation with any clock and any order of completions. Nodes are small integers:
first the workflow's tasks, then what is added at run time, such as the elements of a fan-out.
Times are seconds of whatever clock the caller keeps.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from heapq import heappop, heappush

from flowweaver.definitions.options import Trigger
from flowweaver.engine.gates import Gates
from flowweaver.engine.run_graph import Key, Role, RunGraph
from flowweaver.status import TaskStatus

_PENDING, _RUNNING, _RETRYING = TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.RETRYING
_COMPLETED, _FAILED = TaskStatus.COMPLETED, TaskStatus.FAILED
_SKIPPED, _UPSTREAM_FAILED = TaskStatus.SKIPPED, TaskStatus.UPSTREAM_FAILED
_CANCELLED = TaskStatus.CANCELLED
_MOST_DEATHS = 3


class ByRank:
    """Ready nodes, the one with the largest rank first, then by age; as much deque as is needed."""

    def __init__(self, nodes: Iterable[int], rank: Callable[[int], float]) -> None:
        self._rank = rank
        self._heap: list[tuple[float, int, int]] = []
        self._age = 0
        for node in nodes:
            self.append(node)

    def append(self, node: int) -> None:
        """Add a node."""
        self._age += 1
        heappush(self._heap, (-self._rank(node), self._age, node))

    def extendleft(self, nodes: Iterable[int]) -> None:
        """Add nodes that were here before."""
        for node in nodes:
            self.append(node)

    def popleft(self) -> int:
        """Take out the first node."""
        return heappop(self._heap)[2]

    def clear(self) -> None:
        """Forget all nodes."""
        self._heap.clear()

    def comes_first(self, node: int) -> bool:
        """Whether a node, were it here, would be taken out before all that is."""
        return not self._heap or -self._rank(node) < self._heap[0][0]

    def __iter__(self) -> Iterator[int]:
        return (node for _, _, node in sorted(self._heap))

    def __len__(self) -> int:
        return len(self._heap)


class Scheduler:
    """Decides what runs when.

    Args:
        graph: The graph; it grows by `add`.
        stop_on_failure: Start nothing more once a task has failed.
        gates: What bounds how many tasks of a tag run at once, and how often they start.
        rng: The source of jitter.

    Attributes:
        status: TaskStatus by node.
        attempts: Starts by node, earlier executions of the run included.
        failures: How much of its retry budget a node has used, for nodes that have used some.
        running: How many attempts hold a place; the caller takes one away when an attempt ends.
        unfinished: How many nodes are not final yet.
        settled: Nodes that became final without an attempt of theirs ending, in order, since the
            caller last emptied the list.
        growing: Growth nodes whose time has come, since the caller last emptied the list.
    """

    __slots__ = (
        "_deaths", "_gates", "_graph", "_ready", "_rng", "_stop_on_failure", "_timer_number",
        "_timers", "_unsure", "_waiting",
        "attempts", "failures", "growing", "running", "settled", "status", "stopped", "unfinished",
    )  # fmt: skip

    def __init__(
        self,
        graph: RunGraph,
        *,
        stop_on_failure: bool = False,
        gates: Gates | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._graph = graph
        count, wiring = graph.size, graph.wiring
        self._waiting = list(map(len, wiring.preds))
        for node in wiring.mapped:
            self._waiting[node] += 1  # for its first growth node, which is yet to be added
        self._timers: list[tuple[float, int, int, int, TaskStatus]] = []
        self._timer_number = 0
        self._deaths: dict[int, int] = {}
        self._stop_on_failure = stop_on_failure
        self._gates = gates
        self._rng = rng or random.Random()
        self.status: list[TaskStatus] = [_PENDING] * count
        self.attempts = [0] * count
        self.failures: dict[int, int] = {}
        self.running = 0
        self.unfinished = count
        self.settled: list[int] = []
        self.growing: list[int] = []
        self.stopped = False
        # Nodes whose start is not a matter of course once their predecessors are final.
        self._unsure = {
            node for node in wiring.optioned if wiring.tasks[node].options.trigger == "any_failed"
        }
        self._unsure.update(wiring.mapped)
        self._ready: deque[int] | ByRank = deque()
        for node in [node for node, waiting in enumerate(self._waiting) if not waiting]:
            if node in self._unsure:
                self._settle(node)
            else:
                self._ready.append(node)

    # What starts ---------------------------------------------------------------------------

    def take(self, now: float = 0.0) -> int | None:
        """Start the next ready node: count an attempt and return it, or None if none is ready.

        `now` matters only where rates are to be kept.
        """
        if self._gates is not None:
            return self._take_gated(self._gates, now)
        if not self._ready:
            return None
        node = self._ready.popleft()
        self.status[node] = _RUNNING
        self.attempts[node] += 1
        self.running += 1
        return node

    def _take_gated(self, gates: Gates, now: float) -> int | None:
        while self._ready:
            node = self._ready.popleft()
            due = gates.enter(node, self._graph.options(node).tags, now)
            if due is None:
                self.status[node] = _RUNNING
                self.attempts[node] += 1
                self.running += 1
                return node
            if due != float("inf"):
                self._set_timer(due, node, _PENDING)
            self._ready.extendleft(reversed(gates.vacant()))
        return None

    def prioritize(self, ranks: Sequence[float]) -> None:
        """From now on start those first whose task has the larger rank."""
        self._ready = ByRank(self._ready, lambda node: ranks[self._graph.owner(node)])

    def put_back(self, node: int) -> None:
        """The node just taken is to wait for its turn: priorities are about to change."""
        self.ended(node)
        self.attempts[node] -= 1
        self.status[node] = _PENDING
        self._ready.extendleft((node,))

    def awaits(self, completing: Iterable[int]) -> bool:
        """Whether the completion of these nodes makes one ready that is to start before others."""
        ready = self._ready
        return isinstance(ready, ByRank) and any(
            self._waiting[succ] == 1 and ready.comes_first(succ)
            for node in completing
            for succ in self._graph.succs(node)
        )

    def restored(self, node: int, attempts: int) -> None:
        """The node just taken needs no attempt: its result is there from earlier."""
        self.ended(node)
        self.attempts[node] = attempts
        self.completed(node)

    def put_off(self, node: int, due: float) -> None:
        """The node just taken must wait: a restart cut its wait for a retry short."""
        self.ended(node)
        self.attempts[node] -= 1
        self._retry(node, due)

    # What ends -----------------------------------------------------------------------------

    def ended(self, node: int) -> None:
        """An attempt is over, whatever came of it: its place is free."""
        self.running -= 1
        if self._gates is not None:
            back = self._gates.leave(self._graph.options(node).tags)
            self._ready.extendleft(reversed(back))

    def completed(self, node: int) -> None:
        """The node's result is as durable as it gets: release those who wait for it."""
        self.status[node] = _COMPLETED
        self.unfinished -= 1
        waiting, ready, graph = self._waiting, self._ready, self._graph
        # As `succs` has it, but for the usual case: this is where most of the time goes.
        for succ in graph.succs(node) if graph.added_succs else graph.own_succs[node]:
            waiting[succ] = left = waiting[succ] - 1
            if not left:
                if self.stopped or succ in self._unsure:
                    self._settle(succ)
                else:
                    ready.append(succ)

    def failed(self, node: int, *, retryable: bool, now: float, died: bool = False) -> float | None:
        """An attempt failed: return the time of the next one, or None if the node has failed.

        An attempt whose process `died` under it costs none of the retry budget, but the third
        such death is taken to be the task's own doing.
        """
        options = self._graph.options(node)
        if died and options.effect != "once" and not self.stopped:
            self._deaths[node] = self._deaths.get(node, 0) + 1
            if self._deaths[node] < _MOST_DEATHS:
                self._retry(node, now)
                return now
            retryable = False
        used = self.failures[node] = self.failures.get(node, 0) + 1
        if retryable and used <= options.retries:
            if self.stopped:
                self._finish(node, _CANCELLED)  # its next attempt is made when the run is continued
                return None
            due = now + options.backoff.delay(used, self._rng)
            self._retry(node, due)
            return due
        self._finish(node, _FAILED)
        if self._stop_on_failure:
            self.stop()
        return None

    def skipped(self, node: int) -> None:
        """The node's condition was not met."""
        self._finish(node, _SKIPPED)

    def cancelled(self, node: int) -> None:
        """An attempt was cut short because the run is being stopped."""
        self._finish(node, _CANCELLED)

    # What is added at run time -------------------------------------------------------------

    def add(
        self,
        owner: int,
        preds: Sequence[int],
        groups: Sequence[int],
        role: Role | None = None,
        key: Key = (),
    ) -> int:
        """Add a node of the task `owner` that waits for `preds`; return it.

        The mapped and group nodes it belongs to wait for it in turn. `key` is an element's.
        """
        graph = self._graph
        for group in groups:
            # A mapped node waits for its first growth node from the beginning.
            if graph.children[group] or group >= graph.size:
                self._waiting[group] += 1
        node = graph.add(owner, preds, groups, role, key)
        self.status.append(_PENDING)
        self.attempts.append(0)
        self.unfinished += 1
        waiting = 0
        for pred in preds:
            if not self.status[pred].is_final:
                waiting += 1
                graph.link(pred, node)
            elif self.status[pred] is not _COMPLETED:
                self._unsure.add(node)
        self._waiting.append(waiting)
        if role is not None or graph.options(owner).trigger == "any_failed":
            self._unsure.add(node)
        if role is not Role.GROUP and not waiting:
            self._settle(node)
        return node

    def grow_failed(self, node: int) -> None:
        """A growth node can't tell what to add."""
        self._finish(node, _FAILED)

    @property
    def is_gated(self) -> bool:
        """Whether `take` needs to know the time."""
        return self._gates is not None

    # Time ----------------------------------------------------------------------------------

    def limit(self, node: int, due: float) -> None:
        """Have `wake` say so when the running attempt of a node is not over at `due`."""
        self._set_timer(due, node, _RUNNING)

    def next_due(self) -> float | None:
        """Return when `wake` should next be called, or None if nothing waits for a time."""
        return self._timers[0][0] if self._timers else None

    def wake(self, now: float) -> list[int]:
        """Make ready what has waited long enough; return the nodes that are over their limit."""
        over = []
        while self._timers and self._timers[0][0] <= now:
            _, _, node, attempt, status = heappop(self._timers)
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
        waiting = [*self._ready, *self.growing]
        self._ready.clear()
        self.growing = []
        if self._gates is not None:
            waiting += self._gates.clear()
        waiting += [
            node
            for _, _, node, _, status in sorted(self._timers)
            if status is not _RUNNING and self.status[node] is status
        ]
        for node in waiting:
            self.settled.append(node)
            self._finish(node, _CANCELLED)

    def abandon(
        self, completed: Iterable[int], failed: AbstractSet[int], running: AbstractSet[int]
    ) -> None:
        """Cancel all that is not final, however torn it is, but what is known to be otherwise.

        What is running still ends as it does, but nothing comes of that for others.
        """
        for node in completed:
            self.status[node] = _COMPLETED
        left = [
            node
            for node, status in enumerate(self.status)
            if not status.is_final and node not in running
        ]
        for node in left:
            self.status[node] = _FAILED if node in failed else _CANCELLED
        self.settled, self.growing = left, []
        self._timers = sorted(timer for timer in self._timers if timer[2] in running)
        self._ready = deque()
        self._gates = None
        self._graph.seal()
        self.running = self.unfinished = len(running)
        self.stopped = True

    def _set_timer(self, due: float, node: int, status: TaskStatus) -> None:
        self._timer_number += 1
        heappush(self._timers, (due, self._timer_number, node, self.attempts[node], status))

    def _retry(self, node: int, due: float) -> None:
        self.status[node] = _RETRYING
        self._set_timer(due, node, _RETRYING)

    # Verdicts ------------------------------------------------------------------------------

    def _settle(self, node: int) -> None:
        """All that this node waits for is final: it can start, or never will."""
        verdict = self._verdict(node)
        if verdict is None:
            self._begin(node)
        else:
            self.settled.append(node)
            self._finish(node, verdict)

    def _begin(self, node: int) -> None:
        if self._graph.role(node) is Role.GROWTH:
            self.growing.append(node)
        else:
            self._ready.append(node)

    def _finish(self, node: int, status: TaskStatus) -> None:
        """Make a node final, and all that is decided by it."""
        final = [(node, status)]
        while final:  # not by recursion: a chain may be as long as memory allows
            node, status = final.pop()
            self.status[node] = status
            self.unfinished -= 1
            for succ in self._graph.succs(node):
                if status is not _COMPLETED:
                    self._unsure.add(succ)
                self._waiting[succ] -= 1
                if self._waiting[succ]:
                    continue
                verdict = self._verdict(succ)
                if verdict is None:
                    self._begin(succ)
                else:
                    self.settled.append(succ)
                    final.append((succ, verdict))

    def _verdict(self, node: int) -> TaskStatus | None:
        """Return what becomes of a node whose predecessors are all final; None if it can start."""
        graph = self._graph
        if node in graph.children:
            return self._sum(node)
        if self.stopped:
            return _CANCELLED
        skipped, before = [], set()
        for pred in graph.preds(node):
            before.add(self.status[pred])
            if self.status[pred] is _SKIPPED:
                skipped.append(graph.owner(pred))
        tolerable = not skipped or graph.dispensable(node).issuperset(skipped)
        return verdict(graph.trigger(node), before, tolerable=tolerable)

    def _sum(self, node: int) -> TaskStatus:
        """Return what a mapped or group node comes to, given all it stands for."""
        growths: set[TaskStatus] = set()
        elements: set[TaskStatus] = set()
        for child in self._graph.children[node]:
            kept = elements if self._graph.is_shown(child) else growths
            kept.add(self.status[child])
        if self._graph.options(node).allow_failures:
            elements -= {_FAILED, _UPSTREAM_FAILED}
        for status in (_FAILED, _UPSTREAM_FAILED, _CANCELLED):
            if status in growths or status in elements:
                return status
        nothing = _SKIPPED in growths or elements == {_SKIPPED}
        return _SKIPPED if nothing else _COMPLETED


def verdict(
    trigger: Trigger, before: AbstractSet[TaskStatus], *, tolerable: bool
) -> TaskStatus | None:
    """Return what becomes of a node whose predecessors came to `before`; None if it can start.

    `tolerable` says whether it can do without the results of those that were skipped.
    """
    hurt = _FAILED in before or _UPSTREAM_FAILED in before
    if trigger == "all_success":
        if hurt:
            return _UPSTREAM_FAILED
        if _CANCELLED in before:
            return _CANCELLED
        return None if tolerable else _SKIPPED
    if trigger == "any_failed":
        return None if hurt else _SKIPPED
    if trigger == "any_success" and before and _COMPLETED not in before:
        return _UPSTREAM_FAILED if hurt else _SKIPPED
    return None

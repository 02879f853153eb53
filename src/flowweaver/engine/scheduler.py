"""The scheduler: a state machine without I/O, clock or threads.

It is told what happened (an attempt ended so, a commit went through, time passed) and answers what
is to be done (start this, wait until then). All that decides the fate of a TaskRun is here, so it
can be tested by simulation with any clock and any order of completions. Nodes are small integers:
see `RunGraph`. Times are seconds of whatever clock the caller keeps.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from flowweaver.engine.failure_policy import FailurePolicy
from flowweaver.engine.ready import ByRank
from flowweaver.engine.run_graph import Key, Role, RunGraph
from flowweaver.engine.timers import Timers
from flowweaver.engine.verdicts import sum_of, verdict_on
from flowweaver.status import TaskStatus

_PENDING, _RUNNING, _RETRYING = TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.RETRYING
_COMPLETED, _FAILED = TaskStatus.COMPLETED, TaskStatus.FAILED
_SKIPPED, _CANCELLED = TaskStatus.SKIPPED, TaskStatus.CANCELLED


class Scheduler:
    """Decides what runs when.

    Args:
        graph: The graph; it grows by `add`.
        stop_on_failure: Start nothing more once a task has failed.
        rng: The source of jitter.

    Attributes:
        status: TaskStatus by node.
        attempts: Starts by node, those of earlier executions included.
        unfinished: How many nodes are not final yet.
        stopped: Whether nothing more is started.
        news: What the caller has to see to, in order, since it last emptied the list: nodes that
            became final without an attempt of theirs ending, and, not final yet, growth nodes
            whose time has come.
    """

    __slots__ = (
        "_failing", "_graph", "_ready", "_takes_over", "_timers", "_unsure", "_waiting",
        "attempts", "news", "status", "stopped", "unfinished",
    )  # fmt: skip

    is_gated = False
    """Whether what is drawn has to be admitted."""

    def __init__(
        self,
        graph: RunGraph,
        *,
        stop_on_failure: bool = False,
        rng: random.Random | None = None,
    ) -> None:
        self._graph = graph
        count, wiring = graph.size, graph.wiring
        self._waiting = list(map(len, wiring.preds))
        for node in wiring.mapped:
            self._waiting[node] += 1  # for its first growth node, which is yet to be added
        self._timers = Timers()
        self._failing = FailurePolicy(stops_run=stop_on_failure, rng=rng)
        self.status: list[TaskStatus] = [_PENDING] * count
        self.attempts = [0] * count
        self.unfinished = count
        self.news: list[int] = []
        self.stopped = False
        # Nodes whose start is not a matter of course once their predecessors are final.
        self._unsure = set(wiring.mapped) | {
            node for node in wiring.optioned if wiring.tasks[node].options.trigger == "any_failed"
        }
        self._takes_over: Callable[[int], bool] | None = None
        self._ready: deque[int] | ByRank = deque()
        for node in [node for node, waiting in enumerate(self._waiting) if not waiting]:
            if node in self._unsure:
                self._settle(node)
            else:
                self._ready.append(node)  # as `_begin` has it: a fan-out has nothing but these

    # What starts ---------------------------------------------------------------------------

    @property
    def ready(self) -> int:
        """How many nodes are ready to start."""
        return len(self._ready)

    def draw(self) -> int | None:
        """Start the next ready node: count an attempt and return it, or None if none is ready."""
        if not self._ready:
            return None
        node = self._ready.popleft()
        self.status[node] = _RUNNING
        self.attempts[node] += 1
        return node

    def admit(self, node: int, now: float) -> bool:  # noqa: ARG002 - nothing is at a gate here
        """Return whether the node just drawn may start now; if not, it will be drawn again."""
        return True

    def rest(self) -> None:
        """Nothing more is drawn for now."""

    def prioritize(self, ranks: Sequence[float]) -> None:
        """From now on start those first whose task has the larger rank."""
        self._ready = ByRank(self._ready, lambda node: ranks[self._graph.owner(node)])

    def put_back(self, node: int) -> None:
        """The node just taken is to wait for its turn: priorities are about to change."""
        self.ended(node)
        self.attempts[node] -= 1
        self.status[node] = _PENDING
        self._ready.extendleft((node,))

    def withdraw(self, node: int) -> None:
        """A node that could be taken is not to be: its result comes from elsewhere."""
        self._ready = deque(ready for ready in self._ready if ready != node)
        self.status[node] = _RUNNING

    def awaits(self, completing: Iterable[int]) -> bool:
        """Whether the completion of these nodes makes one ready that is to start before others."""
        ready = self._ready
        return isinstance(ready, ByRank) and any(
            self._waiting[succ] == 1 and ready.comes_first(succ)
            for node in completing
            for succ in self._graph.succs(node)
        )

    # What an earlier execution left --------------------------------------------------------

    def restored(self, node: int, attempts: int) -> None:
        """The node just taken needs no attempt: its result is there from earlier."""
        self.ended(node)
        self.attempts[node] = attempts
        self.completed(node)

    def carried(self, fresh: AbstractSet[int], takes_over: Callable[[int], bool]) -> None:
        """All nodes are done but the fresh ones; all that is behind a fresh one is fresh, too.

        Args:
            fresh: Those nodes.
            takes_over: Whether one of them that waits for others is done, too; asked once all that
                it waits for are final.
        """
        self.status[:] = [_COMPLETED] * len(self.status)
        self.unfinished = len(fresh)
        self._takes_over = takes_over
        self._unsure.update(fresh)
        self._ready.clear()
        self.news.clear()
        free, preds, is_fresh = [], self._graph.wiring.preds, fresh.__contains__
        for node in sorted(fresh):
            self.status[node] = _PENDING
            self._waiting[node] = waiting = sum(map(is_fresh, preds[node]))
            if not waiting:
                free.append(node)
        for node in free:
            self._settle(node)

    def resumed(self, node: int, attempts: int, failures: int = 0) -> None:
        """The node just taken was begun before: count the attempts and failures of that time."""
        self.attempts[node] += attempts
        if failures:
            self._failing.used[node] = failures

    def put_off(self, node: int, due: float) -> None:
        """The node just taken must wait: a restart cut its wait for a retry short."""
        self.ended(node)
        self.attempts[node] -= 1
        self._retry(node, due)

    # What ends -----------------------------------------------------------------------------

    def ended(self, node: int) -> None:
        """An attempt is over, whatever came of it."""

    def completed(self, node: int) -> None:
        """The node's result is as durable as it gets: release those who wait for it."""
        self.status[node] = _COMPLETED
        self.unfinished -= 1
        waiting, ready, graph = self._waiting, self._ready, self._graph
        # As `succs` has it, but for the usual case: this is where most of the time goes.
        for succ in graph.succs(node) if graph.added_succs else graph.own_succs[node]:
            waiting[succ] = left = waiting[succ] - 1
            if not left:
                if succ in self._unsure or self.stopped:
                    self._settle(succ)
                else:
                    ready.append(succ)

    def failed(
        self,
        node: int,
        *,
        retryable: bool,
        now: float,
        died: bool = False,
        wait: float | None = None,
    ) -> float | None:
        """An attempt failed: return the time of the next one, or None if there is none.

        `died` says that its process died under it; `wait` is the time it asks for until the next.
        """
        options, died = self._graph.options(node), died and not self.stopped
        delay = self._failing.delay(node, options, retryable=retryable, died=died, wait=wait)
        if delay is not None and not self.stopped:
            self._retry(node, now + delay)
            return now + delay
        # One with retries left gets its next attempt when the run is continued.
        self.finish(node, _FAILED if delay is None else _CANCELLED)
        if delay is None and self._failing.stops_run:
            self.stop()
        return None

    @property
    def failures(self) -> Mapping[int, int]:
        """How much of its retry budget each node has used, of those that have used some."""
        return self._failing.used

    def skipped(self, node: int) -> None:
        """The node's condition was not met, so that its attempt was none."""
        self.attempts[node] -= 1
        self.finish(node, _SKIPPED)

    def _retry(self, node: int, due: float) -> None:
        self.status[node] = _RETRYING
        self._timers.set(due, node, self.attempts[node], _RETRYING)

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
        if role is not None or graph.tasks[owner].options.trigger == "any_failed":
            self._unsure.add(node)
        if role is not Role.GROUP and not waiting:
            self._settle(node)
        return node

    # Time ----------------------------------------------------------------------------------

    def limit(self, node: int, due: float) -> None:
        """Have `wake` say so when the running attempt of a node is not over at `due`."""
        self._timers.set(due, node, self.attempts[node], _RUNNING)

    def next_due(self) -> float | None:
        """Return when `wake` should next be called, or None if nothing waits for a time."""
        return self._timers.next_due()

    def wake(self, now: float) -> list[int]:
        """Make ready what has waited long enough; return the nodes that are over their limit."""
        over = []
        for node, attempt, status in self._timers.gone_off(now):
            if self.status[node] is not status or self.attempts[node] != attempt:
                continue  # what the timer was for is over
            if status is _RUNNING:
                over.append(node)
            else:
                self.status[node] = _PENDING
                self._ready.append(node)
        return over

    # The end -------------------------------------------------------------------------------

    def stop(self) -> None:
        """Start nothing more: what waits to start or to be retried is cancelled."""
        if self.stopped:
            return
        self.stopped = True
        growing = [node for node in self.news if not self.status[node].is_final]
        self.news = [node for node in self.news if self.status[node].is_final]
        waiting = [*self._ready, *growing, *self._timers.waiting(self.status)]
        self._ready.clear()
        self._cancel(waiting)

    def _cancel(self, waiting: Iterable[int]) -> None:
        for node in waiting:
            self.news.append(node)
            self.finish(node, _CANCELLED)

    def abandon(
        self, completed: Iterable[int], failed: Collection[int], running: Collection[int]
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
        self.news = left
        self._timers.keep(running)
        self._ready = deque()
        self._graph.seal()
        self.unfinished = len(running)
        self.stopped = True

    # What is final -------------------------------------------------------------------------

    def finish(self, node: int, status: TaskStatus) -> None:
        """Make a node final that comes to no result, and all that is decided by it."""
        final, waiting, graph = [(node, status)], self._waiting, self._graph
        while final:  # not by recursion: a chain may be as long as memory allows
            node, status = final.pop()
            self.status[node] = status
            self.unfinished -= 1
            for succ in graph.succs(node) if graph.added_succs else graph.own_succs[node]:
                if status is not _COMPLETED:
                    self._unsure.add(succ)
                waiting[succ] = left = waiting[succ] - 1
                if not left and (verdict := self._begin(succ)) is not None:
                    final.append((succ, verdict))

    def _settle(self, node: int) -> None:
        """All that this node waits for is final: it can start, or never will."""
        if (verdict := self._begin(node)) is not None:
            self.finish(node, verdict)

    def _begin(self, node: int) -> TaskStatus | None:
        """Have a node start when its turn comes; if it is not to, return what becomes of it."""
        if node not in self._unsure and not self.stopped:
            self._ready.append(node)
            return None
        if node in self._graph.children:
            verdict: TaskStatus | None = sum_of(self._graph, self.status, node)
        elif self._takes_over is not None and not self.stopped and self._takes_over(node):
            verdict = _COMPLETED
        else:
            verdict = _CANCELLED if self.stopped else verdict_on(self._graph, self.status, node)
        if verdict is not None or self._graph.role(node) is Role.GROWTH:
            self.news.append(node)
        else:
            self._ready.append(node)
        return verdict

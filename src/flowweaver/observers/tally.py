"""Where a run stands, counted event by event: what every display of progress shows."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple

from flowweaver.events import Event, EventKind
from flowweaver.observers.wording import is_restored, task_name
from flowweaver.status import TaskStatus

# The rate is that of the last seconds: the start of a fan-out says little about its end.
_RATE_SECONDS = 15.0


class Share(NamedTuple):
    """How far one mapped task is: elements done of those known, and how fast they get done.

    `rate` is elements a second, `left` the seconds that the rest takes at that rate; both are None
    as long as too few elements are done to tell.
    """

    task: str
    done: int
    total: int
    failed: int
    rate: float | None = None
    left: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether all its elements are done."""
        return self.done >= self.total


@dataclass(slots=True)
class Standing:
    """Where a run stands at one moment.

    `done` and `total` count TaskRuns: elements, and tasks that are not mapped. `seconds` have
    passed, and `left` seconds are left if that is known. `running` are names with the seconds they
    have taken and the number of the attempt.
    """

    title: str
    done: int
    total: int
    seconds: float
    counts: Mapping[str, int]
    shares: list[Share] = field(default_factory=list)
    running: list[tuple[str, float, int]] = field(default_factory=list)
    left: float | None = None


class Tally:
    """Counts the events of one run.

    Args:
        started: The event with which the run started; None if there is no run yet.
        clock: Gives the time in seconds.
    """

    def __init__(self, started: Event | None, clock: Callable[[], float] = monotonic) -> None:
        self._tasks = 0 if started is None else started.tasks
        self._clock = clock
        self._began = clock()
        self._wholes = 0
        self._mapped: dict[str, _Mapped] = {}
        self.counts: Counter[str] = Counter()
        self.running: dict[str, tuple[float, int]] = {}
        self.retrying: set[str] = set()

    def take(self, event: Event) -> None:
        """Take in what happened to a TaskRun; what happened to the run counts nowhere."""
        if not event.task:
            return
        name = task_name(event)
        self.retrying.discard(name)
        if event.element:
            self._mapped_of(event.task).total = event.elements
        if event.kind is EventKind.TASK_STARTED:
            self.running[name] = (self._clock(), event.attempt)
        elif event.kind is EventKind.TASK_RETRYING:
            self._retry(name, event.attempt)
        else:
            self.running.pop(name, None)
            self._finish(event)

    def is_whole_of_mapped(self, event: Event) -> bool:
        """Return whether an event is about a mapped task as a whole: its elements are counted."""
        return not event.element and event.task in self._mapped

    def standing(self, title: str) -> Standing:
        """Return where the run stands now."""
        now = self._clock()
        shares = [mapped.share(now) for mapped in self._mapped.values()]
        done = sum(share.done for share in shares) + self._wholes
        total = sum(share.total for share in shares) + self._tasks - len(shares)
        counts = {**self.counts, "running": len(self.running), "retrying": len(self.retrying)}
        running = [(name, now - since, number) for name, (since, number) in self.running.items()]
        return Standing(
            title, done, max(done, total), now - self._began, counts, shares, running, _left(shares)
        )

    def _mapped_of(self, task: str) -> _Mapped:
        if task not in self._mapped:
            self._mapped[task] = _Mapped(task, self._clock())
        return self._mapped[task]

    def _finish(self, event: Event) -> None:
        if event.element:
            self._mapped[event.task].finish(event, self._clock())
        elif not self.is_whole_of_mapped(event):
            self._wholes += 1
        if not self.is_whole_of_mapped(event):
            self.counts[outcome_of(event)] += 1

    def _retry(self, name: str, failed: int) -> None:
        # The event of a failure comes after its commit; the next attempt may have started by then.
        if self.running.get(name, (0.0, 0))[1] <= failed:
            self.running.pop(name, None)
            self.retrying.add(name)


class _Mapped:
    """The counts of one mapped task."""

    def __init__(self, task: str, began: float) -> None:
        self._task = task
        self.total = 0
        self._done = self._failed = 0
        self._ends: deque[tuple[float, int]] = deque([(began, 0)])

    def finish(self, event: Event, now: float) -> None:
        self._done += 1
        self._failed += event.status is TaskStatus.FAILED
        if not is_restored(event) and now - self._ends[-1][0] > 0.2:
            self._ends.append((now, self._done))
            while now - self._ends[0][0] > _RATE_SECONDS and len(self._ends) > 2:
                self._ends.popleft()

    def share(self, now: float) -> Share:
        total = max(self.total, self._done)
        rate = self._rate(now)
        left = (total - self._done) / rate if rate and total > self._done else None
        return Share(self._task, self._done, total, self._failed, rate, left)

    def _rate(self, now: float) -> float | None:
        since, done = self._ends[0]
        if now - since < 1.0 or self._done - done < 2:
            return None
        return (self._done - done) / (now - since)


def _left(shares: Iterable[Share]) -> float | None:
    """Return the seconds that the known rest takes, or None if that can't be told."""
    known = [share.left for share in shares if not share.is_over]
    return None if not known or None in known else max(left for left in known if left is not None)


def outcome_of(event: Event) -> str:
    """Return the outcome of a TaskRun: a status, or how a completed one came by its result."""
    if event.status is TaskStatus.COMPLETED:
        return "executed" if event.origin is None else event.origin.value
    return "cancelled" if event.status is None else event.status.value

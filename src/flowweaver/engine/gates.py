"""Gates: how many tasks of a tag run at once, and how often they start. No clock of their own."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from flowweaver.definitions.bounds import check_limits, check_rate, spacing_of

Bounds = tuple[str, Mapping[str, int], Mapping[str, str]]
"""A workflow's name, its limits and its rates."""


class Gates:
    """What an executor's `limits` and `rate` ask of all its runs together, by tag.

    Each run has an `Entrance`. A slot that becomes free is offered to the run that was let in
    longest ago of those that wait for it, and to the next if that one has no worker for it. So no
    run keeps the others out, and none holds a slot that it can't use.

    Args:
        limits: At most so many tasks of a tag at once.
        rate: At most so many starts of a tag in a time: ``"10/s"``, ``"100/min"``, ``"5/h"``.
            Starts are spaced evenly, so that they never come in bursts.

    Raises:
        DefinitionError: A limit or rate can't be read.
    """

    def __init__(self, limits: Mapping[str, int], rate: Mapping[str, str]) -> None:
        self.limits = check_limits(limits)
        self.lock = threading.Lock()
        self._rate = check_rate(rate)
        self._spacing = {tag: spacing_of(tag, text) for tag, text in rate.items()}
        self._next_start: dict[str, float] = {}
        # Those let in longest ago come first.
        self._entrances: list[Entrance] = []

    def __reduce__(self) -> tuple[type[Gates], tuple[dict[str, int], dict[str, str]]]:
        return Gates, (self.limits, self._rate)

    @property
    def bounds_nothing(self) -> bool:
        """Whether the executor itself asks for nothing."""
        return not self.limits and not self._spacing

    def open(
        self,
        wake: Callable[[], object],
        outer: tuple[str, Iterable[str]] | None = None,
        own: Bounds | None = None,
    ) -> Entrance:
        """Return the entrance of a run; close it when the run has ended.

        Args:
            wake: Called, from any thread, when the run should ask what is `vacant`.
            outer: The run whose task executes this one, and that task's tags: while it waits for
                this run, its slots are lent to it.
            own: What the run's workflow asks for, for all its runs together.
        """
        with self.lock:
            is_ours = outer is not None and outer[0] in {each.run_id for each in self._entrances}
            names = {} if own is None else self._bind(own)
            entrance = Entrance(self, wake, outer[1] if outer and is_ours else (), names)
            self._entrances.append(entrance)
            return entrance

    def _bind(self, own: Bounds) -> dict[str, str]:
        """Take in what a workflow asks for; return by tag what its tag is called here."""
        workflow, limits, rate = own
        names = {tag: f"{workflow}\0{tag}" for tag in (*limits, *rate)}
        self.limits.update({names[tag]: limit for tag, limit in limits.items()})
        self._spacing.update({names[tag]: spacing_of(tag, text) for tag, text in rate.items()})
        return names

    # With the lock held, by entrances -------------------------------------------------------

    def free(self, tag: str) -> int:
        """Return how many slots of a tag are neither taken nor offered."""
        return self.limits[tag] - sum(
            entrance.load(tag) + (tag in entrance.offers) for entrance in self._entrances
        )

    def due(self, tags: Sequence[str], now: float) -> float:
        """Return when a task of these tags may start by their rates; if now, count it."""
        due = max((self._next_start.get(tag, now) for tag in tags), default=now)
        if due <= now:
            for tag in tags:
                if tag in self._spacing:
                    self._next_start[tag] = now + self._spacing[tag]
        return due

    def let_in(self, entrance: Entrance) -> None:
        """Note that an entrance has let in a task: it is the others' turn."""
        self._entrances.remove(entrance)
        self._entrances.append(entrance)

    def freed(self, tag: str, by: Entrance) -> None:
        """Offer a slot that has become free, also to those who declined one before."""
        for entrance in self._entrances:
            entrance.declined.discard(tag)
        self.offer(tag, by)

    def offer(self, tag: str, by: Entrance) -> None:
        """Offer a slot, if one is free, to the first who waits for it and has not declined."""
        if self.free(tag) <= 0:
            return
        for entrance in self._entrances:
            if entrance.parked.get(tag) and tag not in entrance.offers | entrance.declined:
                entrance.offers.add(tag)
                if entrance is not by:
                    entrance.wake()
                return

    def close(self, entrance: Entrance) -> None:
        """Forget an entrance; all that it held becomes free."""
        if entrance in self._entrances:
            self._entrances.remove(entrance)
            for tag in self.limits:
                for _ in range(self.free(tag)):
                    self.freed(tag, entrance)


class Entrance:
    """Where the tasks of one run come through the gates.

    Attributes:
        run_id: The run's id, as soon as it has one.
        wake: Called when it should ask what is `vacant`.
        offers: Tags of which it was offered a slot and has not yet taken or declined it.
        declined: Tags of which it declined a slot, until it asks again or another becomes free.
        parked: By tag, the nodes that wait for a slot.
    """

    __slots__ = (
        "_gates",
        "_inside",
        "_lent",
        "_names",
        "declined",
        "offers",
        "parked",
        "run_id",
        "wake",
    )

    def __init__(
        self,
        gates: Gates,
        wake: Callable[[], object],
        lent: Iterable[str],
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.run_id = ""
        self._names = names or {}
        self.wake = wake
        self.offers: set[str] = set()
        self.declined: set[str] = set()
        self.parked: dict[str, deque[int]] = {tag: deque() for tag in gates.limits}
        self._gates = gates
        self._inside: Counter[str] = Counter()
        self._lent = Counter(self._all(tuple(lent)))

    def load(self, tag: str) -> int:
        """Return how many slots its tasks take, beyond those that were lent to it."""
        return max(0, self._inside[tag] - self._lent[tag])

    def enter(self, node: int, tags: Sequence[str], now: float) -> float | None:
        """Let a node in: None if it may start now, else the time to ask again.

        A node that has to wait for another to end is kept, and comes back from `leave` or
        `vacant`; the time to ask again is then infinite.
        """
        tags = self._all(tags)
        with self._gates.lock:
            for tag in tags:
                if tag in self.parked and self._room(tag) <= 0:
                    self.parked[tag].append(node)
                    self.declined.discard(tag)
                    return float("inf")
            due = self._gates.due(tags, now)
            if due > now:
                return due
            self._inside.update(tags)
            self.offers.difference_update(tags)
            self._gates.let_in(self)
            return None

    def leave(self, tags: Sequence[str]) -> list[int]:
        """A node that was let in is done: return those that may ask again."""
        tags = self._all(tags)
        with self._gates.lock:
            self._inside.subtract(tags)
            for tag in tags:
                if tag in self.parked:
                    self._gates.freed(tag, self)
            return self._vacant()

    def vacant(self) -> list[int]:
        """Return nodes that wait for a tag there is room in, and may ask again."""
        with self._gates.lock:
            return self._vacant()

    def rest(self) -> None:
        """Nothing more starts for now: what was offered and not taken is for others."""
        with self._gates.lock:
            self._decline()

    def clear(self) -> list[int]:
        """Return all nodes that wait here; they won't come back any more."""
        with self._gates.lock:
            waiting = [node for parked in self.parked.values() for node in parked]
            for parked in self.parked.values():
                parked.clear()
            self._decline()
            return waiting

    def close(self) -> None:
        """Give back all that is held: the run has ended, however it did."""
        with self._gates.lock:
            self._gates.close(self)

    def _all(self, tags: Sequence[str]) -> Sequence[str]:
        """Return tags with what those are called that the workflow itself bounds."""
        if not self._names:
            return tags
        return (*tags, *(self._names[tag] for tag in tags if tag in self._names))

    def _room(self, tag: str) -> int:
        lent = max(0, self._lent[tag] - self._inside[tag])
        return lent + (tag in self.offers) + max(0, self._gates.free(tag))

    def _vacant(self) -> list[int]:
        return [
            parked.popleft()
            for tag, parked in self.parked.items()
            for _ in range(min(self._room(tag), len(parked)))
        ]

    def _decline(self) -> None:
        declined, self.offers = self.offers, set()
        self.declined |= declined
        for tag in declined:
            self._gates.offer(tag, self)

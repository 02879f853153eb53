"""What a run takes over from the one before it without deciding about it task by task.

Where a large workflow has changed in a few tasks, those are decided about as ever. The rest is as
the run before has it as long as nothing before it comes out otherwise: all that no changed task
leads to from the beginning, the rest as the run goes on; see `Cutoff`. Once all is done, the run
names the base of that run, and has records of its own only for what differs.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import islice

from flowweaver import graph
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.history.pages import Pages
from flowweaver.engine.reuse.seal import WORTH, Outline, packed, unpacked
from flowweaver.errors import NoResultError
from flowweaver.reasons import unchanged_since
from flowweaver.records import DIFFERS_KEY, OUTLINE_KEY, RunRecord, TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import Origin

# How many records of its own a run with a base may have: to read a slice, one looks at all of them.
_MOST_OWN = 2000


class Carried:
    """The TaskRuns of a run that are as they were in the run before; there may be more of them.

    Args:
        store: Where that run is.
        before: That run.
        run_id: The run that takes them over.
        wiring: The workflow.
        changed: The nodes that differ by themselves.
        differing: The nodes that the run before has records of its own for, if it has a base.

    Attributes:
        changed: The nodes that differ by themselves.
        fresh: The nodes that are not taken over: at first the changed ones and all behind them, of
            which those are taken out that turn out to be as they were.
    """

    def __init__(
        self,
        store: StateStore,
        before: RunRecord,
        run_id: str,
        wiring: Wiring,
        changed: set[int],
        differing: Collection[int],
    ) -> None:
        self.changed = changed
        self.fresh = graph.reached(changed, wiring.succs)
        self._store = store
        self._run_id = run_id
        self._before = before
        self._names = [*wiring.index]  # no task: it must not lead to the workflow
        self._differing = set(differing)
        self._pages = Pages(store, before.id)
        # What is decided about may stand anywhere in the run before, so no page is read twice.
        self._compared = Pages(store, before.id, most=len(self._names))
        self._turn = threading.Lock()  # whoever looks at the run may be another thread

    @property
    def base(self) -> str | None:
        """The run that is named in the end; None if too little was taken over for that.

        Asked for in the end: until then, a base may have handed on what the run before has of it.
        """
        own = len(self.fresh | self._differing)
        if own > _MOST_OWN or len(self._names) - own < WORTH:
            return None
        before = self._store.run(self._before.id)
        return before.base or before.id

    def has(self, node: int) -> bool:
        """Whether a node is taken over."""
        return node < len(self._names) and node not in self.fresh

    @property
    def nodes(self) -> Iterator[int]:
        """All nodes that are taken over."""
        return (node for node in range(len(self._names)) if node not in self.fresh)

    def record(self, node: int) -> TaskRecord:
        """Return the record that the run has of a node that is taken over.

        Raises:
            NoResultError: The run before is not as it was any more.
        """
        record = self._found(node, self._pages)
        return record if record.run_id == self._run_id else self._taken_over(record)

    def earlier(self, node: int) -> TaskRecord:
        """Return the record that the run before has of a node; raises as `record` does."""
        return self._found(node, self._compared)

    def some_earlier(self) -> list[TaskRecord]:
        """Return what the run before has of nodes not taken over, the first if there are many."""
        return [self.earlier(node) for node in islice(sorted(self.fresh), _MOST_OWN)]

    def all_earlier(self) -> Iterator[TaskRecord]:
        """Yield all records of the run before."""
        return iter(Pages(self._store, self._before.id))

    def _found(self, node: int, pages: Pages) -> TaskRecord:
        name = self._names[node]
        with self._turn:
            record = pages.look((name, ""), node)
        if record is None:
            raise NoResultError(f"run {self._before.id} has no record of task {name!r} any more")
        return record

    def rows(self, *, whole: bool) -> Iterator[TaskRecord]:
        """Yield the records that the run needs of its own: if `whole`, all, as it names no base."""
        nodes = self.nodes if whole else iter(sorted(self._differing - self.fresh))
        return map(self.record, nodes)

    def differing(self) -> tuple[str, str]:
        """Return the list of nodes that the run has records of its own for: its key, its text."""
        text = packed(array("Q", sorted(self._differing | self.fresh)))
        return blake2b(text.encode(), digest_size=16).hexdigest(), text

    def arrived(self) -> None:
        """The run has them all by now: the run before may go."""
        self._pages = self._compared = Pages(self._store, self._run_id)

    def _taken_over(self, record: TaskRecord) -> TaskRecord:
        source = record.source_run or record.run_id
        return replace(
            record,
            run_id=self._run_id,
            attempts=0,
            failures=0,
            origin=Origin.RESTORED,
            source_run=source,
            reason=unchanged_since(source),
            cause="",
        )


def carried_since(
    store: StateStore,
    before: RunRecord,
    run_id: str,
    wiring: Wiring,
    outline: Outline,
    forced: Iterable[str],
) -> Carried | None:
    """Return what a run takes over from a completed one; None if it looks at each of its tasks.

    Args:
        store: Where the run before is.
        before: That run, the last.
        run_id: The run that has just begun.
        wiring: The workflow, in which no task is mapped.
        outline: All that its results depend on.
        forced: The tasks that are executed come what may.
    """
    if not outline.is_worth_keeping or before.info.get(OUTLINE_KEY) != before.seal:
        return None
    changed = _changed_since(store, before, outline)
    if changed is None:
        return None
    changed.update(wiring.index[name] for name in forced)
    differing = _differing(store, before)
    own = len(changed.union(differing))
    if own > _MOST_OWN or len(wiring.tasks) - own < WORTH:
        return None
    return Carried(store, before, run_id, wiring, changed, differing)


def _changed_since(store: StateStore, before: RunRecord, outline: Outline) -> set[int] | None:
    if before.seal == outline.seal:
        return set()
    text = None if before.seal is None else store.code(before.seal)
    return None if text is None else outline.changed_since(text)


def _differing(store: StateStore, before: RunRecord) -> Sequence[int]:
    """Return the nodes that a run has records of its own for, if it has a base."""
    key = before.info.get(DIFFERS_KEY)
    text = store.code(key) if before.base is not None and isinstance(key, str) else None
    return () if text is None else unpacked(text)


def differs_from_base(run: RunRecord) -> bool:
    """Whether a run that names a base has records of its own."""
    return run.base is not None and DIFFERS_KEY in run.info

"""Random workflows, edits and deaths in the middle: each run comes to what it should, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from flowweaver import (
    Event,
    EventKind,
    Executor,
    JSONStateStore,
    MemoryStateStore,
    SequentialExecutor,
    SQLiteStateStore,
    StoreError,
    ThreadedExecutor,
    Workflow,
)
from flowweaver.engine.claimed import Claimed
from flowweaver.records import TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus

STORES: dict[str, Callable[[Path], StateStore]] = {
    "memory": lambda _: MemoryStateStore(),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db", "process"),
    "json": lambda folder: JSONStateStore(folder / "state.json", "process"),
}
COUNT = 10
Preds = list[list[int]]


def computing(version: int) -> Any:
    def compute(**inputs: int) -> int:
        return (version // 2 + sum(inputs.values())) % 3  # what is edited may come out the same

    return compute


def made(preds: Preds, versions: list[int]) -> Workflow:
    found = Workflow("random")
    for node, before in enumerate(preds):
        names = [f"t{pred}" for pred in before]
        found.add_task(computing(versions[node]), name=f"t{node}", depends_on=names)
    return found


def values(preds: Preds, versions: list[int]) -> dict[str, int]:
    found: list[int] = []
    for node, before in enumerate(preds):
        found.append((versions[node] // 2 + sum(found[pred] for pred in before)) % 3)
    return {f"t{node}": value for node, value in enumerate(found)}


@contextmanager
def dying(after: int | None) -> Iterator[None]:
    """Have a process die after so many commits."""
    commit, left = Claimed.commit, [after]

    def counted(self: Claimed, changes: Any) -> None:
        if left[0] is not None:
            if not left[0]:
                raise StoreError("dead")
            left[0] -= 1
        commit(self, changes)

    with patch.object(Claimed, "commit", counted):
        yield


graphs = st.lists(st.sets(st.integers(1, 4), max_size=3), min_size=COUNT, max_size=COUNT).map(
    lambda backs: [sorted(node - b for b in back if b <= node) for node, back in enumerate(backs)]
)
edits = st.lists(st.integers(0, COUNT - 1), max_size=2)


@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    preds=graphs,
    steps=st.lists(st.tuples(edits, st.none() | st.integers(0, 6)), min_size=1, max_size=6),
    most_own=st.sampled_from([2, 2000]),
    workers=st.sampled_from([1, 1, 3]),
)
def test_what_is_killed_goes_on_and_comes_to_what_it_should(
    kind: str,
    preds: Preds,
    steps: list[tuple[list[int], int | None]],
    most_own: int,
    workers: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = STORES[kind](tmp_path_factory.mktemp("store"))
    executor: Executor = SequentialExecutor(state_store=store)
    if workers > 1:
        executor = ThreadedExecutor(workers, state_store=store)
    with (
        patch("flowweaver.engine.reuse.seal.WORTH", 1),
        patch("flowweaver.engine.carried.WORTH", 1),
        patch("flowweaver.engine.carried._MOST_OWN", most_own),
    ):
        story = _Story(executor, store, preds)
        for places, after in [([], None), *steps, ([], None), ([], None)]:
            for place in places:
                story.versions[place] += 1
            story.go_on(after)
    assert store.check(deep=True) == []
    store.close()


class _Story:
    """What has been executed in one store by now; `versions` are those of the tasks."""

    def __init__(self, executor: Executor, store: StateStore, preds: Preds) -> None:
        self.versions = [0] * COUNT
        self._executor = executor
        self._store = store
        self._preds = preds
        # What was completed once: tasks with all versions that count in them.
        self._done: set[tuple[int, ...]] = set()

    def go_on(self, after: int | None) -> None:
        """Execute the workflow until it is done, or has died."""
        heard: list[Event] = []
        run, workflow = None, made(self._preds, self.versions)
        before = self._completed()
        with dying(after), suppress(StoreError):
            run = self._executor.execute(workflow, observers=(heard.append,))
        started = {each.task for each in heard if each.kind is EventKind.TASK_STARTED}
        records = self._completed()
        identities = self._identities()
        assert not self._done.intersection(map(identities.__getitem__, started))
        self._done.update(
            identities[name]
            for name in started
            if name in records and records[name] != before.get(name)
        )
        if run is None:
            event("died")
            return
        assert {name: run[name] for name in run.tasks} == values(self._preds, self.versions)
        for name, task in run.tasks.items():
            told = task.record.digest, task.status, task.record.source_run
            assert (records[name].digest, records[name].status, records[name].source_run) == told
        finished = [each.task for each in heard if each.kind is EventKind.TASK_FINISHED]
        assert sorted(finished) == sorted(run.tasks)
        if self._store.run(run.id).base is not None:
            event("names a base")

    def _completed(self) -> dict[str, TaskRecord]:
        """Return what the last run has of the tasks that are completed in it."""
        records = [each for run in self._store.runs()[:1] for each in self._store.tasks(run.id)]
        return {each.task: each for each in records if each.status is TaskStatus.COMPLETED}

    def _identities(self) -> dict[str, tuple[int, ...]]:
        found: list[set[int]] = []
        for node, before in enumerate(self._preds):
            found.append({node}.union(*(found[pred] for pred in before)))
        return {
            f"t{node}": (node, *(self.versions[each] for each in sorted(counting)))
            for node, counting in enumerate(found)
        }
